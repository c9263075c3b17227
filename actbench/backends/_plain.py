"""The base of backends that call a formula from plain Python: for every op, a factory of the call."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from actbench.backends._backend import Backend, Bound
from actbench.backends._listing import sources
from actbench.model.names import Dtype, Op
from actbench.model.rule import Rule

Factory = tuple[Callable[..., Any], tuple[Any, ...]]
"""A factory of a call, and the factory's arguments."""


class Plain(Backend):
    """A formula in Python functions; literals are Python's, and take the arrays' dtype (NEP 50)."""

    @abstractmethod
    def factory(self, op: Op, rule: Rule) -> Factory:
        """Return the factory of an op's call, and its arguments."""

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Make the call."""
        del dtype
        factory, arguments = self.factory(op, rule)
        return Bound(factory(*arguments))

    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source of the factory, and of the functions that the call calls."""
        factory, arguments = self.factory(op, rule)
        return sources([factory], filter(callable, arguments))
