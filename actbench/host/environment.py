"""The environment of a run: the host and its software, publishable, since it names no user, host or path."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path

import psutil

from actbench import __version__
from actbench.errors import InputError, NotComparableError, printable
from actbench.host import caches, memory, software
from actbench.host.variables import tuning
from actbench.model.loaded import Loaded
from actbench.model.public import public_text


@dataclass(frozen=True, slots=True)
class Environment:
    """A host and its software, as recorded with a run. Sizes in bytes."""

    cpu_model: str
    logical_cpus: int
    physical_cpus: int | None
    caches: dict[str, int]
    """Capacities of L1d, L2 and L3 of one processor."""
    memory: int
    """The machine's."""
    architecture: str
    kernel: str
    libc: str
    python: str
    actbench: str
    libraries: dict[str, str]
    variables: dict[str, str]
    """Tuning variables that were set, without those that contain a path."""
    affinity: int | None
    """The processor to which the workers are pinned."""
    devices: dict[str, str] = field(default_factory=dict)
    """By backend, the device in whose memory its operands lie, where that is not the processor's."""
    blas: str = ""
    """The library that numpy multiplies matrices by, with its version; empty where it is not known."""


def collect(
    affinity: int | None, environ: Mapping[str, str] = os.environ, further: tuple[str, ...] = ()
) -> Environment:
    """Return the environment here; `further` names distributions to record in addition to the usual ones."""
    return Environment(
        cpu_model=_cpu_model(),
        logical_cpus=psutil.cpu_count() or 1,
        physical_cpus=psutil.cpu_count(logical=False),
        caches=_caches(affinity or 0),
        memory=memory.machine(),
        architecture=platform.machine(),
        kernel=f"{platform.system()} {platform.release()}",
        libc=" ".join(platform.libc_ver()).strip(),
        python=software.python(),
        actbench=__version__,
        libraries=software.libraries((*software.LIBRARIES, *further)),
        variables={name: _readable(value) for name, value in tuning(environ).items() if os.sep not in value},
        affinity=affinity,
        blas=software.blas(),
    )


def refuse_other(recorded: Environment, here: Environment) -> None:
    """Raise `NotComparableError`, naming the first difference, unless both are the same host and software."""
    if differing := difference(recorded, here):
        name, before, now = differing
        raise NotComparableError(f"the run cannot go on here ({name}: {before} then, {now} now); start a new run")


def difference(recorded: Environment, here: Environment) -> tuple[str, str, str] | None:
    """Return the first difference of two hosts and their software: its name and both values; None where there is none.

    Two hosts of a kind are the same host here: they cannot be told apart.
    """
    for name in (recordable.name for recordable in fields(Environment)):
        if name in {"affinity", "memory"}:
            continue
        before, now = getattr(recorded, name), getattr(here, name)
        if before != now and not (name == "blas" and not before):  # earlier runs do not have it
            return name.replace("_", " "), _shown(before), _shown(now)
    return None


def last_level_cache(cpu: int | None) -> int:
    """Return the bytes of a processor's last-level cache, measured where the system's word is not credible."""
    return caches.last_level(_caches(cpu or 0), memory.usable())


def plausible_cache(cpu: int | None) -> int:
    """Return the bytes of a processor's last-level cache, without measuring it."""
    return caches.plausible(_caches(cpu or 0))


def choose_cpu(wanted: int | None) -> int | None:
    """Return the processor to pin workers to: `wanted`, else an isolated one, else the last one allowed.

    The last, since interrupts usually go to the first. None where the system cannot pin (macOS). `InputError` when
    `wanted` is not allowed.
    """
    if not hasattr(os, "sched_getaffinity"):
        if wanted is not None:
            raise InputError("--affinity: this system cannot pin a process to a processor; leave the option out")
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if wanted is not None and wanted not in allowed:
        listed = f"processor{'s' if len(allowed) > 1 else ''} {', '.join(map(str, allowed))}"
        raise InputError(f"--affinity {wanted}: this process may run on {listed}: name one of these, or leave it out")
    if wanted is not None:
        return wanted
    isolated = [cpu for cpu in _cpu_list(_read("/sys/devices/system/cpu/isolated")) if cpu in allowed]
    return (isolated or allowed)[-1]


def neighbours(cpu: int) -> list[int]:
    """Return the allowed processors on other cores that share the last-level cache with this one, as far as known."""
    here = Path(f"/sys/devices/system/cpu/cpu{cpu}")
    last = max(here.glob("cache/index*"), default=here)
    near, core = (_cpu_list(_read(path)) for path in (last / "shared_cpu_list", here / "topology/thread_siblings_list"))
    return sorted({*near} & os.sched_getaffinity(0) - {*core, cpu}) if core else []


def choose_threads(wanted: int | None) -> int:
    """Return the number of threads for parallel backends: `wanted`, else the number of processors allowed.

    `InputError` for more threads than processors: they would take turns.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else psutil.cpu_count() or 1
    if wanted is not None and wanted > allowed:
        processors = "1 processor" if allowed == 1 else f"{allowed} processors"
        raise InputError(f"--threads {wanted}: this process may run on {processors}: ask for at most as many threads")
    return wanted or allowed


def public_metadata(metadata: Mapping[str, str | float]) -> dict[str, str | float]:
    """Return the part of pyperf's metadata that names no user, host or path."""
    return {key: value for key, value in metadata.items() if key in PUBLIC}


def public_code(loaded: Iterable[Loaded]) -> list[Loaded]:
    """Return the user's code as it is recorded: by name and digest, without directories, which may name a user."""
    return [
        replace(
            code,
            name=public_text(code.name),
            libraries=tuple(replace(library, path=public_text(library.path)) for library in code.libraries),
        )
        for code in loaded
    ]


def process_metadata() -> dict[str, str | float]:
    """Return the publishable metadata that pyperf collects of this process and host, now."""
    import pyperf  # what only reads runs need not wait for it

    return public_metadata(pyperf.Run([1.0]).get_metadata())


@cache
def _cpu_model() -> str:
    """Return the processor's name: pyperf reads the files of every processor for it, with all else that it collects."""
    return str(process_metadata().get("cpu_model_name", platform.processor() or "unknown"))


PUBLIC = frozenset(
    {
        *("aslr", "cpu_affinity", "cpu_config", "cpu_count", "cpu_freq", "cpu_model_name"),
        *("date", "load_avg_1min", "perf_version", "platform", "runnable_threads", "timer"),
        *("python_compiler", "python_implementation", "python_version"),
    }
)
"""The keys of pyperf's metadata that are publishable."""


def _caches(cpu: int) -> dict[str, int]:
    capacities = {}
    for index in sorted(Path(f"/sys/devices/system/cpu/cpu{cpu}/cache").glob("index*")):
        kind, level, size = (_read(index / name) for name in ("type", "level", "size"))
        if kind in {"Data", "Unified"} and size.endswith("K"):
            capacities[f"L{level}d" if kind == "Data" else f"L{level}"] = 1024 * int(size[:-1])
    return capacities


def _cpu_list(text: str) -> list[int]:
    """Read the kernel's list format, ``0,2-4``."""
    spans = [part.split("-") for part in text.split(",") if part]
    return [cpu for span in spans for cpu in range(int(span[0]), int(span[-1]) + 1)]


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _readable(value: str) -> str:
    """Return a variable's value with an escape for each byte that is not UTF-8, and for what does not print."""
    return printable(os.fsencode(value).decode(errors="backslashreplace"))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items()) or "nothing"
    return str(value)
