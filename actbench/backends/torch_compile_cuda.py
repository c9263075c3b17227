"""torch.compile on an NVIDIA device: the formula as one kernel, compiled by Triton for every size."""

from __future__ import annotations

from actbench.backends._nvidia import OnNvidia
from actbench.backends.torch_compile import TorchCompile


class TorchCompileCuda(OnNvidia, TorchCompile):
    """Compiled tensors."""

    name = "torch-compile-cuda"
    summary = "torch.compile on the first NVIDIA device: one fused kernel, synchronised after every call"
    rank = 59
    lacks = ()
    lacks_because = None
