from __future__ import annotations

import csv
import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest

from actbench import __version__, registry
from actbench.analysis.interval import Interval
from actbench.cli.main import COMMANDS
from actbench.formula import Activation
from actbench.measure.checking import Verification, all_passing
from actbench.model.cases import Arm, Block
from actbench.model.checks import STATED_ULP
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from actbench.report.mathematics import signature
from actbench.report.numbers import plus_minus, ratio
from benchmarks import accuracy_table, figures, readme_tables, summaries
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.registered import register
from tests.support.tiers import EXHAUSTIVE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def interval(row: dict[str, str], *columns: str) -> Interval:
    """Return what three columns of a row say: estimate, low and high."""
    return Interval(*(float(row[column]) for column in columns))


def commands(text: str) -> list[str]:
    """Return the actbench command lines of the console blocks, without their prompts."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ actbench ")]


@pytest.mark.parametrize("backends", ["python,numpy", pytest.param("", marks=EXHAUSTIVE)])
def test_every_command_in_the_readme_runs_in_the_order_in_which_it_stands(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, backends: str
) -> None:
    """In the quick tier, the backends are these where none is named, and little is measured and evaluated."""
    monkeypatch.setenv("ACTBENCH_BACKEND", backends)
    if backends:
        monkeypatch.setenv("ACTBENCH_POINTS", "10")
        monkeypatch.setenv("ACTBENCH_BUDGET", "2m")
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", README, re.DOTALL):
        Path(name).write_text(code)
    lines = [line for line in commands(README) if not (backends and "--budget 10m" in line)]
    assert len(lines) > 8
    for line in lines:
        words = shlex.split(line.partition(" >")[0])[1:]
        result = actbench(*words)
        assert result.exit_code == 0, f"{line}: {result.output}"


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_every_make_target_that_is_named_exists(text: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"make ([a-z-]+)", text))
    assert named
    assert named <= targets


def test_the_readme_names_every_command_and_exit_code() -> None:
    for name in COMMANDS:
        assert f"actbench {name}" in README
    for code in ("0", "1", "2", "3", "4", "5", "130"):
        assert f"| {code} |" in README


def test_the_tables_in_the_readme_are_those_of_the_committed_runs() -> None:
    assert readme_tables.replaced(README) == README, "python -m benchmarks.readme_tables rewrites them"
    for run in readme_tables.TABLES:
        begin, end = readme_tables.marks(run)
        assert README.partition(begin)[2].partition(end)[0].count("\n") > 5


@pytest.mark.parametrize("name", summaries.RUNS)
def test_the_summaries_of_committed_runs_are_what_the_code_writes(name: str) -> None:
    assert (summaries.RESULTS / name / "summary.md").read_text(encoding="utf-8") == summaries.text(name), (
        "python -m benchmarks.summaries rewrites them"
    )


def test_the_table_of_a_gpu_in_the_readme_is_the_run_there() -> None:
    measured = {}
    with (ROOT / "results" / "cuda" / "cases.csv").open() as file:
        for row in csv.DictReader(file):
            if row["strategy"] == "recompute":
                seconds = interval(row, "seconds", "low", "high")
                measured[row["backend"]] = [plus_minus(seconds.scaled(1e9 / int(row["size"])))]
            elif row["strategy"] == "cached" and row["backend"] == "torch-compile-cuda":
                limit = plus_minus(interval(row, "copy_limit_pct", "copy_limit_low_pct", "copy_limit_high_pct"))
                assert f"at {limit} % of a copy's rate" in README
    with (ROOT / "results" / "cuda" / "speedups.csv").open() as file:
        for row in csv.DictReader(file):
            if row["reference_backend"] == row["candidate_backend"]:
                measured[row["candidate_backend"]].append(ratio(interval(row, "ratio", "low", "high")))
    cells = re.findall(r"^\| (torch[\w-]+) \| ([^|]*) \| ([^|]*) \|$", README, re.MULTILINE)
    assert {backend: texts for backend, *texts in cells} == measured
    assert len(measured) == 2


def test_the_table_of_what_is_lost_in_the_readme_is_that_of_the_reference() -> None:
    shown = README.partition(accuracy_table.BEGIN)[2].partition(accuracy_table.END)[0].splitlines()
    lines = [*accuracy_table.lines(ROOT / "results" / "reference" / "accuracy.csv")]
    assert shown[2:] == lines
    assert len(lines) > 15


def test_every_picture_in_the_readme_is_made_by_the_script_and_described() -> None:
    shown = re.findall(r"!\[(.+)\]\((.+)\)", README)
    names = {Path(path).name for _, path in shown}
    assert names <= {*figures.PICTURES, "progress.svg"}
    for words, path in shown:
        assert len(words) > 20
        text = (ROOT / path).read_text(encoding="utf-8")
        assert text.startswith("<svg")
        assert len(text) < 300_000
        assert "http" not in re.sub(r"http://www.w3.org/\S+|https://www.textualize.io\S*", "", text)


@pytest.fixture
def walked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Activation:
    """Follow the walk-through in CONTRIBUTING: put its one file where it belongs, as far as this process can see."""
    (code,) = re.findall(r"```python\n(.*?)```", CONTRIBUTING, re.DOTALL)
    assert len(code.splitlines()) <= 40
    path = tmp_path / "added.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("added", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "added", module)
    spec.loader.exec_module(module)
    (added,) = (value for value in vars(module).values() if isinstance(value, Activation))
    assert added.name not in registry.activations(), "it would show nothing"
    assert f"actbench/activations/{added.name}.py" in CONTRIBUTING
    register(monkeypatch, added)
    return added


def test_the_walk_through_in_contributing_adds_an_activation_that_the_oracle_accepts(
    walked_through: Activation, bench: FakeBench
) -> None:
    added = walked_through
    arms = tuple(
        Arm(Variant(strategy), backend) for strategy in added.strategies for backend in ("python", "numpy", "numba")
    )
    plan = Plan((Block(added.name, Op.STEP, Dtype.FLOAT64, 10, arms),), seed=0)
    checks = [event.check for event in all_passing(Verification(plan).check_kernels(bench.launch))]
    assert {check.kernel.strategy for check in checks} == {"recompute", "cached"}
    assert all(check.max_ulp <= STATED_ULP for check in checks if check.kernel.strategy == "recompute")


def test_what_the_walk_through_adds_is_listed_measured_and_shown(
    walked_through: Activation, actbench: Actbench
) -> None:
    name = walked_through.name
    assert f"{name} " in actbench("list", "activations").stdout
    done = actbench("run", "-a", name, "-b", "numpy", "-s", "recompute,cached", "-d", "float64", "-n", "1000")
    assert done.exit_code == 0, done.output
    assert name in actbench("compare", "latest").stdout
    assert walked_through.reference in actbench("show", f"{name}/cached/numpy/step/float64/10").stdout


def test_the_table_of_activations_in_the_readme_is_the_catalogue() -> None:
    catalogue = [
        [
            f"`{signature(activation)}`",
            activation.summary.replace("|", r"\|"),
            ", ".join(activation.strategies),
            enough(activation),
        ]
        for activation in registry.activations().values()
    ]
    _, _, table = README.partition("| activation | formula | strategies | is y enough? |\n|---|---|---|---|\n")
    lines = table.partition("\n\n")[0].splitlines()
    assert [re.split(r" (?<!\\)\| ", line.removeprefix("| ").removesuffix(" |")) for line in lines] == catalogue


def enough(activation: Activation) -> str:
    why = activation.formulas.uncached
    return "yes" if not why else why if activation.name == "identity" else f"no: {why}"


def test_the_changelog_knows_the_version_or_what_is_unreleased() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"[{__version__}]" in changelog or "[Unreleased]" in changelog


def test_nobody_is_told_to_install_somebody_elses_distribution() -> None:
    for text in (README, CONTRIBUTING):
        assert not re.search(r"pip install actbench(?!-derivatives)", text)
