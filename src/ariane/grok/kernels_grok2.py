"""Optional kernels for packed weights at decode: C++ on a processor, Triton on a GPU.

Both multiply a few vectors, each with the matrix of its expert, and read each packed byte once.
The C++ one is compiled by the machine's compiler when it is first needed, and kept beside
PyTorch's other extensions for machines of the same instructions.
Without either, packed weights are unpacked and multiplied by PyTorch: exact, and slow.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeAlias

import torch
from torch import nn
from torch.utils import cpp_extension

try:  # comes with every CUDA build of PyTorch
    import ariane.grok.kernels_grok2_triton as _triton
except ImportError:  # a module or None, which the type checker does not take
    _triton = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

FEW = 16
"""Vectors at most that the kernels take; for more, unpacking once and one product is faster."""

Multiply: TypeAlias = Callable[
    [torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int, int], torch.Tensor
]
"""x (S, K) float32, codes (E, N, …), scales (E, 2, N, G), experts (S,), bits, group to (S, N)."""


def kernel(device: torch.device) -> Multiply | None:
    """The fast product on a device, or None where there is none."""
    if device.type == "cpu":
        return _processor()
    return _triton.multiply if device.type == "cuda" and _triton is not None else None


def prepare(model: nn.Module) -> None:
    """Have the kernel for packed weights on a processor now, rather than in the first reply."""
    packed = (held for held in model.parameters() if held.dtype is torch.uint8)
    if any(held.device.type == "cpu" for held in packed):
        _processor()


def machine(about: Path = Path("/proc/cpuinfo")) -> str:
    """A name for what `-march=native` and PyTorch's headers make of a source on this machine.

    A home may be shared by machines whose processors know different instructions.
    """
    said = about.read_text(encoding="utf-8") if about.exists() else ""
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", said, re.MULTILINE)
    known = sorted(flags[1].split()) if flags else [platform.processor()]
    whole = " ".join((platform.machine(), torch.__version__, *known))
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def _compiled() -> str:
    """The path of the compiled kernel, which is compiled if it is not there."""
    name = f"grok2_packed_{machine()}"
    root = os.environ.get("TORCH_EXTENSIONS_DIR") or cpp_extension.get_default_build_root()
    folder = Path(root) / name
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / f"{name}{cpp_extension.LIB_EXT}").exists():
        log.warning("Compiling the kernel for packed weights, once: this takes about a minute.")
    built = cpp_extension.load(
        name=name,
        sources=[str(Path(__file__).with_name("kernels_grok2.cpp"))],
        extra_cflags=["-O3", "-march=native", "-ffast-math", "-fopenmp", "-std=c++20"],
        build_directory=str(folder),
        is_python_module=False,
    )
    return str(built)


@cache
def _processor() -> Multiply | None:
    """The C++ kernel, compiled for this processor."""
    try:
        multiply = ctypes.CDLL(_compiled()).packed_multiply
    except (OSError, RuntimeError, ImportError) as error:
        log.warning(
            "Packed weights run without their C++ kernel, many times slower (%s): install a C++ "
            "compiler and ninja.",
            str(error).splitlines()[0],
        )
        return None
    multiply.restype = ctypes.c_bool
    multiply.argtypes = [ctypes.c_void_p] * 5 + [ctypes.c_int64] * 5

    def product(
        x: torch.Tensor,
        codes: torch.Tensor,
        scales: torch.Tensor,
        experts: torch.Tensor,
        bits: int,
        group: int,
    ) -> torch.Tensor:
        x, codes = x.contiguous(), codes.contiguous()
        scales = scales.to(torch.bfloat16).contiguous()
        experts = experts.to(torch.int64).contiguous()
        out = torch.empty(len(x), codes.shape[1], dtype=torch.float32)
        pointers = [tensor.data_ptr() for tensor in (x, codes, scales, experts, out)]
        if not multiply(*pointers, *out.shape, x.shape[1], bits, group):
            raise ValueError(f"The C++ kernel has no product for {bits} bits in groups of {group}.")
        return out

    return product
