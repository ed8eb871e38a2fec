"""The feed's benchmark: every stage of the real path, beside a peer, on small settings."""

import math

import pytest

from ariane.bench import feed


@pytest.mark.slow
def test_every_stage_is_timed_beside_the_peer() -> None:
    rows = {row["stage"]: row for row in feed.run(quick=True)}
    for stage in (*feed.STAGES, "for_you", "processor"):
        row = rows[f"{stage}, ms"]
        assert 0 < row["p50"] <= row["p95"] <= row["p99"]
        assert row["peer p50"] > 0
        assert math.isfinite(row["p50 ratio"])
    assert rows["for_you, ms"]["p50"] >= rows["arrange, ms"]["p50"]
    for server in feed.SERVERS:
        row = rows[f"for_you, [llm] at {server}, ms"]
        assert row["p50"] > 0
        assert row["p50 ratio"] == row["p50"] / row["peer p50"]
    assert rows["peak memory, MiB"]["p50"] > 0
