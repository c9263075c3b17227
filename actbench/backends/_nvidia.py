"""The base of torch's backends on an NVIDIA device: operands stay there, and every call waits for its result."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actbench.backends._backend import Bound, Device
from actbench.backends.torch import Torch, library
from actbench.errors import InputError
from actbench.model.names import Dtype, Op
from actbench.model.rule import Rule

DEVICES = (("/dev", "nvidia[0-9]*"), ("/dev", "dxg"))
"""The directories and patterns of device files: on Linux, and on Linux under Windows."""

DRIVER = Path("/proc/driver/nvidia/version")
"""The file in which Linux reports the driver's version."""


def copying(out, array) -> None:
    """Copy every element."""
    out.copy_(array)


def driver(text: str) -> str:
    """Return the driver's version: the first word of the file that is a version."""
    version = re.search(r"\b\d+(\.\d+)+\b", text)
    return version[0] if version else "unknown"


class OnNvidia(Torch):
    """Tensors on the first NVIDIA device."""

    places = False
    on_device = True
    planning_ns = 1.0

    @property
    def unavailable(self) -> str | None:
        """There must be torch and a device."""
        if reason := super().unavailable:
            return reason
        exists = any(any(Path(directory).glob(pattern)) for directory, pattern in DEVICES)
        return None if exists else "no NVIDIA device is found"

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Call the formula on tensors of the device; `InputError` where this torch cannot use it."""
        torch = library()
        if not torch.cuda.is_available():
            raise InputError(f"backend '{self.name}' cannot run: torch {torch.__version__} finds no CUDA device")
        return super().bind(op, rule, dtype)

    def device(self) -> Device:
        """The device, as torch calls it, and the versions of CUDA and of the driver."""
        torch = library()
        properties = torch.cuda.get_device_properties(0)
        versions = {"CUDA": str(torch.version.cuda)}
        if DRIVER.exists():
            versions["NVIDIA driver"] = driver(DRIVER.read_text())
        return Device(f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB", versions)

    def copy(self, dtype: Dtype) -> Callable[..., Any]:
        """Copy in the device's memory."""
        del dtype
        return self.finish(copying)

    def finish(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wait for the device."""
        wait = library().cuda.synchronize

        def call(*operands):
            outputs = function(*operands)
            wait()
            return outputs

        return call

    def adopt(self, array: Any) -> Any:
        """A copy on the device."""
        return super().adopt(array).to("cuda")

    def release(self, output: Any) -> Any:
        """A copy on the host."""
        return output.cpu().numpy()

    def unit(self, dtype: Dtype) -> Any:
        """1, on the device."""
        return super().unit(dtype).to("cuda")
