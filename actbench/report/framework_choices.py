"""What frameworks keep, and what that costs, in sentences, a table, and JSON."""

from __future__ import annotations

from typing import Any

from actbench.analysis.framework_choices import ComparedFrameworks, FrameworkChoice
from actbench.model.cases import Case
from actbench.report.kept_tensors import saved
from actbench.report.numbers import NO_FIGURE, change, counted
from actbench.report.table import Table

WHO = {
    "torch": "torch, eager",
    "torch-compile": "torch.compile's partitioner",
    "jax": "jax's default",
    "torch-cuda": "torch, eager, on the device",
    "torch-compile-cuda": "torch.compile's partitioner, on the device",
}
"""By backend, who chooses."""


def sentences(compared: ComparedFrameworks) -> list[str]:
    """Return a sentence for each framework, and for each that was not compared."""
    return [*(_sentence(one, compared.best) for one in compared.frameworks), *compared.absent]


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
            f"{_named(compared.best)}, the fastest that the race found, paired in {counted(compared.rounds, 'round')}. "
            "Choice: within the framework's backend, time of the strategy that keeps the same over that of the "
            "fastest strategy. Kernel: the framework's own activation over that strategy, which is a formula. "
            "The 95 % intervals hold for all of them together.",
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
            "fastest_strategy": one.choice.fastest if one.choice else None,
            "choice_over_fastest": one.choice.over_fastest._asdict() if one.choice else None,
            "kernel_over_same_strategy": one.choice.kernel._asdict() if one.choice else None,
            "ruled_out": one.candidate.ruled_out or None,
        }
        for one in compared.frameworks
    ]


def _sentence(one: FrameworkChoice, best: Case) -> str:
    backend, tensors = one.candidate.case.backend, saved(one.candidate, "bytes per element")
    keeps = f"keeps {tensors}, as {one.choice.strategy} does" if one.choice else f"keeps {tensors}, as no strategy does"
    over = f"Its own activation takes {change(one.over_best)} of time over {_named(best)}, the fastest in the race"
    return f"{WHO[backend]}: {keeps}. {over}.{_because(one)}"


def _because(one: FrameworkChoice) -> str:
    """Say what the choice alone costs, and what is its kernel's."""
    if one.choice is None:
        return ""
    choice, backend = one.choice, one.candidate.case.backend
    cost = (
        f"{choice.strategy} is the fastest strategy that {backend} executes, so that the choice costs nothing"
        if choice.strategy == choice.fastest
        else f"the choice costs {change(choice.over_fastest)}, {choice.strategy} over {choice.fastest} as {backend} "
        "executes both"
    )
    return f" Of that, {cost}; its own kernel takes {change(choice.kernel)} over the formula of {choice.strategy}."


def _causes(one: FrameworkChoice) -> tuple[str, str]:
    if one.choice is None:
        return NO_FIGURE, NO_FIGURE
    is_fastest = one.choice.strategy == one.choice.fastest
    return "fastest" if is_fastest else change(one.choice.over_fastest), change(one.choice.kernel)


def _named(case: Case) -> str:
    return f"{case.strategy} with {case.backend}"
