"""What is said of a processor that other processes used as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

from actbench.analysis.figures import Figures
from actbench.report.numbers import counted, significant

WHOLE = 95.0
"""Percent of its wall time: a case that had the processor for less of it shared it with others."""


def remarks(found: Sequence[Figures]) -> Iterator[str]:
    """Yield a sentence where cases did not have the processor to themselves."""
    shared = [each for each in found if each.processor_pct < WHOLE]
    if shared:
        least = min(shared, key=lambda each: each.processor_pct)
        yield (
            f"Other processes used the processor: {counted(len(shared), 'case')} of {len(found)} had it for less than "
            f"{WHOLE:g} % of the time, {least.case.id} for {significant(least.processor_pct, 2)} % (processor_pct in "
            "cases.csv). What is longer than a scheduler's turn cannot be timed undisturbed: it counts its processor "
            "time, without what the others took, but with what they did to the caches. Stop other work while measuring "
            "(actbench env)."
        )
    unknown = [each for each in found if isnan(each.processor_pct)]
    if unknown and len(unknown) < len(found):
        yield (
            f"Other processes used the processor: {counted(len(unknown), 'case')}, such as {unknown[0].case.id}, lost "
            "it for a time that is not known, because further threads or a device work on, or because the kernel "
            "waits: that time is part of what they take, and nothing is said of what bounds them."
        )
