"""Nothing in the files of a run names a user, a host or a path."""

from __future__ import annotations

import getpass
import json
import socket
import sys
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.selections import FILES, SMALL, names


@pytest.fixture
def run(one_block: Path) -> Path:
    """Two rounds of one block."""
    return one_block


def test_nothing_in_a_run_names_the_user_the_host_or_a_path(run: Path) -> None:
    texts = [socket.gethostname(), str(Path.home()), sys.executable, str(Path.cwd()), sys.prefix]
    user = getpass.getuser()
    texts += [user] if len(user) > 4 else []
    secrets = [text for text in texts if len(text) > 4]
    assert secrets
    assert names(run) == FILES
    for path in run.iterdir():
        leaked = [text for text in secrets if text in path.read_text()]
        assert not leaked, f"{path.name} names {leaked}"


def test_pyperf_s_metadata_of_the_machine_is_dropped(run: Path) -> None:
    text = (run / "pyperf.json").read_text()
    for key in ("hostname", "command", "python_executable", "user", "boot_time", "uptime", "python_hash_seed"):
        assert f'"{key}"' not in text


def test_a_tuning_variable_with_a_path_in_it_is_not_recorded(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(Path.cwd() / "secret-place"))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("AWS_SECRET", "hush-hush")
    actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    variables = json.loads(Path("here/run.json").read_text())["environment"]["variables"]
    assert variables == {"OMP_NUM_THREADS": "3"}
    assert not any("hush-hush" in path.read_text() for path in Path("here").iterdir())
