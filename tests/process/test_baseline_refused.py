"""Environments that cannot be measured."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from click.testing import Result

from actbench import __version__
from actbench.engine.protocol import PROTOCOL
from tests.support.environments import altered, environment, refusal, script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


def test_an_actbench_of_another_protocol_is_refused(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    altered_copy = altered(tmp_path, ("engine/protocol.py", f"PROTOCOL = {PROTOCOL}\n", "PROTOCOL = 99\n"))
    place = environment(tmp_path / "environment", altered_copy, only_numpy)
    assert refusal(check(place)) == (
        f"actbench: --against {place}: its actbench {__version__} speaks protocol 99 with workers, this one speaks "
        f"{PROTOCOL}: install one of the same protocol there"
    )


def test_an_actbench_that_cannot_describe_itself_is_refused(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    known = "        REQUESTS[cls.name] = cls\n"
    altered_copy = altered(tmp_path, ("engine/wire.py", known, f"        if cls.name != 'describe':\n    {known}"))
    place = environment(tmp_path / "environment", altered_copy, only_numpy)
    assert refusal(check(place)) == (
        f"actbench: --against {place}: its actbench cannot be measured by this one (the baseline raised KeyError: "
        "'describe'): install this version there"
    )


def test_another_package_of_the_name_is_refused(check: Callable[..., Result], tmp_path: Path, only_numpy: Path) -> None:
    (tmp_path / "others" / "actbench").mkdir(parents=True)
    (tmp_path / "others" / "actbench" / "__init__.py").touch()
    place = environment(tmp_path / "environment", tmp_path / "others", only_numpy)
    assert "its last words: ModuleNotFoundError: No module named 'actbench.engine'" in refusal(check(place))


def test_an_interpreter_without_numpy_is_refused(check: Callable[..., Result], tmp_path: Path) -> None:
    place = environment(tmp_path / "environment")
    assert refusal(check(place)) == (
        f"actbench: --against {place}: no worker can run there (in the baseline, it needs numpy, which is not "
        "installed): it takes Python 3.11 or newer with numpy"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\necho 'my last words' >&2\nexit 3\n", "the baseline exited with status 3; its last words: my last"),
        ("#!/bin/sh\ncat\n", "the baseline answered nonsense: "),
        ("#!/nowhere/python\n", "the baseline cannot be started: No such file or directory"),
        ("import sys\n", "the baseline cannot be started: Exec format error"),
    ],
    ids=["fails", "echoes", "interpreter gone", "no program"],
)
def test_a_program_that_is_no_python_is_refused(
    check: Callable[..., Result], tmp_path: Path, text: str, said: str
) -> None:
    path = script(tmp_path, text)
    assert refusal(check(path)).startswith(f"actbench: --against {path}: no worker can run there ({said}")


def test_an_interpreter_that_hangs_is_ended_with_all_it_started(check: Callable[..., Result], tmp_path: Path) -> None:
    path = script(tmp_path, f"#!/bin/sh\nsleep 1000 &\necho $! > {tmp_path / 'sleeping'}\nwait\n")
    limit = "the 0.5 s that a case may take (--timeout allows more), before it was ready: "
    assert f"the baseline took longer than {limit}" in refusal(check(path, "--timeout", "0.5s"))
    sleeping = int((tmp_path / "sleeping").read_text())
    for _ in range(100):
        if has_ended(sleeping):
            break
        time.sleep(0.05)
    assert has_ended(sleeping)


def has_ended(process: int) -> bool:
    """Say whether a process runs no more; one that nobody waits for stays as a zombie."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("name", ["nowhere", "./nowhere", "empty"])
def test_what_is_no_environment_is_refused(check: Callable[..., Result], name: str) -> None:
    Path("empty").mkdir()
    assert refusal(check(name)) == (
        f"actbench: --against {name}: there is no such interpreter: name a Python, the directory of a virtual "
        "environment, or git:REV"
    )
