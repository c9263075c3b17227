"""One plan on every host of a Dask cluster: the client, which keeps what hosts send as it comes.

Every host has an ordinary run in the fleet's directory, which the client writes: a block is there as soon as its host
has finished it. A host, a scheduler or a client that is lost costs the block that was being measured, and nothing else.
"""

from __future__ import annotations

import pickle
import queue
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from actbench.api import fleet_limits
from actbench.api.dask_cluster import busy_workers, connect, workers_of
from actbench.api.fleet_files import FleetFiles, runs_in
from actbench.api.fleet_host import measure_here
from actbench.api.fleet_hosts import usable_hosts
from actbench.api.fleet_process import Ended, HostTask
from actbench.api.running import fail_for
from actbench.engine.requests import RunRequest
from actbench.engine.resuming import take_limits
from actbench.errors import BenchmarkError, InputError, NotComparableError, listed, printable
from actbench.host.environment import Environment
from actbench.model import shell
from actbench.model.events import CasesLeftOut, Failed, Measured, RoundDone
from actbench.model.plan import LeftOut, Plan
from actbench.report.numbers import counted
from actbench.report.publish import publish
from actbench.runs import archive
from actbench.runs.baseline import HOST
from actbench.runs.names import MEASUREMENTS, RUN
from actbench.runs.record import Record, Status
from actbench.runs.writer import Writer, create, foreign_files, reopen

POLL = 1.0
"""Seconds between looks at which hosts are still there."""

Kind = tuple[str, ...]
Tell = Callable[[str], object]


@dataclass(slots=True)
class FleetHost:
    """A host that measures."""

    label: str
    worker: str
    """The address of the Dask worker that does it."""
    future: Any = None
    writer: Writer | None = None
    """Of its run, until it has ended."""
    opened: ExitStack = field(default_factory=ExitStack)
    """What holds that run open."""
    record: Record | None = None
    """What its run was at the end."""
    ended: Ended | None = None

    @property
    def trouble(self) -> str:
        """What is missing of its run, and why; empty where nothing is."""
        if self.ended and self.ended.why:
            return self.ended.why
        try:
            if self.record:
                fail_for(self.record)
        except BenchmarkError as error:
            return str(error)
        return ""


@dataclass(slots=True)
class Fleet:
    """The hosts of a cluster, which all measure one plan."""

    directory: Path
    files: FleetFiles
    limits: RunRequest
    tell: Tell
    allow_different: bool
    kinds: bool
    """Whether one host of each kind is enough."""
    new: bool
    """Whether the directory has no fleet yet."""
    plan: Plan = field(init=False)
    """What every host measures."""
    topic: str = field(default_factory=lambda: f"actbench-{secrets.token_hex(8)}")

    def __post_init__(self) -> None:
        """Read the plan."""
        self.plan = self.files.decoded().plan

    def run(self, scheduler: str) -> None:
        """Measure on every host; return once all have ended.

        `InputError` where there is no scheduler, no worker or no Dask, `NotComparableError` where hosts were left out
        for their versions, `BenchmarkError` where one was lost or failed: the runs of all others are complete.
        """
        client = connect(scheduler)
        messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        with ExitStack() as stack:
            stack.callback(client.close)
            usable = usable_hosts(client, self.plan, self.tell, allow_different=self.allow_different)
            if self.new:
                self.files.keep(self.directory, self.limits, allow_different=self.allow_different)
            else:
                fleet_limits.keep(self.directory, self.limits, allow_different=self.allow_different)
            hosts, unassigned = self._assigned(usable.by_worker)
            left_out = [*usable.left_out, *unassigned]
            if not hosts:
                which = "one host of each kind" if self.kinds else "every host"
                all_of_it = "that can be used has measured" if left_out else "has measured"
                nothing = "" if left_out else ": nothing is missing"
                self.tell(f"{which} {all_of_it} all of the plan{nothing}")
            client.subscribe_topic(self.topic, lambda event: messages.put(event[1]))
            busy = busy_workers(client)
            by_label = {host.label: host for host in hosts}
            try:
                for host in hosts:
                    if host.worker in busy:
                        self.tell(f"{host.label}: waits, since its Dask worker is busy: is another fleet measuring?")
                    self._start(client, host)
                self._follow(client, by_label, messages)
            finally:
                client.cancel([host.future for host in hosts if host.future and not host.ended])
                for host in hosts:
                    self._close(host)
        failed = [f"{host.label}: {why}" for host in hosts if (why := host.trouble)]
        if failed:
            raise BenchmarkError(f"{listed(failed)}; what is finished is kept; {self.resuming('ADDRESS')} goes on")
        if left_out:
            raise NotComparableError(f"left out: {listed(left_out)}; the runs of all others are complete")

    def resuming(self, scheduler: str) -> str:
        """Return the command that goes on with the fleet, with the address of a scheduler."""
        flags = {"--kinds": self.kinds, "--allow-different": self.allow_different}
        words = ("actbench", "fleet", self.plan.command, "--resume", self.directory, "--scheduler", scheduler)
        return shell.command(*words, *(flag for flag, is_set in flags.items() if is_set))

    def _assigned(self, usable: Mapping[str, Environment]) -> tuple[list[FleetHost], list[str]]:
        """Return what each host does, go on with an unfinished run of its kind or begin one; and the runs left over."""
        runs = {path.name: archive.read_record(path) for path in runs_in(self.directory)}
        known = list(dict.fromkeys(_kind(record.environment) for record in runs.values()))
        open_runs = [name for name, record in runs.items() if _lacks_something(record)]
        complete = Counter(_kind(record.environment) for record in runs.values() if not _lacks_something(record))
        names, hosts = {*runs}, []
        for address, there in usable.items():
            kind = _kind(there)
            if kind not in known:
                known.append(kind)
            fitting = [name for name in open_runs if _kind(runs[name].environment) == kind]
            if fitting and not (self.kinds and complete[kind]):
                open_runs.remove(fitting[0])
                hosts.append(FleetHost(fitting[0], address))
                complete[kind] += self.kinds
            elif complete[kind]:
                complete[kind] -= not self.kinds
            else:
                number = known.index(kind) + 1
                label = next(name for n in range(1, 10**6) if (name := f"kind{number}-host{n}") not in names)
                names.add(label)
                _require_room(self.directory / label)
                hosts.append(FleetHost(label, address))
                complete[kind] += self.kinds
        served = {kind for kind, count in complete.items() if self.kinds and count}
        missing = [name for name in open_runs if _kind(runs[name].environment) not in served]
        return hosts, [f"{name} (no host of its kind is free)" for name in missing]

    def _start(self, client: Any, host: FleetHost) -> None:
        """Give a host its work."""
        written: dict[str, bytes] = {}
        place = self.directory / host.label
        if (place / RUN).exists():
            host.writer = host.opened.enter_context(reopen(place))
            take_limits(host.writer.record, self.limits)
            for failure in host.writer.record.failures:
                self.tell(f"{host.label}: tries {failure.block} again, which failed: {failure.reason}")
            host.writer.save()
            written = {name: (place / name).read_bytes() for name in MEASUREMENTS if (place / name).exists()}
        task = HostTask(self.topic, host.label, self.files, self.limits, written)
        host.future = client.submit(
            measure_here, task, workers=[host.worker], allow_other_workers=False, pure=False, retries=0
        )

    def _follow(self, client: Any, hosts: Mapping[str, FleetHost], messages: queue.SimpleQueue[bytes]) -> None:
        """Write what hosts send, until all have ended or are lost."""
        silent = set[str]()
        while any(host.ended is None for host in hosts.values()):
            try:
                label, message = pickle.loads(messages.get(timeout=POLL))  # noqa: S301  # of our own workers
            except queue.Empty:
                self._notice_losses(client, hosts)
                silent = self._notice_silent_ends(hosts, silent)
            else:
                self._take(hosts[label], message)

    def _notice_losses(self, client: Any, hosts: Mapping[str, FleetHost]) -> None:
        there, why = set[str](), "the scheduler was lost"
        if client.status == "running":
            try:
                there, why = {*workers_of(client)}, "its Dask worker was lost"
            except OSError:
                return  # its status will say so
        for host in hosts.values():
            if host.ended is None and host.worker not in there:
                host.ended = Ended(Status.INTERRUPTED, 0.0, why)
                self.tell(f"{host.label}: {why}")

    def _notice_silent_ends(self, hosts: Mapping[str, FleetHost], before: set[str]) -> set[str]:
        """End hosts whose Dask tasks are over though they sent no end; return those which still have time to send it.

        `before` is what the last look returned: these have had a poll's time.
        """
        silent = set[str]()
        for label, host in hosts.items():
            if host.ended or host.future is None or not host.future.done():
                continue
            if label not in before:
                silent.add(label)
                continue
            error = host.future.exception()
            how = printable(f"failed: {type(error).__name__}: {error}") if error else "was given up"
            why = f"its Dask task {how}"
            host.ended = Ended(Status.INTERRUPTED, 0.0, why)
            self.tell(f"{label}: {why}")
        return silent

    def _take(self, host: FleetHost, message: Any) -> None:
        """Write an event of a host."""
        match message:
            case Record():
                if host.writer is None:
                    message.plan = replace(message.plan, inputs=self.plan.inputs)  # of the file, not of its copy
                    host.writer = host.opened.enter_context(create(self.directory / host.label, message))
                loaded = "".join(f", with {code.name} ({code.digest})" for code in message.loaded)
                self.tell(f"{host.label}: began{loaded}")
                planned = {item.case for item in self.plan.left_out}
                self._tell_left_out(host, [item for item in message.plan.left_out if item.case not in planned])
            case Ended():
                host.ended = message
                self._close(host)
                self.tell(f"{host.label}: {message.why or message.status}")
            case _ if host.writer is not None:
                if isinstance(message, Measured):
                    host.writer.times.add(message.times)
                host.writer.take(message)
                if isinstance(message, RoundDone):
                    self.tell(f"{host.label}: round {message.round}")
                elif isinstance(message, CasesLeftOut):
                    self._tell_left_out(host, message.left_out)
                elif isinstance(message, Failed):
                    self.tell(f"{host.label}: FAILED {message.failure.block}: {message.failure.reason}")

    def _tell_left_out(self, host: FleetHost, left_out: Sequence[LeftOut]) -> None:
        """Say which cases a host does not measure, by the reason."""
        for reason_of, count in Counter(item.reason for item in left_out).items():
            self.tell(f"{host.label}: {counted(count, 'case')} left out: {reason_of}")

    def _close(self, host: FleetHost) -> None:
        """Write the run of a host a last time, unless that was done."""
        if host.writer is None:
            return
        writer, ended = host.writer, host.ended or Ended(Status.INTERRUPTED, 0.0)
        host.writer, host.record = None, writer.record
        with host.opened:
            writer.close(ended.status, ended.seconds)
            if writer.unlinked:
                self.tell(f"{host.label}: {writer.unlinked}")
            publish(writer.directory, writer.record, writer.times)


def _require_room(place: Path) -> None:
    """Raise `InputError` where the run of a host is to begin and there is what is left of a run."""
    if left := foreign_files(place):
        raise InputError(
            f"{place} holds {left[0]} and no {RUN}: put that back, or remove the directory, and the host measures anew"
        )


def _lacks_something(record: Record) -> bool:
    """Return whether a run goes on: it is unfinished, or a block of it failed, which is tried again."""
    return record.status is not Status.COMPLETE or bool(record.failures)


def _kind(there: Environment) -> Kind:
    return tuple(str(getattr(there, name)) for name in HOST)
