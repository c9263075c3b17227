"""The two tiers of the suite: every behaviour once, and the exhaustive grids, of which a share can be run.

What is marked ``exhaustive`` repeats on more kernels, inputs or environments what an unmarked test shows. It is run by
``pytest -m ""``, and a share of it by ``pytest -m exhaustive --share 2/8``. Tests with the same parameters, such as
those of one kernel, are in the same share: what they compile or compute in many digits is done once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

import pytest

EXHAUSTIVE = pytest.mark.exhaustive

QUICK = "not exhaustive"
"""The expression of marks that selects the quick tier."""

T = TypeVar("T")


class Collected:
    """What is made at all: to make thousands of tests and leave them out again takes seconds of every process."""

    exhaustive = True


class Share(NamedTuple):
    """The `number`-th of `of` parts, counted from 1."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Share:
        """Read ``2/8``; `pytest.UsageError` where it is not one."""
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise pytest.UsageError(f"--share {text}: write the number of the share and of all shares, as in 2/8")
        return cls(int(number), int(of))

    def has(self, test: str) -> bool:
        """Tell whether a test, named by its node id, is in this share."""
        _, _, parameters = test.partition("[")
        digest = sha256((parameters or test).encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1


def exhaustive_but(chosen: Iterable[T], quick: Callable[[T], bool]) -> list[Any]:
    """Return parameters for `pytest.mark.parametrize`, of which those that are not quick are exhaustive.

    A tuple has the values of several parameters.
    """
    return _tiers((value, quick(value)) for value in chosen)


def first_of_each(chosen: Iterable[T], kind: Callable[[T], object]) -> list[Any]:
    """Return parameters likewise: the first of every kind is quick, and what comes after it exhaustive."""
    values = [*chosen]
    firsts = {kind(value): place for place, value in reversed([*enumerate(values)])}
    places = {*firsts.values()}
    return _tiers((value, place in places) for place, value in enumerate(values))


def _tiers(chosen: Iterable[tuple[object, bool]]) -> list[Any]:
    """Return the values, of which those with False are exhaustive, or left out where the quick tier alone is run."""
    tiers = [*chosen]
    left_out = not Collected.exhaustive and any(quick for _, quick in tiers)
    return [value if quick else _exhaustive(value) for value, quick in tiers if quick or not left_out]


def _exhaustive(value: object) -> Any:
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=EXHAUSTIVE)
