from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.selections import FILES, SMALL, SPEEDUPS, names, record, rows

# What is written and printed

CASES = """\
activation,strategy,backend,op,dtype,size,operands,shape,rows,seconds,low,high,rounds,loops,ns_per_element,gb_per_s,copy_limit_pct,copy_limit_low_pct,copy_limit_high_pct,copy_limit_of,copies,copies_low,copies_high,residual_bytes_per_element,max_ulp,processor_pct
logistic,recompute,numpy,derivative,float64,1000,warm,,1,4e-06,4e-06,4e-06,6,1024,4,4,12.5,12.5,12.5,yardstick,8,8,8,8,,100
logistic,cached,numpy,derivative,float64,1000,warm,,1,1e-06,1e-06,1e-06,6,4096,1,16,50,50,50,yardstick,2,2,2,8,,100
logistic,yardstick,numpy,derivative,float64,1000,warm,,1,5e-07,5e-07,5e-07,6,8192,0.5,32,100,100,100,yardstick,1,1,1,0,,100
"""

PRINTED = """\
logistic, derivative: reusing the cached output is faster than recomputing in 1 of 1 comparison (4.0 times with numpy).

Speedup over recompute: logistic, derivative
Times faster than recompute on the same backend, measured side by side; below 1 it is slower.
backend   dtype         n        cached
───────────────────────────────────────
numpy     float64   1\u202f000   4.00 ± 0.00

Time: logistic, derivative
Nanoseconds per element, and in brackets the rate of moving the operands as a percentage of a plain copy's, whose \
interval is in cases.csv; only where the fixed
cost of a call is known to be less than half of the case's time, and less than two thirds of the copy's.
backend   dtype         n            recompute               cached
───────────────────────────────────────────────────────────────────
numpy     float64   1\u202f000   4.00 ± 0.00 (12 %)   1.00 ± 0.00 (50 %)

Bottleneck: logistic, derivative
dispatch: half of the time is spent on one element as well; memory: a copy of the operands takes half of the time, or\
"""

MARKDOWN = """\
# actbench: derivatives by re-evaluating exponentials, or from cached activations

logistic, derivative: reusing the cached output is faster than recomputing in 1 of 1 comparison (4.0 times with numpy).

### Speedup over recompute: logistic, derivative

Times faster than `recompute` on the same backend, measured side by side; below 1 it is slower.

| backend | dtype | n | cached |
| --- | --- | ---: | ---: |
| numpy | float64 | 1\u202f000 | 4.00 ± 0.00 |

### Time: logistic, derivative

Nanoseconds per element, and in brackets the rate of moving the operands as a percentage of a plain copy's, whose \
interval is in cases.csv; only where the fixed cost of a call is known to be less than half of the case's time, and \
less than two thirds of the copy's.

| backend | dtype | n | recompute | cached |
| --- | --- | ---: | ---: | ---: |
| numpy | float64 | 1\u202f000 | 4.00 ± 0.00 (12 %) | 1.00 ± 0.00 (50 %) |
"""


def test_exact_times_give_exact_files_and_tables(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 0
    cases = Path("here/cases.csv").read_text().splitlines(keepends=True)
    without_ulp = [cases[0], *(",".join([*line.split(",")[:-2], "", line.split(",")[-1]]) for line in cases[1:])]
    assert "".join(without_ulp) == CASES
    assert Path("here/speedups.csv").read_text() == SPEEDUPS
    assert result.stdout.startswith(PRINTED)
    assert Path("here/summary.md").read_text().startswith(MARKDOWN)
    assert result.stderr == "\nwritten to here\n"


def test_the_accuracy_of_every_case_is_given_and_the_yardstick_has_none(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    recompute, cached, yardstick = rows(Path("here/cases.csv"))
    assert 0.5 < float(recompute["max_ulp"]) < 8
    assert float(cached["max_ulp"]) > 1e6
    assert yardstick["max_ulp"] == ""


def test_every_value_is_a_row(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "2")
    lines = Path("here/values.csv").read_text().splitlines()
    assert lines[:2] == [
        "activation,strategy,backend,op,dtype,size,operands,shape,rows,round,value,loops,seconds,processor",
        "logistic,recompute,numpy,derivative,float64,1000,warm,,1,1,0,1024,4e-06,1",
    ]
    calibrations = record(Path("here"))["calibrations"]
    assert len(lines) - 1 == 2 * sum(calibrations["logistic/derivative/float64/1000"]["values"])


def test_a_ratio_is_the_reference_s_seconds_over_the_candidate_s(actbench: Actbench) -> None:
    actbench(
        *("run", "-a", "logistic", "-b", "numpy,python", "-s", "textbook,recompute,cached,complement"),
        *("-n", "1000", "-d", "float64", "--rounds", "1", "-o", "here"),
    )
    seconds = {(row["strategy"], row["backend"]): float(row["seconds"]) for row in rows(Path("here/cases.csv"))}
    speedups = rows(Path("here/speedups.csv"))
    assert len(speedups) == 2 * 6 + 4
    for row in speedups:
        reference = seconds[row["reference_strategy"], row["reference_backend"]]
        candidate = seconds[row["candidate_strategy"], row["candidate_backend"]]
        assert float(row["ratio"]) == pytest.approx(reference / candidate, rel=1e-8)


def test_a_run_is_seven_files_and_the_latest_is_linked(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "1")
    latest = Path("results/latest")
    assert latest.is_symlink()
    assert names(latest) == FILES
    assert names(Path("results")) == {"latest", ".newest", latest.resolve().name}


def test_a_run_elsewhere_is_not_the_latest(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "1", "-o", "here")
    assert names(Path("here")) == FILES
    assert not Path("results").exists()


def test_a_run_with_overflowing_textbook_formulas_can_be_read_back(actbench: Actbench) -> None:
    actbench("run", "-a", "tanh", "-b", "numpy", "-n", "1000", "-d", "float64", "--rounds", "1", "-o", "here")
    result = actbench("compare", "here")
    assert result.exit_code == 0, result.output
    assert actbench("run", "--resume", "here", "--rounds", "2").exit_code == 0


# Quiet, and progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_progress_is_shown_on_a_terminal_only(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    from actbench.report import progress

    shown: dict[tuple[bool, bool], str] = {}
    for terminal in (True, False):
        for quiet in (True, False):
            stream = Terminal() if terminal else io.StringIO()
            monkeypatch.setattr(progress, "sys", type("Streams", (), {"stderr": stream}))
            name = f"{terminal}-{quiet}"
            assert actbench("run", *SMALL, "-o", name, *(["-q"] if quiet else [])).exit_code == 0
            shown[terminal, quiet] = stream.getvalue()
    assert shown[True, True] == shown[False, True] == shown[False, False] == ""
    assert "checking kernels against mpmath" in shown[True, False]
    assert "calibrating loops" in shown[True, False]
    assert "round 6" in shown[True, False]
    assert "left" in shown[True, False]


def test_quiet_still_prints_the_tables(actbench: Actbench) -> None:
    assert actbench("run", *SMALL, "-o", "here", "-q").stdout.startswith(PRINTED)
