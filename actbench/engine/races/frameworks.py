"""What frameworks keep, measured beside the one that led in a race, in the same rounds.

Strategy ``shipped`` is what users of a framework run, and what it keeps is read from it: torch's autograd as it saves
tensors, torch.compile's partitioner as it compiles, jax as it traces. The strategies that the same backends execute run
beside it, so that what is kept can be told from the kernel that computes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from actbench import registry
from actbench.analysis.framework_choices import ComparedFrameworks, FrameworkBlock
from actbench.analysis.recommendation import Candidate, RaceEnd, Recommendation
from actbench.backends import Backend
from actbench.engine.launch import StartWorker
from actbench.engine.preparing import PreparedRun
from actbench.engine.races import recommending
from actbench.engine.races.comparing import ComparingFrameworks
from actbench.engine.requests import RecommendRequest
from actbench.engine.stopping import Stopping
from actbench.engine.training import PreparedTrain
from actbench.errors import BenchmarkError, InputError
from actbench.model.cases import Arm, Case
from actbench.model.plan import LeftOut
from actbench.model.times import Times
from actbench.model.training import RECOMPUTE, SHIPPED, TEXTBOOK
from actbench.model.variants import Variant
from actbench.runs.record import Record, Settings

FRAMEWORKS = ("torch", "torch-compile", "jax")
ON_DEVICE = ("torch-cuda", "torch-compile-cuda")
"""The backends that are asked: those of the processor, or those of the device that the race was on."""


@dataclass(frozen=True, slots=True)
class FrameworkContest:
    """A run that compares frameworks with the one that led in the race."""

    prepared: PreparedRun | PreparedTrain
    block: FrameworkBlock
    best: Candidate
    race: RaceEnd
    absent: tuple[str, ...]
    unexamined: tuple[LeftOut, ...]
    """The cases whose g' could not be looked at."""

    @property
    def left_out(self) -> list[LeftOut]:
        """The cases of the plan that are not needed for it, or failed."""
        needed = {self.block.best, *self.block.frameworks, *self.block.strategies}
        (block,) = self.prepared.plan.blocks
        left_out = {
            case.id: LeftOut(case.id, "no framework is compared with it")
            for case, arm in zip(block.cases, block.arms, strict=True)
            if arm not in needed
        }
        return [*(left_out | {one.case: one for one in self.unexamined}).values()]

    def compared(self, record: Record, times: Times, directory: Path) -> ComparedFrameworks:
        """Return what a run says in which something was timed; `BenchmarkError` where the fastest one was not."""
        (planned,), (block,) = self.prepared.plan.blocks, times.blocks
        reasons = {one.case: one.reason for one in record.plan.left_out}
        missing = {
            arm: reasons.get(case.id, "it was not timed")
            for case, arm in zip(planned.cases, planned.arms, strict=True)
            if arm not in block.arms
        }
        if self.block.best in missing:
            raise BenchmarkError(f"nothing was compared with what led in the race: {missing[self.block.best]}")
        frameworks = self.block.judged(block.arms, times.seconds(block))
        absent, rounds = self._absent(missing), len(times.rounds(block))
        return ComparedFrameworks(self.best.case, self.race, frameworks, absent, rounds, directory)

    def not_compared(self, record: Record) -> ComparedFrameworks:
        """Return what a run says by which no framework could be compared."""
        reasons = {one.case: one.reason for one in record.plan.left_out}
        (planned,) = self.prepared.plan.blocks
        missing = {
            arm: reasons[case.id] for case, arm in zip(planned.cases, planned.arms, strict=True) if case.id in reasons
        }
        return ComparedFrameworks(self.best.case, self.race, (), self._absent(missing), 0, None)

    def stopping(self, settings: Settings) -> ComparingFrameworks:
        """Return the rule that ends a run with these settings."""
        fewest = self.block.fewest_rounds
        return ComparingFrameworks(Stopping(settings.target, settings.budget, settings.rounds, fewest))

    def _absent(self, missing: Mapping[Arm, str]) -> tuple[str, ...]:
        reasons = {arm.backend: missing[arm] for arm in self.block.frameworks if arm in missing}
        return (*self.absent, *_sentences(reasons))


def obstacles(best: Case) -> dict[str, str | None]:
    """Return the frameworks that may be compared with what led, and why one cannot be here; None where it can."""
    names = ON_DEVICE if best.backend in ON_DEVICE else FRAMEWORKS
    return {name: _reason(registry.backends()[name], best.activation) for name in names}


def prepare(
    request: RecommendRequest, outcome: Recommendation, start_worker: StartWorker
) -> FrameworkContest | ComparedFrameworks:
    """Plan the run, on operands in the state that the race was in; where no framework can be compared, return why."""
    (activation,) = request.activations
    best, race = outcome.leader, outcome.outcome
    reasons = obstacles(best.case)
    here = [name for name, reason in reasons.items() if not reason]
    if not here:
        return ComparedFrameworks(best.case, race, (), _sentences(reasons), 0, None)
    strategies = (*map(Variant, registry.activation(activation).strategies), SHIPPED, best.case.strategy)
    beside = replace(
        request,
        backends=tuple(dict.fromkeys([best.case.backend, *here])),
        strategies=tuple(dict.fromkeys(strategies)),
        residual_dtypes=(),
        may_be_warm=False,
    )
    try:
        contest = recommending.prepare(beside, start_worker)
    except InputError as error:
        return ComparedFrameworks(best.case, race, (), (*_sentences(reasons), f"Not compared: {error}."), 0, None)
    (candidates,) = contest.candidates.values()
    by_arm = {one.arm: one for one in candidates}
    frameworks = tuple(arm for arm in by_arm if arm.strategy == SHIPPED and arm.backend in here)
    for name in {*here} - {arm.backend for arm in frameworks}:
        every = (*contest.unexamined, *contest.prepared.plan.left_out)
        of_backend = (one for one in every if f"/{name}/" in one.case)
        reasons[name] = min(of_backend, key=lambda one: f"/{SHIPPED}/" not in one.case).reason
    competing = (arm for arm, one in by_arm.items() if arm.backend in here and _competes(one, by_arm))
    block = FrameworkBlock(best.arm, frameworks, tuple(competing), by_arm)
    return FrameworkContest(contest.prepared, block, best, race, _sentences(reasons), contest.unexamined)


def _competes(one: Candidate, candidates: Mapping[Arm, Candidate]) -> bool:
    """Return whether a candidate is a strategy that a backend executes; of two that keep z, the textbook's is none."""
    is_textbook = one.case.strategy == TEXTBOOK and Arm(RECOMPUTE, one.case.backend) in candidates
    return one.case.strategy != SHIPPED and not one.ruled_out and not is_textbook


def _reason(backend: Backend, activation: str) -> str | None:
    """Return why a framework cannot be compared here; None where it can."""
    return backend.unavailable or backend.unshipped(activation)


def _sentences(reasons: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return a sentence for each reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        if reason:
            by_reason.setdefault(reason, []).append(name)
    return tuple(f"Not compared: {' and '.join(names)}, because {reason}." for reason, names in by_reason.items())
