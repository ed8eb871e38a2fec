"""Loading holds what the model holds and no more than one fused tensor beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ariane.bench.load import measure


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_peak_memory(tmp_path: Path) -> None:
    ours, merged = measure(tmp_path, 0.3)
    assert ours["tensors MB"] == merged["tensors MB"] == pytest.approx(300, rel=0.2)
    assert float(ours["peak mapped MB"]) > 0
    assert float(ours["of tensors + largest"]) <= 1
    # Only the fused experts are copied; the other tensors stay pages of their files.
    assert float(ours["peak anonymous MB"]) < 0.9 * float(ours["tensors MB"])
