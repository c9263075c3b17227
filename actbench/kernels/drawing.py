"""Drawing the pre-activations and the upstream gradient of a block, always the same from the same seed.

An array of the user's is thinned or repeated to a block's size, and keeps its order, as a layer's elements have one.
One of the block's size is taken as it is, from a larger one elements are drawn without replacement, and a smaller one
is repeated, with as many elements drawn from it as are missing in the end. So all sizes have the same distribution.
"""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench.errors import InputError, reason
from actbench.host import regular
from actbench.model.inputs import STANDARD_NORMAL, Distribution, Inputs
from actbench.model.names import Dtype
from actbench.model.number_formats import computed_in, numpy_dtype

MAGIC = b"\x93NUMPY"
"""What a .npy file begins with."""

BROKEN = (ValueError, EOFError, OSError, MemoryError, TypeError, OverflowError, SyntaxError, TokenError, RecursionError)
"""What numpy may raise for a file that is damaged."""

GRADIENT = 1
"""The stream of random numbers from which the upstream gradient is drawn."""


def pinned(inputs: Inputs) -> Inputs:
    """Return the inputs with the digest of their file, if there is one; `InputError` where it cannot be drawn from."""
    if inputs.distribution is not Distribution.FILE:
        return inputs
    data = _bytes(inputs.file)
    _array(inputs.file, data)
    return replace(inputs, sha256=sha256(data).hexdigest())


def largest(inputs: Inputs) -> float:
    """Return the largest absolute value that can be drawn, as a float64."""
    if inputs.distribution is Distribution.FILE:
        return float(np.max(np.abs(_elements(inputs.file, inputs.sha256)), initial=0.0))
    return max(map(abs, inputs.bounds))


@lru_cache
def extremes(inputs: Inputs, dtype: Dtype, size: int, seed: int) -> NDArray[Any]:
    """Return the lowest and the highest z of blocks of up to `size` elements, or of all elements of a file."""
    if inputs.distribution is Distribution.FILE:
        z = _elements(inputs.file, inputs.sha256).astype(numpy_dtype(dtype))
    else:
        z, _ = draw(inputs, dtype, size, seed)
    return np.array([z.min(), z.max()])


def draw(inputs: Inputs, dtype: Dtype, size: int, seed: int) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return z and dy of a block, one-dimensional, of `size` elements in `dtype`.

    dy is drawn from N(0, 1), whatever z is drawn from: the gradient that comes from the layers above does not saturate
    where z does. Where z is from N(0, 1) itself it is None: z in another order will do.

    Numbers are drawn in float64, or as wide as a file has them, and rounded; from N(0, 1) they are drawn in `dtype`, or
    in float32 for a narrower one.
    `InputError` where a file cannot be read, or is not the one that the digest is of.
    """
    rng, kind = np.random.default_rng(seed), numpy_dtype(dtype)
    if inputs == STANDARD_NORMAL:
        return standard_normal(rng, size, kind), None
    match inputs.distribution:
        case Distribution.NORMAL:
            mean, deviation = inputs.parameters
            z = rng.normal(mean, deviation, size)
        case Distribution.UNIFORM:
            low, high = inputs.parameters
            z = rng.uniform(low, high, size)
        case Distribution.FILE:
            z = _sample(_elements(inputs.file, inputs.sha256), size, rng)
    dy = standard_normal(np.random.default_rng((seed, GRADIENT)), size, kind)
    return z.astype(kind, copy=False), dy


def standard_normal(rng: np.random.Generator, size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return numbers from N(0, 1), drawn in their type, or in float32 and rounded where it is narrower."""
    drawn = rng.standard_normal(size, dtype=computed_in(dtype).type)
    return drawn.astype(dtype, copy=False)


def _sample(elements: NDArray[Any], size: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return so many elements in their order: all of them as often as possible, and a part of them once more."""
    times, rest = divmod(size, elements.size)
    part = np.sort(rng.choice(elements.size, rest, replace=False, shuffle=False))
    return np.concatenate([np.tile(elements, times), elements[part]])


@lru_cache(maxsize=1)
def _elements(file: str, digest: str) -> NDArray[Any]:
    """Return the elements of a file, in its order and type; `InputError` where it has another digest."""
    data = _bytes(file)
    if sha256(data).hexdigest() != digest:
        raise InputError(f"--inputs {file} changed since this run started; start a new run")
    return _array(file, data)


def _bytes(file: str) -> bytes:
    if not file.isprintable():
        raise InputError(f"--inputs {file!r}: its name has characters that do not print: give it another")
    try:
        return regular.read(Path(file))
    except FileNotFoundError:
        raise InputError(f"--inputs {file}: there is no such file: name one that numpy.save wrote") from None
    except OSError as error:
        raise InputError(f"--inputs {file}: it cannot be read ({reason(error)}): name another file") from None
    except ValueError as error:
        raise InputError(f"--inputs {file}: it cannot be read ({error}): name another file") from None


def _array(file: str, data: bytes) -> NDArray[Any]:
    """Return the elements of a file's contents; `InputError` where they are no inputs."""
    if not data.startswith(MAGIC):
        raise InputError(f"--inputs {file}: it is not a .npy file: write one with numpy.save")
    try:
        array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    except BROKEN as error:
        words = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"--inputs {file}: numpy cannot load it ({words}): write it again with numpy.save") from None
    if array.dtype.kind != "f":
        raise InputError(f"--inputs {file}: it is an array of {array.dtype}: save one of floats")
    if not array.size:
        raise InputError(f"--inputs {file}: its array has no elements: save one that has some")
    unusable = np.count_nonzero(~np.isfinite(array))
    if unusable:
        raise InputError(
            f"--inputs {file}: {unusable} of its {array.size} elements are NaN or infinite, where activations may have "
            "no derivative: save finite numbers"
        )
    return array.ravel().astype(array.dtype.newbyteorder("="), copy=False)
