"""The answer in words: what keeping a residual instead of recomputing from z is worth in a training step.

A difference is claimed only where the 95 % interval of the gain excludes 0. Where that lies within `WORTH` of a step on
either side, the choice does not matter. ``free`` is the limit of what a cheaper gradient can save, and no choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from actbench.analysis.interval import Interval
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.analysis.training import ArmResult
from actbench.analysis.training_sweep import WORTH
from actbench.model.training import FREE, SHIPPED
from actbench.model.variants import Variant
from actbench.report.answers import MOST_ANSWERS, grouped
from actbench.report.numbers import count, counted, percent, plus_minus
from actbench.report.training.words import KEEPING, OP_BY_OP, at_most, is_op_by_op, keeping, nbytes

NO_ANSWER = (
    f"No answer yet. An interval takes {MIN_ROUNDS} rounds, and there are fewer: 'actbench train --resume DIR --rounds "
    f"{MIN_ROUNDS}' measures the others."
)


class Verdict(StrEnum):
    """What an interval says of a gain."""

    SAVES = "saves"
    COSTS = "costs"
    IRRELEVANT = "irrelevant"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Answer:
    """One arm beside the reference of its backend, the limit, and what the framework ships, as far as there are any."""

    arm: ArmResult
    reference: ArmResult
    free: ArmResult | None
    shipped: ArmResult | None

    @property
    def verdict(self) -> Verdict:
        """What the interval of its gain says."""
        gain = self.arm.gain
        assert gain is not None  # noqa: S101  # it is not the reference
        if gain.low >= -WORTH and gain.high <= WORTH:
            return Verdict.IRRELEVANT
        return Verdict.SAVES if gain.low > 0 else Verdict.COSTS if gain.high < 0 else Verdict.UNDECIDED


def answers(results: Sequence[ArmResult]) -> Iterator[str]:
    """Answer for every step and backend; where these are many, a total comes first and alike answers are merged."""
    every = [*_answers(results)]
    if not every:
        return
    if not all(answer.arm.gain and answer.arm.gain.has_bounds for answer in every):
        yield NO_ANSWER
    elif len(every) <= MOST_ANSWERS:
        yield from map(_sentence, every)
    else:
        yield from _totals(every)
        yield from _merged(every)


def _answers(results: Sequence[ArmResult]) -> Iterator[Answer]:
    """Yield the arms in question: those that keep something else, or else all but the reference and the limit."""
    for rows in grouped(results, lambda row: (row.case.empty_block, row.case.backend)).values():
        arms = {row.case.strategy: row for row in rows}
        reference, free, shipped = arms[rows[0].reference], arms.get(FREE), arms.get(SHIPPED)
        others = [row for row in rows if row is not reference and row is not free]
        kept = [name for name in KEEPING if name in arms and arms[Variant(name)] is not reference]
        names = kept[:1] if "cached" in kept else kept
        for row in [arms[Variant(name)] for name in names] or others:
            yield Answer(row, reference, free, None if row is shipped or reference is shipped else shipped)


def _sentence(answer: Answer) -> str:
    """Return the answer for one step and backend."""
    case = answer.arm.case
    where = f"In a training step of {case.op} (batch {count(case.size)}, {case.dtype}, {case.backend})"
    formula = f", {OP_BY_OP}" if is_op_by_op(case) else ""
    subject = f"{where}, {case.activation}{formula}: {keeping(case.strategy)} {_effect(answer)}"
    if answer.verdict is Verdict.IRRELEVANT:
        sentences = [subject, *_irrelevant(answer)]
    else:
        memory, limit = _memory([answer]), _limit([answer])
        sentences = [f"{subject}, and {memory}" if memory else subject, *([_capital(limit)] if limit else [])]
    return " ".join(f"{sentence}." for sentence in (*sentences, *_beside_shipped(answer)))


def _irrelevant(answer: Answer) -> Iterator[str]:
    """Yield that the choice does not matter for the time, what it is worth in bytes, and the limit."""
    limit, memory = _limit([answer]), _memory([answer])
    saved = f"{keeping(answer.arm.case.strategy)} {memory}" if memory else ""
    if answer.arm.check and answer.reference.check and answer.arm.check.kept < answer.reference.check.kept:
        kept, reference = answer.arm.check.kept, answer.reference.check.kept
        share = f"{100 * (1 - kept / reference):.0f} %"
        instead = f"{nbytes(kept)} instead of {nbytes(reference)}"
        saved = f"{keeping(answer.arm.case.strategy)} saves {share} of what is kept ({instead})"
    is_small = bool(answer.free and answer.free.gain and answer.free.gain.high <= WORTH)
    why = "; ".join(filter(None, (limit if is_small else "", saved)))
    yield f"It does not matter here: {why}" if why else "It does not matter here"
    if limit and not is_small:
        yield _capital(limit)


def _effect(answer: Answer) -> str:
    """Return the ratio of times, and the gain where there is one."""
    gain, speedup = answer.arm.gain, answer.arm.speedup
    assert gain is not None and speedup is not None  # noqa: PT018, S101  # it is not the reference
    reference = answer.reference.case.strategy
    takes = f"takes {plus_minus(speedup.inverse(), 1.0)} of the time of {reference}'s step"
    match answer.verdict:
        case Verdict.SAVES:
            return f"{takes} (saves {percent(gain)})"
        case Verdict.COSTS:
            return f"{takes} (costs {percent(gain.negated())})"
        case Verdict.UNDECIDED:
            return f"{takes} (no difference is shown)"
        case _:
            return takes


def _beside_shipped(answer: Answer) -> Iterator[str]:
    """Yield what the framework's own gradient takes, and the arm's time relative to that."""
    shipped, over = answer.shipped, answer.arm.over_shipped
    if shipped is None or shipped.speedup is None or over is None:
        return
    memory = _memory([replace(answer, arm=shipped)])
    reference, backend = answer.reference.case.strategy, shipped.case.backend
    yield (
        f"What {backend} itself does (shipped) takes {plus_minus(shipped.speedup.inverse(), 1.0)} of the time of "
        f"{reference}'s step{f' and {memory}' if memory else ''}; {keeping(answer.arm.case.strategy)} takes "
        f"{plus_minus(over.inverse(), 1.0)} of the time of shipped's"
    )


def _memory(answers: Sequence[Answer]) -> str:
    """Return the share of the reference's bytes that arms keep in all; "" where that was not counted."""
    checks = [(answer.arm.check, answer.reference.check) for answer in answers]
    counts = [(check.kept, reference.kept) for check, reference in checks if check and reference and reference.kept]
    shares = sorted({f"{kept / reference:.2f}" for kept, reference in counts})
    if not shares:
        return ""
    share = "as many bytes" if shares == ["1.00"] else f"{' to '.join({shares[0]: 0, shares[-1]: 0})} of its bytes"
    if len(counts) > 1:
        return f"keeps {share}"
    ((kept, reference),) = counts
    return f"keeps {share} ({nbytes(kept)}{'' if kept == reference else f' instead of {nbytes(reference)}'})"


def _limit(answers: Sequence[Answer]) -> str:
    """Return the most that a cheaper gradient can save of the reference's step; "" where that was not measured."""
    gains = [answer.free.gain for answer in answers if answer.free and answer.free.gain]
    if len(gains) < len(answers):
        return ""
    case = answers[0].arm.case
    formula = ", computed op by op," if is_op_by_op(case) else ""
    backends = grouped(zip(answers, gains, strict=True), lambda pair: pair[0].arm.case.backend)
    most = {name: max(gain.high for _, gain in of_backend) for name, of_backend in backends.items()}
    limits = [f"{at_most(high)} ({name})" if len(most) > 1 else at_most(high) for name, high in most.items()]
    steps = "this step" if len(answers) == 1 else "these steps"
    return f"no cheaper gradient of {case.activation}{formula} can save more than {', '.join(limits)} of {steps} (free)"


def _totals(every: Sequence[Answer]) -> Iterator[str]:
    """Count the steps by verdict, for each way to keep something."""
    for strategy, of_strategy in grouped(every, lambda answer: answer.arm.case.strategy).items():
        verdicts = grouped(of_strategy, lambda answer: answer.verdict)
        words = {
            Verdict.SAVES: "saves time in {}",
            Verdict.COSTS: "costs time in {}",
            Verdict.IRRELEVANT: f"does not matter in {{}} (less than {100 * WORTH:g} % of a step)",
            Verdict.UNDECIDED: "is undecided in {}",
        }
        parts = [text.format(len(verdicts[verdict])) for verdict, text in words.items() if verdict in verdicts]
        steps = counted(len(of_strategy), "training step")
        yield f"Of {steps}, {keeping(strategy)} {_all_of(parts)}."


def _merged(every: Sequence[Answer]) -> Iterator[str]:
    """Yield a sentence for the batches, and for the backends with the same batches, that share a verdict."""

    def alike(answer: Answer) -> tuple[object, ...]:
        case = answer.arm.case
        return case.op, case.dtype, case.activation, case.strategy, is_op_by_op(case), answer.verdict

    for of_verdict in grouped(every, alike).values():
        backends = grouped(of_verdict, lambda answer: answer.arm.case.backend)
        batches = {name: tuple(answer.arm.case.size for answer in of_backend) for name, of_backend in backends.items()}
        for sizes, names in grouped(batches, batches.__getitem__).items():
            members = [answer for name in names for answer in backends[name]]
            yield _sentence(members[0]) if len(members) == 1 else _of_several(members, sizes, names)


def _of_several(answers: Sequence[Answer], sizes: Sequence[int], backends: Sequence[str]) -> str:
    """Return the answer for steps that differ in batch and backend alone, and share a verdict."""
    first = answers[0].arm.case
    batches = f"batch {', '.join(map(count, sizes))}"
    where = f"In training steps of {first.op} ({batches}, {first.dtype}, {' and '.join(backends)})"
    formula = f", {OP_BY_OP}" if is_op_by_op(first) else ""
    sentence = f"{where}, {first.activation}{formula}: {_effects(answers)}"
    memory, limit = _memory(answers), _limit(answers)
    sentences = [f"{sentence}, and {memory}" if memory else sentence, *([_capital(limit)] if limit else [])]
    over_shipped = [answer.arm.over_shipped for answer in answers]
    ratios = [1 / over.value for over in over_shipped if over]
    if len(ratios) == len(answers):
        span = f"{min(ratios):.2f} to {max(ratios):.2f}"
        sentences.append(f"It takes {span} of the time of what the framework itself does (shipped)")
    return " ".join(f"{sentence}." for sentence in sentences)


def _effects(answers: Sequence[Answer]) -> str:
    """Return what several steps gain, backend by backend; they share a verdict."""
    does = keeping(answers[0].arm.case.strategy)
    of_step = f"of the time of {answers[0].reference.case.strategy}'s step"
    match answers[0].verdict:
        case Verdict.SAVES:
            return f"{does} saves {_by_backend(answers, lambda gain: (gain.value,))} {of_step}"
        case Verdict.COSTS:
            return f"{does} costs {_by_backend(answers, lambda gain: (-gain.value,))} {of_step}"
        case Verdict.UNDECIDED:
            bounds = _by_backend(answers, lambda gain: (gain.low, gain.high))
            return f"undecided: {does} saves between {bounds} {of_step}"
        case _:
            return f"it does not matter: {does} saves or costs less than {100 * WORTH:g} % {of_step}"


def _by_backend(answers: Sequence[Answer], figures: Callable[[Interval], tuple[float, ...]]) -> str:
    """Return the range of figures of gains on every backend, whose name follows where there are several."""
    backends = grouped(answers, lambda answer: answer.arm.case.backend)
    spans = {
        name: _span([figure for answer in of_backend if answer.arm.gain for figure in figures(answer.arm.gain)])
        for name, of_backend in backends.items()
    }
    return ", ".join(f"{span} ({name})" if len(spans) > 1 else span for name, span in spans.items())


def _all_of(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _span(shares: Sequence[float]) -> str:
    low, high = (f"{100 * share + 0.0:.1f} %" for share in (min(shares), max(shares)))
    return low if low == high else f"{low} to {high}"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
