"""The answers for many training steps: a total, and alike answers as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actbench.model.variants import Variant
from actbench.report.answers import grouped
from actbench.report.numbers import counted, joined
from actbench.report.op_by_op import is_op_by_op
from actbench.report.training.sentences import LITTLE, StepAnswer, StepVerdict, sentences
from actbench.report.training.words import keeping


def totals(every: Sequence[StepAnswer]) -> Iterator[str]:
    """Count the steps by verdict, for each way to keep something."""

    def what(answer: StepAnswer) -> tuple[Variant, bool]:
        return answer.arm.case.strategy, answer.shipped is not None

    for (strategy, is_beside), of_strategy in grouped(every, what).items():
        verdicts = grouped(of_strategy, lambda answer: answer.verdict)
        words = {
            StepVerdict.SAVES: "saves time in {}",
            StepVerdict.COSTS: "costs time in {}",
            StepVerdict.IRRELEVANT: f"does not matter in {{}} ({LITTLE} of a step)",
            StepVerdict.UNDECIDED: "is undecided in {}",
        }
        parts = [text.format(len(verdicts[verdict])) for verdict, text in words.items() if verdict in verdicts]
        backends = joined([*dict.fromkeys(answer.backend for answer in of_strategy)])
        steps = f"{counted(len(of_strategy), 'training step')} with {backends}"
        beside = ", compared with what the framework ships," if is_beside else ""
        yield f"Of {steps}, {keeping(strategy)}{beside} {joined(parts)}."


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
            yield from map(sentences, parts)


def _step(answer: StepAnswer) -> tuple[str, int]:
    return str(answer.arm.case.op), answer.arm.case.size
