"""Where operands and results lie."""

from __future__ import annotations

import numpy as np
import pytest

from actbench import registry
from actbench.kernels.operands import Array, Operand, Operands
from actbench.kernels.placement import ALIGNMENT, PAGE, PHASED, PHASES, SPAN, Invocation, Placement
from actbench.model.names import WIDE, Dtype
from tests.support.peers import widest
from tests.support.placed import PREALLOCATING, SIZE, UNPLACED, USABLE, call, placed


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("size", [1, 17, 1000])
def test_every_address_is_aligned_to_a_cache_line(dtype: Dtype, size: int) -> None:
    for seed in range(20):
        placement = placed(seed, dtype, size)
        numpy = registry.backend("numpy")
        arrays = [placement.operand(numpy, Operand.of("complement", name)) for name in ("z", "dy", "y", "c")]
        arrays += [placement.output(position) for position in range(3)]
        for array in arrays:
            assert array.ctypes.data % ALIGNMENT == 0
            assert array.flags.c_contiguous
            assert (array.dtype, array.shape) == (np.dtype(dtype), (size,))


def test_addresses_differ_between_placements_in_page_and_in_line() -> None:
    placements = [placed(seed) for seed in range(30)]
    addresses = [
        placement.operand(registry.backend("numpy"), Operand.of("", "z")).ctypes.data for placement in placements
    ]
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
        placement.warm(invocation.result_address, number % PHASES)
        address = invocation.result_address()
        assert address is not None
        hits += address % ALIGNMENT == number % PHASES * ALIGNMENT // PHASES
    assert hits >= 30, "left to the allocator it would be about ten"


@pytest.mark.parametrize("backend", [*PREALLOCATING, *UNPLACED])
def test_results_that_are_no_arrays_of_the_call_s_own_are_left_where_they_are(backend: str) -> None:
    dtype = widest(backend)
    placement = placed(dtype=dtype)
    invocation = call(placement, "cached", backend, dtype=dtype)
    for phase in range(PHASES):
        placement.warm(invocation.result_address, phase)
    assert invocation.result_address() is None
    digits = 1e-12 if dtype is Dtype.FLOAT64 else 1e-5
    numpys = call(placement, "recompute", "numpy", dtype=dtype).results()[0]
    np.testing.assert_allclose(invocation.results()[0], numpys, rtol=digits)


def test_a_warm_call_of_a_large_array_is_one_call() -> None:
    calls: list[Array] = []

    def allocate() -> Array:
        calls.append(np.empty(3))
        return calls[-1]

    placed(size=PHASED // 8 + 1).warm(Invocation(allocate, ()).result_address, 3)
    assert len(calls) == 1


def test_distances_between_operands_differ_between_placements() -> None:
    def distance(placement: Placement) -> int:
        z, dy = (placement.operand(registry.backend("numpy"), Operand.of("", name)).ctypes.data for name in ("z", "dy"))
        return int(z - dy) % PAGE

    assert len({distance(placed(seed)) for seed in range(30)}) > 10


def test_a_placement_moves_arrays_and_not_their_contents() -> None:
    operands = Operands.drawn(registry.activation("tanh"), Dtype.FLOAT32, SIZE, seed=1)
    one, other = (Placement(operands, np.random.default_rng(seed)) for seed in (1, 2))
    for name in ("z", "dy", "y", "c"):
        first, second = (
            placement.operand(registry.backend("numpy"), Operand.of("complement", name)) for placement in (one, other)
        )
        assert not np.shares_memory(first, second)
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, operands.array(Operand.of("complement", name)))
