"""The answer in words: how much faster it is to keep a residual than to recompute from z."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from actbench.analysis.speedups import Speedup
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.report.numbers import counted, significant

T = TypeVar("T")

MOST_NAMED = 6
"""Largest number of activations that a sentence names; more are counted."""

KEEPING = {
    "cached": "reusing the cached output",
    "complement": "keeping the small side of the output",
    "intermediate": "keeping what the forward pass computed on the way",
    "pair": "keeping both z and the output",
}
"""The strategies that are compared with recomputing, in words; all but ``cached`` only where ``cached`` is missing."""

CLOSE = 1.1
"""Ratios below this have three digits, so that their difference from 1 shows."""

MOST_ANSWERS = 3
"""Number of answers above which a total precedes them."""


def is_the_question(speedup: Speedup) -> bool:
    """Return whether this compares keeping y with evaluating the exponential again."""
    return (speedup.reference.strategy, speedup.candidate.strategy) == ("recompute", "cached")


def answers(within: Iterable[Speedup]) -> Iterator[str]:
    """Answer for every activation and op, from speedups within a backend; a total comes first where these are many."""
    kept = [pair for pair in within if pair.reference.strategy == "recompute" and pair.candidate.strategy in KEEPING]
    subjects = [
        (of, strategy, pairs)
        for of, of_subject in grouped(kept, lambda pair: (pair.candidate.activation, pair.candidate.op)).items()
        for strategy, pairs in _by_strategy(of_subject).items()
    ]
    in_question = [pair for pair in kept if is_the_question(pair)]
    activations = dict.fromkeys(pair.candidate.activation for pair in in_question)
    if len(subjects) > MOST_ANSWERS and any(pair.ratio.has_bounds for pair in in_question):
        over = f"{len(activations)} activations" if len(activations) > 1 else f"{len(grouped(in_question, _op))} ops"
        if 1 < len(activations) <= MOST_NAMED:
            over = ", ".join(activations)
        yield f"Over {over}, {KEEPING['cached']} is {_verdict(in_question)}."
    yield from dict.fromkeys(f"{', '.join(of)}: {_answer(strategy, pairs)}" for of, strategy, pairs in subjects)


def _op(pair: Speedup) -> str:
    return pair.candidate.op


def _by_strategy(pairs: Sequence[Speedup]) -> dict[str, list[Speedup]]:
    """Return the pairs of an activation and op by strategy; only ``cached`` where it was measured."""
    by_strategy = grouped(pairs, lambda pair: pair.candidate.strategy)
    names = ("cached",) if "cached" in by_strategy else KEEPING
    return {name: by_strategy[name] for name in names if name in by_strategy}


def _answer(strategy: str, pairs: Sequence[Speedup]) -> str:
    """Return how much faster one strategy is, in words."""
    if not any(pair.ratio.has_bounds for pair in pairs):
        return (
            f"no answer yet. An interval takes {MIN_ROUNDS} rounds, and there are fewer: go on with --resume, and "
            f"--rounds {MIN_ROUNDS} or a --budget."
        )
    return f"{KEEPING[strategy]} is {_verdict(pairs, by_backend=True)}."


def _verdict(pairs: Sequence[Speedup], *, by_backend: bool = False) -> str:
    """Count the pairs that are faster and slower by their intervals."""
    faster = [pair for pair in pairs if pair.ratio.low > 1]
    slower = [pair for pair in pairs if pair.ratio.high < 1]
    undecided = len(pairs) - len(faster) - len(slower)
    ranges = f"{_span(faster)} times" if faster else ""
    if by_backend:
        backends = grouped(faster, lambda pair: pair.candidate.backend)
        ranges = ", ".join(f"{_span(of_backend)} times with {backend}" for backend, of_backend in backends.items())
    parts = [
        f"faster than recomputing in {len(faster)} of {counted(len(pairs), 'comparison')}",
        f" ({ranges})" if ranges else "",
        f", slower in {len(slower)}" if slower else "",
        f", undecided in {undecided}" if undecided else "",
    ]
    return "".join(parts)


def _span(pairs: Sequence[Speedup]) -> str:
    ratios = [pair.ratio.value for pair in pairs]
    low, high = (significant(ratio, 3 if ratio < CLOSE else 2) for ratio in (min(ratios), max(ratios)))
    return low if low == high else f"{low} to {high}"


def grouped(items: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    """Return the items by key, keys in order of first appearance."""
    groups: dict[Any, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
