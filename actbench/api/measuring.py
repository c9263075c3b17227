"""`actbench.measure`: what ``actbench run`` does, from Python."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any

from actbench import plugins
from actbench.api import names as read
from actbench.api.names import Files, Names, Sizes
from actbench.api.opened import MeasuredRun, open_run
from actbench.api.running import RunKind, fail_for, worked
from actbench.api.sources import Declaration, activation_of, source_of
from actbench.engine.preparing import PreparedRun, guaranteed_rounds, prepare
from actbench.engine.requests import RunRequest
from actbench.engine.resuming import resumed
from actbench.engine.session import Seams, Session
from actbench.errors import BenchmarkError, InputError, OptionsError
from actbench.model.inputs import Inputs
from actbench.report.prediction import warning
from actbench.runs import files
from actbench.runs.bounds import LARGEST_SEED, MOST_ROUNDS
from actbench.runs.names import LOADED_SOURCE
from actbench.runs.names import RUN as RECORD
from actbench.runs.writer import fresh_directory, is_replaceable

DEFAULT_PRESET = "default"


def _cautions(prepared: PreparedRun) -> Iterator[str]:
    """Say what of a request does not help."""
    if prepared.threads_are_unused:
        yield f"--threads {prepared.threads} changes nothing: no backend of this run uses several threads"
    if prepared.budget_is_limit and (text := warning(prepared.prediction())):
        yield text


RUN = RunKind(prepare, resumed, guaranteed_rounds, _cautions)
"""Runs of derivatives."""


def measure(  # noqa: PLR0913  # one for each option of actbench run
    activations: str | Iterable[str | Declaration] = (),
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
    seconds, or texts such as "2m"; `target` is the half width of intervals in percent. All others are the options of
    the command line, with underscores. Progress is shown in one place, and cleared.

    An interrupt keeps what is finished, and is raised again; its message says how to open that, and how to go on.
    `InputError` for what cannot be used, `WrongKernelError` where a kernel is wrong and nothing is left, or the run is
    `strict`, and `BenchmarkError` where a benchmark failed: the others are in the run.
    """
    activation_names, declared = _split(activations)
    options: dict[str, Any] = {
        "activations": activation_names,
        "backends": backends,
        "strategies": strategies,
        "dtypes": dtypes,
        "ops": ops,
        "operands": operands,
        "residual_dtypes": residual_dtypes,
    }
    selection = read.selection(pattern or "*", read.sizes(sizes), options)
    named = options | {"sizes": selection.sizes, "pattern": pattern, "preset": preset, "seed": seed}
    named |= {"inputs": inputs, "threads": threads, "max_call": max_call}
    request = RunRequest(
        preset=str(preset or DEFAULT_PRESET),
        selection=selection,
        rounds=read.whole("rounds", rounds, 1, MOST_ROUNDS),
        target=read.share(target),
        budget=read.seconds(budget),
        seed=read.whole("seed", seed, 0, LARGEST_SEED),
        inputs=None if inputs is None else Inputs.parse(str(inputs)),
        engine=None,
        affinity=read.whole("affinity", affinity, 0),
        threads=read.whole("threads", threads, 1),
        timeout=read.seconds(timeout),
        max_call=read.seconds(max_call),
        named=frozenset(name for name, value in named.items() if value not in (None, ())),
    )
    if resume is not None and (output is not None or declared):
        raise OptionsError("resume= goes on in a directory, with the code that it has: leave output= and functions out")
    directory = None if resume is not None else Path(output) if output else fresh_directory(request.preset)
    with _loaded(read.files(load), declared, directory, request.timeout):
        return _measured(request, directory, None if resume is None else Path(resume), strict=strict, quiet=quiet)


def _measured(
    request: RunRequest, output: Path | None, resume: Path | None, *, strict: bool, quiet: bool
) -> MeasuredRun:
    seams = Seams()
    started = seams.clock()
    opened = RUN.opened(request, seams, output=output, resume=resume, caution=_caution)
    with opened as writer:
        rounds = RUN.guaranteed_rounds(request)
        session = Session(writer.record, writer.times, started, rounds, seams, strict)
        _, interrupted = worked(session, writer, quiet=quiet)
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
    return open_run(directory)


def _caution(text: str) -> None:
    warnings.warn(text, stacklevel=6)


def _split(activations: str | Iterable[str | Declaration]) -> tuple[tuple[str, ...], list[Declaration]]:
    """Return the names of activations, and what is declared here."""
    if isinstance(activations, str):
        return read.names(activations), []
    items = [*activations] if isinstance(activations, Iterable) else [activations]
    declared: list[Any] = [item for item in items if not isinstance(item, str)]
    named = [item if isinstance(item, str) else activation_of(item) for item in items]
    return tuple(dict.fromkeys(read.names(named))), declared


@contextmanager
def _loaded(
    load: Sequence[str], declared: Sequence[Declaration], directory: Path | None, timeout: float | None
) -> Iterator[None]:
    """Load the user's own code meanwhile: files and packages, and what is declared, from a file in the directory."""
    written = _written(directory, source_of(declared)) if declared and directory else None
    try:
        if timeout:
            plugins.allow(timeout)
        for name in (*load, *([str(written)] if written else [])):
            plugins.load(name)
        yield
    finally:
        plugins.unload()
        if written and not (written.parent / RECORD).exists():
            written.unlink()
            with suppress(OSError):  # it has other files
                written.parent.rmdir()


def _written(directory: Path, source: str) -> Path:
    """Write the source into the directory of the run to be; `InputError` where that holds something else."""
    path = directory / LOADED_SOURCE
    if path.exists() and not is_replaceable(directory):
        raise InputError(f"{path} exists already: name another directory (output=)")
    directory.mkdir(parents=True, exist_ok=True)
    files.write(path, source)
    return path
