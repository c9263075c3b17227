"""What the tests of operand states share: a run in which keeping y is worth less, the more comes from memory."""

from __future__ import annotations

from actbench.model.cases import Case
from actbench.model.names import OperandState
from tests.support.exact_times import exact_seconds

CACHE = 1 << 20
"""Bytes of the last-level cache that the tests have, so that sets of small arrays pass it."""

IN_STATES = (
    *("-a", "logistic", "-b", "numpy,numpy-blocked", "-s", "recompute,cached", "-d", "float64", "-n", "10000"),
    *("--operands", "warm,residuals-cold,cold", "--rounds", "6", "--seed", "1"),
)
"""One size in three states, by a backend that allocates its results and one that does not."""

SLOWER = {OperandState.WARM: 1.0, OperandState.RESIDUALS_COLD: 2.0, OperandState.COLD: 4.0}
"""How many times longer all but `recompute` takes in each state."""


def seconds_by_state(case: Case) -> float:
    """Return times of which `recompute` has the same in every state; numpy-blocked loses more by cold operands."""
    factor = 1.0 if case.strategy == "recompute" else SLOWER[case.operands]
    lossy = case.backend == "numpy-blocked" and (case.strategy, case.operands) == ("cached", OperandState.COLD)
    return exact_seconds(case) * factor * (1.25 if lossy else 1.0)
