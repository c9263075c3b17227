"""A copy as a kernel could make it, by loads and stores that numba compiles: what bounds a kernel that moves as much.

numpy's copy is the C library's, which on many processors is one instruction, microcode that no loop of loads and
stores equals, and for large arrays one whose stores bypass the caches.
"""

from __future__ import annotations

from functools import cached_property

from actbench.backends import Bound
from actbench.backends._limits import copies
from actbench.kernels.subject import Yardstick
from actbench.model import number_formats
from actbench.model.kernel_copies import COPYING


class KernelCopy(Yardstick):
    """One of `actbench.model.cases.KERNEL_COPIES`."""

    @property
    def unsupported(self) -> str | None:
        """Why it cannot be timed here."""
        if self.backend.name != COPYING:
            return f"the copies as kernels could make them are of {COPYING}"
        return copies.unavailable(self.identity.strategy) or number_formats.unavailable(self.dtype)

    @property
    def listing(self) -> str:
        """The source of what is compiled."""
        return copies.listing(self.identity.strategy)

    @cached_property
    def bound(self) -> Bound:
        """The copy: ``function(out, array)``, compiled once a process, or from numba's cache."""
        self.require_supported()
        return Bound(copies.compiled(self.identity.strategy, self.dtype))
