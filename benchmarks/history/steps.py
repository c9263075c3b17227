"""How many steps are false, and how many are found? Runs resampled from recorded rounds.

    python -m benchmarks.history steps [--run results/reference] [--series 100] [--runs 64] [--size 0.03]

A series is a case of the run, in copies. Each of its runs draws as many rounds as were recorded, with replacement, and
gets the interval of those. First the series are left as they are; then all of them step by `--size` at a place that is
drawn, an eighth of the runs from either end at least. All series are looked at together, as the command does. Printed
is in how many series there is a false step, and in how many the step is found within one run of its place, with
Wilson's 95 % interval; and the same of asv's step detection without the tests. The limit is what would be found if both
levels were known, and that there is one step: the place where the runs fit these best.

There are two draws of cases: of those that are known to `actbench run`'s default target, and of all. Drawn rounds are
independent: what a host adds from run to run is not in them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from actbench.analysis.levels import levels
from actbench.analysis.speedups import ratios
from actbench.analysis.statistics import Floats, hodges_lehmann, hodges_lehmann_rows, wilson_interval
from actbench.analysis.step_detection import finder
from actbench.engine.requests import DEFAULT_TARGET
from actbench.runs.archive import load_timed

Found = Callable[[Floats], list[int]]
"""Returns the first runs after steps."""


def recorded(run: Path) -> list[Floats]:
    """Return the logarithms of the times in copies of every case, one for each round."""
    times = load_timed(run).times
    return [
        -logs for block, of_block in ratios(times, times.blocks).items() for logs in of_block.copies[: len(block.cases)]
    ]


def half_width(logs: Floats) -> float:
    """Return half of the interval of a case, as a run has it."""
    _, low, high = hodges_lehmann(logs)
    return (high - low) / 2


def limit(rows: Floats, place: int) -> list[int]:
    """Return where a step lies, of levels that are known, and not found."""
    logs = rows[:, 0]
    before, after = logs[:place].mean(), logs[place:].mean()
    return [int(np.argmin(np.cumsum((logs - before) ** 2 - (logs - after) ** 2))) + 1]


def resampled(logs: Floats, runs: int, rng: np.random.Generator) -> Floats:
    """Return estimate, low and high of the logarithm of each run: runs x 3."""
    return hodges_lehmann_rows(rng.choice(logs, (runs, logs.size)))


def tested(series: int) -> Found:
    """Return what the command finds in one of so many series."""
    find_places = finder()
    return lambda rows: [step.after for step in levels(np.exp(rows), find_places, series).steps]


def untested(rows: Floats) -> list[int]:
    """Return what asv finds, weighted by 1 over the width of intervals."""
    from asv.step_detect import detect_steps

    return [
        begin
        for begin, *_ in detect_steps(rows[:, 0].tolist(), (1 / np.maximum(rows[:, 2] - rows[:, 1], 1e-6)).tolist())[1:]
    ]


def say(what: str, hits: Sequence[bool]) -> None:
    """Print a share with its interval."""
    share = wilson_interval(sum(hits), len(hits)).scaled(100)
    print(f"    {what:<46} {sum(hits):>4} of {len(hits)}: {share.value:.0f} % ({share.low:.1f} to {share.high:.1f} %)")


def compare(cases: Sequence[Floats], runs: int, size: float, rng: np.random.Generator) -> None:
    """Print what is found in series of these cases."""
    edge = runs // 8
    same = [resampled(logs, runs, rng) for logs in cases]
    places = rng.integers(edge, runs - edge + 1, len(cases)).tolist()
    stepping = [resampled(logs, runs, rng) for logs in cases]
    for rows, place in zip(stepping, places, strict=True):
        rows[place:] += np.log1p(size)
    for name, found in {"actbench history": tested(len(cases)), "asv alone": untested}.items():
        after = [found(rows) for rows in stepping]
        near = [[abs(one - at) <= 1 for one in steps] for steps, at in zip(after, places, strict=True)]
        print(f"  {name}")
        say("identical runs: a false step", [bool(found(rows)) for rows in same])
        say("the step is found within one run of its place", [any(hits) for hits in near])
        say("a step further away is found", [not all(hits) for hits in near])
    known = [abs(limit(rows, place)[0] - place) <= 1 for rows, place in zip(stepping, places, strict=True)]
    print("  the limit")
    say("the step is found within one run of its place", known)


def main(words: Sequence[str]) -> None:
    """Print a table for each draw of cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path(__file__).parents[2] / "results" / "reference")
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--runs", type=int, default=64)
    parser.add_argument("--size", type=float, default=0.03)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(words)
    rng = np.random.default_rng(arguments.seed)
    cases = recorded(arguments.run)
    print(
        f"{arguments.run.name}: {arguments.series} series of {arguments.runs} runs, step {100 * arguments.size:g} %, "
        f"seed {arguments.seed}"
    )
    for within in (DEFAULT_TARGET, np.inf):
        known = [logs for logs in cases if half_width(logs) <= within]
        drawn = rng.choice(len(known), arguments.series, replace=len(known) < arguments.series)
        most = f" known to ± {100 * within:g} % or better" if within < 1 else ""
        typical = 100 * float(np.median([half_width(known[place]) for place in drawn]))
        print(f"of {len(known)} cases{most}; median ± {typical:.1f} %")
        compare([known[place] for place in drawn], arguments.runs, arguments.size, rng)
