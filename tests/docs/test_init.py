from __future__ import annotations

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from actbench.cli import init
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import rows
from tests.support.tiers import EXHAUSTIVE

SYMLOG = ("run", "--load", "activations.py", "-a", "symlog", "--preset", "smoke", "--rounds", "6")


def uncommented(text: str) -> str:
    """Return the starting file with its backend."""
    start, _, sketch = text.partition("# from actbench.backends import Bound")
    return start + re.sub(r"^# ?", "", f"# from actbench.backends import Bound{sketch}", flags=re.MULTILINE)


def test_the_files_work_as_they_are(actbench: Actbench) -> None:
    result = actbench("init")
    assert result.exit_code == 0, result.stderr
    written = [line.removeprefix("written: ") for line in result.stdout.splitlines() if line.startswith("written")]
    assert written == [name for name in init.TEMPLATES if Path(name).exists()]
    assert {"activations.py", "actbench.toml", ".github/workflows/actbench.yml"} <= {*written}
    assert "Next: actbench run --load activations.py -a symlog --preset smoke" in result.stdout
    assert "symlog" in actbench("list", "activations", "--load", "activations.py").stdout
    measured = actbench(*SYMLOG, "-o", "here")
    assert measured.exit_code == 0, measured.stderr
    assert {row["strategy"] for row in rows(Path("here/cases.csv"))} == {"recompute", "cached", "yardstick"}


EVERYWHERE = "python,numpy,numpy-quiet,numpy-blocked,numba,numba-simd"


@pytest.mark.parametrize(
    ("op", "dtype", "backends"),
    [
        ("derivative", "float64", "numpy,numpy-quiet,numba"),
        pytest.param("derivative", "float64", EVERYWHERE, marks=EXHAUSTIVE),
        pytest.param("step", "float32", EVERYWHERE, marks=EXHAUSTIVE),
    ],
)
def test_every_kernel_of_the_starting_file_is_right_everywhere(
    actbench: Actbench, op: str, dtype: str, backends: str
) -> None:
    actbench("init")
    Path("activations.py").write_text(uncommented(Path("activations.py").read_text()))
    chosen = ("-b", backends, "--op", op, "-d", dtype, "-n", "16", "--rounds", "1")
    for activation, strategies in (("symlog", "recompute,cached"), ("logistic", "from-cosh")):
        result = actbench(
            "run", "--load", "activations.py", "-a", activation, "-s", strategies, *chosen, "-o", activation
        )
        assert result.exit_code == 0, result.stderr
        assert "numpy-quiet" in {row["backend"] for row in rows(Path(activation, "cases.csv"))}


BACKWARD = ("-a", "logistic", "--op", "backward", "-n", "16", "--rounds", "1", "-o", "here")


@pytest.mark.skipif(not any(map(shutil.which, init.COMPILERS)), reason="there is no C compiler")
def test_the_kernel_in_c_is_compiled_by_its_line_and_measured(actbench: Actbench) -> None:
    line = next(line for line in actbench("init").stdout.splitlines() if line.startswith("The kernel in C"))
    command = line.partition("): ")[2]
    for name in ("c_kernel.py", "c_kernel.c"):
        assert command in Path(name).read_text()
    subprocess.run(command.split(), check=True)
    result = actbench("run", "--load", "c_kernel.py", "-b", "numpy", "-d", "float64", *BACKWARD)
    assert result.exit_code == 0, result.stderr
    assert {"recompute", "in-c"} <= {row["strategy"] for row in rows(Path("here/cases.csv"))}


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_the_kernel_over_tensors_is_measured(actbench: Actbench) -> None:
    actbench("init")
    result = actbench("run", "--load", "torch_kernel.py", "-b", "torch", *BACKWARD)
    assert result.exit_code == 0, result.stderr
    assert "not declared" not in result.stdout
    assert {"shipped", "from-exponential"} <= {row["strategy"] for row in rows(Path("here/cases.csv"))}


def test_what_needs_a_compiler_or_torch_is_left_out_without_it(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(init, "find_spec", lambda _: None)
    result = actbench("init")
    assert "left out: c_kernel.c: there is no C compiler (cc, gcc, clang)" in result.stdout
    assert "left out: torch_kernel.py: torch is not installed" in result.stdout
    assert not [*Path().glob("*_kernel*")]
    assert "The kernel in C" not in result.stdout


@pytest.mark.parametrize("name", ["activations.py", "actbench.toml", ".github/workflows/actbench.yml"])
def test_nothing_is_written_over_and_then_nothing_is_written(actbench: Actbench, name: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("# mine\n")
    result = actbench("init")
    assert result.exit_code == 2
    assert result.stderr == (
        f"actbench: {name} is there already, and nothing was written: move it, or name another directory\n"
    )
    assert Path(name).read_text() == "# mine\n"
    assert [str(path) for path in Path().rglob("*") if path.is_file()] == [name]


def test_another_directory_is_made_and_named_in_what_comes_next(actbench: Actbench) -> None:
    result = actbench("init", "a/b")
    assert result.exit_code == 0
    assert Path("a/b/activations.py").is_file()
    assert "actbench run --load a/b/activations.py" in result.stdout
    Path("file").write_text("")
    assert actbench("init", "file/under").exit_code == 2


def test_the_settings_are_accepted_as_they_stand_and_with_every_comment_removed(actbench: Actbench) -> None:
    actbench("init")
    assert actbench("list", "cases").exit_code == 0
    text = Path("actbench.toml").read_text()
    Path("actbench.toml").write_text(re.sub(r"^# (?=[a-z\"*/-]+ = )", "", text, flags=re.MULTILINE))
    assert Path("actbench.toml").read_text().count("\n# ") < text.count("\n# ") - 5
    result = actbench("list", "cases", "--load", "activations.py")
    assert result.exit_code == 0, result.stderr
    assert {case.split("/")[0] for case in result.stdout.splitlines()} == {"symlog"}


@pytest.mark.parametrize("backends", ["python,numpy", pytest.param("", marks=EXHAUSTIVE)])
def test_the_workflow_runs_what_there_is(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch, backends: str
) -> None:
    monkeypatch.setenv("ACTBENCH_BACKEND", backends)
    actbench("init")
    workflow: dict[Any, Any] = yaml.safe_load(Path(".github/workflows/actbench.yml").read_text())
    assert workflow[True] == "pull_request"  # YAML reads 'on' as a truth value
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert init.REQUIREMENT not in "".join(commands)
    assert "actbench-derivatives" in commands[0]
    _, run, check = commands
    assert actbench(*run.split()[1:]).exit_code == 0
    words = check.partition(" ||")[0].replace('"', "").replace("$GITHUB_BASE_REF", "main").split()[1:]
    result = actbench(*words)
    assert result.exit_code == 0, result.output
    assert "symlog" in result.stdout
    assert bench.opened == ["git:origin/main"]


def test_the_workflow_installs_the_actbench_that_wrote_it(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    class Installed:
        def read_text(self, name: str) -> str:
            assert name == "direct_url.json"
            return '{"url": "https://example.org/actbench", "vcs_info": {"vcs": "git", "commit_id": "abc"}}'

    monkeypatch.setattr("importlib.metadata.distribution", lambda _: Installed())
    result = actbench("init")
    assert "say there where else it is" not in result.stdout
    text = Path(".github/workflows/actbench.yml").read_text()
    assert '"actbench-derivatives @ git+https://example.org/actbench@abc"' in text
