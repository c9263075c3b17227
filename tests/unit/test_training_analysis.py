"""What is found of training steps whose times are exact."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from math import exp, log1p
from pathlib import Path

import numpy as np
import pytest

from actbench.analysis.crossovers import curve_points, findings
from actbench.analysis.training import ArmResult, results
from actbench.analysis.training_gains import IN_STEP, Cause
from actbench.analysis.training_sweep import EXACTLY, LESS, MORE, WORTH, Worth, worths
from actbench.model.cases import Arm, Block
from actbench.model.curve_events import CurveEvent
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan, Training
from actbench.model.times import Times
from actbench.model.training import CHECKPOINT, FREE, SHIPPED, Along, Optimizer, StepPart
from actbench.model.variants import Variant
from actbench.report.training import files
from actbench.report.training.sweep import sentences
from actbench.runs import archive
from actbench.runs.record import Record

NETWORK, SIMD = Op("mlp:20-10-30-5"), "numpy+numba-simd"

ROUNDS = 8

BATCH = 64

COLD = OperandState.RESIDUALS_COLD

RECOMPUTE, CACHED, COMPLEMENT = map(Variant, ("recompute", "cached", "complement"))

RECORD = archive.read_record(Path(__file__).parents[2] / "results" / "sweep")
"""Of another run, for what is not looked at here."""

PARTS = dict.fromkeys(StepPart, 0.05) | {StepPart.PRODUCTS_FORWARD: 0.5, StepPart.ACTIVATION_BACKWARD: 0.15}
"""Seconds of an instrumented step, of which the activation takes a fifth."""


def block(arms: Sequence[Arm], op: Op = NETWORK, batch: int = BATCH) -> Block:
    return Block("tanh", op, Dtype.FLOAT32, batch, tuple(arms))


def alone(
    width: int, state: OperandState = COLD, *, backend: str = "numpy", op: Op = Op.BACKWARD, arm: Variant = CACHED
) -> Block:
    """Return a pass of the activation alone, by recompute and another strategy."""
    arms = (Arm(RECOMPUTE, backend), Arm(arm, backend))
    return Block("tanh", op, Dtype.FLOAT32, BATCH * width, arms, operands=state)


def measured(
    steps: Mapping[Block, Sequence[float]],
    kernels: Mapping[Block, Sequence[float]],
    parts: Mapping[StepPart, float] | None = PARTS,
) -> tuple[Times, Record]:
    """Return a run with these seconds by block and arm, the same in all rounds."""
    activated: dict[str, tuple[int, ...]] = {"mlp:20-10-30-5": (10, 30)}
    activated |= {str(one.op): (one.op.widths[1],) for one in steps if one.op != NETWORK}
    plan = Plan((*steps,), 1, training=Training(Optimizer.SGD, activated, (*kernels,)))
    times = Times(plan)
    for one, seconds in [*steps.items(), *kernels.items()]:
        for number in range(1, ROUNDS + 1):
            times.add(BlockTimes(one, number, tuple((second,) for second in (*seconds, 1e-6))))
    seconds = [] if parts is None else [parts[part] for part in StepPart]
    of_parts: dict[str, dict[int, list[list[float]]]] = {
        one.id: dict.fromkeys(range(1, ROUNDS + 1), [seconds] * len(one.arms)) for one in steps
    }
    return times, replace(RECORD, plan=plan, parts=of_parts)


def by_arm(times: Times, record: Record) -> dict[tuple[Variant, str], ArmResult]:
    return {(arm.case.strategy, arm.case.backend): arm for arm in results(times, record)}


def test_the_gain_is_the_share_of_recomputes_step_that_an_arm_saves() -> None:
    step = block([Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy"), Arm(CHECKPOINT, "numpy")])
    found = by_arm(*measured({step: (0.004, 0.003, 0.005)}, {}))
    assert found[RECOMPUTE, "numpy"].gain is None
    assert found[CACHED, "numpy"].gain == pytest.approx((0.25, 0.25, 0.25))
    assert found[CACHED, "numpy"].speedup == pytest.approx((4 / 3, 4 / 3, 4 / 3))
    assert found[CHECKPOINT, "numpy"].gain == pytest.approx((-0.25, -0.25, -0.25))


def test_arms_are_compared_with_recompute_of_the_same_backend() -> None:
    step = block([Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy"), Arm(RECOMPUTE, SIMD), Arm(CACHED, SIMD)])
    found = by_arm(*measured({step: (0.004, 0.003, 0.002, 0.001)}, {}))
    gain = found[CACHED, SIMD].gain
    assert gain
    assert gain.value == pytest.approx(0.5)


def test_without_recompute_the_first_arm_is_what_others_are_compared_with() -> None:
    step = block([Arm(CACHED, "numpy"), Arm(FREE, "numpy")])
    found = by_arm(*measured({step: (0.004, 0.003)}, {}))
    assert found[FREE, "numpy"].reference == CACHED
    assert found[CACHED, "numpy"].gain is None


def test_what_a_framework_ships_is_what_all_others_are_compared_with_too() -> None:
    step = block([Arm(RECOMPUTE, "torch"), Arm(CACHED, "torch"), Arm(SHIPPED, "torch")])
    found = by_arm(*measured({step: (0.004, 0.003, 0.002)}, {}))
    assert found[CACHED, "torch"].over_shipped == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert found[SHIPPED, "torch"].over_shipped is None
    assert found[SHIPPED, "torch"].predictions == {}


def test_shares_of_the_parts_are_of_the_instrumented_step() -> None:
    step = block([Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy")])
    found = by_arm(*measured({step: (0.8, 0.6)}, {}))[RECOMPUTE, "numpy"]
    shares = {part.part: part.share.value for part in found.parts}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares[StepPart.ACTIVATION_BACKWARD] == pytest.approx(0.15 / sum(PARTS.values()))
    assert found.excess == pytest.approx((sum(PARTS.values()) / 0.8 - 1,) * 3)


def test_a_step_that_is_compiled_as_a_whole_has_no_parts_and_no_prediction() -> None:
    step = block([Arm(RECOMPUTE, "jax"), Arm(CACHED, "jax")])
    kernels = {alone(width, backend="jax"): (2e-5, 1e-5) for width in (10, 30)}
    found = by_arm(*measured({step: (0.8, 0.6)}, kernels, None))[CACHED, "jax"]
    assert (found.parts, found.excess, found.predictions) == ((), None, {})


def test_the_predicted_gain_weights_activations_by_their_elements() -> None:
    step = block([Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy"), Arm(FREE, "numpy")])
    kernels = {alone(10): (2e-5, 1e-5), alone(30): (4e-5, 3e-5)}
    found = by_arm(*measured({step: (0.8, 0.76, 0.7)}, kernels))
    expected = PARTS[StepPart.ACTIVATION_BACKWARD] / 0.8 * (0.25 * 0.5 + 0.75 * 0.25)
    prediction = found[CACHED, "numpy"].predictions[COLD]
    assert prediction.gain == pytest.approx((expected,) * 3)
    assert prediction.difference == pytest.approx((expected - 0.05,) * 3)
    assert found[FREE, "numpy"].predictions == {}


def test_what_a_forward_pass_stores_costs_what_both_passes_take_longer_than_the_backward_pass() -> None:
    step = block([Arm(RECOMPUTE, "numpy"), Arm(COMPLEMENT, "numpy")])
    backward = {alone(width, arm=COMPLEMENT): (3e-5, 1e-5) for width in (10, 30)}
    both = {alone(width, op=Op.STEP, arm=COMPLEMENT): (5e-5, 4e-5) for width in (10, 30)}
    shares = {part: seconds / 0.8 for part, seconds in PARTS.items()}
    expected = shares[StepPart.ACTIVATION_BACKWARD] * 2 / 3 - shares[StepPart.ACTIVATION_FORWARD] / 2
    found = by_arm(*measured({step: (0.8, 0.76)}, backward | both))
    assert found[COMPLEMENT, "numpy"].predictions[COLD].gain == pytest.approx((expected,) * 3)
    assert [*by_arm(*measured({step: (0.8, 0.76)}, both))[COMPLEMENT, "numpy"].predictions] == [IN_STEP]


def test_nothing_is_predicted_where_the_references_forward_pass_stores_and_the_arms_was_not_measured() -> None:
    step = block([Arm(COMPLEMENT, "numpy"), Arm(CACHED, "numpy")])
    pair = (Arm(COMPLEMENT, "numpy"), Arm(CACHED, "numpy"))
    backward = {replace(alone(width), arms=pair): (3e-5, 2e-5) for width in (10, 30)}
    both = {alone(width, op=Op.STEP, arm=COMPLEMENT): (5e-5, 6e-5) for width in (10, 30)}
    assert [*by_arm(*measured({step: (0.8, 0.76)}, backward | both))[CACHED, "numpy"].predictions] == [IN_STEP]
    both = {replace(probe, arms=pair): (6e-5, 4e-5) for probe in both}
    shares = {part: seconds / 0.8 for part, seconds in PARTS.items()}
    expected = shares[StepPart.ACTIVATION_BACKWARD] / 3 + shares[StepPart.ACTIVATION_FORWARD] / 3
    arms = by_arm(*measured({step: (0.8, 0.76)}, backward | both))
    assert arms[CACHED, "numpy"].predictions[COLD].gain == pytest.approx((expected,) * 3)


def test_a_difference_is_made_of_the_activation_of_other_parts_and_of_the_instruments() -> None:
    step = block([Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy")])
    kernels = {alone(width): (2e-5, 1e-5) for width in (10, 30)}
    times, record = measured({step: (0.8, 0.76)}, kernels)
    faster = {StepPart.ACTIVATION_BACKWARD: 0.10, StepPart.PRODUCTS_FORWARD: 0.48}
    arms = [[parts[part] for part in StepPart] for parts in (PARTS, PARTS | faster)]
    record = replace(record, parts={step.id: dict.fromkeys(range(1, ROUNDS + 1), arms)})
    found = by_arm(times, record)[CACHED, "numpy"]
    predicted, within, elsewhere = 0.15 / 0.8 / 2, 0.05 / 0.8, 0.02 / 0.8
    prediction = found.predictions[COLD]
    assert found.elsewhere == pytest.approx((elsewhere,) * 3)
    assert prediction.remaining == pytest.approx((predicted + elsewhere - 0.05,) * 3)
    assert {cause: part.value for cause, part in prediction.causes.items()} == pytest.approx(
        {
            Cause.ACTIVATION: predicted - within,
            Cause.ELSEWHERE: -elsewhere,
            Cause.INSTRUMENTS: within + elsewhere - 0.05,
        }
    )
    assert sum(part.value for part in prediction.causes.values()) == pytest.approx(prediction.difference.value)
    assert [*prediction.shown_causes] == [*Cause]
    in_step = found.predictions[IN_STEP]
    assert in_step.gain == pytest.approx((within,) * 3)
    assert in_step.remaining == pytest.approx((within + elsewhere - 0.05,) * 3)
    assert [*in_step.shown_causes] == [Cause.ELSEWHERE, Cause.INSTRUMENTS]


def test_the_activation_of_a_compiled_backend_predicts_what_it_does_between_products_of_numpy() -> None:
    step = block([Arm(RECOMPUTE, SIMD), Arm(CACHED, SIMD)])
    kernels = {alone(width, backend="numba-simd"): (2e-5, 1e-5) for width in (10, 30)}
    assert [*by_arm(*measured({step: (0.8, 0.76)}, kernels))[CACHED, SIMD].predictions] == [IN_STEP, COLD]


def test_nothing_is_predicted_where_one_of_the_activations_could_not_be_measured_alone() -> None:
    step = block([Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy")])
    kernels = {alone(10): (2e-5, 1e-5), alone(10, OperandState.WARM): (2e-5, 1e-5), alone(30): (2e-5, 1e-5)}
    assert [*by_arm(*measured({step: (0.8, 0.76)}, kernels))[CACHED, "numpy"].predictions] == [IN_STEP, COLD]


def test_the_rounds_of_a_prediction_are_those_that_have_parts_as_well() -> None:
    step = block([Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy"), Arm(FREE, "numpy")])
    times, record = measured({step: (0.8, 0.76, 0.7)}, {})
    five = {number: parts for number, parts in record.parts[step.id].items() if number <= 5}
    written = files.gains([*results(times, replace(record, parts={step.id: five}))])
    rounds = {(row["strategy"], row["predictor_operands"]): row["rounds"] for row in csv.DictReader(StringIO(written))}
    assert rounds == {("cached", IN_STEP): "5", ("free", ""): "8"}


def test_a_series_says_from_which_batch_on_a_choice_is_worth_less_than_one_percent() -> None:
    gains = {8: 0.04, 16: 0.03, 32: 0.02, 64: 0.005, 128: 0.002}
    steps = {
        block([Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy")], batch=batch): (1e-3, 1e-3 * (1 - gain))
        for batch, gain in gains.items()
    }
    times, record = measured(steps, {})
    assert record.plan.training
    (worth,) = worths(times, record.plan.training)
    assert (worth.along, worth.network, worth.batch, worth.candidate) == (Along.BATCH, NETWORK, 0, CACHED)
    assert [worth.gain(point).value for point in worth.points] == pytest.approx([*gains.values()])
    (finding,) = worth.findings
    assert (finding.kind, finding.below, finding.above) == (CurveEvent.CROSSES, MORE, LESS)
    assert 32 < finding.size.value < 64
    head, row = csv.reader(files.sweep([worth]).splitlines())
    written = dict(zip(head, row, strict=True))
    assert (written["along"], written["strategy"], written["kind"]) == ("batch", "cached", "crosses")
    assert (written["saves_below"], written["saves_above"], written["sizes"]) == ("more", "less", "5")


def test_a_series_along_widths_is_over_the_features_of_the_first_activation() -> None:
    arms = [Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy")]
    steps = {block(arms, Op(f"dense:8-{width}")): (1e-3, 1e-3 * (1 - WORTH / 4)) for width in (16, 32, 64, 128)}
    times, record = measured(steps, {})
    assert record.plan.training
    (worth,) = worths(times, record.plan.training)
    assert (worth.along, worth.network, worth.batch) == (Along.WIDTH, "dense:8-16..128", BATCH)
    assert [point.size for point in worth.points] == [16, 32, 64, 128]
    assert [(finding.below, finding.above) for finding in worth.findings] == [(LESS, LESS)]


def test_a_deeper_network_takes_no_place_in_a_series_along_widths() -> None:
    arms = [Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy")]
    steps = {block(arms, Op(f"mlp:8-{width}-4")): (1e-3, 0.97e-3) for width in (16, 32, 64, 128)}
    deeper = {block(arms, Op(f"mlp:8-{width}-128-4")): (1e-3, 0.95e-3) for width in (16, 128)}
    times, record = measured(steps | deeper, {})
    assert record.plan.training
    (worth,) = worths(times, record.plan.training)
    assert worth.network == "mlp:8-16..128-4"
    assert [worth.gain(point).value for point in worth.points] == pytest.approx([0.03] * 4)


@pytest.mark.parametrize(
    ("gains", "scatter", "sentence"),
    [
        ((0.04, 0.03, 0.03, 0.04), 1e-4, "keeping y saves more than 1 % of a step from 8 to 64 rows"),
        ((0.01, 0.01, 0.01, 0.01), 1e-4, "keeping y saves 1 % of a step from 8 to 64 rows"),
        (
            (0.01, 0.01, 0.01, 0.01),
            0.02,
            "it is undecided whether keeping y saves more than 1 % of a step from 8 to 64 rows",
        ),
        ((0.04, 0.03, 0.01, 0.01), 1e-4, "keeping y saves more than 1 % up to 16 rows; undecided above"),
        ((0.01, 0.01, 0.002, 0.002), 1e-4, "keeping y saves less than 1 % from 32 rows on; undecided below"),
    ],
)
def test_a_sentence_says_at_which_sizes_a_choice_is_worth_how_much(
    gains: tuple[float, ...], scatter: float, sentence: str
) -> None:
    around = scatter * np.linspace(-1.0, 1.0, ROUNDS)
    logs = [(8 << turn, log1p(-WORTH) - log1p(-gain) + around) for turn, gain in enumerate(gains)]
    (points,) = curve_points([logs], EXACTLY)
    events = tuple(findings(points, LESS, MORE))
    series = Worth(Along.BATCH, "tanh", "mlp:8-8", 0, Dtype.FLOAT32, "numpy", CACHED, points, events)
    assert [*sentences([series])] == [f"tanh, mlp:8-8, float32, numpy: {sentence}."]


def test_three_sizes_are_no_series() -> None:
    arms = [Arm(RECOMPUTE, "numpy"), Arm(CACHED, "numpy")]
    steps = {block(arms, batch=batch): (exp(-7), exp(-8)) for batch in (1, 2, 4)}
    times, record = measured(steps, {})
    assert record.plan.training
    assert not [*worths(times, record.plan.training)]
