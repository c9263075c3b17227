"""Bars next to tables of speedups: what they show, and where they are shown."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from math import nan

import pytest
from rich.console import Console

from actbench.analysis.interval import Interval
from actbench.report.bars import bars
from actbench.report.table import Table, markdown
from actbench.report.terminal import show_table
from tests.conftest import Actbench
from tests.support.selections import SMALL

TABLE = Table(
    "Speedup",
    "",
    ("backend", "n", "cached"),
    (("numpy", "10", "4.0"), ("numpy", "20", "1.0 ≈"), ("numba", "10", "0.5"), ("numba", "20", "")),
    labels=1,
    bars=(Interval(4.0, 4.0, 4.0), Interval(1.0, 0.9, 1.1), Interval(0.5, 0.5, 0.5), None),
)
BLOCKS = re.compile("[▏▎▍▌▋▊▉█░▐│]")


def drawn(*ratios: tuple[float, float, float] | None, width: int = 25) -> list[str]:
    drawn_bars = bars([None if ratio is None else Interval(*ratio) for ratio in ratios], width)
    return ["" if bar is None else "".join(bar) for bar in drawn_bars]


def shown(table: Table = TABLE, width: int = 100, **options: object) -> str:
    stream = io.StringIO()
    show_table(table, Console(file=stream, width=width, highlight=False, **options))  # type: ignore[arg-type]
    return stream.getvalue()


# What a bar shows


def test_twice_the_speedup_of_the_logarithm_is_twice_as_long() -> None:
    assert drawn((16, 16, 16), (4, 4, 4), (2, 2, 2), (1, 1, 1)) == [
        "│████████████████████████",
        "│████████████            ",
        "│██████                  ",
        "│                        ",
    ]


def test_what_is_not_certain_is_light() -> None:
    assert drawn((16, 16, 16), (4, 2, 8)) == ["│████████████████████████", "│██████░░░░░░░░░░░░      "]


def test_a_slowdown_lies_to_the_left_of_the_mark() -> None:
    assert drawn((4, 4, 4), (0.25, 0.25, 0.25), (0.35, 0.25, 0.5)) == [
        "            │████████████",
        "████████████│            ",
        "░░░░░░██████│            ",
    ]


def test_an_interval_that_holds_1_is_light_on_both_sides_and_nothing_is_certain() -> None:
    assert drawn((4, 4, 4), (0.25, 0.25, 0.25), (1, 0.5, 2))[2] == "      ░░░░░░│░░░░░░      "


@pytest.mark.parametrize(("eighths", "end"), list(enumerate(["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"])))
def test_lengths_are_drawn_to_an_eighth_of_a_column(eighths: int, end: str) -> None:
    ratio = 2 ** (3 + eighths / 8)
    assert drawn((2.0**24, 2.0**24, 2.0**24), (ratio, ratio, ratio))[1].rstrip() == f"│███{end}"


def test_to_the_left_they_are_drawn_to_a_half() -> None:
    ratio = 2**-2.5
    assert drawn((2.0**-24, 2.0**-24, 2.0**-24), (ratio, ratio, ratio))[1].strip() == "▐██│"


def test_a_ratio_without_an_interval_is_light_throughout() -> None:
    assert drawn((4, nan, nan), (2, 2, 2)) == ["│░░░░░░░░░░░░░░░░░░░░░░░░", "│████████████            "]


@pytest.mark.parametrize(
    "ratios",
    [
        [(1.0, 1.0, 1.0)],
        [(1.02, 0.98, 1.07), (30.0, 29.0, 31.0)],
        [(0.99, 0.98, 0.995), (30.0, 29.0, 31.0)],
        [(0.01, 0.009, 0.011), (1.001, 1.0, 1.002)],
        [(0.5, 0.4, 0.6)],
    ],
)
def test_every_bar_is_as_wide_as_was_asked_for_with_the_mark_in_one_column(
    ratios: list[tuple[float, float, float]],
) -> None:
    for width in (8, 25, 32):
        lines = drawn(*ratios, width=width)
        assert {len(bar) for bar in lines} == {width}
        assert len({bar.index("│") for bar in lines}) == 1


def test_where_there_is_no_ratio_there_is_no_bar() -> None:
    assert drawn(None, (2, 2, 2)) == ["", "│████████████████████████"]
    assert drawn(None) == [""]


# Where bars are shown


def test_a_terminal_shows_a_bar_next_to_every_ratio() -> None:
    lines = shown(force_terminal=True).splitlines()
    with_bars = [line for line in lines if "│" in line]
    assert len(with_bars) == 3
    assert [line.partition("│")[2] != "" for line in lines if line.startswith("num")] == [True, True, True, False]


def test_piped_text_has_no_bars_and_is_what_it_was() -> None:
    assert shown() == shown(replace(TABLE, bars=()))
    assert not BLOCKS.search(shown())


def test_a_run_that_is_piped_has_no_bars(actbench: Actbench) -> None:
    assert not BLOCKS.search(actbench("run", *SMALL).stdout)


def test_a_narrow_terminal_keeps_the_table_and_goes_without() -> None:
    assert BLOCKS.search(shown(width=70, force_terminal=True))
    narrow = shown(width=50, force_terminal=True)
    assert not BLOCKS.search(narrow)
    assert "4.0" in narrow


def test_a_terminal_without_the_signs_goes_without() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    show_table(TABLE, Console(file=stream, width=100, force_terminal=True))
    stream.flush()
    written = stream.buffer.getvalue().decode()
    assert "4.0" in written
    assert "log scale" not in written


def test_a_table_without_ratios_has_no_bars_anywhere() -> None:
    assert not BLOCKS.search(shown(replace(TABLE, bars=()), force_terminal=True))
    assert not BLOCKS.search(shown(replace(TABLE, bars=(None,) * 4), force_terminal=True))


def test_faster_is_green_and_slower_is_red() -> None:
    coloured = shown(force_terminal=True, color_system="standard")
    assert "\x1b[32m█" in coloured
    assert "\x1b[31m█" in coloured


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_are_left_out_where_they_are_not_wanted_and_bars_stay(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv(name, value)
    text = shown(force_terminal=True)
    assert BLOCKS.search(text)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", text)


def test_markdown_has_no_bars() -> None:
    assert not BLOCKS.search(markdown(TABLE))
