"""Grok's benchmark: decode at every choice of bits, at a width that takes no time."""

from ariane.bench.grok import CHOICES, decode


def test_every_choice_of_bits_is_timed_beside_the_copy_and_the_peer() -> None:
    rows = decode(128, 2, rounds=1, copied=2**16)
    assert [row["bits"] for row in rows] == list(CHOICES)
    for row in rows:
        assert float(row["of copy"]) > 0
        assert float(row["copy GB/s"]) > 0
        assert float(row["ms, 64 layers, reckoned"]) > float(row["ms a layer"])
    assert rows[0]["faster than 16 bits"] == rows[0]["product, faster than bf16"] == 1
