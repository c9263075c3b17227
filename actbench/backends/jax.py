"""jax: the formula compiled by XLA for every size, on one thread of the processor.

Calls run in the thread that makes them (no asynchronous dispatch), and wait for their results all the same.
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

    XLA sizes its pool by NPROC when jax first looks for devices, or by the processors that it may use; no flag of XLA's
    does. With a pool of one, the calling thread does all the work.
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
    """Return what formulas find as ``m``."""
    special = library().scipy.special
    return SimpleNamespace(**vars(library().numpy) | {"erf": special.erf, "erfc": special.erfc})


class Jax(Framework):
    """Arrays of jax, jitted."""

    name = "jax"
    summary = "jax.jit: compiled by XLA on one thread, once for every size"
    requires = "jax"
    libraries = ("jax", "jaxlib")
    rank = 60
    compiles_for_a_size = True
    planning_ns = 15.0
    flushes = "XLA has the processor take denormal numbers for 0, and no flag of its prevents that"

    def namespace(self) -> Any:
        """``jax.numpy``, and of ``jax.scipy.special`` what it lacks."""
        return functions()

    def build(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compile on the first call."""
        return library().jit(function)  # type: ignore[no-any-return]

    def finish(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wait for what was computed last."""

        def call(*operands):
            outputs = function(*operands)
            (outputs[-1] if isinstance(outputs, tuple) else outputs).block_until_ready()
            return outputs

        return call

    def adopt(self, array: Any) -> Any:
        """The same memory as an array of jax, where it starts at a cache line."""
        return library().device_put(array, may_alias=True)

    def unit(self, dtype: Dtype) -> Any:
        """1."""
        return library().numpy.ones((), dtype)
