"""Which hosts of a cluster can measure a plan: those that have the versions of what it uses that the client has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from actbench import backends
from actbench.api.dask_cluster import workers_of
from actbench.api.fleet_host import describe, host_of
from actbench.errors import InputError, NotComparableError, listed
from actbench.host import environment, software
from actbench.host.environment import Environment
from actbench.kernels import resolution
from actbench.model.plan import Plan


@dataclass(frozen=True, slots=True)
class UsableHosts:
    """The hosts that can measure."""

    by_worker: dict[str, Environment] = field(default_factory=dict)
    """By the address of one Dask worker of each host, its environment."""
    left_out: list[str] = field(default_factory=list)
    """Those that cannot, each with the reason."""


def usable_hosts(client: Any, plan: Plan, tell: Callable[[str], object], *, allow_different: bool) -> UsableHosts:
    """Ask every host of a cluster what it has, and `tell` of those that cannot measure the plan.

    `allow_different` takes hosts of any versions. `InputError` where there is no worker, `NotComparableError` where no
    host can be used.
    """
    workers: dict[str, str] = {}
    for address in workers_of(client):
        workers.setdefault(host_of(address), address)
    if not workers:
        raise InputError("the cluster has no worker: start one on every host with 'dask worker ADDRESS'")
    optional = backends.libraries(resolution.backends(plan.cases))
    here, hosts = environment.collect(None, further=optional), UsableHosts()
    answers = client.run(describe, optional, workers=[*workers.values()], on_error="return")
    for number, (address, answer) in enumerate(answers.items(), 1):
        failed = isinstance(answer, Exception)
        why = f"{type(answer).__name__}: {answer}" if failed else _unlike(here, answer, training=bool(plan.training))
        if why and (failed or not allow_different):
            hosts.left_out.append(f"host {number} of the cluster ({why})")
            way_out = "" if failed else "; --allow-different takes hosts of other versions"
            tell(f"{hosts.left_out[-1]} is left out{way_out}")
        else:
            hosts.by_worker[address] = answer
    if not hosts.by_worker:
        raise NotComparableError(f"no host can be used: {listed(hosts.left_out)}")
    return hosts


def _unlike(here: Environment, there: Environment, *, training: bool) -> str:
    """Return the versions that differ from those of the client; empty where none does.

    Libraries of optional backends may be absent: the host leaves their cases out. Products of training steps are those
    of numpy's BLAS.
    """
    mine, theirs = (_versions(one, training=training) for one in (here, there))
    differing = [name for name in dict.fromkeys([*mine, *theirs]) if mine.get(name) != theirs.get(name)]
    needed = [name for name in differing if name in software.LIBRARIES or (name in mine and name in theirs)]
    return ", ".join(f"{name} {theirs.get(name, 'absent')}, here {mine.get(name, 'absent')}" for name in needed)


def _versions(one: Environment, *, training: bool) -> dict[str, str]:
    blas = {"BLAS": one.blas} if training and one.blas else {}
    return {"actbench": one.actbench, "python": one.python} | one.libraries | blas
