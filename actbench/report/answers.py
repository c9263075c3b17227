"""The answer in words: what it is worth to keep something from the forward pass, against evaluating it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isnan
from typing import Any, TypeVar

from actbench.analysis.speedups import Speedup
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.report.numbers import counted, significant

T = TypeVar("T")

MOST_NAMED = 6
"""Activations that are named in one sentence, and not counted."""

KEEPING = {
    "cached": "reusing the cached output",
    "complement": "keeping the small side of the output",
    "intermediate": "keeping what the forward pass computed on the way",
    "pair": "keeping both z and the output",
}
"""By strategy, what is set against recomputing; the others only where an activation has no ``cached``."""

CLOSE = 1.1
"""Ratios below have three digits: in two, a difference might not show."""

MOST_BY_THEMSELVES = 3
"""More answers than these have one over all in front."""


def is_the_question(speedup: Speedup) -> bool:
    """Say whether this compares keeping y with evaluating the exponential again."""
    return (speedup.reference.strategy, speedup.candidate.strategy) == ("recompute", "cached")


def answers(within: Iterable[Speedup]) -> Iterator[str]:
    """Say it for every activation and op, from speedups within a backend; first over all where these are many."""
    kept = [each for each in within if each.reference.strategy == "recompute" and each.candidate.strategy in KEEPING]
    subjects = [
        (of, strategy, found)
        for of, alike in grouped(kept, lambda each: (each.candidate.activation, each.candidate.op)).items()
        for strategy, found in _asked(alike).items()
    ]
    every = [each for each in kept if is_the_question(each)]
    activations = dict.fromkeys(each.candidate.activation for each in every)
    if len(subjects) > MOST_BY_THEMSELVES and any(not isnan(each.low) for each in every):
        over = f"{len(activations)} activations" if len(activations) > 1 else f"{len(grouped(every, _op))} ops"
        if 1 < len(activations) <= MOST_NAMED:
            over = ", ".join(activations)
        yield f"Over {over}, {KEEPING['cached']} is {_verdict(every)}."
    yield from dict.fromkeys(f"{', '.join(of)}: {_answer(strategy, found)}" for of, strategy, found in subjects)


def _op(speedup: Speedup) -> str:
    return speedup.candidate.op


def _asked(alike: Sequence[Speedup]) -> dict[str, list[Speedup]]:
    """Return by strategy what is told of an activation and op: ``cached`` alone where there is one."""
    by_strategy = grouped(alike, lambda each: each.candidate.strategy)
    told = ("cached",) if "cached" in by_strategy else KEEPING
    return {name: by_strategy[name] for name in told if name in by_strategy}


def _answer(strategy: str, found: Sequence[Speedup]) -> str:
    """Say what one strategy is worth."""
    if all(isnan(each.low) for each in found):
        return (
            f"no answer yet. An interval takes {MIN_ROUNDS} rounds, and there are fewer: go on with --resume, and "
            f"--rounds {MIN_ROUNDS} or a --budget."
        )
    return f"{KEEPING[strategy]} is {_verdict(found, by_backend=True)}."


def _verdict(found: Sequence[Speedup], *, by_backend: bool = False) -> str:
    """Count; only what the intervals support is faster or slower."""
    faster = [each for each in found if each.low > 1]
    slower = [each for each in found if each.high < 1]
    undecided = len(found) - len(faster) - len(slower)
    ranges = f"{_span(faster)} times" if faster else ""
    if by_backend:
        backends = grouped(faster, lambda each: each.candidate.backend)
        ranges = ", ".join(f"{_span(of_backend)} times with {backend}" for backend, of_backend in backends.items())
    parts = [
        f"faster than recomputing in {len(faster)} of {counted(len(found), 'comparison')}",
        f" ({ranges})" if ranges else "",
        f", slower in {len(slower)}" if slower else "",
        f", undecided in {undecided}" if undecided else "",
    ]
    return "".join(parts)


def _span(found: Sequence[Speedup]) -> str:
    ratios = [each.ratio for each in found]
    low, high = (significant(ratio, 3 if ratio < CLOSE else 2) for ratio in (min(ratios), max(ratios)))
    return low if low == high else f"{low} to {high}"


def grouped(items: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    """Return the items by key, keys in order of first appearance."""
    groups: dict[Any, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
