"""The loops that numba compiles, executed by the interpreter: all of them, of which the quick tests compile a few.

They are Python until they are compiled. Where compiled code alone can do what a loop calls, such as a load of a
register, an array stands in for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.backends import (
    _gated_loops,
    _gated_register_loops,
    _gated_widening_loops,
    _loops,
    _register_loops,
    _widening_loops,
)
from actbench.backends._compiling import parameters
from actbench.backends._loops import RESIDUALS, Loop
from actbench.backends._simd import ahead, streamed, streaming
from actbench.formula import Activation
from actbench.kernels.operands import Array
from actbench.model.names import Op
from actbench.model.rule import Dialect, Formula, Rule

ELEMENTWISE, GATED = registry.elementwise(), [name for name, one in registry.activations().items() if one.is_gated]

Z = np.array([-45.0, -8.0, -2.5, -0.75, -1e-9, 1e-9, 0.3, 2.4, 11.9, 45.0])
DY = np.linspace(-1.0, 2.0, Z.size)
INPUTS = {"z": Z, "a": Z, "b": np.roll(Z, 3) / 7.0}


def rules(activation: Activation) -> Iterator[tuple[Rule, Rule]]:
    """Yield every strategy over numbers, and over arrays."""
    for strategy in activation.strategies:
        arrays = registry.backend("numpy").namespace()
        yield activation.rule(strategy, Dialect.SCALAR, math), activation.rule(strategy, Dialect.ARRAY, arrays)


def computed_at_once(rule: Rule) -> dict[str, Array]:
    """Return what the formulas of arrays give: y, what is saved, and the factors of dy."""
    outputs = (rule.save or rule.forward)(*(INPUTS[name] for name in rule.inputs))
    arrays = dict(zip(("y", *rule.saved), outputs if rule.save else [outputs], strict=True))
    factors = rule.derivative(*((INPUTS | arrays)[name] for name in rule.residuals))
    return arrays | dict(zip(("da", "db"), factors, strict=True) if rule.is_gated else [("dz", factors)])


def filled(loop: Loop, arrays: dict[str, Array]) -> dict[str, Array]:
    """Call a loop, or a step, and return the arrays that it writes, which its parameters begin with."""
    written = {name: np.full_like(Z, np.nan) for name in parameters(loop) if name not in arrays}
    loop(*written.values(), *(arrays[name] for name in parameters(loop) if name in arrays))
    return written


def assert_alike(computed: Sequence[Array], expected: Sequence[Array]) -> None:
    for one, right in zip(computed, expected, strict=True):
        np.testing.assert_allclose(one, right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [*ELEMENTWISE, *GATED])
def test_the_loops_of_a_step_give_what_formulas_of_arrays_give(name: str) -> None:
    for numbers, arrays in rules(registry.activation(name)):
        module: ModuleType = _gated_loops if numbers.is_gated else _loops
        factories = zip(module.loops_of(Op.STEP, numbers), _loops.formulas_of(Op.STEP, numbers), strict=True)
        step = module.step_of(numbers)(*(factory(range, formula) for factory, formula in factories))
        right = computed_at_once(arrays)
        gradients = [DY * right.pop(gradient) for gradient in (("da", "db") if numbers.is_gated else ("dz",))]
        inputs = {one: INPUTS[one] for one in numbers.inputs}
        assert_alike([*filled(step, inputs | {"dy": DY}).values()], [*right.values(), *gradients])


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_loops_of_both_derivatives_give_what_formulas_of_arrays_give(name: str) -> None:
    first = registry.activation(name)
    for numbers, arrays in (pair for activation in (first, first.second) for pair in rules(activation)):
        (factory,), right = _loops.loops_of(Op.DERIVATIVE, numbers), computed_at_once(arrays)
        kept = ((INPUTS | right)[residual] for residual in numbers.residuals)
        loop = factory(range, numbers.derivative)
        computed = filled(loop, dict(zip(parameters(loop)[1:], kept, strict=True)))
        assert_alike([computed["out"]], [right["dz"]])


FORMULAS: dict[Callable[..., Any], Formula] = {
    _loops.elementwise: lambda x: x * x - 0.3,
    _loops.elementwise_from_two: lambda x, y: x * y - 0.3,
    _loops.saving: lambda x: (x * x, x + 0.3),
    _loops.saving_two: lambda x: (x * x, x + 0.3, x - 0.7),
    _loops.backward: lambda x: x * x - 0.3,
    _loops.backward_from_two: lambda x, y: x * y - 0.3,
    _gated_loops.elementwise: lambda x, y: x * y - 0.3,
    _gated_loops.saving: lambda x, y: (x * y, x + y),
    _gated_loops.backward_from_two: lambda x, y: (x * y, x + y),
    _gated_loops.backward_from_three: lambda x, y, z: (x * y, x + z),
}
"""Formulas of numbers, and of registers, for the loops of every kind."""

WIDENING = _widening_loops.WIDENING | _gated_widening_loops.WIDENING
REGISTERS = _register_loops.REGISTERS | _gated_register_loops.REGISTERS


def written(loop: Loop) -> list[str]:
    """Return the names of the arrays that a loop writes: residuals belong to them where it has the inputs."""
    names = parameters(loop)
    outputs = {"out", "y", "dz", "da", "db"} | (RESIDUALS if {"z", "a"} & {*names} else set())
    return [name for name in names if name in outputs]


def arrays_for(loop: Loop, size: int, dtype: str) -> dict[str, Array]:
    """Return the arguments of a loop by name, drawn or, of those that it writes, NaN."""
    draw = np.random.default_rng(0).standard_normal
    outputs = written(loop)
    return {name: (np.full(size, np.nan) if name in outputs else draw(size)).astype(dtype) for name in parameters(loop)}


@pytest.mark.parametrize("plain", WIDENING, ids=lambda one: f"{one.__module__[18:]}.{one.__name__}")
def test_a_loop_over_16_bits_is_the_plain_one_in_float32_and_rounds_once(plain: Callable[..., Any]) -> None:
    wide = plain(range, FORMULAS[plain])
    narrow = WIDENING[plain](np.float32, np.float16)(range, FORMULAS[plain])
    arrays = arrays_for(narrow, 50, "float16")
    widened = {name: array.astype(np.float32) for name, array in arrays.items()}
    narrow(**arrays)
    wide(**widened)
    for name in written(wide):
        np.testing.assert_array_equal(arrays[name], widened[name].astype(np.float16))


BLOCK, LANES = 8, 2


def part(array: Array, number: int) -> slice:
    """Return where a register behind the last whole block is."""
    start = array.size // BLOCK * BLOCK + number * LANES
    return slice(start, min(start + LANES, array.size))


def store_part(array: Array, number: int, value: Array) -> None:
    place = part(array, number)
    array[place] = value[: place.stop - place.start]


BLOCKS: Any = SimpleNamespace(
    blocks=lambda array: array.size // BLOCK,
    parts=lambda array: -(-(array.size % BLOCK) // LANES),
    load=lambda array, block: array[block * BLOCK :][:BLOCK].copy(),
    store=lambda array, block, value: array[block * BLOCK :][:BLOCK].__setitem__(slice(None), value),
    load_part=lambda array, number: np.resize(array[part(array, number)], LANES),
    store_part=store_part,
)
"""What `actbench.backends._simd.register_memory` does, on short arrays in place of registers."""


@pytest.mark.parametrize("plain", REGISTERS, ids=lambda one: f"{one.__module__[18:]}.{one.__name__}")
def test_a_loop_over_registers_computes_whole_blocks_and_the_rest(plain: Callable[..., Any]) -> None:
    one_by_one, at_once = plain(range, FORMULAS[plain]), REGISTERS[plain](range, FORMULAS[plain], BLOCKS)
    for size in (0, 1, 2, 3, 7, 8, 9, 16, 21):
        right, arrays = (arrays_for(loop, size, "float64") for loop in (one_by_one, at_once))
        one_by_one(**right)
        at_once(**arrays)
        for name in written(one_by_one):
            np.testing.assert_array_equal(arrays[name], right[name])


def add_all(out: Array, *arrays: Array) -> None:
    """Add the sum of arrays of the same length to the first one: twice where that is called twice."""
    out += sum(arrays)


@pytest.mark.parametrize(("count", "size"), [(count, size) for count in ahead.OVER for size in (100, 256, 999)])
def test_a_loop_that_prefetches_computes_every_element_once_and_asks_for_the_next(
    count: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefetched: list[tuple[int, int]] = []
    monkeypatch.setattr(ahead, "prefetch", SimpleNamespace(ask=lambda array, at: prefetched.append((id(array), at))))
    monkeypatch.setattr(ahead, "PREFETCH_BEYOND", 200 * Z.itemsize)
    arrays = [np.arange(float(size)) for _ in range(count)]
    ahead.OVER[count](add_all)(*arrays)
    np.testing.assert_array_equal(arrays[0], count * arrays[1])
    ends = {100: [], 256: [128, 256], 999: [*range(128, 1000, 128)]}[size]
    assert prefetched == [(id(array), end) for end in ends for array in arrays]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let what bypasses the caches be copied, and return a list of where; a fence ends it with -1."""
    stored: list[int] = []

    def copy(out: Array, start: int, z: Array, first: int) -> None:
        assert (out.ctypes.data + start * out.itemsize) % streaming.LINE == 0
        out[start : start + streaming.TOGETHER] = z[first : first + streaming.TOGETHER]
        stored.append(start)

    monkeypatch.setattr(streaming, "lines", copy)
    monkeypatch.setattr(streaming, "fence", lambda: stored.append(-1))
    monkeypatch.setattr(streaming, "room", lambda out: np.zeros(streaming.TOGETHER, dtype=out.dtype))
    return stored


def set_sum(out: Array, *arrays: Array) -> None:
    """Store the sum of arrays of the same length."""
    out[:] = sum(arrays)


def beside_a_line(size: int) -> Array:
    """Return an array that begins three elements before a line."""
    room = np.zeros(size + 16)
    first = (-room.ctypes.data % streaming.LINE) // room.itemsize
    return room[first + 5 :][:size]


@pytest.mark.parametrize("wrapper", [*dict.fromkeys(streamed.OVER.values())], ids=lambda one: one.__name__)
def test_a_streamed_result_is_lines_and_what_is_before_and_behind_them(
    wrapper: streamed.Wrapper, lines: list[int]
) -> None:
    out, operands = beside_a_line(200), [np.arange(200.0)] * (len(parameters(wrapper(set_sum, 0))) - 1)
    right = len(operands) * operands[0]
    for most, places in ((out.nbytes, [3, 67, 131, -1]), (5 * out.nbytes, [-1])):
        out[:], lines[:] = np.nan, []
        wrapper(set_sum, most)(out, *operands)
        np.testing.assert_array_equal(out, right)
        assert lines == places


@pytest.mark.parametrize(("size", "places"), [(2, []), (66, []), (67, [3]), (200, [3, 67, 131])])
def test_a_non_temporal_copy_copies_every_element(size: int, places: list[int], lines: list[int]) -> None:
    out, z = beside_a_line(size), np.arange(float(size))
    streaming.non_temporal(out, z)
    np.testing.assert_array_equal(out, z)
    assert lines == [*places, -1]
