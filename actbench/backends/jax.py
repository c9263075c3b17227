"""jax: the formula compiled by XLA for every size, on one thread of the processor.

Calls run in the calling thread (without asynchronous dispatch), and still wait for their results.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from actbench.backends._framework import Framework
from actbench.model.names import Dtype


@cache
def library() -> Any:
    """Import jax for the processor, with float64 and one thread.

    XLA sizes its thread pool by the environment variable NPROC when jax first looks for devices, or else by the
    processors that it may use; XLA has no flag for this. With a pool of one, the calling thread does all the work.
    """
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    before = os.environ.get("NPROC")
    os.environ["NPROC"] = "1"
    jax.devices()
    if before is None:
        del os.environ["NPROC"]
    else:
        os.environ["NPROC"] = before
    return jax


@cache
def functions() -> Any:
    """Return the namespace that formulas call ``m``."""
    special = library().scipy.special
    return SimpleNamespace(**vars(library().numpy) | {"erf": special.erf, "erfc": special.erfc})


class Jax(Framework):
    """Arrays of jax, compiled by jit."""

    name = "jax"
    summary = "jax.jit: compiled by XLA on one thread, once for every size"
    requires = "jax"
    libraries = ("jax", "jaxlib")
    rank = 60
    compiles_for_a_size = True
    planning_ns = 15.0
    flushes = "XLA makes the processor flush denormal numbers to 0, and has no flag to prevent that"

    def namespace(self) -> Any:
        """Return ``jax.numpy``, with the functions of ``jax.scipy.special`` that it lacks."""
        return functions()

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
        return library().device_put(array, may_alias=True)

    def unit(self, dtype: Dtype) -> Any:
        """Return 1."""
        return library().numpy.ones((), dtype)
