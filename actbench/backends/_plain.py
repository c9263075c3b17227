"""The base class of backends that call a formula from plain Python: a factory makes the call of each op."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from actbench.backends._backend import Backend, Bound
from actbench.backends._listing import sources
from actbench.model.names import Dtype, Op
from actbench.model.rule import Rule

Factory = tuple[Callable[..., Any], tuple[Any, ...]]
"""A factory of a call, with the factory's arguments."""


class Plain(Backend):
    """Formulas in Python functions; their literals are Python's and take the arrays' dtype (NEP 50)."""

    factories: ClassVar[Mapping[Op, Callable[..., Any]]]
    """Factories of the calls of ``derivative`` and ``backward``, from the formula of g'."""

    @abstractmethod
    def step_factory(self, rule: Rule) -> Factory:
        """Return the factory of a step, and its arguments."""

    @abstractmethod
    def gated_factory(self, op: Op, rule: Rule) -> Factory:
        """Return the factory of a call of a gated activation, and its arguments."""

    @abstractmethod
    def row_factory(self, op: Op, rule: Rule) -> Factory:
        """Return the factory of a call of a row activation, and its arguments."""

    def factory(self, op: Op, rule: Rule) -> Factory:
        """Return the factory of an op's call, and its arguments."""
        if rule.is_row:
            return self.row_factory(op, rule)
        if rule.is_gated:
            return self.gated_factory(op, rule)
        return self.step_factory(rule) if op is Op.STEP else (self.factories[op], (rule.derivative,))

    @abstractmethod
    def forward_factory(self, rule: Rule) -> Factory:
        """Return the factory of a forward pass, and its arguments."""

    def bind_forward(self, rule: Rule, dtype: Dtype) -> Bound:
        """Return the call of a forward pass alone."""
        del dtype
        factory, arguments = self.forward_factory(rule)
        return Bound(factory(*arguments))

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Return the call that the factory makes."""
        del dtype
        factory, arguments = self.factory(op, rule)
        return Bound(factory(*arguments))

    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source of the factory, and of the functions that its call uses."""
        return _sources(self.factory(op, rule))

    def forward_execution(self, rule: Rule) -> str:
        """Return the same of the forward pass alone."""
        return _sources(self.forward_factory(rule))


def _sources(made: Factory) -> str:
    factory, arguments = made
    return sources([factory], filter(callable, arguments))
