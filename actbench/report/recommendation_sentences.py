"""What a layer should keep, in three sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isinf

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.analysis.recommendation import Candidate, RaceEnd, Recommendation
from actbench.analysis.standings import PairedRounds, Standing
from actbench.analysis.statistics import CONFIDENCE
from actbench.model.cases import Case
from actbench.model.checks import WRONG
from actbench.model.names import Op
from actbench.report import kept_tensors
from actbench.report.numbers import about, counted, joined, plus_minus, ratio, significant
from actbench.report.states import IN_WORDS
from actbench.report.tensors import mib

OBVIOUS = ("shipped", "recompute", "cached")
"""What a user would keep without measuring, which the choice is compared with."""

OPS = {
    Op.STEP: "forward and backward pass",
    Op.BACKWARD: "backward pass",
    Op.DERIVATIVE: "g' alone",
    Op.SECOND: "g'' alone",
}

SURE = f"with {100 * CONFIDENCE:g} % confidence"


def sentences(outcome: Recommendation) -> list[str]:
    """Return what to keep, what that gains, and what it costs in accuracy."""
    first = f"{_subject(outcome.choice.case)}: {_what(outcome)}"
    return [first, *_of_constant(outcome), *_gains(outcome), _accuracy(outcome)]


def time_over_choice(one: Candidate, choice: Candidate) -> Interval:
    """Return the time of a candidate over the choice's: of both, that over the leader's is known."""
    assert one.place  # noqa: S101  # both were timed
    assert choice.place  # noqa: S101
    if choice.place.standing is Standing.LEADS:
        return one.place.ratio
    value = one.place.ratio.value / choice.place.ratio.value
    return Interval(value, one.place.ratio.low / choice.place.ratio.high, one.place.ratio.high / choice.place.ratio.low)


def _subject(case: Case) -> str:
    if case.op.network:
        return (
            f"{case.activation}, {case.dtype}, in a training step of {case.op} with {case.backend}, batch {case.size}"
        )
    what = f"{OPS[case.op]} with {case.backend}, n = {case.shape or case.size}"
    return f"{case.activation}, {case.dtype}, {what}, {IN_WORDS[case.operands]}"


def _what(outcome: Recommendation) -> str:
    """Say what to keep, and why; of an open race, where it stands."""
    if outcome.outcome is RaceEnd.OPEN:
        return _too_early(outcome) if outcome.is_too_early else _undecided(outcome)
    return f"{_decided(outcome)}{_unknown(outcome)}"


def _decided(outcome: Recommendation) -> str:
    """Say what to keep, and that others take as long, or why there are none."""
    keep = f"keep {_named(outcome.choice, outcome)}"
    ties = [one for one in outcome.alike if one is not outcome.choice]
    if ties:
        names, margin = joined([_named(one, outcome) for one in ties]), f"{100 * outcome.margin:g} %"
        takes, keeps = ("takes", "keeps") if len(ties) == 1 else ("take", "keep")
        return f"{keep}. Time does not decide: {names} {takes} as long within {margin} ({SURE}), and {keeps} no less."
    if len(outcome.racing) > 1:
        return f"{keep}, the fastest {SURE}{' of those that could be compared' if outcome.unknown else ''}."
    if outcome.unknown:
        return f"{keep}: nothing else could be compared."
    return f"{keep}: {'the bounds rule out all others' if outcome.ruled_out else 'nothing else was measured'}."


def _unknown(outcome: Recommendation) -> str:
    """Say of what the race shows nothing, if of anything."""
    several = _has_several_backends(outcome)
    names = [f"{case.strategy}{f' with {case.backend}' if several else ''}" for case in outcome.unknown]
    why = "which could not be measured, or lost to what could not"
    return f" Nothing is known of {joined(names)}, {why}." if names else ""


def _too_early(outcome: Recommendation) -> str:
    """Say what rounds show that are too few for an interval: the median of their ratios, and the range of these."""
    by_rounds = ", ".join(
        f"{_named(one, outcome)} {_with_range(one.place.ratio.value, one.place.paired)}"
        for one in outcome.open
        if one.place and one.place.paired
    )
    return (
        f"nothing can be said yet: {counted(outcome.rounds, 'round')} of the {outcome.fewest_rounds} that it takes at "
        f"least. So far {_named(outcome.leader, outcome)} is ahead; of its time others took, as a median and range of "
        f"these rounds, {by_rounds} times as much."
    )


def _with_range(value: float, paired: PairedRounds) -> str:
    low, high = significant(paired.fastest, 3), significant(paired.slowest, 3)
    return significant(value, 3) + (f" ({low} to {high})" if low != high else "")


def _undecided(outcome: Recommendation) -> str:
    """Say which are still open after rounds that could have decided."""
    others = (
        f"{_named(one, outcome)} takes {plus_minus(one.place.ratio)} times as long" for one in outcome.open if one.place
    )
    return (
        f"not decided by {counted(outcome.rounds, 'round')}. So far {_named(outcome.leader, outcome)} is ahead, and by "
        f"the {100 * CONFIDENCE:g} % intervals either may be faster: {'; '.join(others)}."
    )


def _of_constant(outcome: Recommendation) -> Iterator[str]:
    """Say that nothing need be kept, where g' is a constant."""
    constant = outcome.choice.error.constant
    if constant is not None and outcome.choice.keeps:
        keeps = joined(outcome.choice.keeps)
        yield (
            f"Nothing need be kept: g' is {constant:g} at all z {outcome.looked_at}, and has no more than its shape "
            f"from {keeps}."
        )


def _gains(outcome: Recommendation) -> Iterator[str]:
    """Yield a sentence with the time and memory of what users would keep without measuring."""
    choice = outcome.choice
    if outcome.is_too_early:
        return
    compared = [
        one
        for one in outcome.racing
        if one is not choice and one.case.strategy.name in OBVIOUS and one.case.backend == choice.case.backend
    ]
    call = "step" if choice.case.op.network else "call"
    parts = [
        f"{kept_tensors.named(one, with_backend=False)} takes {ratio(time_over_choice(one, choice))} times as long a "
        f"{call}{_lost(one, outcome)}, and keeps {_more(one, choice)}"
        for one in compared
    ]
    if parts:
        yield f"In comparison, {'; '.join(parts)}, beside what is alive anyway ({joined(outcome.alive)})."


def _lost(one: Candidate, outcome: Recommendation) -> str:
    lost_to = kept_tensors.lost_to(one, with_backend=_has_several_backends(outcome))
    return f" (it is {lost_to})" if lost_to else ""


def _more(one: Candidate, choice: Candidate) -> str:
    """Say how much more or less a candidate keeps."""
    more = one.beside - choice.beside
    size = f"{counted(abs(more), 'byte')} per element {'more' if more > 0 else 'less'}" if more else "as much"
    if one.in_step and choice.in_step and more:
        totals = (one.in_step.total, choice.in_step.total)
        return f"{size} ({mib(totals[0])} MiB a step, not {mib(totals[1])})"
    return size


@dataclass(frozen=True, slots=True)
class GradientWords:
    """What is compared with the truth, in words."""

    gradient: str = "g'"
    size: str = "|g'|"
    of: str = "g'"
    z: str = "z"
    """The input whose rounding and tails count."""
    beside: str = ""
    """What else is said of the inputs."""


OF_GATES = GradientWords("the gradient of a or b", "it", "itself", "a", ", b from N(0, 1),")
"""The words of gated activations, y = g(a) b."""


def _accuracy(outcome: Recommendation) -> str:
    """Say how far g' is off, where, how large it is there, and which errors count."""
    error, case = outcome.choice.error, outcome.choice.case
    words = OF_GATES if registry.activation(case.activation).is_gated else GradientWords()
    relative, absolute = significant(error.relative.size, 2), significant(error.absolute.size, 2)
    subject = (
        f"With {case.strategy}{f' on {case.backend}' if _has_several_backends(outcome) else ''}, {words.gradient} is"
    )
    off = f"{subject} off by"
    searched = f"a search of {about(error.points)} {words.z} {outcome.looked_at}{words.beside} met"
    if error.ulp.size == 0 and not error.has_finite:
        return (
            f"{subject} infinite, as the true one is, and there is nothing finite to judge: {searched} no finite value "
            "of it."
        )
    if error.ulp.size == 0:
        return f"{subject} exact: {searched} no error."
    rounding = f"what one rounding of {words.z} causes"
    nothing_worse = f"{searched} nothing worse"
    if isinf(error.wrong_from):
        with_it = (
            f"by up to {significant(error.ulp.size, 3)} ULP ({words.z} = {error.ulp.z:.4g}), and by up to "
            f"{absolute} as a difference: {nothing_worse}."
        )
        if error.relative.size == 0:
            return f"{subject} not off by more than {rounding}: {with_it}"
        return f"{off} up to {relative} of {words.of}, not counting {rounding}. With that, it is off {with_it}"
    small = f"only where {words.size} is {significant(error.wrong_slope, 2)} or less"
    wrong = (
        f"{off} more than {100 * WRONG:g} %, not counting {rounding}, {small}, first at |{words.z}| = "
        f"{error.wrong_from:.3g}"
    )
    at = f"({words.z} = {error.relative.z:.4g}, {words.size} = {significant(error.slope, 2)})"
    if isinf(error.relative.size):
        return f"{wrong}, and is no finite number {at}: {nothing_worse}."
    worst = f"there by up to {relative} of {words.of} {at}"
    return f"{wrong}: {worst}. As a difference, with rounding, it is off by up to {absolute}: {nothing_worse}."


def _named(one: Candidate, outcome: Recommendation) -> str:
    return kept_tensors.named(one, with_backend=_has_several_backends(outcome))


def _has_several_backends(outcome: Recommendation) -> bool:
    return len({one.case.backend for one in outcome.candidates}) > 1
