"""How well training steps are measured: the precision of a ratio, the same arm twice, and gains that are predicted.

    python -m benchmarks.training precision [--budget 60s]
    python -m benchmarks.training twins [--rounds 8]
    python -m benchmarks.training gains [--budget 20m] [--backends numpy,torch] [--operands STATE,...] [--keep DIR]

`precision` prints the half widths of the ratios of a step of the default network in numpy. `twins` measures recompute
and a strategy of the same formula in 40 blocks, and counts those whose interval says that they differ: about 2 are
expected of intervals of 95 %. `gains` compares the gains of strategies, predicted from the activation in the
step and from it alone with operands in each state, with those measured: the share of cells in which the interval of the
difference holds 0, with and without what is saved elsewhere in instrumented steps, and the cells in which it does not,
with the reasons: the parts of the difference whose intervals exclude 0.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from actbench.analysis.interval import Interval
from actbench.analysis.training import ArmResult, results
from actbench.analysis.training_gains import IN_STEP, Cause, GainPrediction
from actbench.model.names import OperandState
from actbench.runs import archive

TWINS = '''
from actbench import registry, strategy


def of(name):
    @strategy(name)
    def twin(m):
        """recompute once more"""
        return registry.built_in().activation(name).build(m).strategies["recompute"]

    return twin


'''
"""A file that declares strategies with the formulas of others."""

TWINNED = ("logistic", "tanh", "silu", "gelu", "softplus")
"""Activations; each has eight blocks."""

NETWORKS = ("dense:784-512", "mlp:784-512-512-10", "ffn:256-1024")

ACTIVATIONS = ("logistic", "tanh", "gelu", "silu")

BATCHES = (32, 128)

SHARP = 0.007
"""Half width, as a share of a step, to which a difference should be known."""

TARGET = "0.6%"
"""Of the ratio's half width, relative to it: of a ratio down to 0.86, that is `SHARP` of the reference's step."""

REASONS = {
    Cause.ACTIVATION: "the activation saves less in a step than alone, or more",
    Cause.ELSEWHERE: "other parts of the step take longer after it, or less long",
    Cause.INSTRUMENTS: "instrumented steps gain otherwise than timed ones",
}

STRATEGIES = ("recompute", "cached", "pair", "intermediate", "complement")
"""As far as an activation has them."""


def measured(directory: Path, *options: str) -> list[ArmResult]:
    """Return what a run of `actbench train` finds."""
    command = [sys.executable, "-m", "actbench", "train", *options, "-q", "-o", str(directory)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return read(directory)


def read(directory: Path) -> list[ArmResult]:
    """Return what a run on disk has found."""
    run = archive.load(directory)
    assert run.record is not None
    return list(results(run.times, run.record))


def precision(budget: str) -> None:
    """Print the half widths of the ratios to recompute."""
    with tempfile.TemporaryDirectory() as place:
        arms = measured(
            Path(place, "run"), "-a", "logistic", "-b", "numpy", "-s", "recompute,cached,free", "--budget", budget
        )
    for arm in arms:
        if arm.speedup:
            half_width = 100 * arm.speedup.relative_half_width
            print(f"{arm.case.id}: {arm.speedup.value:.4f} ± {half_width:.2f} %, {arm.rounds} rounds", flush=True)


def twins(rounds: int) -> None:
    """Count the blocks in which one formula seems to be faster than itself."""
    declarations = "\n".join(f"of_{name} = of({name!r})" for name in TWINNED)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "twins.py")
        file.write_text(TWINS + declarations, encoding="utf-8")
        batches = ",".join(str(8 * 2**power) for power in range(4))
        arms = measured(
            Path(place, "run"),
            *("dense:256-512", "mlp:256-256-10", "--load", str(file), "-a", ",".join(TWINNED), "--batch", batches),
            *("-b", "numpy", "-s", "recompute,twin", "--rounds", str(rounds)),
        )
    compared = [arm.speedup for arm in arms if arm.speedup]
    differing = sum(speedup.excludes(1.0) for speedup in compared)
    print(f"the same formula twice: {differing} of {len(compared)} blocks show a difference")


def gains(budget: str, backends: str, operands: str, keep: Path | None) -> None:
    """Print in how many cells the predicted gain is the measured one, by state of operands."""
    with tempfile.TemporaryDirectory() as place:
        directory = keep or Path(place, "run")
        if not directory.exists():
            measured(
                directory,
                *(*NETWORKS, "-a", ",".join(ACTIVATIONS), "-b", backends, "--batch", ",".join(map(str, BATCHES))),
                *("-s", ",".join(STRATEGIES), "--operands", operands, "--budget", budget, "--target", TARGET),
            )
        arms = read(directory)
    for predictor in (IN_STEP, *OperandState):
        report(predictor, arms)


def report(state: str, arms: Iterable[ArmResult]) -> None:
    """Print the cells of what gains are predicted from."""
    cells = [(arm, prediction) for arm in arms if (prediction := arm.predictions.get(state))]
    if not cells:
        return
    counted(f"{state}: by the activation", [prediction.difference for _, prediction in cells])
    counted(f"{state}: with what is saved elsewhere", [prediction.remaining for _, prediction in cells])
    for arm, prediction in cells:
        if arm.gain and (prediction.difference.excludes(0.0) or prediction.remaining.excludes(0.0)):
            print(
                f"  {arm.case.id}: {100 * prediction.gain.value:+.2f} % predicted, {100 * arm.gain.value:+.2f} % "
                f"measured; difference {bounds(prediction.difference)}; remaining {bounds(prediction.remaining)}; "
                f"{reasons(prediction)}"
            )


def counted(what: str, differences: Sequence[Interval]) -> None:
    """Print in how many cells a difference may be 0, and how well it is known."""
    held = sum(difference.contains(0.0) for difference in differences)
    sharp = sum(difference.half_width <= SHARP for difference in differences)
    mean = sum(abs(difference.value) for difference in differences) / len(differences)
    print(
        f"{what}: predicted = measured in {held} of {len(differences)} cells; the difference is known to "
        f"± {100 * SHARP:.1f} % of a step in {sharp}; its mean absolute value is {100 * mean:.2f} %",
        flush=True,
    )


def reasons(prediction: GainPrediction) -> str:
    """Say which parts of a difference are shown not to be 0, the largest first."""
    shown = sorted(prediction.shown_causes.items(), key=lambda item: -abs(item[1].value))
    return ", ".join(f"{REASONS[cause]} ({bounds(part)})" for cause, part in shown) or "no part of it is shown alone"


def bounds(interval: Interval) -> str:
    """Return an interval in percent of a step."""
    return f"{100 * interval.low:+.2f} to {100 * interval.high:+.2f} %"


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["precision", "twins", "gains"])
    parser.add_argument("--budget", default=None)
    parser.add_argument("--rounds", type=int, default=8)
    installed = "numpy,torch" if find_spec("torch") else "numpy"
    parser.add_argument("--backends", default=installed, help="[default: numpy, and torch where it is installed]")
    parser.add_argument("--operands", default=",".join(OperandState), help="states, separated by commas")
    parser.add_argument("--keep", type=Path, default=None, help="directory of the run; one that exists is read")
    chosen = parser.parse_args()
    match chosen.what:
        case "precision":
            precision(chosen.budget or "60s")
        case "twins":
            twins(chosen.rounds)
        case "gains":
            gains(chosen.budget or "20m", chosen.backends, chosen.operands, chosen.keep)


if __name__ == "__main__":
    main()
