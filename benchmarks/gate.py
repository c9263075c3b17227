"""How often does a live check raise a false alarm, and what does it detect? Whole checks, as a user starts them.

    python -m benchmarks.gate [--checks 40] [--busy]                       false alarms: an environment against a copy
    python -m benchmarks.gate --slowdown 5 --margin 2 [--checks 20]        power: one arm of the selection is slower

Next to the false alarms it prints what `pyperf compare_to` says of the same values. A slowdown is real work: another
environment holds a copy of actbench in which one arm waits, after every call, for that share of the call's time. Which
arm that is changes from check to check.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from actbench.analysis.statistics import wilson_interval
from benchmarks.injected import slowed_environment, twin_environment
from benchmarks.neighbour import neighbour


@dataclass
class Tally:
    """What the checks said so far."""

    codes: Counter[int] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    noisy: int = 0
    detected: int = 0
    """Checks that called the slowed arm regressed."""
    pyperf: Counter[bool] = field(default_factory=Counter)
    """Benchmarks that pyperf calls significantly different, or not."""
    seconds: list[float] = field(default_factory=list)


def check(python: str, against: str, place: Path, *options: str) -> tuple[int, dict[str, object], float]:
    """Run a whole check; return its exit code, what it printed as JSON, and its wall seconds."""
    command = [python, "-m", "actbench", "check", "--against", against, "--format", "json", "-q", *options]
    start = time.perf_counter()
    done = subprocess.run([*command, "-o", str(place)], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if not done.stdout:
        raise SystemExit(f"the check failed: {done.stderr}")
    report = json.loads(done.stdout)
    if not report["cases"]:
        raise SystemExit(f"the check judged nothing: {report['reason']}")
    return done.returncode, report, seconds


def compare_to(place: Path) -> Counter[bool]:
    """Count what pyperf calls significant between the two sides of a check."""
    files = [str(place / side / "pyperf.json") for side in ("baseline", "candidate")]
    command = [sys.executable, "-m", "pyperf", "compare_to", "--verbose", *files]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Counter({True: output.count("\nSignificant ("), False: output.count("\nNot significant!")})


def cases() -> list[str]:
    """Name the cases of the check's default selection."""
    command = [sys.executable, "-m", "actbench", "list", "cases", "--preset", "check"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [word for word in listed.split() if word.count("/") == 5]


def main() -> None:
    """Check again and again, and print the tally, after Ctrl-C that of the checks so far."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=40)
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--slowdown", type=float, help="percent by which one arm is slower")
    parser.add_argument("--margin", type=float, default=5)
    chosen = parser.parse_args()
    tally = Tally()
    all_cases = cases()
    with TemporaryDirectory() as home, neighbour(busy=chosen.busy):
        twin = str(twin_environment(Path(home)))
        with suppress(KeyboardInterrupt):
            for number in range(chosen.checks):
                slowed = all_cases[(7 * number) % len(all_cases)] if chosen.slowdown else None
                with TemporaryDirectory() as place:
                    one(tally, Path(place), slowed, twin, chosen)
    print(summary(tally, chosen))


def one(tally: Tally, place: Path, slowed: str | None, twin: str, chosen: argparse.Namespace) -> None:
    """Run one check and count what it says."""
    python = sys.executable
    if slowed:
        python = str(slowed_environment(place, slowed, chosen.slowdown / 100))
    code, report, seconds = check(python, twin, place / "runs", "--margin", str(chosen.margin))
    verdicts = {case["case"]: case["verdict"] for case in report["cases"]}  # type: ignore[attr-defined]
    tally.codes[code] += 1
    tally.noisy += bool(report["too_noisy"])
    tally.seconds.append(seconds)
    tally.verdicts.update(verdict for case, verdict in verdicts.items() if case != slowed)
    tally.pyperf += compare_to(place / "runs")
    tally.detected += slowed is not None and verdicts[slowed] == "regressed"
    outcome = f"{slowed}: {verdicts[slowed]}" if slowed else f"{Counter(verdicts.values()).most_common()}"
    print(f"exit {code} in {seconds:.0f} s; {outcome}", flush=True)


def summary(tally: Tally, chosen: argparse.Namespace) -> str:
    """Say what came of all checks, shares with their 95 % intervals."""
    checks, judged = sum(tally.codes.values()), sum(tally.verdicts.values())
    wrong = tally.verdicts["regressed"] + tally.verdicts["improved"]
    neighbourhood = "with a busy neighbour" if chosen.busy else "without a busy neighbour"
    lines = [
        f"{checks} checks of {judged // checks} cases, margin {chosen.margin:g} %, {neighbourhood}",
        f"longest {max(tally.seconds):.0f} s, on average {sum(tally.seconds) / checks:.0f} s",
        f"exit codes: {dict(tally.codes)}; host too noisy: {tally.noisy}",
        f"verdicts on arms that are the same on both sides: {dict(tally.verdicts)}",
        f"called different though the same: {share(wrong, judged)}",
    ]
    if chosen.slowdown:
        lines.append(f"slowed by {chosen.slowdown:g} % and called regressed: {share(tally.detected, checks)}")
    else:
        lines.append(f"checks that failed: {share(tally.codes[1], checks)}")
        lines.append(f"pyperf compare_to calls different: {share(tally.pyperf[True], sum(tally.pyperf.values()))}")
    return "\n".join(lines)


def share(hits: int, trials: int) -> str:
    """Return ``3 of 40: 7.5 % (2.58 % to 19.9 %)``."""
    value, low, high = wilson_interval(hits, trials).scaled(100)
    return f"{hits} of {trials}: {value:.3g} % ({low:.3g} % to {high:.3g} %)"


if __name__ == "__main__":
    main()
