"""Formulas that a framework executes eagerly, operation by operation, which its users do not: what it is to be called.

A model calls the framework's own activation, one kernel forward and one backward. The same formula written as tensor
operations takes many, and says nothing of what such a model would gain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from actbench import registry
from actbench.model.cases import Case
from actbench.model.names import Op
from actbench.model.training import FREE, SHIPPED
from actbench.model.user_kernels import UserStrategy

OP_BY_OP = "the formula, op by op"
"""A formula as a framework executes it eagerly, each operation in turn."""


def is_op_by_op(case: Case) -> bool:
    """Return whether a case executes a formula as eager operations of a framework, instead of the framework's own."""
    backend = registry.backends().get(case.backend)
    if backend is None or not backend.has_activations or backend.compiles_for_a_size:
        return False
    if case.strategy in {SHIPPED, FREE} or _is_kernel(case):
        return False
    has_kernel = (case.activation, str(case.strategy)) in backend.library_gradients
    return case.op is Op.STEP or not has_kernel  # the forward pass of such a step is the formula


def _is_kernel(case: Case) -> bool:
    """Return whether a case calls a kernel of the user's, which is no formula."""
    activation = registry.activations().get(case.activation)
    return activation is not None and isinstance(activation.strategies.get(case.strategy.name), UserStrategy)


def label(case: Case) -> str:
    """Return the name of a case's backend, and that it executes the formula op by op where it does."""
    return f"{case.backend} [{OP_BY_OP}]" if is_op_by_op(case) else case.backend


def notes(cases: Iterable[Case]) -> Iterator[str]:
    """Yield, for each backend, which strategies of these cases are formulas that it executes op by op."""
    frameworks = {name for name, backend in registry.backends().items() if backend.has_activations}
    strategies: dict[str, dict[str, None]] = {}
    for case in cases:
        if case.backend in frameworks and is_op_by_op(case):
            strategies.setdefault(case.backend, {})[case.strategy] = None
    for backend, names in strategies.items():
        yield f"On {backend}, {OP_BY_OP}: {', '.join(names)}."
