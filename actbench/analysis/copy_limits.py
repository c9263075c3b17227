"""The copy limit of a block: the fastest copy that its kernels could make of as many bytes.

Where copies as a kernel could make them were timed, it is one of those, since no kernel computes inside the C library's
copy. By loads and stores it bounds every kernel. One whose stores bypass the caches bounds a kernel only where its
results leave the last-level cache in any case: where they would stay there, bypassing it takes from the reader what it
gives to the writer. A backend with a copy of its own, by threads or on a device, is bounded by that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from actbench.analysis.speedups import Ratios, columns, log_ratios
from actbench.analysis.statistics import Floats, medians
from actbench.kernels.traffic import leaves_last_level_cache
from actbench.model.cases import YARDSTICK, Block, Case
from actbench.model.kernel_copies import NON_TEMPORAL_COPY
from actbench.model.times import Times
from actbench.model.variants import Variant


@dataclass(frozen=True, slots=True)
class CopyLimit:
    """The fastest copy of a block that bounds its kernels."""

    kind: Variant
    """What stands in its strategy's place."""
    logs: Floats
    """The log ratio of the copy that bounds an arm over that arm, arms x rounds."""

    def of(self, block: Block, case: Case) -> int:
        """Return the arm of the copy that bounds a case, of its block or of a probe of it."""
        return block.timed.index(self.copy(block, case))

    def copy(self, block: Block, case: Case) -> Case:
        """Return the copy that bounds a case."""
        if self.kind == YARDSTICK or case.backend in block.copies:
            return block.timed[block.yardstick_of(case)]
        return next(one for one in block.timed if one.strategy == self.kind)

    def is_in(self, block: Block) -> bool:
        """Whether the copy is timed in a block."""
        return self.kind == YARDSTICK or self.kind in block.kernel_copies


def copy_limit(times: Times, block: Block, middles: Floats, ratios: Ratios) -> CopyLimit:
    """Return the limit of a block, whose medians by round and arm these are: numpy's copy, or one of a kernel."""
    plain = CopyLimit(YARDSTICK, ratios.copies)
    kind = _fastest(block, middles, times.cache)
    if kind is None:
        return plain
    limit = replace(plain, kind=kind)
    arms = [(limit.of(block, case), arm) for arm, case in enumerate(block.timed)]
    return replace(limit, logs=log_ratios(times.seconds(block), *columns(arms)))


def _fastest(block: Block, middles: Floats, cache: int) -> Variant | None:
    """Return the copy with the least median over rounds of those that bound the kernels of a block; None without any.

    `cache` are the bytes of the last-level cache, 0 where they are not known.
    """
    nbytes = block.size * block.dtype.itemsize
    bounding = [
        kind for kind in block.kernel_copies if kind != NON_TEMPORAL_COPY or leaves_last_level_cache(2 * nbytes, cache)
    ]
    if not bounding:
        return None
    seconds = dict(zip((case.strategy for case in block.timed), medians(middles.T).tolist(), strict=True))
    return min(bounding, key=seconds.__getitem__)
