"""What frameworks keep, and what that costs, in sentences, a table, and JSON."""

from __future__ import annotations

from typing import Any

from actbench.analysis.framework_choices import ComparedFrameworks, FrameworkChoice
from actbench.analysis.recommendation import RaceEnd
from actbench.model.cases import Case
from actbench.report.kept_tensors import saved
from actbench.report.numbers import NO_FIGURE, change, counted, ratio
from actbench.report.table import Table

WHO = {
    "torch": "torch, eager",
    "torch-compile": "torch.compile's partitioner",
    "jax": "jax's default",
    "torch-cuda": "torch, eager, on the device",
    "torch-compile-cuda": "torch.compile's partitioner, on the device",
}
"""By backend, who chooses."""


IN_RACE = {
    RaceEnd.WINNER: "the fastest in the race",
    RaceEnd.TIES: "one of the fastest in the race",
    RaceEnd.OPEN: "ahead in the race, which is open",
}
"""What the one is that frameworks are compared with."""


def sentences(compared: ComparedFrameworks) -> list[str]:
    """Return a sentence for each framework, and for each that was not compared."""
    best = f"{_named(compared.best)}, {IN_RACE[compared.race]}"
    return [*(_sentence(one, best) for one in compared.frameworks), *compared.absent]


def tables(compared: ComparedFrameworks) -> list[Table]:
    """Return the table of all frameworks; none where no framework was compared."""
    if not compared.frameworks:
        return []
    rows = (
        (
            *(WHO[one.candidate.case.backend], saved(one.candidate, "bytes")),
            *(str(one.candidate.beside), str(one.candidate.kept - one.candidate.beside)),
            *(change(one.over_best), *_causes(one), one.candidate.ruled_out),
        )
        for one in compared.frameworks
    )
    return [
        Table(
            "What others keep",
            "Bytes per element from the forward to the backward pass: those that are kept for g' alone, and those that "
            "are alive anyway. Slower: time over that of "
            f"{_named(compared.best)}, {IN_RACE[compared.race]}, paired in {counted(compared.rounds, 'round')}. "
            "Choice: within the framework's backend, time of the strategy that keeps the same over that of the "
            "fastest of the others; negative where none of these is faster. Kernel: the framework's own activation "
            "over that strategy, which is a formula. The 95 % intervals hold for all of them together.",
            ("who chooses", "keeps", "kept for g'", "alive anyway", "slower", "choice", "kernel", ""),
            tuple(rows),
            labels=2,
        )
    ]


def rows(compared: ComparedFrameworks) -> list[dict[str, Any]]:
    """Return what programs read, an object for each framework."""
    return [
        {
            "backend": one.candidate.case.backend,
            "case": one.candidate.case.id,
            "keeps": list(one.candidate.keeps),
            "bytes_kept": one.candidate.kept,
            "bytes_for_gradient": one.candidate.beside,
            "time_over_best": one.over_best._asdict(),
            "best": compared.best.id,
            "rounds": compared.rounds,
            "same_strategy": one.choice.strategy if one.choice else None,
            "next_strategy": one.choice.rival if one.choice else None,
            "choice_over_next": one.choice.over_rival._asdict() if one.choice and one.choice.rival else None,
            "kernel_over_same_strategy": one.choice.kernel._asdict() if one.choice else None,
            "ruled_out": one.candidate.ruled_out or None,
        }
        for one in compared.frameworks
    ]


def _sentence(one: FrameworkChoice, best: str) -> str:
    backend, tensors = one.candidate.case.backend, saved(one.candidate, "bytes per element")
    keeps = f"keeps {tensors}, as {one.choice.strategy} does" if one.choice else f"keeps {tensors}, as no strategy does"
    over = f"Its own activation takes {ratio(one.over_best)} times as long as {best}"
    return f"{WHO[backend]}: {keeps}. {over}.{_because(one)}"


def _because(one: FrameworkChoice) -> str:
    """Say what the choice alone costs, and what is its kernel's."""
    if one.choice is None:
        return ""
    choice, backend = one.choice, one.candidate.case.backend
    times = ratio(choice.over_rival)
    if choice.rival is None:
        cost = f"the choice costs nothing, since {backend} executes no other strategy"
    elif choice.over_rival.low > 1:
        cost = (
            f"the choice costs a factor of {times}, the time of {choice.strategy} over that of {choice.rival}, as "
            f"{backend} executes both"
        )
    elif choice.over_rival.high > 1:
        cost = (
            f"no cost of the choice is shown: {choice.strategy} takes {times} times as long as {choice.rival}, the "
            f"next, as {backend} executes both"
        )
    else:
        cost = (
            f"the choice costs nothing, since no strategy was faster by these rounds: {choice.strategy} takes {times} "
            f"times as long as {choice.rival}, the next, as {backend} executes both"
        )
    kernel = f"its own kernel takes {ratio(choice.kernel)} times as long as the formula of {choice.strategy}"
    return f" Of that, {cost}; {kernel}."


def _causes(one: FrameworkChoice) -> tuple[str, str]:
    if one.choice is None:
        return NO_FIGURE, NO_FIGURE
    return change(one.choice.over_rival), change(one.choice.kernel)


def _named(case: Case) -> str:
    return f"{case.strategy} with {case.backend}"
