"""Run by torchrun: the logits of checkpoints under tensor parallelism, each written beside it.

First by all processes, then by half of them, and so on. To import everything costs more than to
compute: it is done once, and each group computes in processes that are forked from there.
"""

from __future__ import annotations

import os
import sys

import torch
from transformers.distributed import DistributedConfig

from ariane.grok import Grok2ForCausalLM


def main(folder: str, ids: str, *directories: str) -> None:
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    while rank < size > 1:
        child = os.fork()
        if not child:
            together(rank, size, f"{folder}/meeting-{size}")
            for directory in directories:
                tell(directory, ids, size)
            torch.distributed.destroy_process_group()
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            sys.exit(f"{size} processes did not come to an end.")
        size //= 2


def together(rank: int, size: int, meeting: str) -> None:
    """Join the group of so many processes, which meet by a file."""
    os.environ |= {name: str(size) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE")}
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=size
    )


def tell(directory: str, ids: str, size: int) -> None:
    everyone = DistributedConfig(tp_size=size)
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
        torch.save({"logits": full, "made": step, "shares": shares}, f"{directory}/{size}.pt")


if __name__ == "__main__":
    main(*sys.argv[1:])
