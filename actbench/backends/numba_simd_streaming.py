"""numba-simd-streaming: the loops of numba-simd, whose results bypass the caches where these have no room for them.

A store that bypasses the caches (non-temporal, or streaming, as Intel's and AMD's manuals call it) saves reading the
lines that it overwrites. What reads the result next finds it in memory, so that a kernel is faster and its reader may
be slower: ``python -m benchmarks.readers`` measures both together. So nobody gets this backend without naming it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from actbench.backends._limits import copies
from actbench.backends._rewriting import unchanged
from actbench.backends._row_compiling import STREAMED, STREAMED_ASKING
from actbench.backends._row_notation import RowNotation
from actbench.backends.numba_simd import NumbaSimd
from actbench.model.kernel_copies import NON_TEMPORAL_COPY


class NumbaSimdStreaming(NumbaSimd):
    """A compiled loop that is vector code, with non-temporal stores of large results."""

    name = "numba-simd-streaming"
    summary = "the loop of numba-simd, with non-temporal stores where the arrays exceed half of the last-level cache"
    rank = 35
    optional = True
    takes_gated = False
    in_pieces = True

    @property
    def unavailable(self) -> str | None:
        """Why there are no such stores here, or why numba cannot be used; None where both can."""
        return copies.unavailable(NON_TEMPORAL_COPY)

    def around(self, arrays: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return the function that lets the results of a loop over these bypass the caches, where they are large."""
        from actbench.backends._simd import streamed

        wrapper = streamed.OVER.get((*arrays,))
        if wrapper is None:
            return unchanged
        most = _most()

        def wrapped(loop: Callable[..., Any]) -> Callable[..., Any]:
            return wrapper(loop, most)

        return wrapped

    def row_notation(self) -> RowNotation:
        """Return how loops over rows are written whose large results bypass the caches."""
        from actbench.backends._simd import ahead

        return STREAMED_ASKING if ahead.helps_rows() else STREAMED

    def row_functions(self) -> dict[str, Any]:
        """Return what they call beside the functions of formulas."""
        from actbench.backends._simd import streaming

        return super().row_functions() | {"streaming": streaming, "together": streaming.TOGETHER, "most": _most()}


def _most() -> int:
    """Return the bytes of all arrays of a call up to which the last-level cache has room for its results."""
    from actbench.host import environment  # it takes what workers that do not measure this may not have

    return environment.plausible_cache(environment.choose_cpu(None)) // 2
