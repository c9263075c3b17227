from __future__ import annotations

import csv
import io
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbench.runs.csv_text import ROWS_AT_ONCE, csv_text

WORDS = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=5)


def read(text: str) -> list[list[str]]:
    return [*csv.reader(io.StringIO(text))]


@given(st.lists(st.tuples(WORDS, st.integers(), st.floats()), max_size=5))
def test_what_is_read_back_is_what_was_written_in_nine_digits(rows: list[tuple[str, int, float]]) -> None:
    head, *cells = read(csv_text(("word", "count", "seconds"), rows))
    assert head == ["word", "count", "seconds"]
    assert cells == [[word, str(count), "" if isnan(seconds) else f"{seconds:.9g}"] for word, count, seconds in rows]


def test_many_rows_are_all_written_in_their_order() -> None:
    rows = [(index, nan if index % 7 == 0 else index / 3) for index in range(2 * ROWS_AT_ONCE + 1)]
    _, *cells = read(csv_text(("index", "third"), rows))
    assert [int(index) for index, _ in cells] == [*range(2 * ROWS_AT_ONCE + 1)]
    assert all((third == "") == (int(index) % 7 == 0) for index, third in cells)


def test_whole_numbers_among_floats_stay_whole() -> None:
    assert read(csv_text(("size",), [(4_000_000,), (2.5,), (nan,)])) == [["size"], ["4000000"], ["2.5"], [""]]


@pytest.mark.parametrize("text", ["a, b", 'an "a"', "a\nb", " a ", "100 %s", ""])
def test_text_that_needs_quotes_is_quoted_among_rows_that_need_none(text: str) -> None:
    rows = [("plain", 1, 0.5)] * 3
    assert read(csv_text(("name", "n", "seconds"), [*rows, (text, 2, nan), *rows]))[4] == [text, "2", ""]


def test_a_missing_count_is_an_empty_cell() -> None:
    assert read(csv_text(("name", "bytes"), [("a", None), ("b", 8)])) == [["name", "bytes"], ["a", ""], ["b", "8"]]
