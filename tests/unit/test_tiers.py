"""The tiers of the suite: shares of the exhaustive one, which together are all of it."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from tests.support.tiers import Collected, Share, exhaustive_but, first_of_each

NAMES = [f"tests/unit/test_x.py::test_{test}[{parameter}]" for test in "abcde" for parameter in range(200)]


def test_shares_are_disjoint_and_together_all() -> None:
    shares = [[name for name in NAMES if Share(number, 4).has(name)] for number in (1, 2, 3, 4)]
    assert sorted(chain(*shares)) == sorted(NAMES)


def test_shares_are_about_as_large_as_each_other() -> None:
    sizes = [sum(Share(number, 4).has(name) for name in NAMES) for number in (1, 2, 3, 4)]
    assert all(150 < size < 350 for size in sizes)


def test_tests_with_the_same_parameters_are_in_one_share() -> None:
    for parameter in range(200):
        assert len({Share(1, 4).has(name) for name in NAMES if name.endswith(f"[{parameter}]")}) == 1


def marked(values: list[Any]) -> list[tuple[int, bool]]:
    """Return each value and whether it is exhaustive."""
    return [(value, False) if isinstance(value, int) else (value.values[0], bool(value.marks)) for value in values]


@pytest.mark.parametrize("exhaustive", [True, False])
def test_what_is_exhaustive_is_made_only_where_it_may_be_run(
    monkeypatch: pytest.MonkeyPatch, *, exhaustive: bool
) -> None:
    monkeypatch.setattr(Collected, "exhaustive", exhaustive)
    ends = [[(number, True)] * exhaustive for number in (1, 3)]
    assert marked(exhaustive_but([1, 2, 3], (2).__eq__)) == [*ends[0], (2, False), *ends[1]]
    assert marked(first_of_each([1, 3, 2], lambda n: n % 2)) == [(1, False), *([(3, True)] * exhaustive), (2, False)]
    assert marked(exhaustive_but([1], (2).__eq__)) == [(1, True)], "its mark leaves it out"


def test_a_share_is_read_as_it_is_written() -> None:
    assert Share.read("2/8") == Share(2, 8)


@pytest.mark.parametrize("text", ["", "2", "0/8", "9/8", "1/0", "-1/2", "a/b", "1/2/3"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match="write the number of the share and of all shares"):
        Share.read(text)
