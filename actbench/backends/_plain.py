"""What backends have in common that call a formula from plain Python: for every op, a function that makes the call."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from actbench.backends._backend import Backend, Bound
from actbench.backends._listing import sources
from actbench.model.names import Dtype, Op
from actbench.model.rule import Rule

Made = tuple[Callable[..., Any], tuple[Any, ...]]
"""The function that makes a call, and what it is given for that."""


class Plain(Backend):
    """A formula in Python functions; literals are Python's, and take the arrays' dtype (NEP 50)."""

    @abstractmethod
    def making(self, op: Op, rule: Rule) -> Made:
        """Return how the call of an op is made."""

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Make the call."""
        del dtype
        make, given = self.making(op, rule)
        return Bound(make(*given))

    def execution(self, op: Op, rule: Rule) -> str:
        """The function around the formula, and those that it calls."""
        make, given = self.making(op, rule)
        return sources([make], filter(callable, given))
