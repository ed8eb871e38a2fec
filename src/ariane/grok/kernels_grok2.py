"""Optional kernels for packed weights at decode: C++ on a processor, Triton on a GPU.

Both multiply a few vectors, each with the matrix of its expert, and read each packed byte once.
The C++ one is compiled by the machine's compiler when it is first needed and kept by PyTorch.
Without either, packed weights are unpacked and multiplied by PyTorch: exact, and slow.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeAlias

import torch
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


@cache
def _processor() -> Multiply | None:
    """The C++ kernel, compiled for this processor."""
    capability = torch.backends.cpu.get_cpu_capability().lower().replace(" ", "_")
    try:
        built = cpp_extension.load(
            name=f"grok2_packed_{capability}",
            sources=[str(Path(__file__).with_name("kernels_grok2.cpp"))],
            extra_cflags=["-O3", "-march=native", "-ffast-math", "-fopenmp", "-std=c++20"],
            is_python_module=False,
        )
        multiply = ctypes.CDLL(str(built)).packed_multiply
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
