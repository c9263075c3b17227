from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from actbench import __version__
from actbench.engine import client
from actbench.engine.launch import WorkerOptions
from actbench.engine.live.baseline import describe, opened
from actbench.host import software
from tests.support.environments import PACKAGES, TIMEOUT, altered, environment, script
from tests.support.tiers import EXHAUSTIVE

ISRU = '''
"""The inverse square root unit."""
from actbench.formula import Formulas, activation

@activation
def isru(m):
    """z / sqrt(1 + z^2)"""
    def forward(z):
        return z / m.sqrt(1.0 + z * z)
    def recompute(z):
        return (1.0 + z * z) ** -1.5
    return Formulas(forward=forward, recompute=recompute)
'''

DIES_IN_A_ROUND = """\
        if request.cases[0].endswith("/2000"):
            import pathlib
            prepared = pathlib.Path(__file__).with_name("prepared")
            if prepared.exists():
                os.kill(os.getpid(), 9)
            prepared.touch()
        self._block = None
"""
"""A worker that takes the block up while loops are calibrated, and dies of it in the first round."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


def test_an_environment_without_actbench_is_lent_this_one(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    result = check(environment(tmp_path / "environment", only_numpy))
    assert result.exit_code in {0, 3}, result.output
    assert "2 cases, margin 99 %: 2 " in result.stdout
    own = ", ".join(f"{name} {software.versions()[name]}" for name in software.OWN_LIBRARIES)
    assert f"\nnot there in the baseline, but needed by actbench here: {own}\n" in result.stdout
    assert result.stdout.count("numba") == 1, "what is not the project's is one line"
    assert "actbench:" not in result.stdout, "it is this one"


def test_an_environment_s_own_actbench_is_measured_where_it_has_one(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    altered_copy = altered(
        tmp_path,
        ("__init__.py", f'"{__version__}"', '"0.0.1"'),
        ("activations/isru.py", "", ISRU),
    )
    result = check(
        environment(tmp_path / "environment", altered_copy, only_numpy), "-a", "logistic,isru", "--format", "text"
    )
    assert result.exit_code == 3, result.output
    assert f"\nactbench: 0.0.1 in the baseline, {__version__} here\n" in result.stdout
    assert "isru/recompute/numpy/derivative/float64/1000 missing" in " ".join(result.stdout.split())


def test_a_wrong_kernel_of_the_baseline_is_refused_as_the_baseline_s(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    altered_copy = altered(tmp_path, ("activations/logistic.py", "return y * (1.0 - y)", "return y * (1.0 + y)"))
    result = check(environment(tmp_path / "environment", altered_copy, only_numpy))
    assert result.exit_code == 4
    (line,) = result.stderr.splitlines()
    assert line.startswith("actbench: in the baseline, logistic/cached/numpy/derivative/float64 is wrong: at z = ")


@EXHAUSTIVE
def test_a_wrong_kernel_here_is_refused_as_the_candidate_s(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered_copy = altered(tmp_path, ("activations/logistic.py", "return y * (1.0 - y)", "return y * (1.0 + y)"))
    monkeypatch.setattr(client, "PACKAGE_DIRECTORY", altered_copy / "actbench")
    monkeypatch.setattr(sys, "executable", str(environment(tmp_path / "here", only_numpy) / "bin/python"))
    result = check(environment(tmp_path / "environment", only_numpy))
    assert result.exit_code == 4
    assert result.stderr.startswith("actbench: in the candidate, logistic/cached/numpy/derivative/float64 is wrong")


@EXHAUSTIVE
def test_a_baseline_that_dies_in_a_round_is_named_and_the_others_go_on(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    altered_copy = altered(
        tmp_path,
        (
            "engine/working/worker.py",
            "        self._block = None\n        gc",
            f"{DIES_IN_A_ROUND}        gc",
        ),
    )
    result = check(
        environment(tmp_path / "environment", altered_copy, only_numpy), "-n", "1000,2000", "--budget", "90s"
    )
    assert result.exit_code == 4, result.output
    said = "logistic/derivative/float64/2000: the baseline was killed by SIGKILL"
    assert result.stderr == "actbench: failed: logistic/derivative/float64/2000 (see above)\n"
    assert "2 cases, margin 99 %: 2 " in result.stdout
    assert f"{said.replace(':', ' failed:')}\n" in result.stdout


def test_the_user_s_python_path_and_numba_s_cache_are_not_shared(
    tmp_path: Path, only_numpy: Path, caches: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = tmp_path / "seen"
    real = environment(tmp_path / "environment", only_numpy) / "bin" / "python"
    wrapped = script(tmp_path, f'#!/bin/sh\nenv > {dump}\nexec {real} "$@"\n')
    monkeypatch.setenv("PYTHONPATH", str(PACKAGES))
    monkeypatch.setenv("NUMBA_CACHE_DIR", "mine")
    with opened(str(wrapped)) as environment_there:
        worker = environment_there.start_with(())(WorkerOptions(None, TIMEOUT, "baseline"))
        versions = describe(worker, str(wrapped)).versions
        worker.close()
        variables = dict(line.split("=", 1) for line in dump.read_text().splitlines() if "=" in line)
        assert caches in Path(variables["NUMBA_CACHE_DIR"]).parents, "kept between checks"
    assert "PYTHONPATH" not in variables
    assert "numba" not in versions
    assert not list(temporary.iterdir())
