"""torch, eager: the formula over tensors, one kernel per operation, and torch's gradient kernels where y is kept.

No tensor requires a gradient, so autograd records nothing; a ``no_grad`` around every call would cost more than it
saves. Calls have one thread, or as many as ``--threads`` names.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from actbench.backends._autograd import Autograd
from actbench.backends._framework import Framework
from actbench.backends._function_autograd import FunctionAutograd
from actbench.backends._layouts import Layout
from actbench.backends._narrowing import as_bits
from actbench.backends._shipped import TORCH, Shipped
from actbench.backends._training import StepArrays, StepSpec, TrainingStep
from actbench.host import processors
from actbench.model.names import Dtype, Storage
from actbench.model.networks import Network
from actbench.model.number_formats import numpy_dtype
from actbench.model.rule import Conversion, Formula

GRADIENTS = {("logistic", "cached"): "sigmoid_backward", ("tanh", "cached"): "tanh_backward"}
"""torch's kernels for dy * g' from y, by activation and strategy."""


@cache
def library() -> Any:
    """Import torch, with the threads that libraries have in this process."""
    import torch

    torch.set_num_threads(processors.threads_of_libraries())
    return torch


def copying(out, array) -> None:
    """Copy every element."""
    out.copy_(array)


@cache
def dialect() -> Any:
    """Return ``torch``, with numpy's names for functions that torch names differently."""
    return SimpleNamespace(**vars(library()) | {"copy": library().clone})


@cache
def row_dialect() -> Any:
    """Return the same with the reductions of a row, and what takes a target."""

    def total(x):
        return x.sum(-1, keepdim=True)

    def largest(x):
        return x.amax(-1, keepdim=True)

    def pick(x, target):
        return x.gather(-1, target)

    def replace(x, target, value):
        return x.scatter(-1, target, value)

    of_rows = {"sum": total, "max": largest, "pick": pick, "replace": replace}
    return SimpleNamespace(**vars(dialect()) | of_rows)


class Torch(Framework):
    """Eager tensors."""

    name = "torch"
    summary = "eager tensors (--threads), sigmoid_backward and tanh_backward where y is kept"
    requires = "torch"
    libraries = ("torch",)
    rank = 50
    planning_ns = 15.0
    trains = True
    takes_threads = True
    library_gradients = frozenset(GRADIENTS)
    has_activations = True
    shipped = TORCH

    def namespace(self) -> Any:
        """Return ``torch`` with numpy's names."""
        return dialect()

    def row_namespace(self) -> Any:
        """Return the same with ``sum``, ``max``, ``pick`` and ``replace`` of a row, which stay an axis of length 1."""
        return row_dialect()

    def library_gradient(self, activation: str, strategy: str) -> Formula | None:
        """Return ``torch.ops.aten.sigmoid_backward`` or ``tanh_backward``."""
        name = GRADIENTS.get((activation, strategy))
        return getattr(library().ops.aten, name).default if name else None

    def differentiated(self, function: Shipped, dtype: Dtype) -> Autograd:
        """Return torch's function with torch's autograd."""
        from actbench.backends._torch_autograd import TorchAutograd

        return TorchAutograd(self, library(), function, dtype)

    def differentiated_by_inputs(self, function: Shipped, dtype: Dtype, layout: Layout) -> FunctionAutograd:
        """Return torch's function of such inputs with torch's autograd."""
        from actbench.backends._torch_function_autograd import TorchFunctionAutograd

        return TorchFunctionAutograd(self, library(), function, dtype, layout)

    def training_step(self, spec: StepSpec, arrays: StepArrays) -> TrainingStep:
        """Return the step with torch's products and automatic differentiation."""
        from actbench.backends._torch_training import TorchStep

        return TorchStep(spec, arrays, self)

    def training_execution(self, network: Network, *, checkpoints: bool) -> str:
        """Return the source of the step, and of the layers that the network has."""
        from actbench.backends._torch_training import TorchStep

        return TorchStep.execution(network, checkpoints=checkpoints, compiled=self.compiles_for_a_size)

    def conversion(self, storage: Storage, dtype: Dtype) -> Conversion:
        """Return conversions by ``Tensor.to``."""
        narrower, wider = getattr(library(), storage), getattr(library(), dtype)

        def widen(kept):
            return kept.to(wider)

        def narrow(computed):
            return computed.to(narrower)

        return Conversion(storage, widen, narrow)

    def adopt(self, array: Any) -> Any:
        """Return a tensor over the same memory; torch accepts numpy's bfloat16 only as bits."""
        if array.dtype.name == Storage.BFLOAT16:
            return library().from_numpy(as_bits(array)).view(library().bfloat16)
        return library().from_numpy(array)

    def release(self, output: Any) -> Any:
        """Return a tensor's memory as a numpy array; torch gives numpy a bfloat16 only as bits."""
        if output.dtype == library().bfloat16:
            return output.view(library().uint16).numpy().view(numpy_dtype(Dtype.BFLOAT16))
        return output.numpy()

    def alias(self, operand: Any) -> Any:
        """Return another tensor over the same memory: the code may let it require a gradient."""
        return operand.detach()

    def copy(self, dtype: Dtype) -> Callable[..., Any]:
        """Return torch's own copy."""
        del dtype
        return self.finish(copying)

    def unit(self, dtype: Dtype) -> Any:
        """Return 1."""
        return library().ones((), dtype=getattr(library(), dtype))
