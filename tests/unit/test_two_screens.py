"""What `actbench run` prints on a terminal fits two screens, and says what is not shown."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from actbench.report import terminal
from actbench.report.results import analyse
from actbench.report.summary import summarise
from actbench.report.table import Summary, Table
from actbench.runs.archive import load

RESULTS = Path(__file__).parents[2] / "results"

SCREEN, WIDTH = 50, 100

ROWS = tuple(("numpy", "float32", str(n), "1.00 ± 0.01", "2.00 ± 0.01") for n in range(300))

LEADING = Table("Speedup", "Note.", ("backend", "dtype", "n", "textbook", "cached"), ROWS, labels=2, leads=True)


def printed(summary: Summary, *, whole: bool = False, on_terminal: bool = True) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, force_terminal=on_terminal, color_system=None, highlight=False)
    terminal.show(summary, console, whole=whole)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("name", ["reference", "peers", "sweep", "train"])
def test_every_committed_run_fits_two_screens_with_its_answer_and_a_table(name: str) -> None:
    run = load(RESULTS / name)
    assert run.record is not None
    summary = summarise(analyse(run.times, run.record), run.record, run.path)
    lines = printed(summary)
    assert len(lines) <= 2 * SCREEN - 3  # where it is written, and how to see more
    assert max(map(len, lines)) <= WIDTH
    words = " ".join(" ".join(lines).split())
    assert " ".join(summary.answers[0].split()) in words
    assert any(line.startswith(("Speedup over", "Time of a step")) for line in lines)
    assert "Not shown: " in words


def test_rows_columns_tables_answers_and_remarks_that_are_left_out_are_counted() -> None:
    wide = Table("Rest", "", ("a", "b"), (("x", "1"),), labels=1)
    summary = Summary(("An answer.",) * 90, (LEADING, wide), ("A remark.",) * 90)
    lines = printed(summary)
    assert len(lines) <= 2 * SCREEN - 3
    shown = sum("numpy" in line for line in lines)
    assert lines[-1] == f"Not shown: 54 answers, {3 * (300 - shown)} figures, 1 table, 72 remarks."


def test_failures_are_shown_before_other_remarks() -> None:
    lines = printed(Summary((), (), ("A remark.",) * 90 + ("FAILED: it crashed",)))
    assert lines.index("FAILED: it crashed") < lines.index("A remark.")


def test_the_strategy_in_question_is_shown_where_not_all_fit() -> None:
    long = tuple((*row[:3], "1" * 60, "2" * 40) for row in ROWS[:3])
    table = replace(LEADING, rows=long)
    head = next(line for line in printed(Summary((), (table,), ())) if "backend" in line)
    assert "cached" in head
    assert "textbook" not in head


@pytest.mark.parametrize(("whole", "on_terminal"), [(True, True), (False, False)])
def test_all_tables_are_printed_on_demand_and_in_a_pipe(*, whole: bool, on_terminal: bool) -> None:
    lines = printed(Summary(("An answer.",) * 90, (LEADING,), ()), whole=whole, on_terminal=on_terminal)
    assert sum("numpy" in line for line in lines) == len(ROWS)
    assert not any(line.startswith("Not shown") for line in lines)
