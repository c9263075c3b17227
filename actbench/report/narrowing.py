"""Selection of the cases of a run that a user wants to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from actbench.errors import InputError
from actbench.model import names
from actbench.model.cases import Case
from actbench.model.sizes import Size
from actbench.model.variants import Variant
from actbench.planning.selection import Selection
from actbench.runs.archive import Run

Keep = Callable[[Case], bool]
"""A function that tells whether a case is shown."""

FIELDS = {
    "activations": "activation",
    "backends": "backend",
    "strategies": "strategy",
    "ops": "op",
    "dtypes": "dtype",
    "operands": "operands",
}
"""The value of a case on each axis but the sizes."""


ONE_RUN = "the run has no such case", "it has"
RUNS = "no run has such a case", "they have"
"""What is said of a value that no case has, and before the values that cases have."""


def narrowed(
    selection: Selection, cases: Sequence[Case], options: Mapping[str, str], words: tuple[str, str] = ONE_RUN
) -> Keep:
    """Return a function that tells whether a case is selected.

    `options` maps axes to their options on the command line. `InputError` names the option of an axis that selects none
    of the cases, in `words`. Globs stand for what the cases have.
    """
    selection = selection.expanded_over({axis: _present(cases, axis) for axis in (*FIELDS, "residual_dtypes")})
    for axis, option in options.items():
        if axis != "pattern":
            _refuse_absent(getattr(selection, axis), axis, option, cases, words)
    axes = selection.axes(tuple(dict.fromkeys(Variant(case.strategy.name) for case in cases)))

    def keep(case: Case) -> bool:
        named = all(_value(case, axis) in values for axis, values in axes.items())
        return named and fnmatchcase(case.id, selection.pattern)

    return keep


def in_states(run: Run, states: tuple[str, ...]) -> Run:
    """Return a run with the blocks of some states of operands only, or with all where none is named.

    `InputError` where it has none of them.
    """
    if not states:
        return run
    keep = narrowed(Selection(operands=states), run.plan.cases, {"operands": "--operands"})
    return replace(run, times=run.times.of_blocks(lambda block: any(map(keep, block.cases))))


def _present(cases: Sequence[Case], axis: str) -> list[str]:
    """Return the names of an axis that cases have; of strategies, without the types of their residuals."""
    values = (case.strategy.name if axis == "strategies" else _value(case, axis) for case in cases)
    return [*dict.fromkeys(str(value) for value in values if value)]


def _refuse_absent(
    values: Sequence[Any], axis: str, option: str, cases: Sequence[Case], words: tuple[str, str]
) -> None:
    """Raise `InputError` for an axis with none of whose values there is a case."""
    present = [*dict.fromkeys(_value(case, axis) for case in cases)]
    if {*values} & {*present}:
        return
    if axis == "dtypes":
        names.dtype(values[0])
    has = ", ".join(str(value) for value in present if value)
    absent, instead = words
    also = f"; {instead} {has}" if has else ""
    raise InputError(f"{option} {','.join(map(str, values))}: {absent}{also}")


def _value(case: Case, axis: str) -> Any:
    """Return the value of a case on an axis; on that of storage types, the type of its strategy, or nothing."""
    if axis == "sizes":
        return Size(case.size, case.shape)
    if axis == "residual_dtypes":
        return case.strategy.storage
    return getattr(case, FIELDS[axis])
