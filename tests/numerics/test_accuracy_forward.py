"""What is known of y, of relative and absolute errors, and of results at NaN, ±inf and kinks."""

from __future__ import annotations

import json
from math import inf, isnan, nan

import numpy as np
import pytest

from actbench.analysis.accuracy import Part
from actbench.analysis.conventions import AtInfinity
from actbench.analysis.deviations import Deviations, Largest
from actbench.engine.survey.accuracy import Survey
from actbench.engine.survey.look import with_conventions
from actbench.kernels import resolution
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.verification.oracle import Truth
from tests.conftest import Actbench
from tests.support.surveyed import accuracies, kernel, rows

FEW = Survey(points=20)


def test_an_error_has_three_measures_each_with_its_z() -> None:
    g = np.array([1.0, 1e-3, 0.0, 2.0])
    truth = Truth(g, np.zeros(4), np.spacing(g))
    deviations = Deviations.of(np.array([0.0, 1.0, 2.0, -3.0]), np.array([1.1, 2e-3, 0.0, nan]), truth)
    assert deviations.absolute.tolist() == pytest.approx([0.1, 1e-3, 0, inf])
    assert deviations.relative.tolist() == pytest.approx([0.1, 1.0, 0, inf])
    ulp, relative, absolute = deviations.at(np.array([True, True, True, False])).largest
    assert (ulp.z, relative.z, absolute.z) == (1.0, 1.0, 0.0)
    assert deviations.largest == (Largest(inf, -3.0),) * 3


def test_near_a_root_the_relative_error_is_large_and_the_absolute_one_is_not() -> None:
    (of,) = accuracies(kernel("silu", "recompute", Dtype.FLOAT32), survey=FEW)
    near = next(band for band in of.bands if (band.part, band.low) == (Part.LEFT, 1.0))
    assert near.absolute.size < 1e-6
    assert near.relative.size > 1e-6
    assert near.relative.z == pytest.approx(-1.278, abs=0.1)


def test_the_forward_pass_is_held_to_y() -> None:
    of = KernelId("tanh", Variant("recompute"), "numpy", Op.STEP, Dtype.FLOAT64)
    (forward,) = accuracies(of, survey=FEW)
    assert forward.largest_relative.size < 1e-15
    assert forward.conventions.infinities == {Part.LEFT: AtInfinity(-1.0, -1.0), Part.RIGHT: AtInfinity(1.0, 1.0)}
    assert forward.conventions.kinks == ()


def test_the_results_at_nan_at_infinity_and_at_kinks_are_those_of_the_kernel() -> None:
    relu, exp = accuracies(kernel("relu", "recompute"), kernel("exp", "recompute"), survey=FEW)
    (kink,) = relu.conventions.kinks
    assert (kink.z, kink.result, kink.before, kink.after, kink.declared) == (0.0, 0.0, 0.0, 1.0, 0.0)
    assert exp.conventions.infinities == {Part.LEFT: AtInfinity(0.0, 0.0), Part.RIGHT: AtInfinity(inf, inf)}
    assert isnan(exp.conventions.at_nan)


def test_a_result_at_infinity_differs_where_there_is_a_limit() -> None:
    assert AtInfinity(nan, 0.0).differs
    assert not AtInfinity(inf, inf).differs
    assert not AtInfinity(1.0, nan).differs


def test_both_are_compared_and_a_forward_pass_is_listed_once(actbench: Actbench) -> None:
    command = ("accuracy", "-a", "tanh", "-b", "numpy", "-d", "float32", "--points", "10", "--of", "derivative,forward")
    result = actbench(*command, "--format", "csv")
    assert result.exit_code == 0, result.output
    whole = [
        row for row in rows(result.stdout) if row["part"] == "right" and row["high"] == "inf" and row["low"] == "0"
    ]
    forward = [row["strategy"] for row in whole if row["of"] == "forward"]
    assert len(forward) == len({*forward}) < len([row for row in whole if row["of"] == "derivative"])
    assert "its forward pass is that of" in result.stderr
    assert all((row["at_nan"], row["limit"]) in {("nan", "0.0"), ("nan", "1.0")} for row in whole)
    text = actbench(*command, "-q").stdout
    assert "Error of y in ULP, float32" in text
    assert "Relative and absolute error of y, and its conventions, float32" in text


def test_missing_and_infinite_results_differ_in_json(actbench: Actbench) -> None:
    command = ("accuracy", "-a", "exp,relu", "-s", "recompute", "-b", "numpy", "-d", "float64", "--points", "10")
    items = json.loads(actbench(*command, "--format", "json", "-q").stdout)
    right = {item["activation"]: item for item in items if item["part"] == "right" and "limit" in item}
    assert right["exp"]["at_infinity"] == right["exp"]["limit"] == "inf"
    assert right["relu"]["kinks"] == [{"z": 0.0, "result": 0.0, "before": 0.0, "after": 1.0, "declared": 0.0}]
    assert "at_nan" not in next(item for item in items if item["part"] == "normal")


def test_an_unknown_quantity_is_refused(actbench: Actbench) -> None:
    result = actbench("accuracy", "--of", "backward")
    assert result.exit_code == 2
    assert "'backward' is not one of 'derivative', 'forward'" in result.stderr


def test_a_framework_s_convention_at_a_kink_is_no_error() -> None:
    shipped = resolution.kernel(KernelId("relu", Variant("shipped"), "torch", Op.DERIVATIVE, Dtype.FLOAT32))
    ours = resolution.kernel(kernel("relu", "recompute", Dtype.FLOAT32))
    z, computed = np.array([-1.0, 0.0, 1e-40, 2.0], np.float32), np.array([0.0, 0.5, 0.0, 1.5], np.float32)
    assert with_conventions(shipped, z, computed).tolist() == [0.0, 0.0, 1.0, 1.5]
    assert with_conventions(ours, z, computed) is computed
