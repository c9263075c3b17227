"""What a worker says of an exception: one line."""

from __future__ import annotations

import pytest

from actbench.engine.working.worker_errors import in_one_line


class WordlessError(Exception):
    """An error without a text."""

    def __str__(self) -> str:
        """Raise as well."""
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no such shape\nand more"), "ValueError: no such shape"),
        (ValueError(), "ValueError"),
        (RuntimeError("backend='mine' raised:\n  ValueError: no code\nmore"), "RuntimeError: backend='mine' raised: "),
        (WordlessError(), "WordlessError"),
    ],
)
def test_an_exception_is_one_line_and_the_next_one_where_that_is_announced(error: Exception, line: str) -> None:
    assert in_one_line(error) == line + ("ValueError: no code" if line.endswith(" ") else "")
