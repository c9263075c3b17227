from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from actbench.backends import _numba_cache, _simd
from actbench.backends._simd import sixteen_bits
from actbench.model.names import WIDE, Dtype, Storage
from actbench.model.number_formats import numpy_dtype
from tests.support.targets import on_x86, printed_for
from tests.support.tiers import exhaustive_but

ELEMENTS = {"float16": numba.uint16, "bfloat16": numba.uint16, "float32": numba.float32, "float64": numba.float64}
SIXTEEN = (Storage.FLOAT16, Storage.BFLOAT16)

every_storage = pytest.mark.parametrize("storage", SIXTEEN)
every_dtype = pytest.mark.parametrize("dtype", WIDE)
both_ways = pytest.mark.parametrize("way", ["instruction", "integers"])


convert: Any = None
"""The function that `_loop` calls: another one in every copy of it."""


def _loop(out: Any, values: Any) -> None:
    for i in range(values.size):
        out[i] = convert(values[i])


@cache
def compiled(name: str, source: str, target: str) -> Callable[[NDArray[Any], NDArray[Any]], None]:
    """Return the function of that name in a loop, from numba's cache where the same source was compiled before."""
    loop = FunctionType(_loop.__code__, globals() | {"convert": getattr(sixteen_bits, name)})
    dispatcher: Any = numba.njit(error_model="numpy")(loop)
    _numba_cache.share(dispatcher, name, _simd.edition())
    dispatcher.compile(numba.void(ELEMENTS[target][::1], ELEMENTS[source][::1]))
    dispatcher.disable_compile()
    function: Callable[[NDArray[Any], NDArray[Any]], None] = dispatcher
    return function


def converted(values: NDArray[Any], target: str, name: str = "") -> NDArray[Any]:
    """Convert in compiled code, to numpy's type of that name."""
    out = np.empty(values.size, numpy_dtype(target))
    as_bits = [array.view(np.uint16) if array.dtype.itemsize == 2 else array for array in (out, values)]
    compiled(name or f"{values.dtype.name}_to_{target}", values.dtype.name, target)(*as_bits)
    return out


def by_numpy(values: NDArray[Any], target: str) -> NDArray[Any]:
    with np.errstate(all="ignore"):
        return values.astype(numpy_dtype(target))


def same(computed: NDArray[Any], expected: NDArray[Any]) -> bool:
    """Say whether all are equal, signs of zero included; NaN is NaN, whatever its bits."""
    integer = np.dtype(f"u{computed.dtype.itemsize}")
    equal = computed.view(integer) == expected.view(integer)
    return bool(np.all(equal | (np.isnan(computed) & np.isnan(expected))))


def every_pattern(storage: Storage) -> NDArray[Any]:
    return np.arange(65536, dtype=np.uint16).view(numpy_dtype(storage))


def awkward(storage: Storage, dtype: Dtype) -> NDArray[Any]:
    """Return every narrow number, the middle of every two, what is next to these, and a hundred thousand at random."""
    narrow = np.sort(by_numpy(every_pattern(storage), "float64"))
    finite = narrow[np.isfinite(narrow)]
    middles = ((finite[1:] + finite[:-1]) / 2).astype(dtype)  # exact
    beyond = np.array([65519.996, 65520.0, 65520.004, 3.3961775e38, np.finfo(dtype).max, np.inf, np.nan], dtype)
    near = np.concatenate([finite.astype(dtype), middles, beyond])
    integer = np.dtype(f"u{dtype.itemsize}")
    bits = np.random.default_rng(0).integers(0, 2 ** (8 * dtype.itemsize), 10**5, dtype=integer, endpoint=False)
    with np.errstate(all="ignore"):
        sides = [np.nextafter(near, side) for side in np.array([-np.inf, np.inf], dtype)]
    return np.concatenate([near, -near, *sides, bits.view(dtype)])


@every_storage
@every_dtype
def test_all_65536_numbers_are_widened_exactly(storage: Storage, dtype: Dtype) -> None:
    patterns = every_pattern(storage)
    assert same(converted(patterns, dtype), by_numpy(patterns, dtype))


@every_storage
@every_dtype
def test_numbers_are_narrowed_to_the_nearest_and_ties_to_even(storage: Storage, dtype: Dtype) -> None:
    values = awkward(storage, dtype)
    if storage is Storage.BFLOAT16 and dtype is Dtype.FLOAT64:
        values = values[once_rounded(values)]
    assert same(converted(values, storage), by_numpy(values, storage))


def once_rounded(values: NDArray[Any]) -> NDArray[Any]:
    """Return where ml_dtypes, which narrows a float64 by way of float32, rounds but once: where that step is exact."""
    return np.asarray(by_numpy(by_numpy(values, "float32"), "float64") == values)


def test_a_float64_is_rounded_to_bfloat16_once() -> None:
    values = awkward(Storage.BFLOAT16, Dtype.FLOAT64)
    with np.errstate(all="ignore"):
        computed = converted(values, Storage.BFLOAT16).astype(np.float64)
        tiny = 2.0**-133
        unit = np.maximum(np.exp2(np.floor(np.log2(np.abs(values))) - 7), tiny)
        nearest = np.round(values / unit) * unit  # to even, and exact: units are powers of two
    nearest[np.abs(nearest) > 3.39e38] *= np.inf
    finite = np.isfinite(values) & (values != 0)
    assert np.array_equal(computed[finite], nearest[finite])


@both_ways
def test_either_way_to_convert_a_float16_is_right(way: str) -> None:
    if way == "instruction" and not sixteen_bits.converts():
        pytest.skip("the processor has none")
    patterns, values = every_pattern(Storage.FLOAT16), awkward(Storage.FLOAT16, Dtype.FLOAT32)
    assert same(converted(patterns, "float32", f"widened_by_{way}"), by_numpy(patterns, "float32"))
    assert same(converted(values, "float16", f"narrowed_by_{way}"), by_numpy(values, "float16"))


def test_float64_is_kept_as_the_nearest_float32() -> None:
    values = awkward(Storage.FLOAT16, Dtype.FLOAT64)
    kept = converted(values, "float32")
    assert same(kept, by_numpy(values, "float32"))
    assert same(converted(kept, "float64"), by_numpy(kept, "float64"))


COMPILE = """
import json

import numba
import numpy as np

from actbench.backends._simd import sixteen_bits

u, f, d = numba.uint16[::1], numba.float32[::1], numba.float64[::1]
types = {"float16": u, "bfloat16": u, "float32": f, "float64": d}


def compiled(name):
    convert = getattr(sixteen_bits, name)
    source, target = name.split("_to_")

    def loop(out, values):
        for i in range(values.size):
            out[i] = convert(values[i])

    return numba.njit([numba.void(types[target], types[source])], error_model="numpy")(loop)


names = [f"{a}_to_{b}" for wide in ("float32", "float64") for a, b in (
    ("float16", wide), ("bfloat16", wide), (wide, "float16"), (wide, "bfloat16"))]
loops = {name: compiled(name) for name in names}
patterns = np.arange(65536, dtype=np.uint16)
wide, kept = np.empty(65536, np.float64), np.empty(65536, np.uint16)
loops["float16_to_float64"](wide, patterns)
loops["float64_to_float16"](kept, wide)
with np.errstate(all="ignore"):
    right = np.array_equal(wide, patterns.view(np.float16).astype(np.float64), equal_nan=True)
back = np.array_equal(kept[~np.isnan(wide)], patterns[~np.isnan(wide)])
[code] = zip(*(loop.inspect_asm().values() for loop in loops.values()))
print(json.dumps([bool(right and back), dict(zip(names, code))]))
"""

PROCESSORS = {"x86-64": "", "haswell": "+avx,+avx2,+fma,+f16c", "skylake-avx512": "+avx512f,+f16c"}
"""And features: the first has no instruction for float16."""


@cache
def code(processor: str) -> tuple[bool, dict[str, str]]:
    """Return whether a processor's conversions are right, where this one executes them, and their assembly."""
    right, texts = printed_for(processor, COMPILE, features=PROCESSORS[processor])
    return right, {name: text.split(".globl")[1] for name, text in texts.items()}


@on_x86
def test_a_processor_without_an_instruction_for_float16_calls_no_library_and_is_right() -> None:
    right, texts = code("x86-64")
    assert right
    assert not [name for name, text in texts.items() if re.search(r"\bcall|vcvtp[hs]2p[hs]", text)]


@on_x86
@pytest.mark.parametrize("processor", exhaustive_but(["haswell", "skylake-avx512"], "haswell".__eq__))
def test_a_processor_with_instructions_for_float16_converts_whole_vectors(processor: str) -> None:
    features = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split()) if sys.platform == "linux" else set()
    if not {"f16c", "avx512f" if processor == "skylake-avx512" else "avx2"} <= features:
        pytest.skip("this processor cannot execute it")
    right, texts = code(processor)
    assert right
    for name, instruction in (("float16_to_float32", "vcvtph2ps"), ("float32_to_float16", "vcvtps2ph")):
        assert re.search(rf"{instruction}\s[^\n]*[yz]mm", texts[name])
    for name in ("bfloat16_to_float32", "float32_to_bfloat16"):
        assert re.search(r"vp\w+\s[^\n]*[yz]mm", texts[name])
    assert not [name for name, text in texts.items() if re.search(r"^\s+call", text, re.MULTILINE)]
