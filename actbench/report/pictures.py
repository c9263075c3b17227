"""The charts that a run has data for."""

from __future__ import annotations

from collections.abc import Sequence

from actbench.analysis.between_runs import between
from actbench.analysis.speedups import Speedup
from actbench.analysis.training import ArmResult
from actbench.errors import InputError, unknown
from actbench.model import shell
from actbench.model.cases import Case
from actbench.model.plan import Training
from actbench.report.charts.accuracy import accuracy
from actbench.report.charts.compare import compare
from actbench.report.charts.functions import functions
from actbench.report.charts.gain import gain
from actbench.report.charts.memory import memory
from actbench.report.charts.parts import parts
from actbench.report.charts.rounds import rounds
from actbench.report.charts.signs import Signs
from actbench.report.charts.speedup import REFERENCE, speedup
from actbench.report.charts.step import step
from actbench.report.charts.style import Picture
from actbench.report.charts.time import time
from actbench.report.narrowing import Keep
from actbench.report.results import RunResults
from actbench.runs.archive import Run, require_timed
from actbench.runs.baseline import host_differences, refuse_unlike
from actbench.runs.record import Record

OF_A_RUN = ("speedup", "time", "parts", "accuracy", "rounds")
"""Kinds of charts of a run of derivatives, in the order of the report."""

OF_TRAINING = ("step", "memory", "gain", "rounds")
"""Kinds of charts of a run of training steps, in the order of the report."""

__all__ = ["functions", "of_run", "of_two"]

KINDS = ("functions", *OF_A_RUN, *OF_TRAINING[:-1], "compare")


def of_run(
    kind: str, run: Run, results: RunResults, keep: Keep | None = None, *, choose: bool = False
) -> Picture | None:
    """Return a chart of a run, of the selected cases; None where the run has no data for it.

    With `choose`, it is for a page: one panel, and controls that select it.
    """
    record = record_of(run)
    training = record.plan.training
    if kind not in (OF_TRAINING if training else OF_A_RUN):
        raise _not_of(run, kind, training)
    caches, signs = record.environment.caches, Signs.of(run.plan.cases)
    figures, speedups, checks = results.figures, results.speedups, tuple(record.checks)
    if keep:
        figures = tuple(row for row in figures if row.case.is_yardstick or keep(row.case))
        speedups = tuple(pair for pair in speedups if _shown(pair, keep))
        kernels = {case.kernel for case in run.plan.cases if keep(case)}
        checks = tuple(check for check in checks if check.kernel in kernels)
    match kind:
        case "speedup":
            return speedup(speedups, results.curves, caches, signs, choose=choose)
        case "time":
            return time(figures, caches, signs, choose=choose)
        case "parts":
            return parts(figures, choose=choose)
        case "accuracy":
            return accuracy(checks, signs, choose=choose)
        case "rounds":
            return rounds(run.times, results.rounds, signs, keep, choose=choose)
        case _ if training:
            arms = [row for row in results.training if keep is None or keep(row.case)]
            return _of_steps(kind, arms, training, signs, choose=choose)
        case _:
            raise unknown("chart", kind, KINDS)


def _of_steps(
    kind: str, arms: Sequence[ArmResult], training: Training, signs: Signs, *, choose: bool
) -> Picture | None:
    """Return a chart of training steps."""
    match kind:
        case "step":
            return step(arms, choose=choose)
        case "memory":
            return memory(arms, signs, choose=choose)
        case _:
            return gain(arms, training, signs, choose=choose)


def _not_of(run: Run, kind: str, training: Training | None) -> InputError:
    """Return the error for a chart that runs of this sort do not have."""
    if kind not in KINDS:
        return unknown("chart", kind, KINDS)
    if training:
        return InputError(f"'{kind}' shows derivatives, and {run.path} has training steps: draw {_or(OF_TRAINING)}")
    return InputError(f"'{kind}' shows training steps, and {run.path} has derivatives: draw {_or(OF_A_RUN)}")


def _or(kinds: Sequence[str]) -> str:
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}"


def _shown(pair: Speedup, keep: Keep) -> bool:
    """Return whether a pair is shown: its reference strategy need not be selected."""
    sides = (pair.reference, pair.candidate)
    return any(map(keep, sides)) and all(keep(case) or case.strategy == REFERENCE for case in sides)


def of_two(before: Run, after: Run, keep: Keep | None = None) -> Picture | None:
    """Return the chart of two runs, of the selected cases; None where there are none.

    `InputError` or `NotComparableError` for two runs that cannot be compared.
    """
    refuse_unlike(before, after)
    comparison = between(before.times, after.times, None, one_host=not host_differences(before, after))
    of_cases = [contrast for contrast in comparison.times if contrast.by == "case"]
    return compare([contrast for contrast in of_cases if keep is None or keep(Case.parse(contrast.name))])


def record_of(run: Run) -> Record:
    """Return the run's record; `InputError` where there is none, or nothing was measured."""
    if run.record is None:
        raise InputError(f"{run.path} has no run.json next to it, which charts need: name the run's directory")
    require_timed(run)
    if not run.times.blocks:
        more = shell.command("actbench", run.plan.command, "--resume", run.path)
        raise InputError(f"{run.path} has no finished block yet: go on with it ({more})")
    return run.record
