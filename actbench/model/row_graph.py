"""The formulas of row activations as graphs of terms: what is one number an element, and what one number a row.

A formula is called once on terms in place of arrays; what its operators and functions make are terms again. `m.sum` and
`m.max` reduce what is one number an element to one a row. `m.pick(x, target)` is the element of x in the target's
column, and `m.replace(x, target, value)` is x with this value there. Compiled loops are laid out by this, and the truth
of a gradient is its derivative.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from actbench.model.row_refusals import FUNCTIONS, Refusals, function_instead
from actbench.model.rule import TARGET, Rule

REDUCTIONS = ("sum", "max")
"""Functions of the namespace that reduce a row to a number."""

PICK, REPLACE = "pick", "replace"
"""Functions of the namespace that take a target."""

ARGUMENTS: dict[str, tuple[str, ...]] = dict.fromkeys((*FUNCTIONS, *REDUCTIONS), ("x",)) | {
    "where": ("condition", "x", "y"),
    PICK: ("x", TARGET),
    REPLACE: ("x", TARGET, "value"),
}
"""The functions of the namespace, with their arguments in words."""

INPUT, NUMBER = "input", "number"
"""What terms are that nothing computes."""


@dataclass(frozen=True, eq=False, slots=True)
class Term(Refusals):
    """What an operation makes, or an input, or a number."""

    operation: str
    """An operator such as ``+``, a function's name, `INPUT` or `NUMBER`."""
    arguments: tuple[Term, ...] = ()
    value: Any = None
    """The name of an input; a number."""
    per_row: bool = False
    """Whether it is one number a row; otherwise it is one an element."""

    @property
    def reduces(self) -> bool:
        """Whether it is a reduction."""
        return self.operation in REDUCTIONS

    def __add__(self, other: Any) -> Term:
        """Return the sum."""
        return of_operation("+", self, other)

    def __radd__(self, other: Any) -> Term:
        """Return the sum."""
        return of_operation("+", other, self)

    def __sub__(self, other: Any) -> Term:
        """Return the difference."""
        return of_operation("-", self, other)

    def __rsub__(self, other: Any) -> Term:
        """Return the difference."""
        return of_operation("-", other, self)

    def __mul__(self, other: Any) -> Term:
        """Return the product."""
        return of_operation("*", self, other)

    def __rmul__(self, other: Any) -> Term:
        """Return the product."""
        return of_operation("*", other, self)

    def __truediv__(self, other: Any) -> Term:
        """Return the quotient."""
        return of_operation("/", self, other)

    def __rtruediv__(self, other: Any) -> Term:
        """Return the quotient."""
        return of_operation("/", other, self)

    def __lt__(self, other: Any) -> Term:
        """Return whether it is smaller."""
        return of_operation("<", self, other)

    def __gt__(self, other: Any) -> Term:
        """Return whether it is larger."""
        return of_operation(">", self, other)

    def __neg__(self) -> Term:
        """Return the negative."""
        return of_operation("*", -1.0, self)


def of_operation(operation: str, *arguments: Any) -> Term:
    """Return the term of an operation on terms and numbers; `TypeError` for what cannot be computed along rows."""
    terms = tuple(argument if isinstance(argument, Term) else _number(argument) for argument in arguments)
    of_one_a_row = operation in {*REDUCTIONS, PICK}
    _require_target(operation, terms)
    if of_one_a_row and terms[0].per_row:
        raise TypeError(f"m.{operation} takes one number an element, and this is one number a row already")
    return Term(operation, terms, per_row=of_one_a_row or all(term.per_row for term in terms))


def _require_target(operation: str, terms: Sequence[Term]) -> None:
    """Raise `TypeError` where a target is not what m.pick and m.replace take second, or something else is."""
    targets = [place for place, term in enumerate(terms) if (term.operation, term.value) == (INPUT, TARGET)]
    takes = {PICK: 2, REPLACE: 3}.get(operation, 0)
    if targets != ([1] if takes else []) or takes not in {0, len(terms)}:
        raise TypeError(
            f"m.{PICK}(x, {TARGET}) and m.{REPLACE}(x, {TARGET}, value), and nothing else, take a {TARGET}, the number "
            f"of a column, which forward takes behind z"
        )
    if operation == REPLACE and (terms[0].per_row or not terms[2].per_row):
        raise TypeError(f"m.{REPLACE} takes one number an element, and a value that is one number a row")


def _number(value: Any) -> Term:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a formula of rows is made of arrays and numbers, not of a {type(value).__name__}")
    return Term(NUMBER, (), float(value), per_row=True)


class Tracing:
    """A namespace whose functions return terms."""

    def __init__(self, more: Sequence[str] = ()) -> None:
        """Take functions of an element that a backend has beside those of every namespace."""
        vars(self).update({name: partial(of_operation, name) for name in more})

    def __getattr__(self, name: str) -> Callable[..., Term]:
        """Return the function of a name; `TypeError` where there is none along rows."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in ARGUMENTS:
            raise TypeError(f"m.{name}: {function_instead((*ARGUMENTS,))}")

        def function(*arguments: Any, **options: Any) -> Term:
            if options or len(arguments) != len(ARGUMENTS[name]):
                raise TypeError(f"along rows, write m.{name}({', '.join(ARGUMENTS[name])}), without options")
            return of_operation(name, *arguments)

        return function


TRACING = Tracing()


def traced(formula: Callable[..., Any], per_row: Collection[str] = ()) -> tuple[tuple[str, ...], tuple[Term, ...]]:
    """Return the names of a formula's parameters, and the terms that it returns; these, and a target, are one a row.

    `TypeError` says where it cannot be computed along rows, or returns something else.
    """
    names = tuple(inspect.signature(formula).parameters)
    results = formula(*(Term(INPUT, (), name, per_row=name in {*per_row, TARGET}) for name in names))
    terms = results if isinstance(results, tuple) else (results,)
    for term in terms:
        if not isinstance(term, Term):
            what = "nothing" if term is None else f"a {type(term).__name__}"
            raise TypeError(f"{formula.__name__}({', '.join(names)}) returns {what}: return what it computes")
    return names, terms


def per_row(rule: Rule) -> frozenset[str]:
    """Return the names of what is one number a row, of a rule over `TRACING`: y and dy, targets, and what is saved."""
    _, results = traced(rule.save or rule.forward)
    names = [name for name, term in zip(("y", *rule.saved), results, strict=False) if term.per_row]
    return frozenset([*names, *(["dy"] if "y" in names else []), *({TARGET} & {*rule.inputs})])


def in_order(terms: Sequence[Term], known: Collection[Term] = ()) -> Iterator[Term]:
    """Yield terms and all that they are made of, each once, arguments first; not what is known, nor what that is of."""
    passed = {*map(id, known)}

    def visit(term: Term) -> Iterator[Term]:
        if id(term) not in passed:
            passed.add(id(term))
            for argument in term.arguments:
                yield from visit(argument)
            yield term

    for term in terms:
        yield from visit(term)
