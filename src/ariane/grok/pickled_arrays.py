"""Read pickled NumPy and JAX arrays without running anything that the file names.

A pickle calls whatever it names. Here each of the few names that an array needs stands for an
inert record of ours, and any other name is an error: no code of the file's choosing runs.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ariane.grok.errors import CheckpointError

FORMATS = {"i1": "int8", "u1": "uint8", "f2": "float16", "f4": "float32", "bfloat16": "bfloat16"}
"""The number formats that are read, by the names that pickles give them."""


@dataclass(frozen=True)
class Array:
    """An array of a pickle; `content` holds bfloat16 as the 16 bits of each number."""

    content: np.ndarray[Any, Any]
    format: str


@dataclass(frozen=True)
class Quantized:
    """Grok-1's int8 weights (…, in, out), and their scales (…, groups of in, out)."""

    weight: Array
    scales: Array


class _Record:
    """Stands for whatever a pickle builds: how it was made, and its state."""

    def __init__(self, *made: Any) -> None:
        self.made = made
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Dtype(_Record):
    """`numpy.dtype(name)`."""


class _Built(_Record):
    """An array made empty and then filled, or made of a buffer."""


class _Jax(_Record):
    """A JAX array: how its NumPy array is made, and that array's state."""


class _Weight(_Record):
    """xAI's QuantizedWeight8bit."""


class _Name(_Record):
    """A name that is only passed on."""


def _text_to_bytes(text: str, encoding: str) -> bytes:
    """What `_codecs.encode` is asked for in old pickles."""
    if encoding != "latin1":
        raise CheckpointError(f"A pickle asks for the encoding {encoding!r}, which no array needs.")
    return text.encode("latin1")


ALLOWED: Mapping[tuple[str, str], Any] = {
    ("__main__", "QuantizedWeight8bit"): _Weight,
    ("model", "QuantizedWeight8bit"): _Weight,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Name,
    ("numpy.core.multiarray", "_reconstruct"): _Built,
    ("numpy._core.multiarray", "_reconstruct"): _Built,
    ("numpy.core.numeric", "_frombuffer"): _Built,
    ("numpy._core.numeric", "_frombuffer"): _Built,
    ("ml_dtypes", "bfloat16"): "bfloat16",
    ("jax.numpy", "bfloat16"): "bfloat16",
    ("jax._src.dtypes", "bfloat16"): "bfloat16",
    ("jaxlib.xla_extension", "bfloat16"): "bfloat16",
    ("jax._src.array", "_reconstruct_array"): _Jax,
    ("_codecs", "encode"): _text_to_bytes,
}
"""Every name that a pickle may have, and what stands for it."""


class _Inert(pickle.Unpickler):
    """A reader that knows no name but those of `ALLOWED`."""

    def find_class(self, module: str, name: str) -> Any:
        """Our stand-in; raises `CheckpointError` for any other name."""
        if (module, name) not in ALLOWED:
            raise CheckpointError(
                f"it names {module}.{name}, which no array needs: do not open it with pickle."
            )
        return ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Arrays have no persistent parts."""
        raise CheckpointError(f"it names the outside part {pid!r}, which no array needs.")


def read_pickle(path: Path) -> Array | Quantized:
    """The array or the quantized weight of a file; raises `CheckpointError`."""
    try:
        with path.open("rb") as file:
            return _value(_Inert(file).load())
    except CheckpointError as error:
        raise CheckpointError(f"{path} is not Grok-1's: {error}") from error
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is no whole pickled array ({error}): download it again."
        ) from error
    except (IndexError, KeyError, OverflowError, MemoryError, ImportError) as error:
        raise CheckpointError(
            f"{path} is no pickled array ({error!r}): download it again."
        ) from error


def _value(record: Any) -> Array | Quantized:
    if isinstance(record, _Weight):
        return Quantized(_array(record.state["weight"]), _array(record.state["scales"]))
    return _array(record)


def _array(record: Any) -> Array:
    """The array that a record stands for."""
    if isinstance(record, _Jax):  # its function, arguments and state, as NumPy pickles them
        _, _, state, _ = record.made
        return _filled(state)
    if not isinstance(record, _Built):
        raise CheckpointError(f"it holds a {type(record).__name__}, not an array.")
    if record.state is None:
        raw, dtype, shape, order = record.made
        return _filled((1, shape, dtype, order == "F", raw))
    return _filled(record.state)


def _filled(state: tuple[Any, ...]) -> Array:
    """NumPy's state of an array: version, shape, dtype, whether columns come first, bytes."""
    _, shape, dtype, columns_first, raw = state
    if not isinstance(dtype, _Dtype) or dtype.made[0] not in FORMATS:
        raise CheckpointError("it holds numbers of a format that Grok-1 has not.")
    if dtype.state is not None and dtype.state[1] == ">":
        raise CheckpointError("it holds numbers with their bytes in the other order.")
    name = FORMATS[dtype.made[0]]
    flat = np.frombuffer(raw, np.uint16 if name == "bfloat16" else name)
    if flat.size != math.prod(shape):
        raise CheckpointError(f"it holds {flat.size} numbers for the shape {shape}.")
    return Array(flat.reshape(shape, order="F" if columns_first else "C"), name)
