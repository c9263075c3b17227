"""How the audit of frameworks' activations comes to its findings."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest

from actbench.analysis.accuracy import Accuracy, Part
from actbench.analysis.conventions import AtInfinity, AtKink, Conventions
from actbench.engine.survey.accuracy import Survey
from actbench.model.names import Dtype
from benchmarks.audit import __main__ as audit
from benchmarks.audit import calls, page
from benchmarks.audit.claims import CLAIMS
from benchmarks.audit.findings import Fault, Finding, candidates, findings, simplest
from tests.support.surveyed import accuracies, kernel
from tests.support.tiers import EXHAUSTIVE

FEW = Survey(points=40)


@pytest.fixture(scope="module")
def cached() -> Accuracy:
    """What keeping y costs the logistic, as if torch shipped it; torch does."""
    (item,) = accuracies(kernel("logistic", "cached", Dtype.FLOAT32), survey=FEW)
    return replace(item, kernel=replace(item.kernel, backend="torch"))


def test_zones_become_findings_that_a_round_z_shows(cached: Accuracy) -> None:
    zero, wrong = findings(cached)
    assert (zero.fault, zero.tail, wrong.fault) == (Fault.ZERO, "right", Fault.WRONG)
    assert (zero.dtype, zero.framework) == ("float32", "torch")
    assert wrong.first < zero.first
    assert zero.shows(0.0)
    assert not zero.shows(4.14e-8)
    assert wrong.shows(float(wrong.right) * 1.02)
    assert not wrong.shows(float(wrong.right) * 1.001)
    plain, *others = candidates(zero)
    assert (plain.z, plain.elements, plain.right) == (17.0, 1, "4.1399373760035016377e-8")
    assert {item.elements for item in others} == {1, 64}
    assert all(zero.first <= item.z <= zero.last for item in others)


def test_what_any_arithmetic_loses_around_a_root_is_no_finding() -> None:
    for item in accuracies(kernel("silu", "recompute", Dtype.FLOAT32), survey=FEW):
        assert [*findings(item)] == []


def test_other_results_than_limits_and_slopes_beyond_a_kink_are_findings(cached: Accuracy) -> None:
    ends: dict[str, AtInfinity] = {Part.LEFT: AtInfinity(nan, 0.0), Part.RIGHT: AtInfinity(0.0, 0.0)}
    odd = Conventions(nan, ends, (AtKink(-1.0, 2.0, 0.0, 1.0, 1.0), AtKink(1.0, 0.5, 0.0, 1.0, 0.0)))
    at_infinity, at_kink = (
        item for item in findings(replace(cached, conventions=odd)) if item.fault in {Fault.INFINITY, Fault.KINK}
    )
    assert (at_infinity.z, at_infinity.right, at_infinity.shows(nan), at_infinity.shows(0.0)) == (
        -inf,
        "0.0",
        True,
        False,
    )
    assert (at_kink.z, at_kink.fault, at_kink.shows(1.0)) == (-1.0, Fault.KINK, False)


def test_the_simplest_z_of_a_zone_is_inside_it() -> None:
    assert simplest(88.7228, 91.8, "float32") == 90.0
    assert simplest(17.33, inf, "float64") == 18.0
    assert simplest(0.0, 1.0, "float64") == 0.0
    narrow = float(np.float32(13.3))
    assert simplest(narrow, narrow, "float32") == narrow


def test_a_call_is_what_a_user_writes(cached: Accuracy) -> None:
    zero, _ = findings(cached)
    zero = replace(zero, z=17.0)
    assert calls.snippet(zero).splitlines() == [
        "import torch",
        "z = torch.tensor(17.0, dtype=torch.float32, requires_grad=True)",
        "print(torch.autograd.grad(torch.sigmoid(z), z)[0].item())",
    ]
    wide = replace(zero, framework="jax", activation="gelu", dtype="float64", z=-inf, elements=64, of="forward")
    assert calls.snippet(wide).splitlines() == [
        "import jax",
        'jax.config.update("jax_enable_x64", True)',
        'z = jax.numpy.full(64, float("-inf"), "float64")',
        "print(float(jax.nn.gelu(z, approximate=False)[0]))",
    ]


def test_what_a_call_on_one_number_does_not_show_is_tried_on_an_array(
    cached: Accuracy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def called(items: list[Finding]) -> list[Finding]:
        single = {Fault.ZERO: 0.0, Fault.NAN: 0.0}
        return [
            replace(item, result=0.0 if item.elements > 1 else single.get(Fault(item.fault), float(item.right)))
            for item in items
        ]

    monkeypatch.setattr(calls, "called", called)
    zero, wrong = findings(cached)
    shown, not_shown = calls.shown([zero, wrong, replace(zero, fault=Fault.NAN)])
    assert [(item.fault, item.elements) for item in shown] == [(Fault.ZERO, 1), (Fault.WRONG, 64)]
    assert [item.fault for item in not_shown] == [Fault.NAN]


def test_a_claim_is_confirmed_by_a_finding_of_its_kind(cached: Accuracy) -> None:
    zero, _ = findings(cached)
    assert [claim.words for claim in CLAIMS if claim.covers(zero)] == ["logistic: lost far right"]


@EXHAUSTIVE  # a quarter of a minute of processor time
@pytest.mark.skipif(not all(map(find_spec, ("torch", "jax"))), reason="torch and jax are not installed")
def test_one_activation_of_both_frameworks_is_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["audit", "-a", "hard-sigmoid", "-d", "float64,bfloat16", "-o", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        audit.main()
    assert end.value.code == 0
    audited = page.Audit.read(tmp_path)
    faults = {(item.fault, item.dtype) for item in audited.of("torch", "hard-sigmoid", "derivative")}
    assert faults == {(Fault.IMPRECISE, "float64")}
    tails = [audited.rows["forward", "hard-sigmoid", "jax", "bfloat16", tail] for tail in ("left", "right")]
    assert sum(int(tail["points"]) for tail in tails) == 2 * 0x7F80 - 1  # every finite number but -0
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == page.text(tmp_path)
