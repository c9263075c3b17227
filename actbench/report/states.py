"""The state of operands in tables, sentences and captions: present wherever not all operands are warm."""

from __future__ import annotations

from collections.abc import Iterable

from actbench.model.names import OperandState

COLUMN = "operands"

IN_WORDS = {
    OperandState.WARM: "warm operands",
    OperandState.RESIDUALS_COLD: "residuals from memory",
    OperandState.COLD: "all operands from memory",
}
"""What a call has in each state, in a sentence."""


def column(states: Iterable[OperandState]) -> tuple[str, ...]:
    """Return the heads of a table's columns for the states of its rows: one, or none where all rows are warm."""
    return () if {*states} <= {OperandState.WARM} else (COLUMN,)


def cell(state: OperandState, head: tuple[str, ...]) -> tuple[str, ...]:
    """Return the cells of a row in the `column` with this head."""
    return (str(state),) if head else ()


def suffix(state: OperandState) -> str:
    """Return what names the state after the other names of a subject: nothing for warm operands."""
    return "" if state is OperandState.WARM else f", operands {state}"


def meanings(states: Iterable[OperandState]) -> str:
    """Explain the states of a run, in their order, in one sentence; "" where all operands are warm."""
    present = {*states}
    if not column(present):
        return ""
    return f"Operands are {'; '.join(f'{state} ({state.meaning})' for state in OperandState if state in present)}."
