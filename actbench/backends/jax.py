"""jax: the formula compiled by XLA for every size, on one thread of the processor or as many as ``--threads`` names.

Calls run in the calling thread (without asynchronous dispatch), and still wait for their results.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from actbench.backends._along_rows import LONG_ROW, added_in_turn
from actbench.backends._autograd import Autograd
from actbench.backends._framework import Framework
from actbench.backends._function_autograd import FunctionAutograd
from actbench.backends._layouts import Layout
from actbench.backends._shipped import JAX, Shipped
from actbench.backends._training import StepArrays, StepSpec, TrainingStep
from actbench.formula import Activation, Flaw, Weakness
from actbench.host import processors
from actbench.model.names import Dtype, Quantity
from actbench.model.networks import Network


@cache
def library() -> Any:
    """Import jax for the processor, with float64."""
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    return jax


@cache
def start() -> None:
    """Give XLA the threads that libraries have in this process.

    XLA sizes its thread pool by the environment variable NPROC when jax first looks for devices, or else by the
    processors that it may use; XLA has no flag for this. With a pool of one, the calling thread does all the work.
    """
    before = os.environ.get("NPROC")
    os.environ["NPROC"] = str(processors.threads_of_libraries())
    library().devices()
    if before is None:
        del os.environ["NPROC"]
    else:
        os.environ["NPROC"] = before


@cache
def functions() -> Any:
    """Return the namespace that formulas call ``m``."""
    special = library().scipy.special
    return SimpleNamespace(**vars(library().numpy) | {"erf": special.erf, "erfc": special.erfc})


@cache
def row_functions() -> Any:
    """Return the same with the reductions of a row, which stay an axis of length 1, and what takes a target."""
    numpy = library().numpy

    def total(x):
        return numpy.sum(x, axis=-1, keepdims=True)

    def largest(x):
        return numpy.max(x, axis=-1, keepdims=True)

    def pick(x, target):
        return numpy.take_along_axis(x, target, axis=-1)

    def replace(x, target, value):
        return numpy.where(numpy.arange(x.shape[-1]) == target, value, x)

    of_rows = {"sum": total, "max": largest, "pick": pick, "replace": replace}
    return SimpleNamespace(**vars(functions()) | of_rows)


def rounded_in_turn(z, *more) -> float:
    """Return the factor of errors of a single row; `more` are the target, if there is one, and the format."""
    del more
    return added_in_turn(z.shape[-1]) if z.shape[0] == 1 else 0.0


ADDED_IN_TURN = Weakness(
    Flaw.AMPLIFIES,
    f"XLA adds the numbers of a single row of {LONG_ROW} columns or more one after the other",
    rounded_in_turn,
)
"""Known of sums along rows; of several rows it adds parts of a row first."""


class Jax(Framework):
    """Arrays of jax, compiled by jit."""

    name = "jax"
    summary = "jax.jit: compiled by XLA (--threads), once for every size"
    requires = "jax"
    libraries = ("jax", "jaxlib")
    rank = 60
    compiles_for_a_size = True
    fillable = False
    planning_ns = 15.0
    trains = True
    takes_threads = True
    keeps_otherwise = (
        "XLA compiles a step as a whole. Bytes are of what jax keeps before that; on the processor XLA keeps z for "
        "checkpoint all the same, and computes no product again."
    )
    has_activations = True
    shipped = JAX
    flushes = "XLA makes the processor flush denormal numbers to 0, and has no flag to prevent that"

    def namespace(self) -> Any:
        """Return ``jax.numpy``, with the functions of ``jax.scipy.special`` that it lacks."""
        return functions()

    def row_namespace(self) -> Any:
        """Return the same with the reductions of a row."""
        return row_functions()

    def weaknesses(self, activation: Activation, strategy: str, of: Quantity) -> tuple[Weakness, ...]:
        """Return what is known, and of activations along rows how XLA adds."""
        known = super().weaknesses(activation, strategy, of)
        return (*known, ADDED_IN_TURN) if activation.is_row else known

    def differentiated(self, function: Shipped, dtype: Dtype) -> Autograd:
        """Return jax's function with jax.vjp."""
        from actbench.backends._jax_autograd import JaxAutograd

        start()
        return JaxAutograd(self, library(), function, dtype)

    def differentiated_by_inputs(self, function: Shipped, dtype: Dtype, layout: Layout) -> FunctionAutograd:
        """Return jax's function of such inputs with jax.vjp."""
        from actbench.backends._jax_function_autograd import JaxFunctionAutograd

        start()
        return JaxFunctionAutograd(self, library(), function, dtype, layout)

    def training_step(self, spec: StepSpec, arrays: StepArrays) -> TrainingStep:
        """Return the step with jax's products and automatic differentiation."""
        from actbench.backends._jax_training import JaxStep

        return JaxStep(spec, arrays, self)

    def training_execution(self, network: Network, *, checkpoints: bool) -> str:
        """Return the source of the step of any network."""
        from actbench.backends._jax_training import execution

        del network, checkpoints
        return execution()

    def build(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compile on the first call."""
        return library().jit(function)  # type: ignore[no-any-return]

    def finish(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a call that waits for its last result."""

        def call(*operands):
            outputs = function(*operands)
            (outputs[-1] if isinstance(outputs, tuple) else outputs).block_until_ready()
            return outputs

        return call

    def adopt(self, array: Any) -> Any:
        """Return the same memory as an array of jax, if it starts at a cache line; otherwise a copy."""
        start()
        return library().device_put(array, may_alias=True)

    def copy(self, dtype: Dtype) -> Callable[..., Any]:
        """Return a negation, into memory that XLA allocates as for any result: its copy is by one thread."""
        del dtype
        start()
        negated = self.build(library().numpy.negative)

        def copy(out, array):
            del out
            negated(array).block_until_ready()

        return copy

    def unit(self, dtype: Dtype) -> Any:
        """Return 1."""
        start()
        return library().numpy.ones((), dtype)
