"""The answer for training steps that share a verdict: for one network, batch and backend, or for several.

Every figure is one of the table of times: the share of the reference's step that is saved, or, where a framework ships
an activation of its own, how many times as fast as that. A difference is claimed only where the 95 % interval of
what is saved excludes 0. Where that lies within `WORTH` of a step on either side, the choice does not matter. ``free``
is the limit of what a cheaper gradient can save beside the same forward pass, and no choice. It is no limit of what a
framework ships, which is another program, nor of a step that is compiled as a whole, nor where an arm is faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.analysis.training import ArmResult
from actbench.analysis.training_sweep import WORTH
from actbench.model.training import CHECKPOINT
from actbench.report.numbers import count, significant
from actbench.report.op_by_op import OP_BY_OP, is_op_by_op
from actbench.report.training.over_backends import RATIO, SHARE, over_backends
from actbench.report.training.words import is_limit, keeping, nbytes

MOST_NAMED = 3
"""Largest number of networks of a kind that a sentence names; of more, it names the first and the last."""


class StepVerdict(StrEnum):
    """What an interval says of what is saved."""

    SAVES = "saves"
    COSTS = "costs"
    IRRELEVANT = "irrelevant"
    UNDECIDED = "undecided"


LITTLE = f"less than {100 * WORTH:g} %"

BESIDE_REFERENCE = {
    StepVerdict.SAVES: "",
    StepVerdict.COSTS: "",
    StepVerdict.IRRELEVANT: f"does not matter ({LITTLE}): it ",
    StepVerdict.UNDECIDED: "is not shown to save or cost time: by estimate it ",
}
"""What precedes the share that is saved."""

BESIDE_SHIPPED = {
    StepVerdict.SAVES: "is faster than {}",
    StepVerdict.COSTS: "is slower than {}",
    StepVerdict.IRRELEVANT: f"does not matter ({LITTLE}), compared with {{}}",
    StepVerdict.UNDECIDED: "is not shown to differ from {}",
}
"""What precedes how many times as fast it is."""


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
    def backend(self) -> str:
        """The name of their backend."""
        return self.arm.case.backend

    @property
    def limit(self) -> ArmResult | None:
        """The arm without any gradient of the activation; None where that is not known."""
        return None if self.free is self.base else self.free

    @property
    def is_limited(self) -> bool:
        """Whether `limit`, which is known, is a limit: of an arm that it is not slower than, in separate passes."""
        assert self.limit is not None  # noqa: S101  # the caller has looked
        case = self.limit.case
        faster = self.arm is not self.limit and self.figure(self.arm).low > self.figure(self.limit).high
        return is_limit(case.strategy, case.backend) and not faster

    @property
    def verdict(self) -> StepVerdict:
        """What the interval of the share that the arm saves says."""
        saved = self.figure(self.arm)
        if self.shipped:
            saved = saved.inverse().complement()
        if saved.low >= -WORTH and saved.high <= WORTH:
            return StepVerdict.IRRELEVANT
        return StepVerdict.SAVES if saved.low > 0 else StepVerdict.COSTS if saved.high < 0 else StepVerdict.UNDECIDED

    def figure(self, arm: ArmResult) -> Interval:
        """Return how the table of times compares an arm with `base`: times as fast as shipped, or the share saved."""
        figure = arm.over_shipped if self.shipped else arm.gain
        assert figure is not None  # noqa: S101  # it is another arm
        return figure


def sentences(answers: Sequence[StepAnswer]) -> str:
    """Return the answer for all of these steps, which are of one activation, strategy and verdict."""
    first = answers[0]
    if first.arm is first.free:  # nothing but the reference and the limit was measured
        limit = _limit(answers)
        return f"{_where(answers)}: {limit[0].lower()}{limit[1:]}."
    formula = f", {OP_BY_OP}," if is_op_by_op(first.arm.case) else ""
    effect = f"{_where(answers)}: {keeping(first.arm.case.strategy)}{formula} {_effect(answers)}"
    further = (_beside_reference(answers), _bytes(answers), _limit(answers))
    return " ".join(f"{sentence}." for sentence in (effect, *further) if sentence)


def _where(answers: Sequence[StepAnswer]) -> str:
    cases = [answer.arm.case for answer in answers]
    networks = [*dict.fromkeys(str(case.op) for case in cases)]
    named = f"{networks[0]} to {networks[-1]}" if len(networks) > MOST_NAMED else ", ".join(networks)
    batches = ", ".join(dict.fromkeys(count(case.size) for case in cases))
    backends = " and ".join(dict.fromkeys(case.backend for case in cases))
    steps = "a training step" if len(cases) == 1 else "training steps"
    return f"In {steps} of {named} (batch {batches}, {cases[0].dtype}, {backends}), {cases[0].activation}"


def _effect(answers: Sequence[StepAnswer]) -> str:
    """Return what the arm does to a step, beside what is shipped or else the reference."""
    first = answers[0]
    if not first.shipped:
        return f"{BESIDE_REFERENCE[first.verdict]}{_saved(answers)}"
    names = {answer.backend for answer in answers}
    shipped = f"what {first.backend if len(names) == 1 else 'the framework'} itself does (shipped)"
    figures = [(answer.backend, answer.figure(answer.arm)) for answer in answers]
    return f"{BESIDE_SHIPPED[first.verdict].format(shipped)}: {over_backends(figures, RATIO, 'times as fast')}"


def _saved(answers: Sequence[StepAnswer]) -> str:
    """Return the share of the reference's step that is saved, or that the arm costs."""
    gains = [(answer.backend, answer.arm.gain) for answer in answers if answer.arm.gain]
    return _saves_or_costs(gains, f"of the time of {answers[0].reference.case.strategy}'s step")


def _saves_or_costs(gains: Sequence[tuple[str, Interval]], step: str) -> str:
    """Return the share of a step that is saved, by backend, or that is lost where it is so with all of them."""
    costs = all(gain.value < 0 for _, gain in gains)
    figures = [(name, gain.negated() if costs else gain) for name, gain in gains]
    return f"{'costs' if costs else 'saves'} {over_backends(figures, SHARE, step)}"


def _beside_reference(answers: Sequence[StepAnswer]) -> str:
    """Return what the arm saves of the reference's step, where it is compared with what is shipped first."""
    first = answers[0]
    if not first.shipped:
        return ""
    too = ", too" if is_op_by_op(first.arm.case) else ""
    formula = f" ({OP_BY_OP}{too})" if is_op_by_op(first.reference.case) else ""
    return f"It {_saved(answers)}{formula}"


def _bytes(answers: Sequence[StepAnswer]) -> str:
    """Return how many more or fewer bytes arms keep than what they are compared with; "" where that was not counted.

    Nothing is said where a compiler decides what is kept.
    """
    backends = registry.known_backends(answer.backend for answer in answers)
    if any(backend.keeps_otherwise for backend in backends):
        return ""
    checks = [(answer.arm.check, answer.base.check) for answer in answers]
    counts = {(check.kept, base.kept) for check, base in checks if check and base and base.kept}
    if not counts:
        return ""
    compared = f"It keeps {_more_or_fewer([kept / base for kept, base in counts])} {answers[0].base.case.strategy}"
    if len(counts) > 1:
        return compared
    ((kept, base),) = counts
    return f"{compared} ({nbytes(kept)}{'' if kept == base else f' instead of {nbytes(base)}'})"


def _more_or_fewer(shares: Sequence[float]) -> str:
    """Return what shares of the bytes of something else are: ``50 % fewer bytes than``."""
    low, high = min(shares), max(shares)
    if low == high == 1:
        return "as many bytes as"
    if low < 1 < high:
        return f"{significant(low, 2)} to {significant(high, 2)} times as many bytes as"
    less, more = (
        significant(100 * abs(share - 1), 2) for share in sorted((low, high), key=lambda share: abs(share - 1))
    )
    return f"{less if less == more else f'{less} to {more}'} % {'more' if high > 1 else 'fewer'} bytes than"


def _limit(answers: Sequence[StepAnswer]) -> str:
    """Return what free, and with it any cheaper gradient, is worth; "" where that was not measured."""
    figures = [(answer.backend, answer.figure(answer.limit)) for answer in answers if answer.limit]
    if len(figures) < len(answers):
        return ""
    reference = answers[0].reference.case.strategy
    if answers[0].shipped:  # whose gradient is another program than that of the arms: free is no limit of it
        rate = over_backends(figures, RATIO, "times as fast as shipped")
        return f"A step that copies dy in place of dy g'(z) (free) is {rate}"
    if reference == CHECKPOINT or not all(answer.is_limited for answer in answers):  # checkpoint: a product as well
        share = _saves_or_costs(figures, f"of {reference}'s step")
        return f"A step that copies dy in place of dy g'(z) (free) {share}"
    steps = "of this step" if len(answers) == 1 else "of these steps"
    none = f"No cheaper gradient of {answers[0].arm.case.activation} can save more than"
    return f"{none} {over_backends(figures, SHARE, steps)} (free)"
