"""`actbench.measure`: what ``actbench run`` does, from Python."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actbench.api import names as read
from actbench.api.loading import loaded
from actbench.api.names import Files, Names, Sizes
from actbench.api.running import RunKind, fail_for, worked
from actbench.api.sources import Activations, split
from actbench.api.wording import in_python, worded
from actbench.engine.preparing import PreparedRun, guaranteed_rounds, prepare
from actbench.engine.requests import RunRequest
from actbench.engine.resuming import resumed
from actbench.engine.session import Seams, Session
from actbench.errors import BenchmarkError, OptionsError
from actbench.model.inputs import Inputs
from actbench.planning import presets
from actbench.report.prediction import warning
from actbench.runs.bounds import LARGEST_SEED, MOST_ROUNDS
from actbench.runs.writer import fresh_directory

if TYPE_CHECKING:  # the command line needs neither data frames nor charts
    from actbench.api.opened import MeasuredRun


def _cautions(prepared: PreparedRun) -> Iterator[str]:
    """Say what of a request does not help."""
    if prepared.threads_are_unused:
        yield f"--threads {prepared.threads} changes nothing: no backend of this run uses several threads"
    if prepared.budget_is_limit and (text := warning(prepared.prediction())):
        yield text


RUN = RunKind(prepare, resumed, _cautions)
"""Runs of derivatives."""


def measure(  # noqa: PLR0913  # one for each option of actbench run
    activations: Activations = (),
    *,
    backends: Names = (),
    strategies: Names = (),
    sizes: Sizes = (),
    dtypes: Names = (),
    ops: Names = (),
    operands: Names = (),
    residual_dtypes: Names = (),
    pattern: str | None = None,
    preset: str | None = None,
    budget: float | str | None = None,
    target: float | str | None = None,
    rounds: int | None = None,
    seed: int | None = None,
    inputs: str | None = None,
    affinity: int | None = None,
    threads: int | None = None,
    timeout: float | str | None = None,
    max_call: float | str | None = None,
    load: Files = (),
    output: str | PathLike[str] | None = None,
    resume: str | PathLike[str] | None = None,
    strict: bool = False,
    quiet: bool = False,
) -> MeasuredRun:
    """Measure which strategy is faster, by how much and how surely, as ``actbench run`` does; return the run.

    `activations` are names, or what a notebook declares with `@activation`, `@strategy` or `@kernel`: its source is
    written into the run's directory, and loaded from there. Names take globs, and one text may hold several, with
    commas. `sizes` are numbers of elements, texts such as "64k", or shapes. `budget`, `timeout` and `max_call` are
    seconds, or texts such as "2m"; `target` is the half width of intervals in percent. `pattern` is a glob of case ids,
    as of ``--filter``. All others are the options of the command line, with underscores; ``--dry-run``, ``--engine``,
    ``--plan`` and ``--shard`` have none here. Progress is shown in one place, and cleared.

    An interrupt keeps what is finished, and is raised again; its message says how to open that, and how to go on.
    `InputError` for what cannot be used, `WrongKernelError` where a kernel is wrong and nothing is left, or the run is
    `strict`, and `BenchmarkError` where a benchmark failed: the others are in the run.
    """
    with worded():
        activation_names, declared = split(activations)
        options: dict[str, Any] = {
            "activations": activation_names,
            "backends": backends,
            "strategies": strategies,
            "dtypes": dtypes,
            "ops": ops,
            "operands": operands,
            "residual_dtypes": residual_dtypes,
        }
        selection = read.selection(pattern, read.sizes("sizes", sizes), options)
        preset, inputs = read.text("preset", preset, "deep"), read.text("inputs", inputs, "normal:0,3")
        named: dict[str, object] = {axis: getattr(selection, axis) or None for axis in (*options, "sizes")}
        named |= {"pattern": pattern, "preset": preset, "seed": seed}
        named |= {"inputs": inputs, "threads": threads, "max_call": max_call}
        request = RunRequest(
            preset=preset or presets.DEFAULT,
            selection=selection,
            rounds=read.whole("rounds", rounds, 1, MOST_ROUNDS),
            target=read.share("target", target),
            budget=read.seconds("budget", budget),
            seed=read.whole("seed", seed, 0, LARGEST_SEED),
            inputs=None if inputs is None else read.parsed("inputs", inputs, Inputs.parse),
            affinity=read.whole("affinity", affinity, 0),
            threads=read.whole("threads", threads, 1),
            timeout=read.seconds("timeout", timeout),
            max_call=read.seconds("max_call", max_call),
            named=frozenset(name for name, value in named.items() if value is not None),
        )
        if resume is not None and (output is not None or declared):
            raise OptionsError(
                "resume= goes on in a directory, with the code that it has: leave output= and functions out"
            )
        old = None if resume is None else read.path("resume", resume)
        new = None if output is None else read.path("output", output)
        directory = None if old else new or fresh_directory(request.preset)
        strict, quiet = read.flag("strict", strict), read.flag("quiet", quiet)
        with loaded(read.files("load", load), declared, directory, request.timeout):
            return _measured(request, directory, old, strict=strict, quiet=quiet)


def _measured(
    request: RunRequest, output: Path | None, resume: Path | None, *, strict: bool, quiet: bool
) -> MeasuredRun:
    seams = Seams()
    started = seams.clock()
    opened = RUN.opened(request, seams, output=output, resume=resume, caution=_caution)
    with opened as writer:
        rounds = guaranteed_rounds(writer.record.settings)
        session = Session(writer.record, writer.times, started, rounds, seams, strict)
        _, interrupted = worked(session, writer, quiet=quiet)
    if writer.unlinked:
        warnings.warn(writer.unlinked, stacklevel=3)
    directory = str(writer.directory)
    opens = f"actbench.open_run({directory!r}) opens it"
    if interrupted:
        raise KeyboardInterrupt(
            f"what is finished is kept: {opens}, and actbench.measure(resume={directory!r}) goes on"
        )
    try:
        fail_for(writer.record, with_reason=True)
    except BenchmarkError as error:
        raise BenchmarkError(f"{error}: {opens}") from None
    from actbench.api.opened import open_run

    return open_run(directory)


def _caution(text: str) -> None:
    warnings.warn(in_python(text), stacklevel=6)
