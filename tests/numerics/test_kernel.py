from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import mpmath
import numpy as np
import pytest

from actbench import activations, backends
from actbench.errors import LOADED, InputError
from actbench.formula import Flaw
from actbench.kernels import kernel
from actbench.kernels.kernel import ALIGNMENT, PAGE, PHASED, PHASES, SPAN, Array, Invocation, Operands, Placement
from actbench.model.cases import Arm, Block, Case, Kernel
from actbench.model.names import Dtype, Op
from actbench.planning.costs import bytes_moved, residual_bytes
from tests.support import kernels

SIZE = 1000
SAMPLE = kernels.sample()
USABLE = {name: backend for name, backend in backends.catalogue().items() if not backend.unavailable}
UNPLACED = [name for name, backend in USABLE.items() if not (backend.optional or backend.places)]
PREALLOCATING = [name for name, backend in USABLE.items() if backend.preallocates]
YARDSTICK = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, SIZE, ()).yardstick


def placed(seed: int = 0, dtype: Dtype = Dtype.FLOAT64, size: int = SIZE, activation: str = "logistic") -> Placement:
    return Placement(Operands.drawn(activation, dtype, size, seed=1), np.random.default_rng(seed))


def call(placement: Placement, strategy: str, backend: str, op: Op = Op.DERIVATIVE) -> Invocation:
    return kernel.prepare(Case("logistic", strategy, backend, op, Dtype.FLOAT64, SIZE), placement)


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
    assert np.shares_memory(one[-1], kernel.prepare(YARDSTICK, placement).arguments[1]) == (op is not Op.STEP)


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


@pytest.mark.parametrize("backend", PREALLOCATING)
def test_arms_write_to_the_same_array_as_the_yardstick(backend: str) -> None:
    placement = placed()
    written = [call(placement, strategy, backend).arguments[0] for strategy in ("recompute", "cached", "complement")]
    written.append(kernel.prepare(YARDSTICK, placement).arguments[0])
    assert len({id(array) for array in written}) == 1


@pytest.mark.parametrize("backend", PREALLOCATING)
def test_the_outputs_of_a_step_do_not_overlap_each_other_or_its_inputs(backend: str) -> None:
    arguments = call(placed(), "complement", backend, Op.STEP).arguments
    assert len(arguments) == 5
    ends = sorted((array.ctypes.data, array.ctypes.data + array.nbytes) for array in arguments)
    assert all(end <= start for (_, end), (start, _) in pairwise(ends))


@pytest.mark.parametrize("backend", UNPLACED)
def test_a_backend_whose_operands_are_not_placed_converts_each_once(backend: str) -> None:
    operands = Operands.drawn("logistic", Dtype.FLOAT64, SIZE, seed=1)
    first, second = (Placement(operands, np.random.default_rng(seed)) for seed in (1, 2))
    assert read(call(first, "textbook", backend))[0] is read(call(second, "recompute", backend))[0]
    released = USABLE[backend].release(read(call(first, "recompute", backend))[0])
    assert released.tolist() == operands.array("recompute", "z").tolist()


@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("size", [1, 17, 1000])
def test_every_address_is_aligned_to_a_cache_line(dtype: Dtype, size: int) -> None:
    for seed in range(20):
        placement = placed(seed, dtype, size)
        numpy = backends.get("numpy")
        arrays = [placement.operand(numpy, "complement", name) for name in ("z", "dy", "y", "c")]
        arrays += [placement.output(position) for position in range(3)]
        for array in arrays:
            assert array.ctypes.data % ALIGNMENT == 0
            assert array.flags.c_contiguous
            assert (array.dtype, array.shape) == (np.dtype(dtype), (size,))


def test_addresses_differ_between_placements_in_page_and_in_line() -> None:
    placements = [placed(seed) for seed in range(30)]
    addresses = [placement.operand(backends.get("numpy"), "", "z").ctypes.data for placement in placements]
    assert len(set(addresses)) == len(addresses)
    assert len({address % PAGE for address in addresses}) > 10
    assert len({address // PAGE % (SPAN // PAGE) for address in addresses}) > 10


ALLOCATING = [
    name for name, backend in USABLE.items() if backend.places and not (backend.optional or backend.preallocates)
]


@pytest.mark.parametrize("backend", ALLOCATING)
@pytest.mark.parametrize("size", [1000, 10_000, 30_000])
def test_a_result_that_a_call_allocates_starts_in_the_phase_asked_for(backend: str, size: int) -> None:
    placement = placed(size=size)
    invocation = call(placement, "cached", backend)
    hits = 0
    for number in range(40):
        placement.warm(invocation, number % PHASES)
        address = invocation.result_address()
        assert address is not None
        hits += address % ALIGNMENT == number % PHASES * ALIGNMENT // PHASES
    assert hits >= 30, "left to the allocator it would be about ten"


@pytest.mark.parametrize("backend", [*PREALLOCATING, *UNPLACED])
def test_results_that_are_no_arrays_of_the_call_s_own_are_left_where_they_are(backend: str) -> None:
    placement = placed()
    invocation = call(placement, "cached", backend)
    for phase in range(PHASES):
        placement.warm(invocation, phase)
    assert invocation.result_address() is None
    np.testing.assert_allclose(invocation.results()[0], call(placement, "recompute", "numpy").results()[0], rtol=1e-12)


def test_a_warm_call_of_a_large_array_is_one_call() -> None:
    calls: list[Array] = []

    def allocate() -> Array:
        calls.append(np.empty(3))
        return calls[-1]

    placed(size=PHASED // 8 + 1).warm(Invocation(allocate, ()), 3)
    assert len(calls) == 1


def test_distances_between_operands_differ_between_placements() -> None:
    def distance(placement: Placement) -> int:
        z, dy = (placement.operand(backends.get("numpy"), "", name).ctypes.data for name in ("z", "dy"))
        return int(z - dy) % PAGE

    assert len({distance(placed(seed)) for seed in range(30)}) > 10


def test_a_placement_moves_arrays_and_not_their_contents() -> None:
    operands = Operands.drawn("tanh", Dtype.FLOAT32, SIZE, seed=1)
    one, other = (Placement(operands, np.random.default_rng(seed)) for seed in (1, 2))
    for name in ("z", "dy", "y", "c"):
        first, second = (each.operand(backends.get("numpy"), "complement", name) for each in (one, other))
        assert not np.shares_memory(first, second)
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, operands.array("complement", name))


@pytest.mark.parametrize("dtype", Dtype)
def test_inputs_are_drawn_from_the_standard_normal_by_the_seed(dtype: Dtype) -> None:
    first, again, other = (Operands.drawn("logistic", dtype, 20_000, seed=seed).array("", "z") for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.dtype == dtype
    assert abs(first.mean()) < 0.03
    assert abs(first.std() - 1) < 0.03
    assert (np.abs(first) > np.finfo(dtype).tiny).all()


def test_the_upstream_gradient_is_of_the_same_numbers_in_another_order() -> None:
    operands = Operands.drawn("logistic", Dtype.FLOAT64, SIZE, seed=1)
    z, dy = operands.array("", "z"), operands.array("", "dy")
    assert not np.array_equal(z, dy)
    np.testing.assert_array_equal(np.sort(z), np.sort(dy))


@pytest.mark.parametrize(("activation", "dtype"), [*product(kernels.TRUTH, Dtype)])
def test_residuals_are_what_the_forward_pass_keeps(activation: str, dtype: Dtype) -> None:
    operands = Operands.drawn(activation, dtype, 100, seed=1)
    weaknesses = activations.get(activation).formulas.weaknesses
    z = operands.array("", "z")
    exact = kernels.output(activation, z)
    stated = 8 * kernels.declared(weaknesses, Flaw.AMPLIFIES, z)
    assert (kernels.ulps(operands.array("recompute", "y"), exact) <= stated).all()
    if "complement" in activations.get(activation).strategies:
        with mpmath.workdps(50):
            small = [min(y, 1 - y) if activation == "logistic" else 1 - abs(y) for y in exact]
        assert kernels.ulps(operands.array("complement", "c"), small).max() <= 8
        assert kernels.ulps(operands.array("complement", "y"), exact).max() <= 8


@pytest.mark.parametrize(("dtype", "backend"), [*product(Dtype, ("numpy", "numba-parallel"))])
def test_a_yardstick_copies(dtype: Dtype, backend: str) -> None:
    placement = placed(dtype=dtype)
    output, z = placement.output(0), placement.operand(backends.get("numpy"), "", "z")
    output[:] = 7
    invocation = kernel.prepare(replace(YARDSTICK, backend=backend, dtype=dtype), placement)
    invocation.function(*invocation.arguments)
    np.testing.assert_array_equal(output, z)
    assert not np.shares_memory(output, z)


@pytest.mark.parametrize("chosen", SAMPLE, ids=lambda chosen: chosen.id)
def test_a_call_can_be_repeated_and_leaves_its_inputs_alone(chosen: Kernel) -> None:
    placement = placed(dtype=chosen.dtype, activation=chosen.activation)
    invocation = kernel.prepare(chosen.at(SIZE), placement)
    before = [np.array(operand) for operand in read(invocation)]
    first: list[Array] = [output.copy() for output in invocation.results()]
    second = invocation.results()
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    for old, new in zip(before, read(invocation), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("chosen", SAMPLE, ids=lambda chosen: chosen.id)
def test_a_call_reads_what_its_op_and_strategy_say(chosen: Kernel) -> None:
    residuals = kernel.rule(chosen).residuals
    expected = {Op.DERIVATIVE: residuals, Op.BACKWARD: ("dy", *residuals), Op.STEP: ("z", "dy")}[chosen.op]
    assert kernel.inputs(chosen.op, residuals) == expected
    placement = placed(dtype=chosen.dtype, activation=chosen.activation)
    assert len(read(kernel.prepare(chosen.at(SIZE), placement))) == len(expected)


TRAFFIC = {
    # arrays of its size that one call reads or writes, and how many are kept
    ("z", Op.DERIVATIVE): (2, 1),  # z | g'
    ("z", Op.BACKWARD): (3, 1),  # dy z | dz
    ("z", Op.STEP): (5, 1),  # z | y, dy z | dz
    ("y", Op.DERIVATIVE): (2, 1),  # y | g'
    ("y", Op.BACKWARD): (3, 1),  # dy y | dz
    ("y", Op.STEP): (5, 1),  # z | y, dy y | dz
    ("c", Op.DERIVATIVE): (2, 1),  # c | g'
    ("c", Op.BACKWARD): (3, 1),  # dy c | dz
    ("c", Op.STEP): (6, 1),  # z | y c, dy c | dz
    ("z y", Op.DERIVATIVE): (3, 2),  # z y | g'
    ("z y", Op.BACKWARD): (4, 2),  # dy z y | dz
    ("z y", Op.STEP): (6, 2),  # z | y, dy z y | dz
    ("z s", Op.DERIVATIVE): (3, 2),  # z s | g'
    ("z s", Op.BACKWARD): (4, 2),  # dy z s | dz
    ("z s", Op.STEP): (7, 2),  # z | y s, dy z s | dz
}

KEPT = {"textbook": "z", "recompute": "z", "cached": "y", "complement": "c", "intermediate": "z s", "pair": "z y"}
"""What the strategies of the activations that are sampled keep."""


@pytest.mark.parametrize("chosen", SAMPLE, ids=lambda chosen: chosen.id)
def test_bytes_moved_and_kept_follow_from_the_traffic(chosen: Kernel) -> None:
    kept = KEPT[chosen.strategy]
    assert kernel.rule(chosen).residuals == tuple(kept.split())
    streams, arrays = TRAFFIC[kept, chosen.op]
    bytes_each = {Dtype.FLOAT32: 4, Dtype.FLOAT64: 8}[chosen.dtype]
    assert kernel.traffic(chosen.activation, chosen.strategy, chosen.op) == kernel.Traffic(arrays, streams)
    assert bytes_moved(chosen.at(SIZE)) == streams * SIZE * bytes_each
    assert residual_bytes(chosen.at(SIZE)) == arrays * bytes_each


def test_every_strategy_of_a_name_keeps_as_much() -> None:
    for activation in activations.catalogue().values():
        for strategy, op in product(activation.strategies, Op):
            streams, arrays = TRAFFIC[KEPT[strategy], op]
            assert kernel.traffic(activation.name, strategy, op) == kernel.Traffic(arrays, streams)


def test_a_function_that_a_backend_lacks_is_a_reason_for_a_kernel_not_to_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(backends.catalogue()["numpy"]), "lacks", ("erf", "erfc"))
    for strategy, op, missing in (
        ("textbook", Op.DERIVATIVE, "erf"),
        ("textbook", Op.STEP, "erf and no erfc"),
        ("recompute", Op.BACKWARD, "erfc"),
        ("intermediate", Op.STEP, "erfc"),
        ("pair", Op.STEP, "erfc"),
    ):
        chosen = Kernel("gelu", strategy, "numpy", op, Dtype.FLOAT64)
        assert kernel.refusal(chosen) == f"numpy has no {missing}"
        with pytest.raises(InputError) as refused:
            kernel.rule(chosen)
        assert str(refused.value) == f"{chosen.id} does not exist: numpy has no {missing}"
    for strategy, op in (("intermediate", Op.DERIVATIVE), ("pair", Op.BACKWARD)):
        assert kernel.refusal(Kernel("gelu", strategy, "numpy", op, Dtype.FLOAT64)) is None
    assert kernel.refusal(Kernel("logistic", "recompute", "numpy", Op.STEP, Dtype.FLOAT64)) is None


@pytest.mark.parametrize(("op", "dtype"), [*product(Op, Dtype)])
def test_the_yardstick_reads_one_array_and_writes_one_and_keeps_nothing(op: Op, dtype: Dtype) -> None:
    case = Block("tanh", op, dtype, SIZE, (Arm("cached", "numpy"),)).yardstick
    assert bytes_moved(case) == 2 * SIZE * dtype.itemsize
    assert residual_bytes(case) == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"activation": "logistik"}, "unknown activation 'logistik': did you mean 'logistic'?"),
        ({"strategy": "cache"}, "unknown strategy of logistic 'cache': did you mean 'cached'?"),
        ({"backend": "numbra"}, "unknown backend 'numbra': did you mean 'numba'?"),
        ({"activation": "identity"}, "unknown strategy of identity 'cached': known are recompute"),
        ({"backend": "zzz"}, f"unknown backend 'zzz': known are {', '.join(sorted(backends.catalogue()))}{LOADED}"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(wrong: dict[str, str], message: str) -> None:
    names = {"activation": "logistic", "strategy": "cached", "backend": "numpy"} | wrong
    chosen = Kernel(**names, op=Op.DERIVATIVE, dtype=Dtype.FLOAT64)
    with pytest.raises(InputError) as refused:
        kernel.rule(chosen)
    assert str(refused.value) == message
    with pytest.raises(InputError):
        kernel.prepare(chosen.at(SIZE), placed())


def test_an_unavailable_backend_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(backends.catalogue()["numba"]), "requires", "no_such_distribution")
    with pytest.raises(InputError, match="backend 'numba' is not available: no_such_distribution is not installed"):
        backends.get("numba")
