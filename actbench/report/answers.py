"""The answer in words: how much faster it is to keep a residual than to recompute from z.

Where operands were measured in several states, the ratios of each backend stand side by side, at the sizes that were
measured in all of them: a ratio in cache alone says little of where the derivative is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, TypeVar

from actbench.analysis.speedups import Speedup
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.model import shell
from actbench.model.cases import RUNGS
from actbench.model.names import OperandState
from actbench.model.training import SHIPPED
from actbench.model.variants import Variant
from actbench.registry import STRATEGIES
from actbench.report import states
from actbench.report.numbers import counted, size_of, span
from actbench.report.op_by_op import label

T = TypeVar("T")

MOST_NAMED = 6
"""Largest number of activations that a sentence names; more are counted."""

KEEPING = {
    "cached": "reusing the cached output",
    "complement": "keeping the small side of the output",
    "intermediate": "keeping what the forward pass computed on the way",
    "pair": "keeping both the input and the output",
}
"""The strategies that are compared with recomputing, in words; all but ``cached`` only where ``cached`` is missing."""

MOST_ANSWERS = 3
"""Number of answers above which a total precedes them."""

OF = attrgetter("activation", "op", "operands")
"""What comparisons with what a framework ships are about."""

BESIDE_STATE = attrgetter("backend", "dtype", "rows", "size")
"""What tells the comparisons of an activation, op and strategy apart, beside the state of operands."""


def is_the_question(speedup: Speedup) -> bool:
    """Return whether this compares keeping y with evaluating the exponential again."""
    return (speedup.reference.strategy, speedup.candidate.strategy) == ("recompute", "cached")


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that rounds are missing for."""

    of: str
    """Its activation and op, and the state of operands where that is not warm."""


def too_few_rounds(more: str) -> str:
    """Return why there is no answer; `more` is the command that measures enough rounds, if there is one."""
    way_out = f": '{more}' measures the others" if more else ""
    return f"an interval takes {MIN_ROUNDS} rounds, and there are fewer{way_out}."


def more_rounds(directory: Path, command: str, rounds: int = MIN_ROUNDS) -> str:
    """Return the command that goes on with a run until it has so many rounds; nothing does with a suite of pyperf."""
    if directory.is_file():
        return ""
    return shell.command("actbench", command, "--resume", directory, "--rounds", rounds)


def answers(within: Iterable[Speedup], more: str) -> Iterator[str]:
    """Answer for every activation and op, from speedups within a backend; a total comes first where these are many.

    What a framework ships stands in front of all where it was measured: it is what its users have. `more` is the
    command that measures enough rounds.
    """
    within = [*within]
    every = dict.fromkeys((*_beside_shipped(within), *_of_users_strategies(within), *_of_strategies(within)))
    yield from (answer for answer in every if isinstance(answer, str))
    if unanswered := [answer.of for answer in every if isinstance(answer, Unanswered)]:
        rest = len(unanswered) - MOST_NAMED
        names = "; ".join(unanswered[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
        yield f"No answer yet ({names}): {too_few_rounds(more)}"


def _of_strategies(within: Iterable[Speedup]) -> Iterator[str | Unanswered]:
    """Answer what keeping something is worth beside recomputing."""
    kept = [pair for pair in within if pair.reference.strategy == "recompute" and pair.candidate.strategy in KEEPING]
    subjects = [
        (", ".join(of), strategy, pairs)
        for of, of_subject in grouped(kept, lambda pair: (pair.candidate.activation, pair.candidate.op)).items()
        for strategy, pairs in _by_strategy(of_subject).items()
    ]
    in_question = [pair for pair in kept if is_the_question(pair)]
    activations = dict.fromkeys(pair.candidate.activation for pair in in_question)
    if len(subjects) > MOST_ANSWERS and _has_intervals(in_question):
        several_ops = counted(len(grouped(in_question, _op)), "op")
        over = f"{len(activations)} activations" if len(activations) > 1 else several_ops
        if 1 < len(activations) <= MOST_NAMED:
            over = ", ".join(activations)
        yield f"Over {over}, {KEEPING['cached']} is {_verdict(in_question, _over_all(in_question))}."
    yield from dict.fromkeys(answer for subject in subjects for answer in _answers(*subject))


def _beside_shipped(within: Iterable[Speedup]) -> Iterator[str | Unanswered]:
    """Compare each strategy with what the framework ships, for every activation, op and state of operands."""
    ordered = (pair.swapped() if pair.candidate.strategy == SHIPPED else pair for pair in within)
    beside = [pair for pair in ordered if pair.reference.strategy == SHIPPED]
    for (activation, op, state), pairs in grouped(beside, lambda pair: OF(pair.candidate)).items():
        listed = _listed(pairs, attrgetter("candidate.strategy"))
        of = f"{activation}, {op}{states.suffix(state)}"
        answer = f"{of}: times as fast as what the framework ships: {listed}."
        yield answer if _has_intervals(pairs) else Unanswered(of)


def _of_users_strategies(within: Iterable[Speedup]) -> Iterator[str | Unanswered]:
    """Compare each strategy of the user's with the built-in ones, for every activation, op and state of operands."""
    ordered = (pair.swapped() if _is_of_user(pair.reference.strategy) else pair for pair in within)
    of_users = [pair for pair in ordered if _is_of_user(pair.candidate.strategy)]
    beside = [pair for pair in of_users if pair.reference.strategy.name in STRATEGIES]
    for (activation, op, state), of_kernels in grouped(beside, lambda pair: OF(pair.candidate)).items():
        for name, pairs in grouped(of_kernels, attrgetter("candidate.strategy")).items():
            listed = _listed(pairs, attrgetter("reference.strategy"))
            of = f"{activation}, {op}{states.suffix(state)}"
            answer = f"{of}: {name}, of your own, times as fast as the built-in strategies: {listed}."
            yield answer if _has_intervals(pairs) else Unanswered(of)


def _listed(pairs: Iterable[Speedup], key: Callable[[Speedup], str]) -> str:
    """Return the ratios of every backend, by what the key gives."""
    return "; ".join(
        f"{backend}: {', '.join(f'{name} {_ratios(ones)}' for name, ones in grouped(of_backend, key).items())}"
        for backend, of_backend in grouped(pairs, _backend).items()
    )


def _is_of_user(strategy: Variant) -> bool:
    return strategy.name not in {*STRATEGIES, SHIPPED.name, *RUNGS}


def _op(pair: Speedup) -> str:
    return pair.candidate.op


def _backend(pair: Speedup) -> str:
    """Return the backend, labelled where the formula that the ratio is about is executed op by op."""
    formula = pair.candidate if pair.reference.strategy == SHIPPED else pair.reference
    return label(formula)


def _state(pair: Speedup) -> OperandState:
    return pair.candidate.operands


def _by_strategy(pairs: Sequence[Speedup]) -> dict[str, list[Speedup]]:
    """Return the pairs of an activation and op by strategy; only ``cached`` where it was measured."""
    by_strategy = grouped(pairs, lambda pair: pair.candidate.strategy)
    names = ("cached",) if "cached" in by_strategy else KEEPING
    return {name: by_strategy[name] for name in names if name in by_strategy}


def _answers(of: str, strategy: str, pairs: Sequence[Speedup]) -> Iterator[str | Unanswered]:
    """Yield the answer for one strategy: one for all states of operands that can be compared, else one for each."""
    by_state = grouped(pairs, _state)
    if not _has_intervals(pairs):
        yield Unanswered(of)
    elif len(by_state) > 1 and (side_by_side := _side_by_side(by_state)):
        yield f"{of}: {KEEPING[strategy]} is {_verdict(pairs)}. {side_by_side}."
    else:
        for state, of_state in by_state.items():
            verdict = _verdict(of_state, _ranges(grouped(_faster(of_state), _backend)))
            subject = f"{of}{states.suffix(state)}"
            yield f"{subject}: {KEEPING[strategy]} is {verdict}." if _has_intervals(of_state) else Unanswered(subject)


def _has_intervals(pairs: Iterable[Speedup]) -> bool:
    return any(pair.ratio.has_bounds for pair in pairs)


def _verdict(pairs: Sequence[Speedup], ranges: str = "") -> str:
    """Count the pairs that are faster and slower by their intervals; `ranges` are the ratios of the faster ones."""
    faster, slower = len(_faster(pairs)), sum(pair.ratio.high < 1 for pair in pairs)
    undecided = len(pairs) - faster - slower
    parts = [
        f"faster than recomputing in {faster} of {counted(len(pairs), 'comparison')}",
        f" ({ranges})" if ranges else "",
        f", slower in {slower}" if slower else "",
        f", undecided in {undecided}" if undecided else "",
    ]
    return "".join(parts)


def _faster(pairs: Iterable[Speedup]) -> list[Speedup]:
    return [pair for pair in pairs if pair.ratio.low > 1]


def _over_all(pairs: Sequence[Speedup]) -> str:
    """Return the range of the ratios of all faster pairs, one for each state of operands."""
    faster, by_state = _faster(pairs), grouped(_faster(pairs), _state)
    if not states.column(by_state):
        return f"{_span(faster)} times" if faster else ""
    return _ranges({states.IN_WORDS[state]: of_state for state, of_state in by_state.items()})


def _ranges(pairs: Mapping[str, Sequence[Speedup]]) -> str:
    return ", ".join(f"{_span(of_name)} times with {name}" for name, of_name in pairs.items())


def _side_by_side(by_state: Mapping[OperandState, Sequence[Speedup]]) -> str:
    """Return the ratios of each backend in each state, of what was measured in all of them; "" where nothing was."""
    labels = {pair.candidate.backend: _backend(pair) for pairs in by_state.values() for pair in pairs}
    in_state = {
        state: {BESIDE_STATE(pair.candidate): pair for pair in by_state[state]}
        for state in sorted(by_state, key=[*OperandState].index)
    }
    shared = [key for key in min(in_state.values(), key=len) if all(key in pairs for pairs in in_state.values())]
    if not shared:
        return ""
    names = {pair.candidate.size: size_of(pair.candidate) for pairs in by_state.values() for pair in pairs}
    sizes = ", ".join(names[size] for size in sorted({size for *_, size in shared}))
    named = " / ".join(states.IN_WORDS[state] for state in in_state)
    of_backends = [
        f"{labels[backend]} {' / '.join(_ratios([pairs[key] for key in keys]) for pairs in in_state.values())}"
        for backend, keys in grouped(shared, itemgetter(0)).items()
    ]
    return f"Times faster at n = {sizes} with {named}: {'; '.join(of_backends)}"


def _ratios(pairs: Sequence[Speedup]) -> str:
    """Return the range of ratios, faster or not, and how many of them are undecided."""
    undecided = sum(not pair.ratio.excludes(1.0) for pair in pairs)
    share = f"{undecided} of {len(pairs)} " if undecided < len(pairs) else ""
    return f"{_span(pairs)} ({share}undecided)" if undecided else _span(pairs)


def _span(pairs: Sequence[Speedup]) -> str:
    ratios = [pair.ratio.value for pair in pairs]
    return span(min(ratios), max(ratios))


def grouped(items: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    """Return the items by key, keys in order of first appearance."""
    groups: dict[Any, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
