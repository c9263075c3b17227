from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import mpmath
import numpy as np
import pytest

from actbench import registry
from actbench.formula import Flaw
from actbench.kernels.operands import Array, Operand, Operands
from actbench.kernels.placement import Invocation, Placement
from actbench.kernels.resolution import kernel as resolved
from actbench.model.cases import Block, KernelId
from actbench.model.names import WIDE, Dtype, Op
from tests.support import definitions, kernels
from tests.support.placed import PREALLOCATING, SAMPLE, SIZE, UNPLACED, USABLE, call, placed
from tests.support.resolved import prepare
from tests.support.tiers import exhaustive_but

YARDSTICK = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, SIZE, ()).yardstick


def read(invocation: Invocation) -> list[Any]:
    written = invocation.outputs or ()
    return list(invocation.arguments[len(written) :])


@pytest.mark.parametrize("op", Op)
def test_arms_that_read_the_same_array_share_it(op: Op) -> None:
    placement = placed()
    one, other = (read(call(placement, strategy, "numpy", op)) for strategy in ("textbook", "recompute"))
    compiled = read(call(placement, "recompute", "numba", op))
    addresses = [[array.ctypes.data for array in arrays] for arrays in (one, other, compiled)]
    assert addresses[0] == addresses[1] == addresses[2]
    assert np.shares_memory(one[-1], prepare(YARDSTICK, placement).arguments[1]) == (op is not Op.STEP)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_operands_stay_shared_over_strategies_that_keep_different_things(backend: str) -> None:
    placement = placed()
    gradients = {
        id(read(call(placement, strategy, backend, Op.BACKWARD))[0])
        for strategy in ("recompute", "cached", "complement")
    }
    kept = {id(read(call(placement, strategy, backend))[0]) for strategy in ("recompute", "cached", "complement")}
    assert len(gradients) == 1
    assert len(kept) == 3


@pytest.mark.parametrize("backend", exhaustive_but(PREALLOCATING, {"numpy-blocked", "numba"}.__contains__))
def test_arms_write_to_the_same_array_as_the_yardstick(backend: str) -> None:
    placement = placed()
    written = [call(placement, strategy, backend).arguments[0] for strategy in ("recompute", "cached", "complement")]
    written.append(prepare(YARDSTICK, placement).arguments[0])
    assert len({id(array) for array in written}) == 1


@pytest.mark.parametrize("backend", exhaustive_but(PREALLOCATING, {"numpy-blocked", "numba"}.__contains__))
def test_the_outputs_of_a_step_do_not_overlap_each_other_or_its_inputs(backend: str) -> None:
    arguments = call(placed(), "complement", backend, Op.STEP).arguments
    assert len(arguments) == 5
    ends = sorted((array.ctypes.data, array.ctypes.data + array.nbytes) for array in arguments)
    assert all(end <= start for (_, end), (start, _) in pairwise(ends))


@pytest.mark.parametrize("backend", UNPLACED)
def test_a_backend_whose_operands_are_not_placed_converts_each_once(backend: str) -> None:
    operands = Operands.drawn(registry.activation("logistic"), Dtype.FLOAT64, SIZE, seed=1)
    first, second = (Placement(operands, np.random.default_rng(seed)) for seed in (1, 2))
    assert read(call(first, "textbook", backend))[0] is read(call(second, "recompute", backend))[0]
    released = USABLE[backend].release(read(call(first, "recompute", backend))[0])
    assert released.tolist() == operands.array(Operand.of("recompute", "z")).tolist()


@pytest.mark.parametrize("dtype", WIDE)
def test_inputs_are_drawn_from_the_standard_normal_by_the_seed(dtype: Dtype) -> None:
    first, again, other = (
        Operands.drawn(registry.activation("logistic"), dtype, 20_000, seed=seed).z for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.dtype == dtype
    assert abs(first.mean()) < 0.03
    assert abs(first.std() - 1) < 0.03
    assert (np.abs(first) > np.finfo(dtype).tiny).all()


def test_the_upstream_gradient_is_of_the_same_numbers_in_another_order() -> None:
    operands = Operands.drawn(registry.activation("logistic"), Dtype.FLOAT64, SIZE, seed=1)
    z, dy = operands.array(Operand.of("", "z")), operands.array(Operand.of("", "dy"))
    assert not np.array_equal(z, dy)
    np.testing.assert_array_equal(np.sort(z), np.sort(dy))


@pytest.mark.parametrize(("activation", "dtype"), [*product(definitions.TRUTH, WIDE)])
def test_residuals_are_what_the_forward_pass_keeps(activation: str, dtype: Dtype) -> None:
    operands = Operands.drawn(registry.activation(activation), dtype, 100, seed=1)
    weaknesses = tuple(of for of in registry.activation(activation).formulas.weaknesses if not of.narrow)
    z = operands.array(Operand.of("", "z"))
    exact = kernels.output(activation, z)
    stated = 8 * kernels.declared(weaknesses, Flaw.AMPLIFIES, z)
    assert (kernels.ulps(operands.array(Operand.of("recompute", "y")), exact) <= stated).all()
    if "complement" in registry.activation(activation).strategies:
        with mpmath.workdps(50):
            small = kernels.Digits(min(y, 1 - y) if activation == "logistic" else 1 - abs(y) for y in exact)
        assert kernels.ulps(operands.array(Operand.of("complement", "c")), small).max() <= 8
        assert kernels.ulps(operands.array(Operand.of("complement", "y")), exact).max() <= 8


@pytest.mark.parametrize(("dtype", "backend"), [*product(WIDE, ("numpy", "numba-parallel"))])
def test_a_yardstick_copies(dtype: Dtype, backend: str) -> None:
    placement = placed(dtype=dtype)
    output, z = placement.output(0), placement.operand(registry.backend("numpy"), Operand.of("", "z"))
    output[:] = 7
    invocation = prepare(replace(YARDSTICK, backend=backend, dtype=dtype), placement)
    invocation.function(*invocation.arguments)
    np.testing.assert_array_equal(output, z)
    assert not np.shares_memory(output, z)


@pytest.mark.parametrize("chosen", SAMPLE, ids=lambda chosen: chosen.id)
def test_a_call_can_be_repeated_and_leaves_its_inputs_alone(chosen: KernelId) -> None:
    placement = placed(dtype=chosen.dtype, activation=chosen.activation)
    invocation = prepare(chosen.at(SIZE), placement)
    before = [np.array(operand) for operand in read(invocation)]
    first: list[Array] = [output.copy() for output in invocation.results()]
    second = invocation.results()
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    for old, new in zip(before, read(invocation), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("chosen", SAMPLE, ids=lambda chosen: chosen.id)
def test_a_call_reads_what_its_op_and_strategy_say(chosen: KernelId) -> None:
    residuals = resolved(chosen).rule.residuals
    expected = {Op.DERIVATIVE: residuals, Op.BACKWARD: ("dy", *residuals), Op.STEP: ("z", "dy")}[chosen.op]
    assert tuple(operand.name for operand in resolved(chosen).reads) == expected
    placement = placed(dtype=chosen.dtype, activation=chosen.activation)
    assert len(read(prepare(chosen.at(SIZE), placement))) == len(expected)
