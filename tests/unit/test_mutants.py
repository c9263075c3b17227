"""The faults that are put into the code to see whether tests notice."""

from __future__ import annotations

from benchmarks.mutants import problem
from benchmarks.mutations import MUTANTS


def test_every_mutant_changes_code_that_is_there_and_has_tests() -> None:
    assert [fault for mutant in MUTANTS if (fault := problem(mutant))] == []
