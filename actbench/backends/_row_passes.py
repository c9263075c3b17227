"""A formula over rows as a pass of loops: what it reads, writes and is made of (`actbench.backends._row_loops`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from actbench.model.row_graph import INPUT, NUMBER, PICK, REPLACE, Term, in_order, traced
from actbench.model.rule import Formula

OPERATORS = ("+", "-", "*", "/", "<", ">")

WHERE = "where"
"""The function by which loops choose between two numbers: every backend has its own."""


@dataclass(frozen=True)
class Pass:
    """One formula over rows: it reads `inputs`, and writes `outputs`, by their names."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    terms: tuple[Term, ...]

    @classmethod
    def of(cls, formula: Formula, outputs: Sequence[str], per_row: Sequence[str] | frozenset[str]) -> Pass:
        """Trace a formula."""
        inputs, terms = traced(formula, per_row)
        same: dict[tuple[object, ...], Term] = {}
        unique: dict[Term, Term] = {}
        for term in in_order(terms):
            arguments = tuple(unique[argument] for argument in term.arguments)
            key = (term.operation, term.value, *map(id, arguments))
            unique[term] = same.setdefault(key, Term(term.operation, arguments, term.value, term.per_row))
        return cls(inputs, tuple(outputs), tuple(unique[term] for term in terms))

    @cached_property
    def ordered(self) -> list[Term]:
        """All terms, arguments first."""
        return [*in_order(self.terms)]

    @property
    def functions(self) -> list[str]:
        """The functions of the namespace that it calls."""
        called = (term.operation for term in self.ordered if not term.reduces)
        return [
            *dict.fromkeys(name for name in called if name not in {INPUT, NUMBER, PICK, REPLACE, WHERE, *OPERATORS})
        ]

    @property
    def numbers(self) -> list[float]:
        """The numbers in it."""
        return [*dict.fromkeys(term.value for term in self.ordered if term.operation == NUMBER)]

    @property
    def results(self) -> list[str]:
        """The outputs that are one number an element."""
        return [name for name, term in zip(self.outputs, self.terms, strict=True) if not term.per_row]
