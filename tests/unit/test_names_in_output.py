"""Names of directories may hold anything: what is printed escapes them, and commands to enter quote them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from actbench.model import shell
from tests.conftest import Actbench
from tests.support.cluster import SCHEDULER, Cluster
from tests.support.fake import FakeBench
from tests.support.selections import SMALL

NAME = "a run\x07\n::error::of it"

ESCAPED = r"a run\x07\n::error::of it"

QUOTED = r"$'a run\007\012::error::of it'"

RACE = ("-a", "logistic", "-n", "1000", "--operands", "warm", "-q")


@pytest.fixture
def named(actbench: Actbench, two_runs: Path) -> Actbench:
    """A run in a directory with that name, another one, and below ``runs`` one with that name that is damaged."""
    shutil.copytree(two_runs / "run", NAME)
    shutil.copytree(two_runs / "other", "plain")
    shutil.copytree(two_runs / "other", "runs/plain")
    shutil.copytree(two_runs / "run", Path("runs", NAME))
    Path("runs", NAME, "values.csv").write_text("damaged")
    return actbench


@pytest.mark.parametrize(
    "command",
    [
        ("run", *SMALL, "--rounds", "1", "-o", "new"),
        ("run", "--resume", NAME, "--rounds", "8"),
        ("train", "--resume", NAME),
        ("compare", NAME, "plain"),
        ("compare", NAME, "plain", "runs/plain"),
        ("compare", "--by", "host", "runs"),
        ("history", "runs"),
        ("history", NAME, "plain", "--format", "markdown"),
        *(("check", "plain", "--baseline", NAME, "--format", form) for form in ("text", "github", "junit", "markdown")),
        *(("check", "plain", "--baseline", f"{NAME}/no", "--format", form) for form in ("text", "github", "junit")),
        ("check", NAME, "--against", "python3"),
        ("check", NAME),
        ("report", NAME),
        ("report", "plain", "-o", f"{NAME}.html"),
        ("merge", NAME, "plain"),
        ("export", f"{NAME}/no", "--to", "bmf"),
        ("plot", "speedup", NAME, "-o", f"{NAME}.csv"),
        ("init", f"{NAME}/new"),
        ("recommend", *RACE, "--from", NAME),
        ("recommend", "--all", *RACE, "-d", "float32", "--op", "step", "-o", f"{NAME}.table"),
        ("run", "-o", NAME),
        ("run", "--plan", NAME),
        ("run", "--load", f"{NAME}.py"),
        ("run", "--inputs", f"{NAME}.npy"),
        ("run", "--rounds", NAME),
        ("list", NAME),
    ],
    ids=lambda command: " ".join(word for word in command if NAME not in word),
)
def test_what_is_printed_escapes_them(named: Actbench, command: tuple[str, ...]) -> None:
    result = named(*[NAME if word == "new" and "run" in command else word for word in command])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.output
    assert "\x07" not in result.output
    assert "\n::error::of it" not in result.output


@pytest.mark.parametrize("name", ["plain", "a run", "it's", "$HOME", "a\nb", "caf\udce9", "\x1b[31m'\\", "-"])
def test_a_shell_reads_the_words_of_a_command(name: str) -> None:
    command = shell.command("printf", "%s", name)
    assert command.isprintable()
    bash = shutil.which("bash") or pytest.skip("there is no bash")
    assert subprocess.run([bash, "-c", command], capture_output=True, check=True).stdout == os.fsencode(name)


def test_the_command_that_goes_on_with_a_run_is_quoted(actbench: Actbench, bench: FakeBench) -> None:
    def on_time(_: object) -> None:
        if bench.workers_started == 4:
            raise KeyboardInterrupt

    bench.on_time = on_time
    result = actbench("run", *SMALL, "-o", NAME, "--rounds", "3")
    assert result.exit_code == 130
    assert f"interrupted: what is finished is kept; actbench run --resume {QUOTED} goes on\n" in result.stderr
    assert f"written to {ESCAPED}\n" in result.stderr
    refused = actbench("run", *SMALL, "-o", NAME)
    assert refused.stderr == (
        f"actbench: {ESCAPED} holds a run: go on with it (--resume {QUOTED}) or name another with -o\n"
    )


def test_the_command_that_compares_the_hosts_of_a_fleet_is_quoted(actbench: Actbench, cluster: Cluster) -> None:
    assert cluster.hosts
    result = actbench("fleet", "run", *SMALL, "--rounds", "6", *SCHEDULER, "-o", "our hosts")
    line = result.stderr.splitlines()[-1]
    assert line == "written to our hosts; actbench compare --by host 'our hosts' compares the hosts"
    assert "Speedups over hosts" in actbench(*shlex.split(line.split(" actbench ")[1])[:4]).stdout


def test_the_next_command_of_init_is_quoted(actbench: Actbench) -> None:
    result = actbench("init", "my benchmarks")
    assert "Next: actbench run --load 'my benchmarks/activations.py' -a symlog --preset smoke" in result.stdout
