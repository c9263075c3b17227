"""The answers for many training steps: a total, and alike answers as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actbench.analysis.interval import Interval
from actbench.analysis.training_sweep import WORTH
from actbench.model.variants import Variant
from actbench.report.answers import grouped
from actbench.report.numbers import count, counted, percent
from actbench.report.op_by_op import OP_BY_OP, is_op_by_op
from actbench.report.training.sentences import (
    StepAnswer,
    StepVerdict,
    by_backend,
    bytes_in_words,
    capital,
    joined,
    limit_in_words,
    sentence,
)
from actbench.report.training.words import keeping

MOST_NAMED = 3
"""Largest number of networks of a kind that a sentence names; of more, it names the first and the last."""


def totals(every: Sequence[StepAnswer]) -> Iterator[str]:
    """Count the steps by verdict, for each way to keep something."""

    def what(answer: StepAnswer) -> tuple[Variant, bool]:
        return answer.arm.case.strategy, answer.shipped is not None

    for (strategy, is_beside), of_strategy in grouped(every, what).items():
        verdicts = grouped(of_strategy, lambda answer: answer.verdict)
        words = {
            StepVerdict.SAVES: "saves time in {}",
            StepVerdict.COSTS: "costs time in {}",
            StepVerdict.IRRELEVANT: f"does not matter in {{}} (less than {100 * WORTH:g} % of a step)",
            StepVerdict.UNDECIDED: "is undecided in {}",
        }
        parts = [text.format(len(verdicts[verdict])) for verdict, text in words.items() if verdict in verdicts]
        steps = counted(len(of_strategy), "training step")
        beside = ", compared with what the framework ships," if is_beside else ""
        yield f"Of {steps}, {keeping(strategy)}{beside} {_all_of(parts)}."


def merged(every: Sequence[StepAnswer]) -> Iterator[str]:
    """Yield a sentence for the networks of one kind, batches and backends that share a verdict.

    They share what they are compared with first, too.
    """

    def alike(answer: StepAnswer) -> tuple[object, ...]:
        case = answer.arm.case
        how = is_op_by_op(case), answer.verdict, answer.shipped is None
        return case.op.network, case.dtype, case.activation, case.strategy, *how

    for of_verdict in grouped(every, alike).values():
        backends = grouped(of_verdict, lambda answer: answer.arm.case.backend)
        steps = {name: tuple(map(_step, of_backend)) for name, of_backend in backends.items()}
        for of_steps, names in grouped(steps, steps.__getitem__).items():
            members = [answer for name in names for answer in backends[name]]
            networks, batches = ({*values} for values in zip(*of_steps, strict=True))
            parts = [members]
            if len(of_steps) < len(networks) * len(batches):
                parts = [*grouped(members, lambda answer: answer.arm.case.op).values()]
            yield from (sentence(part[0]) if len(part) == 1 else _of_several(part) for part in parts)


def _step(answer: StepAnswer) -> tuple[str, int]:
    return str(answer.arm.case.op), answer.arm.case.size


def _of_several(answers: Sequence[StepAnswer]) -> str:
    """Return the answer for steps of all of several networks, batches and backends, which share a verdict."""
    cases = [answer.arm.case for answer in answers]
    first, networks = cases[0], [*dict.fromkeys(str(case.op) for case in cases)]
    named = f"{networks[0]} to {networks[-1]}" if len(networks) > MOST_NAMED else ", ".join(networks)
    batches = f"batch {', '.join(dict.fromkeys(count(case.size) for case in cases))}"
    backends = " and ".join(dict.fromkeys(case.backend for case in cases))
    where = f"In training steps of {named} ({batches}, {first.dtype}, {backends})"
    formula = f", {OP_BY_OP}" if is_op_by_op(first) else ""
    sentence = f"{where}, {first.activation}{formula}: {_effects(answers)}"
    sentences = [f"{sentence}{joined(bytes_in_words(answers))}", *capital(limit_in_words(answers))]
    speedups = [answer.arm.speedup for answer in answers if answer.shipped]
    if ratios := [1 / speedup.value for speedup in speedups if speedup]:
        span = f"{min(ratios):.2f} to {max(ratios):.2f}"
        sentences.append(f"It takes {span} of the time of {answers[0].reference.case.strategy}'s step")
    return " ".join(f"{sentence}." for sentence in sentences)


def _effects(answers: Sequence[StepAnswer]) -> str:
    """Return what several steps gain, backend by backend; they share a verdict."""
    does = keeping(answers[0].arm.case.strategy)
    reference = f"{answers[0].reference.case.strategy}'s step"
    of_step = f"of the time of {'what the framework itself does (shipped)' if answers[0].shipped else reference}"
    match answers[0].verdict:
        case StepVerdict.SAVES:
            return f"{does} saves {by_backend(_gains(answers), of_step)}"
        case StepVerdict.COSTS:
            return f"{does} costs {by_backend(_gains(answers, costs=True), of_step)}"
        case StepVerdict.UNDECIDED:
            bounds = {
                name: _span([bound for gain in gains for bound in (gain.low, gain.high)])
                for name, gains in _by_backend(answers).items()
            }
            return f"undecided: {does} saves from {by_backend(bounds, of_step)}"
        case _:
            return f"it does not matter: {does} saves or costs less than {100 * WORTH:g} % {of_step}"


def _gains(answers: Sequence[StepAnswer], *, costs: bool = False) -> dict[str, str]:
    """Return by backend the range of gains, or of their opposites; with its interval where there is one gain."""
    signed = {
        name: [gain.negated() if costs else gain for gain in gains] for name, gains in _by_backend(answers).items()
    }
    return {
        name: _span([gain.value for gain in gains]) if len(gains) > 1 else percent(gains[0])
        for name, gains in signed.items()
    }


def _by_backend(answers: Sequence[StepAnswer]) -> dict[str, list[Interval]]:
    backends = grouped(answers, lambda answer: answer.arm.case.backend)
    return {name: [one.gain for one in of_backend] for name, of_backend in backends.items()}


def _all_of(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _span(shares: Sequence[float]) -> str:
    low, high = (f"{100 * share + 0.0:.1f} %" for share in (min(shares), max(shares)))
    return low if low == high else f"{low} to {high}"
