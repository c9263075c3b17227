from __future__ import annotations

import contextlib
import gc
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import settings

from actbench.cli import configuration, main
from actbench.engine import calibration
from actbench.engine.races import candidates
from actbench.engine.survey import search
from actbench.host import environment, speed, variables
from actbench.model.cases import Case
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.remembered import remember, remember_truths
from tests.support.selections import SMALL, TWO_BLOCKS, edit
from tests.support.tiers import QUICK, Collected, Share

QUICK_EXAMPLES = 20
"""Of hypothesis, in the quick tier; exhaustive tests are run with its usual hundred."""

COLLECTED_AT = 10_000
"""Number of new objects after which garbage is collected: after 700, as Python has it, that takes 3 % of the time."""

pytest.register_assert_rewrite("tests.support.exports", "tests.support.settings")

Actbench = Callable[..., Result]

SLICE_SECONDS = 10 * calibration.SLICE_SECONDS
"""Exact times are alike, and a tenth of the values shows as much: a slice takes ten times as long as elsewhere."""


LAST_LEVEL_CACHE = 32 << 20
"""Bytes."""

SEARCHED = 1 << 10
"""Number of z at which a recommendation looks for errors first, and inward of where 1 % is exceeded."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --share."""
    parser.addoption("--share", metavar="K/N", help="only the K-th of N parts of the tests")


def pytest_configure(config: pytest.Config) -> None:
    """Let exhaustive tests be made only where they may be run, and examples drawn by the tier."""
    Collected.exhaustive = config.option.markexpr != QUICK
    examples = settings().max_examples if Collected.exhaustive else QUICK_EXAMPLES
    settings.register_profile("actbench", deadline=None, max_examples=examples)  # compiling takes what the host lets it
    settings.load_profile("actbench")


def pytest_report_header(config: pytest.Config) -> str:
    """Say which tests are run, and so how to run the same again."""
    return f"-m '{config.option.markexpr}'" + (f" --share {config.option.share}" if config.option.share else "")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the share."""
    if config.option.share:
        share = Share.read(config.option.share)
        others = [item for item in items if not share.has(item.nodeid)]
        items[:] = [item for item in items if share.has(item.nodeid)]
        config.hook.pytest_deselected(items=others)


def pytest_collectstart() -> None:
    """Look for nothing to be freed until all tests are there: there is next to nothing."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the process: modules, and thousands of tests.

    It would look through all of them, time after time, which takes a third of the processor time of tests; even once
    takes half a second of every process.
    """
    gc.freeze()
    gc.set_threshold(COLLECTED_AT)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Let a file be written without a wait until the disk has it; tests of that set `os.fsync` themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_look_at_the_interpreter() -> Iterator[None]:
    """Let pyperf's metadata, which every run has twice, start the program ``file`` once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, "architecture", cache(platform.architecture))
        yield


@pytest.fixture(scope="session", autouse=True)
def known_cache() -> Iterator[None]:
    """Let the last-level cache be of a known size.

    Where the system's word on it is not credible, every command that plans cold operands would measure it, which takes
    a third of a second; on a loaded host it would then seem larger than the memory that is left for cold operands.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "last_level_cache", lambda _: LAST_LEVEL_CACHE)
        yield


@pytest.fixture(scope="session", autouse=True)
def short_searches() -> Iterator[None]:
    """Let errors be searched for at few z: hundreds of tests recommend something, and `Search` has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("COARSE", "FINE", "MANY_DRAWN"):
            patch.setattr(candidates, name, SEARCHED)
        patch.setattr(search, "INWARD_COUNT", SEARCHED)
        yield


@pytest.fixture(scope="session", autouse=True)
def truths_once() -> Iterator[None]:
    """Let mpmath evaluate a built-in definition once at each z: hundreds of tests hold kernels to the same numbers."""
    with pytest.MonkeyPatch.context() as patch:
        remember_truths(patch)
        yield


@pytest.fixture
def bench() -> FakeBench:
    """Exact times; a test may change how long what takes."""
    return FakeBench()


def without_settings(patch: pytest.MonkeyPatch) -> None:
    """Hide the variables of this environment that set options, or tune libraries."""
    settings = [name for name in os.environ if name.startswith(configuration.VARIABLE_PREFIX)]
    for name in (*variables.tuning(os.environ), *settings):
        patch.delenv(name)


@pytest.fixture
def actbench(bench: FakeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Actbench:
    """Run the command line in an empty directory, with exact times instead of a clock."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calibration, "SLICE_SECONDS", SLICE_SECONDS)
    monkeypatch.setattr(speed, "slowness", lambda: 1.0)
    remember(monkeypatch)
    without_settings(monkeypatch)

    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, list(arguments), obj=bench.seams, **options)

    return run


def uneven_seconds(case: Case) -> float:
    """Let keeping y be worth less for tanh than for the logistic."""
    return exact_seconds(case) * (2 if (case.activation, case.strategy) == ("tanh", "cached") else 1)


def run_in(directory: Path, *arguments: str, seconds: Callable[[Case], float] = uneven_seconds) -> None:
    """Run the command line in a directory, with exact times."""
    with contextlib.chdir(directory), pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "SLICE_SECONDS", SLICE_SECONDS)
        without_settings(patch)
        remember(patch)
        result = CliRunner().invoke(main, list(arguments), obj=FakeBench(seconds).seams)
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with two runs, ``run`` and ``other``, to be copied and not to be changed."""
    directory = tmp_path_factory.mktemp("runs")
    for name in ("run", "other"):
        chosen = ("-a", "logistic,tanh", "-b", "numpy,python", "-n", "1k,100k", "--rounds", "7", "-o", name)
        run_in(directory, "run", *chosen)
    return directory


@pytest.fixture(scope="session")
def small_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with two rounds of one block and of two: to be copied and not to be changed."""
    directory = tmp_path_factory.mktemp("small")
    run_in(directory, "run", *SMALL, "-o", "one", "--rounds", "2")
    run_in(directory, "run", *TWO_BLOCKS, "-o", "two", "--rounds", "2")
    return directory


@pytest.fixture
def one_block(actbench: Actbench, small_runs: Path) -> Path:
    """Two rounds of one block, in ``here``."""
    del actbench  # it has made an empty directory the current one
    return Path(shutil.copytree(small_runs / "one", "here")).resolve()


@pytest.fixture
def two_blocks(actbench: Actbench, small_runs: Path) -> Path:
    """Two rounds of two blocks, in ``here``."""
    del actbench
    return Path(shutil.copytree(small_runs / "two", "here")).resolve()


HOST = {
    "cpu_model": "Intel(R) Xeon(R) CPU @ 2.00GHz",
    "logical_cpus": 2,
    "memory": 16 * 2**30,
    "architecture": "x86_64",
    "kernel": "Linux 6.1.0-rc1",
    "python": "CPython 3.11.7",
    "libraries": {"numpy": "2.4.6", "numba": "0.68.1", "pyperf": "2.10.0"},
    "variables": {"OMP_NUM_THREADS": "1"},
}


def on_known_host(record: Any) -> None:
    """Let a run be of that host, and of a known time."""
    record["environment"].update(HOST)
    record["created"] = "2026-01-02T03:04:05+00:00"


@pytest.fixture(scope="session")
def run_on_known_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run to be copied and not to be changed."""
    directory = tmp_path_factory.mktemp("known_host")
    run_in(directory, "run", *SMALL, "-o", "here")
    edit(directory / "here", on_known_host)
    return directory / "here"


@pytest.fixture
def run(actbench: Actbench, run_on_known_host: Path) -> Path:
    """Six rounds of recompute and cached, 4000 and 1000 ns a call, on a known host."""
    del actbench
    return Path(shutil.copytree(run_on_known_host, "here"))
