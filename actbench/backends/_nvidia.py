"""The base of torch's backends on an NVIDIA device: operands stay on the device, every call waits for its result."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actbench.backends._autograd import Autograd
from actbench.backends._backend import Bound, Device
from actbench.backends._function_autograd import FunctionAutograd
from actbench.backends._layouts import Layout
from actbench.backends._shipped import Shipped
from actbench.backends._training import StepArrays, StepSpec, TrainingStep
from actbench.backends.torch import Torch, library
from actbench.errors import InputError
from actbench.model.names import Dtype, Op
from actbench.model.rule import Rule

DEVICES = (("/dev", "nvidia[0-9]*"), ("/dev", "dxg"))
"""The directories and patterns of device files: on Linux, and on Linux under Windows."""

DRIVER = Path("/proc/driver/nvidia/version")
"""The file in which Linux reports the driver's version."""


def driver(text: str) -> str:
    """Return the driver's version: the first word of the text that is a version."""
    version = re.search(r"\b\d+(\.\d+)+\b", text)
    return version[0] if version else "unknown"


class OnNvidia(Torch):
    """Tensors on the first NVIDIA device."""

    places = False
    on_device = True
    takes_threads = False
    planning_ns = 1.0

    @property
    def unavailable(self) -> str | None:
        """Why this backend cannot be used here: it needs torch and a device."""
        if reason := super().unavailable:
            return reason
        exists = any(any(Path(directory).glob(pattern)) for directory, pattern in DEVICES)
        return None if exists else "no NVIDIA device is found"

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Bind the formula to tensors of the device; `InputError` where this torch cannot use it."""
        self._usable()
        return super().bind(op, rule, dtype)

    def differentiated(self, function: Shipped, dtype: Dtype) -> Autograd:
        """Return torch's function with torch's autograd on the device; `InputError` where torch cannot use it."""
        self._usable()
        return super().differentiated(function, dtype)

    def differentiated_by_inputs(self, function: Shipped, dtype: Dtype, layout: Layout) -> FunctionAutograd:
        """Return torch's function of such inputs in the same way."""
        self._usable()
        return super().differentiated_by_inputs(function, dtype, layout)

    def training_step(self, spec: StepSpec, arrays: StepArrays) -> TrainingStep:
        """Return the step on the device, with copies of the arrays; `InputError` where this torch cannot use it."""
        self._usable()
        return super().training_step(spec, arrays)

    def device(self) -> Device:
        """Return the device under torch's name, with the versions of CUDA and of the driver."""
        torch = library()
        properties = torch.cuda.get_device_properties(0)
        versions = {"CUDA": str(torch.version.cuda)}
        if DRIVER.exists():
            versions["NVIDIA driver"] = driver(DRIVER.read_text())
        return Device(f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB", versions)

    def cache_bytes(self) -> int:
        """Return the capacity of the device's L2 cache; `InputError` where this torch cannot use the device."""
        return int(self._usable().cuda.get_device_properties(0).L2_cache_size)

    def finish(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a call that waits for the device."""
        wait = library().cuda.synchronize

        def call(*operands):
            outputs = function(*operands)
            wait()
            return outputs

        return call

    def adopt(self, array: Any) -> Any:
        """Return a copy on the device."""
        return super().adopt(array).to("cuda")

    def release(self, output: Any) -> Any:
        """Return a copy on the host."""
        return super().release(output.cpu())

    def unit(self, dtype: Dtype) -> Any:
        """Return 1 on the device."""
        return super().unit(dtype).to("cuda")

    def _usable(self) -> Any:
        torch = library()
        if not torch.cuda.is_available():
            raise InputError(f"backend '{self.name}' cannot run: torch {torch.__version__} finds no CUDA device")
        return torch
