"""Properties of the host that add noise to timings, and how to change them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from actbench.host.code_placement import CodePlacement


@dataclass(frozen=True, slots=True)
class HostProperty:
    """A property of the host: its state, whether that is good for measuring, and what to do if it is not."""

    subject: str
    state: str
    good: bool
    advice: str


def host_properties() -> Iterator[HostProperty]:
    """Yield the properties of this host that can be read."""
    load, _, _ = os.getloadavg()
    cpus = psutil.cpu_count() or 1
    of = "1 processor" if cpus == 1 else f"{cpus} processors"
    yield HostProperty("load", f"{load:.2f} on {of}", load < 0.5 * cpus, "stop other work while measuring")
    yield from _steal()
    flags = _read("/proc/cpuinfo").partition("flags")[2].partition("\n")[0].split()
    if flags:
        virtual = "hypervisor" in flags
        state = "virtual machine" if virtual else "bare metal"
        yield HostProperty(
            "virtualisation", state, not virtual, "neighbours take turns: trust ratios, not absolute times"
        )
    moved = CodePlacement().move()
    yield HostProperty(
        "code placement",
        "averaged" if moved else "fixed for as long as libraries stay in the page cache",
        moved,
        "calls of a microsecond may be off by up to 5 % in any environment: keep margins above, or measure on Linux",
    )
    if isolated := _read("/sys/devices/system/cpu/isolated"):
        yield HostProperty("isolated processors", isolated, good=True, advice="workers are pinned to one of them")
    for subject, path, wanted, advice in _SETTINGS:
        state = _chosen(_read(path))
        if state:
            yield HostProperty(subject, state, state in wanted, advice)


_SETTINGS: tuple[tuple[str, str, set[str], str], ...] = (
    (
        "frequency governor",
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        {"performance"},
        "cpupower frequency-set -g performance",
    ),
    ("turbo (no_turbo)", "/sys/devices/system/cpu/intel_pstate/no_turbo", {"1"}, "write 1 to intel_pstate/no_turbo"),
    ("turbo (boost)", "/sys/devices/system/cpu/cpufreq/boost", {"0"}, "write 0 to cpufreq/boost"),
    (
        "SMT siblings (smt/active)",
        "/sys/devices/system/cpu/smt/active",
        {"0"},
        "keep the sibling processor idle",
    ),
    (
        "transparent huge pages",
        "/sys/kernel/mm/transparent_hugepage/enabled",
        {"madvise", "never"},
        "huge pages come and go under 'always': choose madvise",
    ),
)
"""Subject, file, good states and advice of the kernel's settings."""


def stolen_seconds() -> tuple[float, float] | None:
    """Return stolen time and all processor time since boot, in seconds; None where the system does not report it."""
    times = psutil.cpu_times()
    stolen: float | None = getattr(times, "steal", None)  # Linux alone has it
    return None if stolen is None else (stolen, sum(times))


def stolen_share(before: tuple[float, float] | None) -> float | None:
    """Return the share of stolen time since `before`, from `stolen_seconds`; None where that is not known."""
    now = stolen_seconds()
    if before is None or now is None:
        return None
    return (now[0] - before[0]) / max(now[1] - before[1], 1e-9)


def _steal() -> Iterator[HostProperty]:
    share = stolen_share((0.0, 0.0))
    if share is not None:
        share *= 100
        yield HostProperty("stolen time", f"{share:.2f} % since boot", share < 0.1, "ask for a dedicated host")


def _chosen(text: str) -> str:
    """Return the current setting from the kernel's list, ``always [madvise] never``."""
    return text.partition("[")[2].partition("]")[0] if "[" in text else text


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
