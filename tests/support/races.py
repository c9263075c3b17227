"""What tests of ``actbench recommend`` share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from click.testing import Result

from actbench.model.cases import Case
from tests.support.fake import FakeBench

LOGISTIC = ("-a", "logistic", "-n", "1000", "--operands", "warm", "--op", "backward", "-q")

Seconds = Callable[[Case], float]

Recommend = Callable[..., Result]


def taking(**factors: float) -> Seconds:
    """Let strategies take so many times as long as the others, which all take the same."""
    return lambda case: 1e-6 * (0.1 if case.is_yardstick else factors.get(case.strategy, 1.0))


def undecided(bench: FakeBench) -> Seconds:
    """Let one of two be faster in every other round, which has a worker of its own, and all others slow."""

    def seconds(case: Case) -> float:
        turns = {"cached": bench.workers_started % 2, "complement": 1 - bench.workers_started % 2}
        return 1e-6 * (1 + turns.get(case.strategy, 2))

    return seconds


def unlike(bench: FakeBench, seconds: Seconds) -> Seconds:
    """Let a worker take a millionth longer than the one before it: no two rounds have the same times, as anywhere."""
    return lambda case: seconds(case) * (1 + 1e-6 * bench.workers_started)


def since(*changed: str) -> Callable[[Case], str]:
    """Return the digests of cases, of which these strategies have changed."""
    return lambda case: f"{case.strategy} as it {'is' if case.strategy in changed else 'was'}"


def one_loses(bench: FakeBench, loser: str, leader: str, factor: float) -> Seconds:
    """Let a strategy take so many times as long as the leader, which all others are ahead of in a third of rounds."""

    def seconds(case: Case) -> float:
        others = 1.5 if bench.workers_started % 3 or case.is_yardstick else 0.9
        return 1e-6 * {leader: 1.0, loser: factor}.get(case.strategy, others)

    return seconds


def unwrapped(result: Result) -> str:
    """Return the sentences of an answer, in one line."""
    return " ".join(result.stdout.partition("\n\n")[0].split())


def outcome(result: Result) -> dict[str, Any]:
    """Return what is recommended, of JSON."""
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer
