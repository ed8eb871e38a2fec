"""Loading holds what the model holds and no more than one fused tensor beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.grok.memory import write

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_peak_memory(tmp_path: Path) -> None:
    write(tmp_path / "checkpoint", 0.3)
    done = subprocess.run(
        [sys.executable, "-m", "tests.grok.memory", "0.3", str(tmp_path / "checkpoint")],
        check=True,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["peak_anonymous_mb"] <= found["tensors_mb"] + found["largest_fused_mb"]
    # Only the fused experts are copied; the other tensors stay pages of their files.
    assert found["peak_anonymous_mb"] <= found["fused_mb"] + found["largest_fused_mb"]
