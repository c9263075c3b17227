"""The answer for one training step and backend, in a few sentences.

A difference is claimed only where the 95 % interval of the gain excludes 0. Where that lies within `WORTH` of a step on
either side, the choice does not matter. ``free`` is the limit of what a cheaper gradient can save, and no choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.analysis.training import ArmResult
from actbench.analysis.training_sweep import WORTH
from actbench.model.cases import Case
from actbench.report.answers import grouped
from actbench.report.numbers import count, percent, plus_minus
from actbench.report.op_by_op import OP_BY_OP, is_op_by_op
from actbench.report.training.words import at_most, keeping, nbytes


class StepVerdict(StrEnum):
    """What an interval says of a gain."""

    SAVES = "saves"
    COSTS = "costs"
    IRRELEVANT = "irrelevant"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """One arm beside the reference of its backend, the limit, and what the framework ships, as far as there are any.

    What it is compared with first is what the framework ships, which its users have, and else the reference.
    """

    arm: ArmResult
    reference: ArmResult
    free: ArmResult | None
    shipped: ArmResult | None

    @property
    def base(self) -> ArmResult:
        """What the arm is compared with first."""
        return self.shipped or self.reference

    @property
    def speedup(self) -> Interval:
        """Times faster than that."""
        speedup = self.arm.over_shipped if self.shipped else self.arm.speedup
        assert speedup is not None  # noqa: S101  # it is another arm
        return speedup

    @property
    def gain(self) -> Interval:
        """The share of that step that the arm saves."""
        return self._saved(self.arm)

    @property
    def limit(self) -> Interval | None:
        """The share of that step that is saved without any gradient of the activation; None where it is not known."""
        if self.free is None or self.free is self.base:
            return None
        return self._saved(self.free)

    @property
    def verdict(self) -> StepVerdict:
        """What the interval of its gain says."""
        gain = self.gain
        if gain.low >= -WORTH and gain.high <= WORTH:
            return StepVerdict.IRRELEVANT
        return StepVerdict.SAVES if gain.low > 0 else StepVerdict.COSTS if gain.high < 0 else StepVerdict.UNDECIDED

    @property
    def what_base_does(self) -> str:
        """What the arm is compared with, as the owner of a time."""
        if self.shipped:
            return f"what {self.shipped.case.backend} itself does (shipped)"
        formula = is_op_by_op(self.reference.case) and not is_op_by_op(self.arm.case)
        return f"{self.reference.case.strategy}'s step{f' ({OP_BY_OP})' if formula else ''}"

    def _saved(self, arm: ArmResult) -> Interval:
        saved = arm.over_shipped.inverse().complement() if self.shipped and arm.over_shipped else arm.gain
        assert saved is not None  # noqa: S101  # it is not the reference
        return saved


def sentence(answer: StepAnswer) -> str:
    """Return the answer for one step and backend."""
    case = answer.arm.case
    formula = f", {OP_BY_OP}," if is_op_by_op(case) else ""
    subject = f"{_where(case)}: {keeping(case.strategy)}{formula}"
    if answer.verdict is StepVerdict.IRRELEVANT:
        sentences = [f"{subject} {_effect(answer)}", *_irrelevant(answer)]
    else:
        sentences = [f"{subject} {_effect(answer)}{joined(bytes_in_words([answer]))}"]
        sentences += capital(limit_in_words([answer]))
    return " ".join(f"{sentence}." for sentence in [*sentences, *_beside_reference(answer)])


def limit_alone(answer: StepAnswer) -> str:
    """Return the answer where nothing but the reference and the limit was measured."""
    return f"{_where(answer.arm.case)}: {limit_in_words([answer])}."


def _where(case: Case) -> str:
    where = f"(batch {count(case.size)}, {case.dtype}, {case.backend})"
    return f"In a training step of {case.op} {where}, {case.activation}"


def _irrelevant(answer: StepAnswer) -> Iterator[str]:
    """Yield that the choice does not matter for the time, what it is worth in bytes, and the limit."""
    limit, memory = limit_in_words([answer]), bytes_in_words([answer])
    saved = f"{keeping(answer.arm.case.strategy)} {memory}" if memory else ""
    if memory and answer.arm.check and answer.base.check and answer.arm.check.kept < answer.base.check.kept:
        kept, reference = answer.arm.check.kept, answer.base.check.kept
        share = f"{100 * (1 - kept / reference):.0f} %"
        instead = f"{nbytes(kept)} instead of {nbytes(reference)}"
        saved = f"{keeping(answer.arm.case.strategy)} saves {share} of what is kept ({instead})"
    is_small = answer.limit is not None and answer.limit.high <= WORTH
    why = "; ".join(filter(None, (limit if is_small else "", saved)))
    yield f"It does not matter here: {why}" if why else "It does not matter here"
    if not is_small:
        yield from capital(limit)


def _effect(answer: StepAnswer) -> str:
    """Return the ratio of times, and the gain where there is one."""
    gain = answer.gain
    takes = f"takes {plus_minus(answer.speedup.inverse(), 1.0)} of the time of {answer.what_base_does}"
    match answer.verdict:
        case StepVerdict.SAVES:
            return f"{takes} (saves {_in_brackets(percent(gain))})"
        case StepVerdict.COSTS:
            return f"{takes} (costs {_in_brackets(percent(gain.negated()))})"
        case StepVerdict.UNDECIDED:
            return f"{takes} (no difference is shown)"
        case _:
            return takes


def _in_brackets(figure: str) -> str:
    """Return a figure without brackets around its interval."""
    return figure.replace(" (", ", from ").replace(")", "")


def _beside_reference(answer: StepAnswer) -> Iterator[str]:
    """Yield what the arm takes relative to the reference, where it is compared with what is shipped first."""
    if answer.shipped:
        is_formula = is_op_by_op(answer.arm.case)
        beside = "Beside formulas that are computed so as well, it" if is_formula else "It"
        yield f"{beside} {_effect(replace(answer, shipped=None))}"


def joined(words: str) -> str:
    """Return what joins a clause to the sentence before it; nothing where there is none."""
    return f", and {words}" if words else ""


def bytes_in_words(answers: Sequence[StepAnswer]) -> str:
    """Return the share of the bytes of what arms are compared with that they keep; "" where that was not counted.

    Nothing is said where a compiler decides what is kept.
    """
    if any(
        backend.keeps_otherwise for backend in registry.known_backends(answer.arm.case.backend for answer in answers)
    ):
        return ""
    checks = [(answer.arm.check, answer.base.check) for answer in answers]
    counts = [(check.kept, reference.kept) for check, reference in checks if check and reference and reference.kept]
    shares = sorted({f"{kept / reference:.2f}" for kept, reference in counts})
    if not shares:
        return ""
    share = "as many bytes" if shares == ["1.00"] else f"{' to '.join({shares[0]: 0, shares[-1]: 0})} of its bytes"
    if len({*counts}) > 1:
        return f"keeps {share}"
    kept, reference = counts[0]
    return f"keeps {share} ({nbytes(kept)}{'' if kept == reference else f' instead of {nbytes(reference)}'})"


def limit_in_words(answers: Sequence[StepAnswer]) -> str:
    """Return the most that a cheaper gradient can save of a step; "" where that was not measured."""
    gains = [limit for answer in answers if (limit := answer.limit)]
    if len(gains) < len(answers):
        return ""
    case = answers[0].arm.case
    formula = ", computed op by op," if is_op_by_op(case) and not answers[0].shipped else ""
    backends = grouped(zip(answers, gains, strict=True), lambda pair: pair[0].arm.case.backend)
    most = {name: max(gain.high for _, gain in of_backend) for name, of_backend in backends.items()}
    steps = "of this step" if len(answers) == 1 else "of these steps"
    limits = by_backend({name: at_most(high) for name, high in most.items()}, steps)
    return f"no cheaper gradient of {case.activation}{formula} can save more than {limits} (free)"


def by_backend(figures: Mapping[str, str], of_what: str) -> str:
    """Return figures by backend: ``2.4 % of this step with numpy, 2.2 % with jax``; without a name where it is one."""
    (name, first), *others = figures.items()
    if not others:
        return f"{first} {of_what}"
    return ", ".join([f"{first} {of_what} with {name}", *(f"{text} with {name}" for name, text in others)])


def capital(sentence: str) -> Iterator[str]:
    """Yield a sentence with a capital; nothing where there is none."""
    if sentence:
        yield sentence[0].upper() + sentence[1:]
