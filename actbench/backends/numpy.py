"""numpy: the formula as a plain array expression, with its temporaries.

erf and erfc, which numpy lacks, are scipy's. There is no arithmetic in 16 bits here: numpy does float16 in software, 6
to 12 ns an operation (numpy 2.4) where float32 takes 0.1 to 0.4, scipy has no erf in it, and an array of ml_dtypes'
bfloat16 becomes float32 beside a Python number. Residuals may have either type.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from actbench.backends._keeping import forward_keeping, gated_forward_keeping, row_forward_keeping
from actbench.backends._plain import Factory, Plain
from actbench.backends._rungs import PRODUCT_RULE, empty
from actbench.backends._training import StepArrays, StepSpec, TrainingStep
from actbench.model.names import WIDE, Op
from actbench.model.networks import Network
from actbench.model.rule import Dialect, Formula, Rule


def derivative(formula: Formula) -> Callable[..., Any]:
    """Return the formula itself: the kernel of g', of g'', or of the gradient of rows."""
    return formula


def backward(formula: Formula) -> Callable[..., Any]:
    """Return the kernel of dy * g'."""

    def call(dy, *residuals):
        return dy * formula(*residuals)

    return call


def step(formula: Formula, keeping: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the kernel of a step: forward, which keeps the residuals, then backward."""

    def call(z, dy):
        y, *residuals = keeping(z)
        return y, dy * formula(*residuals)

    return call


def gated_backward(formula: Formula) -> Callable[..., Any]:
    """Return the kernel of both gradients of a gated activation."""

    def call(dy, *residuals):
        of_a, of_b = formula(*residuals)
        return dy * of_a, dy * of_b

    return call


def gated_step(formula: Formula, keeping: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return the kernel of a step of a gated activation."""

    def call(a, b, dy):
        y, *residuals = keeping(a, b)
        of_a, of_b = formula(*residuals)
        return y, dy * of_a, dy * of_b

    return call


def row_step(formula: Formula, keeping: Callable[..., Any]) -> Callable[..., Any]:
    """Return the kernel of a step of a row activation, whose formula takes dy; dy is the last operand."""

    def call(*operands):
        y, *residuals = keeping(*operands[:-1])
        return y, formula(operands[-1], *residuals)

    return call


def dispatch(out0, y0) -> None:
    """Call a ufunc on one element, into a preallocated result."""
    np.fmax(y0, y0, out0)


def allocation(out0, y0, y) -> Any:
    """Do the same, and allocate a result with `empty_like`; operators allocate their results at a lower cost."""
    np.fmax(y0, y0, out0)
    return np.empty_like(y)


def loop(y) -> Any:
    """Call the ufunc on all elements: fmax of y and y, because np.positive is not vectorised."""
    out = np.empty_like(y)
    np.fmax(y, y, out)
    return out


class NumpyFunctions(ModuleType):
    """numpy's functions, and those of scipy.special, which are imported when a formula calls one."""

    def __getattr__(self, name: str) -> Any:
        """Look up a function and store it as an attribute."""
        if not hasattr(np, name):
            from scipy import special

            setattr(self, name, getattr(special, name))
        else:
            setattr(self, name, getattr(np, name))
        return vars(self)[name]


class NumpyRowFunctions(NumpyFunctions):
    """The same, with the reductions of a row, which stay an axis of length 1, and what takes a target."""

    @staticmethod
    def sum(x: Any) -> Any:
        """Return the sum of every row: numpy adds in pairs of pairs."""
        return np.sum(x, axis=-1, keepdims=True)

    @staticmethod
    def max(x: Any) -> Any:
        """Return the largest element of every row."""
        return np.max(x, axis=-1, keepdims=True)

    @staticmethod
    def pick(x: Any, target: Any) -> Any:
        """Return the element of every row in the target's column."""
        return np.take_along_axis(x, target, axis=-1)

    @staticmethod
    def replace(x: Any, target: Any, value: Any) -> Any:
        """Return x with a value in the target's column of every row."""
        replaced = x.copy()
        np.put_along_axis(replaced, target, value, axis=-1)
        return replaced


FUNCTIONS = NumpyFunctions("numpy and scipy.special")
ROW_FUNCTIONS = NumpyRowFunctions("numpy and scipy.special, by row")


class Numpy(Plain):
    """Array expressions."""

    name = "numpy"
    summary = "array expressions; every operation allocates its result"
    requires = "numpy"
    dialect = Dialect.ARRAY
    dtypes = WIDE
    rank = 10
    protects = True
    planning_ns = 15.0
    trains = True
    takes_gated = True
    takes_rows = True
    factories: ClassVar = {Op.DERIVATIVE: derivative, Op.BACKWARD: backward}
    ladder: ClassVar = {
        "empty": empty,
        "dispatch": dispatch,
        "allocation": allocation,
        "loop": loop,
        "arithmetic": PRODUCT_RULE,
    }

    def namespace(self) -> Any:
        """Return ``numpy``, with the functions of ``scipy.special`` that it lacks."""
        return FUNCTIONS

    def row_namespace(self) -> Any:
        """Return the same with ``sum``, ``max``, ``pick`` and ``replace`` of a row."""
        return ROW_FUNCTIONS

    def executed_by(self, names: Collection[str]) -> tuple[str, ...]:
        """Return numpy, and scipy where a function is of ``scipy.special``."""
        return ("numpy",) if all(hasattr(np, name) for name in names) else ("numpy", "scipy")

    def training_step(self, spec: StepSpec, arrays: StepArrays) -> TrainingStep:
        """Return the step with numpy's products."""
        from actbench.backends._numpy_training import NumpyStep

        return NumpyStep(spec, arrays)

    def training_execution(self, network: Network, *, checkpoints: bool) -> str:
        """Return the source of the step, and of the layers that the network has."""
        from actbench.backends._numpy_training import NumpyStep

        return NumpyStep.execution(network, checkpoints=checkpoints)

    def step_factory(self, rule: Rule) -> Factory:
        """Return the factory that calls the formulas on arrays."""
        return step, (rule.derivative, forward_keeping(rule.residuals, rule.forward, rule.save))

    def gated_factory(self, op: Op, rule: Rule) -> Factory:
        """Return the factory of a call that returns both gradients."""
        if op is not Op.STEP:
            return gated_backward, (rule.derivative,)
        return gated_step, (rule.derivative, gated_forward_keeping(rule.residuals, rule.forward, rule.save))

    def row_factory(self, op: Op, rule: Rule) -> Factory:
        """Return the factory of a call on rows by columns: the formula itself, or forward and the formula."""
        if op is not Op.STEP:
            return derivative, (rule.derivative,)
        return row_step, (rule.derivative, row_forward_keeping(rule, rule.forward, rule.save))

    def forward_factory(self, rule: Rule) -> Factory:
        """Return the factory of a forward pass that returns y and the residuals."""
        if rule.is_row:
            return row_forward_keeping, (rule, rule.forward, rule.save)
        if rule.is_gated:
            return gated_forward_keeping, (rule.residuals, rule.forward, rule.save)
        return forward_keeping, (rule.residuals, rule.forward, rule.save)
