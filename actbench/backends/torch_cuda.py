"""torch on an NVIDIA device: eager kernels, one per operation, each with its result in the device's memory."""

from __future__ import annotations

from actbench.backends._nvidia import OnNvidia


class TorchCuda(OnNvidia):
    """Eager tensors."""

    name = "torch-cuda"
    summary = "eager tensors on the first NVIDIA device, synchronised after every call"
    rank = 58
