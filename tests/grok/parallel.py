"""Run by torchrun: the logits of checkpoints under tensor parallelism, each written beside it."""

from __future__ import annotations

import os
import sys

import torch
from transformers.distributed import DistributedConfig

from ariane.grok import Grok2ForCausalLM


def main(ids: str, *directories: str) -> None:
    for directory in directories:
        tell(directory, ids)
    torch.distributed.destroy_process_group()


def tell(directory: str, ids: str) -> None:
    everyone = DistributedConfig(tp_size=int(os.environ["WORLD_SIZE"]))
    model = Grok2ForCausalLM.from_pretrained(
        directory, distributed_config=everyone, dtype=torch.float32
    )
    inputs = torch.tensor([[int(token) for token in ids.split(",")]])
    with torch.no_grad():
        logits = model(inputs).logits
        step = model.generate(inputs, max_new_tokens=3, do_sample=False, eos_token_id=[])
    layer = model.model.layers[0]
    shares = {
        name: tuple(weight.to_local().shape)
        for name, weight in layer.named_parameters()
        if hasattr(weight, "to_local")
    }
    if os.environ["RANK"] == "0":
        full = logits.full_tensor() if hasattr(logits, "full_tensor") else logits
        torch.save({"logits": full, "made": step, "shares": shares}, f"{directory}/out.pt")


if __name__ == "__main__":
    main(*sys.argv[1:])
