"""The selected cases that GOOD and BAD have in common, and those that one of them lacks."""

from __future__ import annotations

from collections.abc import Sequence

from actbench.analysis.bisection import LackedCases
from actbench.engine.bisect.commit_environments import CommitEnvironment
from actbench.errors import NotComparableError
from actbench.model.cases import Case

ENDS = ("GOOD", "BAD")


def lacked(selected: Sequence[Case], good: CommitEnvironment, bad: CommitEnvironment) -> tuple[LackedCases, ...]:
    """Return which of the selected cases GOOD and BAD lack."""
    by_end = [
        LackedCases(end, tuple(case.id for case in selected if case not in there.offered), len(selected), there.lacking)
        for end, there in zip(ENDS, (good, bad), strict=True)
    ]
    return tuple(one for one in by_end if one.cases)


def common(
    selected: Sequence[Case], good: CommitEnvironment, bad: CommitEnvironment, without: Sequence[LackedCases]
) -> list[Case]:
    """Return the selected cases that both have; `NotComparableError` says why there are none, and what to do."""
    cases = [case for case in selected if case in good.offered and case in bad.offered]
    if not cases:
        sentences = "; ".join(one.sentence for one in without)
        raise NotComparableError(f"GOOD and BAD have no selected case in common: {sentences}: {_way_out(without)}")
    return cases


def _way_out(without: Sequence[LackedCases]) -> str:
    for one in without:
        if one.files:
            changed, verb = ("A", "adds") if one.end == ENDS[0] else ("D", "deletes")
            command = f"git log --diff-filter={changed} -- {one.files[0]}"
            return f"name a {one.end} that has it ('{command}' shows which commit {verb} it), or select other cases"
    return (
        "select cases that both have ('actbench list cases' lists those that are here), of backends whose libraries "
        "the project of these commits depends on"
    )
