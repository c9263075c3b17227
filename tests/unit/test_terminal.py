"""Tables on terminals of any width, and where there is none."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from actbench.report.table import Table
from actbench.report.terminal import show_table

TABLE = Table(
    "Times",
    "",
    ("backend", "dtype", "n", "recompute", "cached", "complement"),
    (
        ("numpy", "float32", "1 000", "0.98 ± 0.03 (9.7 %)", "0.283 ± 0.011 (34 %)", "0.3 ± 0.2"),
        ("numba-parallel", "float64", "4 000 000", "12.34 ± 0.03", "7.0 ± 0.3 (8 %)", ""),
    ),
    labels=2,
)


def shown(table: Table, width: int, *, terminal: bool) -> list[list[str]]:
    """Return the lines of each part of the table, without the rule beneath its head."""
    stream = io.StringIO()
    show_table(table, Console(file=stream, width=width, highlight=False, force_terminal=terminal, color_system=None))
    _, parts = stream.getvalue().split(f"{table.title}\n")
    return [[line for line in part.splitlines() if "─" not in line] for part in parts.strip("\n").split("\n\n")]


def cells(lines: list[str]) -> set[str]:
    return {cell.strip() for line in lines for cell in line.split("   ") if cell.strip()}


CELLS = {cell for row in (TABLE.columns, *TABLE.rows) for cell in row if cell}


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_a_narrow_terminal_gets_all_of_a_table_in_parts_that_tell_their_rows_apart(width: int) -> None:
    parts = shown(TABLE, width, terminal=True)
    assert set.union(*map(cells, parts)) == CELLS
    for part in parts:
        assert cells(part) >= {"backend", "dtype", "n", "numba-parallel", "float64", "4 000 000"}
        assert len(part) == 1 + len(TABLE.rows)
    assert all(len(line) <= max(width, 59) for part in parts for line in part)
    assert len(parts) == {40: 3, 60: 3, 80: 2, 100: 1, 120: 1}[width]


@pytest.mark.parametrize("width", [40, 160])
def test_what_is_piped_is_one_part_and_nothing_is_cut_off(width: int) -> None:
    (part,) = shown(TABLE, width, terminal=False)
    assert cells(part) == CELLS


@pytest.mark.parametrize("terminal", [False, True])
def test_only_a_text_is_wrapped(*, terminal: bool) -> None:
    why = "1 - y loses 1.44 bits per unit of z, until y rounds to 1; " * 3
    table = Table(
        "Costs", "", ("activation", "max ULP", "known weakness"), (("logistic", "3", why),), labels=1, wrapped=2
    )
    (part,) = shown(table, 70, terminal=terminal)
    assert max(map(len, part)) <= 70
    start = part[0].index("known weakness")
    assert " ".join(line[start:] for line in part[1:]).split() == why.split()
