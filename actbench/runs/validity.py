"""Valid ranges of the numbers in a run, and valid names; anything else is damage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING

from actbench.model.calibration import Calibration
from actbench.model.cases import YARDSTICKS, Block
from actbench.model.checks import BANDS, Check
from actbench.model.kernel_copies import KERNEL_COPIES
from actbench.model.plan import LostRace
from actbench.runs.bounds import (
    HUGE,
    LARGEST_COUNT,
    LARGEST_SEED,
    LONGEST_RUN,
    LONGEST_SECONDS,
    MOST_ELEMENTS,
    MOST_ROUNDS,
    SHORTEST_SECONDS,
    TINY,
)

if TYPE_CHECKING:
    from actbench.host.environment import Environment
    from actbench.runs.record import Record

Number = tuple[str, float | None, float, float]
"""A field's name, its value, its minimum and its maximum; a value of None is always valid."""


def is_time(seconds: float) -> bool:
    """Return whether a number is within the range of a call's seconds."""
    return SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS


def shown(number: float) -> str:
    """Return a number as sentences have it; integers that no float can hold are infinite."""
    beyond = abs(number) > HUGE
    return f"{(inf if number > 0 else -inf) if beyond else number:g}"


def faults(record: Record) -> Iterator[str]:
    """Yield a sentence for each invalid field of a record."""
    yield from _texts(record)
    for name, value, least, most in _invalid(_numbers(record)):
        yield f"{name} is {shown(value)}, and can be {least:g} to {most:g}"
    yield from _times(record)
    if fault := record.plan.inputs.fault:
        yield f"plan.inputs cannot be drawn from: {fault}"
    yield from _blocks(record)
    yield from _checks(record)
    yield from _digests(record)


def _invalid(numbers: Iterable[Number]) -> Iterator[tuple[str, float, float, float]]:
    """Yield the invalid ones: of a hundred thousand valid numbers, whose names are then not needed."""
    for name, value, least, most in numbers:
        if value is not None and not least <= value <= most:
            yield name, value, least, most


def _numbers(record: Record) -> Iterator[Number]:
    settings = record.settings
    yield "settings.target", settings.target, TINY, 1
    yield "settings.budget", settings.budget, TINY, LONGEST_SECONDS
    yield "settings.rounds", settings.rounds, 1, MOST_ROUNDS
    yield "settings.arm_seconds", settings.arm_seconds, TINY, LONGEST_SECONDS
    yield "settings.timeout", settings.timeout, TINY, LONGEST_SECONDS
    yield "settings.threads", settings.threads, 1, LARGEST_COUNT
    yield "seconds", record.seconds, 0, LONGEST_RUN
    yield "rounds", record.rounds, 0, MOST_ROUNDS
    yield "repeats", record.repeats, 0, LARGEST_COUNT
    yield "saves", record.saves, 0, LARGEST_COUNT
    yield "plan.seed", record.plan.seed, 0, LARGEST_SEED
    yield from _of_host(record.environment)
    for index, block in enumerate(record.plan.blocks):
        yield f"plan.blocks[{index}].size", block.size, 1, MOST_ELEMENTS
    for index, check in enumerate(record.checks):
        for name, value, least, most in _invalid(_of_check(check)):
            yield f"checks[{index}].{name}", value, least, most
    for block_id, calibration in record.calibrations.items():
        for name, value, least, most in _invalid(_of_calibration(calibration)):
            yield f"calibrations['{block_id}'].{name}", value, least, most
    yield from _of_events(record)


def _of_events(record: Record) -> Iterator[Number]:
    for kind, failures in (("failures", record.failures), ("losses", record.losses)):
        for index, failure in enumerate(failures):
            yield f"{kind}[{index}].round", failure.round, 0, MOST_ROUNDS
    for index, left_out in enumerate(record.plan.left_out):
        if left_out.lost is not None:
            yield from _of_lost(f"plan.left_out[{index}].lost", left_out.lost)
    for block_id, rounds in record.digests.items():
        for number in rounds:
            yield f"a round in digests['{block_id}']", number, 1, MOST_ROUNDS


def _of_host(environment: Environment) -> Iterator[Number]:
    yield "environment.logical_cpus", environment.logical_cpus, 1, LARGEST_COUNT
    yield "environment.physical_cpus", environment.physical_cpus, 1, LARGEST_COUNT
    yield "environment.memory", environment.memory, 1, LARGEST_COUNT
    yield "environment.affinity", environment.affinity, 0, LARGEST_COUNT
    for name, size in environment.caches.items():
        yield f"environment.caches.{name}", size, 1, LARGEST_COUNT


def _of_lost(name: str, lost: LostRace) -> Iterator[Number]:
    yield f"{name}.rounds", lost.rounds, 1, MOST_ROUNDS
    yield from ((f"{name}.ratio[{index}]", ratio, TINY, HUGE) for index, ratio in enumerate(lost.ratio))
    for index, seconds in enumerate(lost.seconds):
        yield f"{name}.seconds[{index}]", seconds, SHORTEST_SECONDS, LONGEST_SECONDS


def _of_check(check: Check) -> Iterator[Number]:
    yield "ulp", check.ulp, 0, HUGE
    yield "worst_z", check.worst_z, -HUGE, HUGE
    yield "compile_seconds", check.compile_seconds, 0, LONGEST_SECONDS
    yield "digits", check.digits, -LARGEST_COUNT, LARGEST_COUNT
    yield "kept_bytes", check.kept_bytes, 0, LARGEST_COUNT
    yield "alive_bytes", check.alive_bytes, 0, LARGEST_COUNT
    yield "sampled", check.sampled, 0, LARGEST_COUNT
    yield "relative", check.relative, 0, HUGE
    yield "moved_bytes", check.moved_bytes, 0, LARGEST_COUNT
    for name, count in asdict(check.row_bytes).items() if check.row_bytes else ():
        yield f"row_bytes.{name}", count, 0, LARGEST_COUNT
    yield from _of_entries("by_band", check.by_band, 0, HUGE)
    if check.compiled is not None:
        yield "compiled.vector_bits", check.compiled.vector_bits, 0, LARGEST_COUNT
        yield "compiled.double_conversions", check.compiled.double_conversions, 0, LARGEST_COUNT


def _of_calibration(calibration: Calibration) -> Iterator[Number]:
    yield "slices", calibration.slices, 1, LARGEST_COUNT
    yield "round_seconds", calibration.round_seconds, 0, LONGEST_RUN
    yield from _of_entries("single", calibration.single, 0, len(calibration.loops) - 1)
    yield from _of_entries("loops", calibration.loops, 1, LARGEST_COUNT)
    yield from _of_entries("values", calibration.values, 1, LARGEST_COUNT)


def _of_entries(name: str, values: Sequence[float | None], least: float, most: float) -> Iterator[Number]:
    """Yield the invalid entries of a sequence."""
    for index, value in enumerate(values):
        if value is not None and not least <= value <= most:
            yield f"{name}[{index}]", value, least, most


def _times(record: Record) -> Iterator[str]:
    times = {"created": record.created} | ({"commit.date": record.commit.date} if record.commit else {})
    yield from (f"{name} is '{text}', and not a time" for name, text in times.items() if not is_date(text))


def is_date(text: str) -> bool:
    """Return whether a text is a date and time in ISO 8601."""
    try:
        datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return False
    return True


def _texts(record: Record) -> Iterator[str]:
    """Yield where names have unprintable characters: names are shown in tables, shells and HTML."""
    environment, plan = record.environment, record.plan
    one = ("cpu_model", "architecture", "kernel", "libc", "python", "actbench", "blas")
    texts: list[tuple[str, Iterable[str]]] = [
        *((f"environment.{name}", [getattr(environment, name)]) for name in one),
        *((f"environment.{name}", _both(getattr(environment, name))) for name in ("libraries", "variables", "devices")),
        ("environment.caches", environment.caches),
        ("settings.preset", [record.settings.preset]),
        ("plan.inputs", [plan.inputs.file]),
        ("commit", [record.commit.hash] if record.commit else []),
        ("id", [record.id]),
        *(("plan.left_out", (one.case, one.reason, one.lost.leader if one.lost else "")) for one in plan.left_out),
        *(("plan.blocks", _names(block)) for block in plan.blocks),
        *(("loaded", filter(None, (code.name, code.sha256, code.version))) for code in record.loaded),
        *(("loaded", (one.path, one.sha256)) for code in record.loaded for one in code.libraries),
        *(("checks", (*check.weaknesses, check.compiler or "")) for check in record.checks),
    ]
    for name, texts_of_field in texts:
        if not all(text.isprintable() for text in texts_of_field):
            yield f"a name or a version in it has characters that do not print, in {name}"


def _both(pairs: Mapping[str, str]) -> Iterator[str]:
    yield from pairs
    yield from pairs.values()


def _names(block: Block) -> Iterator[str]:
    yield block.activation
    yield from block.copies
    for arm in block.arms:
        yield arm.strategy
        yield arm.backend


def _block(name: str, block: Block) -> Iterator[str]:
    if not block.arms or len({*block.timed}) < len(block.timed) or YARDSTICKS & {a.strategy for a in block.arms}:
        yield f"plan.blocks: {name} has no arms, or one twice"
    if not 1 <= block.rows <= block.size or block.size % block.rows:
        yield f"plan.blocks: {name} has {block.rows} rows, and {block.size} elements are not as many in each"
    if not {*block.kernel_copies} <= KERNEL_COPIES.keys():
        yield f"plan.blocks: {name} has a copy of a kernel that is none of {', '.join(KERNEL_COPIES)}"
    if block.shape and block.shape.elements != block.size:
        yield f"plan.blocks: {name} has the shape {block.shape}, of {block.shape.elements} elements"


def _blocks(record: Record) -> Iterator[str]:
    blocks = {block.id: block for block in record.plan.blocks}
    if not blocks or len(blocks) < len(record.plan.blocks):
        yield "plan.blocks has none, or one twice"
    for name, block in blocks.items():
        yield from _block(name, block)
    blocks |= {block.id: block for block in record.plan.probes}
    for name, calibration in record.calibrations.items():
        if name not in blocks:
            yield f"calibrations has {name}, which is not in the plan"
            continue
        counts = {len(calibration.loops), len(calibration.values)}
        if counts != {len(blocks[name].timed)}:
            yield f"calibrations['{name}'] is not for as many arms as the block has"
    for kind, names in (
        ("failures", [failure.block for failure in record.failures]),
        ("losses", [failure.block for failure in record.losses]),
    ):
        yield from (f"{kind} has {name}, which is not in the plan" for name in names if name not in blocks)


def _checks(record: Record) -> Iterator[str]:
    times, known = Counter(check.kernel for check in record.checks), {*record.plan.kernels}
    for index, check in enumerate(record.checks):
        if check.kernel not in known or times[check.kernel] > 1:
            yield f"checks[{index}].kernel is not in the plan, or is checked twice"
        if len(check.by_band) not in {0, len(BANDS)}:
            yield f"checks[{index}].by_band has {len(check.by_band)} entries, and can have {len(BANDS)} or none"


def _digests(record: Record) -> Iterator[str]:
    yield from (f"digests has {name}, which was not calibrated" for name in record.digests.keys() - record.calibrations)
