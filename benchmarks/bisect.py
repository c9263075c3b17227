"""Whether `actbench bisect` names the right commit, and what that takes.

    python -m benchmarks.bisect record [--rounds 150]       rounds without a difference, to benchmarks/bisect_rounds.csv
    python -m benchmarks.bisect simulate [--histories 100]  whole bisects among 64 commits, on resampled rounds
    python -m benchmarks.bisect real [--step 20|5|0] [--repetitions 1] [--commits 64] [--without-git]

`record` and `real` need an idle host. `record` measures this environment beside itself. `simulate` adds steps to the
rounds that it recorded, and runs check and search as they are. `real` makes a package of native work, whose work takes
longer from a random commit on, and runs `actbench bisect`, then `git bisect run actbench check --for-bisect`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.bisect_project import CASE, Project, project
from benchmarks.bisect_simulation import COMMITS, record, simulate

SELECTED = ("--load", "kernels.py", "-a", "logistic", "-s", "native", "-b", "numpy", "--op", "backward")
SIZED = ("-d", "float64", "-n", CASE.rpartition("/")[2])

GIT_STEP = """\
{python} backend.py && exec {python} -m actbench check --against git:{good} {options} --margin {margin} -q \
--report json=../checks/$(git rev-parse HEAD).json --for-bisect
"""


def real(step: float, repetitions: int, commits: int, *, with_git: bool) -> None:
    """Run real bisects, and print what they answer and take."""
    margin = 5 if step != 5 else 2
    for number in range(repetitions):
        culprit = int(np.random.default_rng([number, int(step)]).integers(1, commits + 1)) if step else None
        with TemporaryDirectory() as name:
            made = project(Path(name), commits, culprit, step / 100)
            right = made.commits[culprit] if culprit is not None else None
            print(f"step {step:g} %, margin {margin} %, {commits} commits, culprit {culprit}", flush=True)
            print(f"  actbench bisect: {_by_actbench(made, right, margin)}", flush=True)
            if with_git:
                shutil.rmtree(made.directory.parent / "caches", ignore_errors=True)
                print(f"  git bisect run:  {_by_git(made, right, margin)}", flush=True)


def _by_actbench(made: Project, right: str | None, margin: float) -> str:
    began = time.monotonic()
    options = (*SELECTED, *SIZED, "--margin", str(margin), "-q", "--format", "json")
    done = made.run(sys.executable, "-m", "actbench", "bisect", made.commits[0], *options)
    minutes = (time.monotonic() - began) / 60
    if not done.stdout:
        return f"failed: {done.stderr}"
    report = json.loads(done.stdout)
    named = {
        report["commits"][culprit["commits"][-1]]["hash"] for case in report["cases"] for culprit in case["culprits"]
    }
    sizes = [
        f"{100 * (culprit['change']['ratio'] - 1):+.1f} %" for case in report["cases"] for culprit in case["culprits"]
    ]
    cost = f"exit {done.returncode}, {report['rounds']} rounds, {len(report['measured'])} commits, {minutes:.1f} min"
    return f"{_judged(named, right)}; {cost}; {', '.join(sizes)}"


def _by_git(made: Project, right: str | None, margin: float) -> str:
    began = time.monotonic()
    (made.directory.parent / "checks").mkdir()
    good, bad = made.commits[0], made.commits[-1]
    options = " ".join((*SELECTED, *SIZED))
    step = GIT_STEP.format(python=sys.executable, good=good, options=options, margin=margin)
    made.run("git", "bisect", "start", bad, good)
    output = made.run("git", "bisect", "run", "sh", "-c", step).stdout
    minutes = (time.monotonic() - began) / 60
    named = {line.split()[0] for line in output.splitlines() if line.endswith("is the first bad commit")}
    rounds = list(_rounds_of(made.directory.parent / "checks"))
    return f"{_judged(named, right)}; {len(rounds)} checks, {sum(rounds)} rounds, {minutes:.1f} min"


def _rounds_of(checks: Path) -> Iterator[int]:
    for path in checks.iterdir():
        yield max((case["rounds"] for case in json.loads(path.read_text())["cases"]), default=0)


def _judged(named: set[str], right: str | None) -> str:
    if not named:
        return "right: none named" if right is None else "none named"
    return "right" if named == {right} else "WRONG"


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "simulate", "real"))
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--histories", type=int, default=100)
    parser.add_argument("--step", type=float, default=20)
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--commits", type=int, default=COMMITS)
    parser.add_argument("--without-git", action="store_true")
    arguments = parser.parse_args()
    match arguments.what:
        case "record":
            record(arguments.rounds)
        case "simulate":
            simulate(arguments.histories)
        case "real":
            real(arguments.step, arguments.repetitions, arguments.commits, with_git=not arguments.without_git)


if __name__ == "__main__":
    main()
