"""Rungs of the overhead ladder in a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actbench import registry
from actbench.errors import InputError
from actbench.model.cases import OVERHEAD, RUNGS
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.plan import Plan
from actbench.model.sizes import sizes
from actbench.model.variants import Variant
from actbench.planning import costs, presets, suite
from actbench.planning.selection import Room
from tests.support.rungs import RUNG_KERNELS, rung


def planned(pattern: str = "*", **changes: Any) -> Plan:
    axes = presets.get("overhead").axes
    return suite.plan(replace(axes, **changes), Room(1 << 40), pattern=pattern, seed=1)


def test_the_preset_has_every_rung_of_the_plain_backends_and_of_threads() -> None:
    measured = {"python", "numpy", "numba", "numba-parallel"}
    assert {case.kernel for case in planned().cases} == {
        kernel for kernel in RUNG_KERNELS if kernel.backend in measured and kernel.dtype in WIDE
    }


def test_a_rung_that_a_backend_lacks_is_left_out_with_its_reason() -> None:
    (left,) = planned(backends=("numba",), dtypes=(Dtype.FLOAT64,), sizes=sizes(16)).left_out
    assert left.case == "overhead/allocation/numba/derivative/float64/16"
    assert left.reason == "compiled loops write into a preallocated result"


def test_a_backend_without_a_ladder_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(registry.backends()["numpy"]), "ladder", {})
    plan = planned(backends=("numpy", "numba"))
    assert {case.backend for case in plan.cases} == {"numba"}
    assert {left.reason for left in plan.left_out if "/numpy/" in left.case} == {"numpy has no overhead ladder"}


def test_other_ops_leave_nothing_with_the_reason() -> None:
    with pytest.raises(InputError, match="the overhead ladder is the same for every op"):
        planned(ops=(Op.STEP,))


def test_rungs_and_derivatives_are_never_in_one_block() -> None:
    plan = planned(
        activations=("logistic", OVERHEAD), strategies=(Variant("cached"), Variant("loop")), backends=("numpy",)
    )
    assert all(len({case.is_rung for case in block.cases}) == 1 for block in plan.blocks)
    assert {case.strategy for case in plan.cases if case.is_rung} == {"loop"}
    assert {case.strategy for case in plan.cases if not case.is_rung} == {"cached"}


def test_no_other_preset_has_a_rung() -> None:
    for name, preset in presets.catalogue().items():
        assert (OVERHEAD in preset.axes.activations) == (name == OVERHEAD)


def test_a_rung_keeps_nothing_and_moves_what_it_passes_over() -> None:
    moved = {name: costs.bytes_moved(rung(name).at(1000)) for name in RUNGS}
    assert moved == {"empty": 0, "dispatch": 0, "allocation": 0, "loop": 16_000, "arithmetic": 16_000}
    assert all(costs.residual_bytes(rung(name).at(1000)) == 0 for name in RUNGS)
