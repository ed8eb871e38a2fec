from __future__ import annotations

from ariane.bench.read import run


def test_the_whole_reading_stands_beside_the_bare_encoder() -> None:
    rows = run(quick=True)
    assert [row["stage"] for row in rows] == ["bare encoder", "reader", "read, classify, store"]
    assert rows[0]["of encoder"] == 1.0
    for row in rows:
        assert row["of encoder"] == row["posts/s"] / rows[0]["posts/s"]
