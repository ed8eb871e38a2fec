from __future__ import annotations

from ariane.bench.rank import run


def test_a_quick_run_has_a_peer_in_every_row() -> None:
    rows = run(quick=True)
    assert [row["what"] for row in rows] == [
        "warm history",
        "cold history",
        "warm history, as Ranked",
    ]
    for row in rows:
        assert row["ratio"] == row["peer ms"] / row["ms"]
