"""The stack is at several places while slices are timed, whatever place a process has by chance."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Callable
from typing import Any

import pytest

from actbench.engine.protocol import Slice, Sweep
from actbench.engine.working import prepared
from actbench.host.stack_placement import PLACES, call_at
from actbench.kernels.resolution import subjects
from actbench.model.cases import Arm, Block
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant

PARTS = ("x86_64", "Linux", "glibc")

STACK_POINTER = slice(160, 168)
"""The bytes of glibc's context on x86-64 that hold the stack pointer."""


@pytest.mark.parametrize("place", range(PLACES))
def test_a_call_returns_what_its_function_returns(place: int) -> None:
    assert call_at(place, lambda: call_at(place, lambda: place)) == place


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt()])
def test_a_call_raises_what_its_function_raises(error: BaseException) -> None:
    def raising() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        call_at(0, raising)
    assert raised.value is error


@pytest.mark.skipif(
    (platform.machine(), platform.system(), platform.libc_ver()[0]) != PARTS, reason="the layout is that of x86-64"
)
def test_places_are_in_all_parts_of_a_cache_line() -> None:
    libc, context = ctypes.CDLL(None), ctypes.create_string_buffer(4096)

    def stack_pointer() -> int:
        libc.getcontext(context)
        return int.from_bytes(context.raw[STACK_POINTER], "little")

    first = call_at(0, stack_pointer)
    assert {(first - call_at(place, stack_pointer)) % 64 for place in range(PLACES)} == {0, 16, 32, 48}
    assert call_at(0, stack_pointer) == first


@pytest.mark.parametrize("slices", [2, 4])
def test_the_slices_of_an_arm_are_at_as_many_odd_as_even_places(monkeypatch: pytest.MonkeyPatch, slices: int) -> None:
    places: list[int] = []

    def recorded(place: int, function: Callable[[], Any]) -> Any:
        places.append(place)
        return function()

    monkeypatch.setattr(prepared, "call_at", recorded)
    arms = (Arm(Variant("cached"), "numpy"), Arm(Variant("recompute"), "numpy"))
    block = prepared.PreparedBlock(
        subjects(Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, 10, arms).cases), 1, STANDARD_NORMAL, 0, whole=False
    )
    starts = set()
    for seed in range(40):
        places.clear()
        block.sweep(Sweep(seed, (Slice(0, 1), Slice(1, 1), Slice(1, 1), Slice(0, 1)) * (slices // 2)), None)
        of_arms = [places[0::4] + places[3::4], places[1::4] + places[2::4]]
        starts |= {places[0]}
        for of_arm in of_arms:
            assert sum(place % 2 for place in of_arm) == slices // 2
    assert starts == {*range(PLACES)}
