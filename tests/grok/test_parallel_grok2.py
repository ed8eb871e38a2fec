from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.grok.test_quantization_grok2 import MIXED, plain
from tests.grok.tiny import IDS, run

from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.quantizer_grok2 import pack

SCRIPT = Path(__file__).with_name("parallel.py")

WIDE = {"moe_intermediate_size": 128, "num_key_value_heads": 4, "head_dim": 32}
"""So wide that four shares of every packed weight are whole groups."""

CUTS = {
    "self_attn.q_proj": {"weight": 0, "codes": 0, "scales": 1},
    "mlp.down_proj": {"weight": 1, "codes": 1, "scales": 2},
    "block_sparse_moe.experts.gate_up_proj": {"": 1, "codes": 1, "scales": 2},
    "block_sparse_moe.experts.down_proj": {"": 2, "codes": 2, "scales": 3},
}
"""The axis along which each parameter is cut."""


@pytest.mark.slow
def test_tensor_parallelism_gives_the_logits_of_one_process(tmp_path: Path) -> None:
    models = {"plain": plain(**WIDE), "packed": plain(**WIDE)}
    pack(models["packed"], Grok2PackedConfig(**MIXED, group_size=32))
    for name, model in models.items():
        model.save_pretrained(tmp_path / name)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node=4", str(SCRIPT), str(tmp_path), ",".join(map(str, IDS))]
    command += [str(tmp_path / name) for name in models]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    for name, most in (("plain", 1e-5), ("packed", 2e-3)):
        for processes in (4, 2):
            found = torch.load(tmp_path / name / f"{processes}.pt")
            check(models[name], found, most, processes)


def check(model: Any, found: dict[str, Any], most: float, processes: int) -> None:
    assert (found["logits"] - torch.from_numpy(run(model, [IDS]))).abs().max() < most
    made = model.generate(torch.tensor([IDS]), max_new_tokens=3, do_sample=False, eos_token_id=[])
    assert torch.equal(found["made"], made)
    for name, weight in model.model.layers[0].named_parameters():
        for module, axes in CUTS.items():
            if name.startswith(module):
                axis = axes[name.removeprefix(module).removeprefix(".")]
                share = list(weight.shape)
                share[axis] //= processes
                assert list(found["shares"][name]) == share, name
