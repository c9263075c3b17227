"""The hosts of a comparison: what their runs say of them, and which of them describe themselves alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from actbench.host.environment import Environment
from actbench.report import host
from actbench.report.numbers import counted, joined
from actbench.runs.baseline import facts_of, identity

FEW = 4
"""The number of hosts up to which all of them are named in a sentence."""


@dataclass(frozen=True, slots=True)
class NamedHost:
    """A host with the label that tables have, and the environments of its runs: one or more."""

    label: str
    environments: tuple[Environment, ...]

    @property
    def line(self) -> str:
        """What all of its runs say of the host and its software, in a line."""
        return ", ".join(text for text in self._parts[0] if all(text in parts for parts in self._parts))

    @property
    def facts(self) -> dict[str, str]:
        """What its runs say, by names for people; where they differ, with the number of runs."""
        return _over_runs([host.of(environment) for environment in self.environments], "unknown")

    @property
    def differences(self) -> list[str]:
        """The software, tuning variables and devices in which its runs differ, with their values."""
        facts = [
            facts_of(one) | {f"device of {backend}": device for backend, device in one.devices.items()}
            for one in self.environments
        ]
        differing = {name for name in set().union(*facts) if len({of_run.get(name) for of_run in facts}) > 1}
        return [f"{name} ({values})" for name, values in _over_runs(facts, "absent").items() if name in differing]

    @property
    def _parts(self) -> list[tuple[str, ...]]:
        return [host.parts(environment) for environment in self.environments]


def lines(hosts: Sequence[NamedHost]) -> list[str]:
    """Return a line for each host, then how the runs of one differ, and which hosts may be one."""
    pooled = [(one.label, one.differences) for one in hosts if one.differences]
    return [
        *(f"{one.label}: {counted(len(one.environments), 'run')}, {one.line}" for one in hosts),
        *(
            f"{label} pools runs that differ in {joined(differences)}: what that changes is in its figures and their "
            "intervals; compare the runs of one at a time to tell it apart"
            for label, differences in pooled
        ),
        *(
            f"{_named(labels)} describe themselves alike (CPU model, architecture, processors, caches) and may be one "
            "machine: what is shown of hosts, and of the next one, is then of its runs; --by kind pools these"
            for labels in _alike(hosts)
        ),
    ]


def _alike(hosts: Sequence[NamedHost]) -> list[list[str]]:
    """Return the labels of hosts that describe themselves alike, where there are several."""
    kinds: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for one in hosts:
        kinds.setdefault(identity(one.environments[0]), []).append(one.label)
    return [labels for labels in kinds.values() if len(labels) > 1]


def _named(labels: Sequence[str]) -> str:
    return joined(labels if len(labels) <= FEW else [*labels[: FEW - 1], f"{len(labels) - FEW + 1} more"])


def _over_runs(of_runs: Sequence[dict[str, str]], absent: str) -> dict[str, str]:
    """Return the facts of several runs: one value where they agree, else every value with its number of runs."""
    together = {}
    for name in dict.fromkeys(name for facts in of_runs for name in facts):
        values = Counter(facts.get(name, absent) for facts in of_runs)
        several = ", ".join(f"{value} in {counted(runs, 'run')}" for value, runs in values.items())
        together[name] = several if len(values) > 1 else next(iter(values))
    return together
