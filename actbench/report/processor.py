"""Remarks on cases that shared the processor with other processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

from actbench.analysis.figures import Figures
from actbench.report.numbers import counted, significant

UNSHARED_PCT = 95.0
"""Share of the wall time, in percent; a case that had the processor for less shared it with other processes."""


def remarks(cases: Sequence[Figures]) -> Iterator[str]:
    """Yield a sentence where cases had to share the processor."""
    shared = [figures for figures in cases if figures.processor_pct < UNSHARED_PCT]
    if shared:
        least = min(shared, key=lambda figures: figures.processor_pct)
        yield (
            f"Other processes used the processor: {counted(len(shared), 'case')} of {len(cases)} had it for less than "
            f"{UNSHARED_PCT:g} % of the time, {least.case.id} the least, {significant(least.processor_pct, 2)} % "
            "(processor_pct in cases.csv). A slice longer than a scheduler's quantum cannot be timed undisturbed: it "
            "counts its processor time, without that of the others, but with their effect on the caches. Stop other "
            "work while measuring (actbench env)."
        )
    unknown = [figures for figures in cases if isnan(figures.processor_pct)]
    if unknown and len(unknown) < len(cases):
        yield (
            f"Other processes used the processor: {counted(len(unknown), 'case')}, such as {unknown[0].case.id}, lost "
            "it for an unknown time, because further threads or a device work on, or because the kernel waits: that "
            "time is included in theirs, and their bottleneck is not known."
        )
