from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actbench import plugins, registry
from actbench.errors import InputError
from actbench.registry import STRATEGIES
from tests.conftest import Actbench
from tests.support.selections import record, rows

HEAD = "from actbench.formula import Formulas, Piecewise, Strategy, activation, strategy\n"

SQUARE = """
@activation
def parabola(m):
    '''z^2'''
    def forward(z): return z * z
    def recompute(z): return 2.0 * z
    return Formulas(forward=forward, recompute=recompute)
"""

FUSED = """
@strategy("logistic")
def two_terms(m):
    '''keep y; 2 y - y - y y'''
    def derivative(y): return y * (1.0 - y)
    return Strategy(derivative, weaknesses=(SATURATES,))

from actbench.activations.logistic import SATURATES, logistic
"""

QUIET = """
from actbench.backends.numpy import Numpy
class Quiet(Numpy):
    name = "numpy-quiet"
    summary = "numpy, again"
    rank = 11
"""

EVERYTHING = HEAD + SQUARE + FUSED + QUIET

SELECTED = ("-a", "parabola,logistic", "-b", "numpy,numpy-quiet", "-d", "float64", "-n", "1000", "--seed", "1")


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """Leave the catalogues as they were, and hold every command to doing so itself."""
    before = [[*names] for names in (registry.activations(), registry.backends(), registry.strategies())]
    yield
    after = [[*names] for names in (registry.activations(), registry.backends(), registry.strategies())]
    plugins.unload()
    assert after == before


def write(text: str, name: str = "mine.py") -> None:
    Path(name).write_text(text)


def refused(actbench: Actbench, *arguments: str, code: int = 2) -> str:
    """Return the one line with which a command is refused."""
    result = actbench(*arguments)
    assert result.exit_code == code, result.output
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    return result.stderr.removeprefix("actbench: ").removesuffix("\n")


# What is loaded


def test_everything_that_a_file_declares_can_be_listed_run_shown_and_compared(actbench: Actbench) -> None:
    write(EVERYTHING)
    listed = actbench("list", "--load", "mine.py").stdout
    for name in ("parabola", "two-terms", "numpy-quiet", "keep y; 2 y - y - y y"):
        assert name in listed
    result = actbench("run", "--load", "mine.py", *SELECTED, "--rounds", "6", "-o", "here")
    assert result.exit_code == 0, result.stderr
    measured = {(row["activation"], row["strategy"], row["backend"]) for row in rows(Path("here/cases.csv"))}
    assert {("parabola", "recompute", "numpy-quiet"), ("logistic", "two-terms", "numpy")} <= measured
    assert "two-terms" in Path("here/summary.md").read_text()
    shown = actbench("show", "--load", "mine.py", "logistic/two-terms/numpy-quiet/backward/float64/10").stdout
    assert "return y * (1.0 - y)" in shown
    assert "keeps y: 8 bytes" in shown


def test_a_run_is_read_without_the_code_that_it_loaded(actbench: Actbench) -> None:
    write(EVERYTHING)
    actbench("run", "--load", "mine.py", *SELECTED, "--rounds", "6", "-o", "here")
    Path("mine.py").unlink()
    shutil.copytree("here", "there")
    for command in (
        ("compare", "here"),
        ("compare", "here", "--by", "backend"),
        ("compare", "here", "there"),
        ("export", "here", "--to", "bmf"),
        ("check", "here", "--baseline", "there"),
    ):
        result = actbench(*command)
        assert result.exit_code in {0, 3}, result.output
        assert "two-terms" in result.stdout or "backend" in command
    assert "logistic" in actbench("compare", "here", "--reference", "two-terms").stdout
    assert actbench("report", "here", "-o", "report.html").exit_code == 0
    assert "two-terms" in Path("report.html").read_text()


def test_strategies_stand_behind_the_built_in_ones(actbench: Actbench) -> None:
    write(EVERYTHING)
    names = [line.split()[0] for line in actbench("list", "strategies", "--load", "mine.py").stdout.splitlines()]
    assert names == [*STRATEGIES, "two-terms", "shipped"]
    cases = actbench("list", "cases", "--load", "mine.py", *SELECTED[:8]).stdout.splitlines()
    of_numpy = [case.split("/")[1] for case in cases if "logistic" in case and "/numpy/" in case]
    assert of_numpy == ["textbook", "recompute", "cached", "complement", "two-terms"]


@pytest.mark.parametrize("preset", ["smoke", "check", "default", pytest.param("full", marks=pytest.mark.exhaustive)])
def test_what_is_loaded_joins_the_presets(actbench: Actbench, preset: str) -> None:
    write(EVERYTHING)
    cases = actbench("list", "cases", "--load", "mine.py", "--preset", preset, "--filter", "*/numpy*").stdout
    assert {"parabola/recompute/numpy-quiet", "logistic/two-terms/numpy"} <= {
        "/".join(case.split("/")[:3]) for case in cases.splitlines()
    }
    assert "numpy-quiet" not in actbench("list", "cases", "--load", "mine.py", "--preset", "overhead").stdout


def test_nothing_is_loaded_that_was_not_asked_for(actbench: Actbench) -> None:
    write("raise SystemExit('loaded')", "activations.py")
    write(EVERYTHING)
    assert "parabola" not in actbench("list", "activations").stdout
    assert refused(actbench, "run", *SELECTED).startswith("unknown activation 'parabola'")


@pytest.mark.parametrize("place", ["actbench.toml", "pyproject.toml", "environment"])
def test_settings_cannot_load(actbench: Actbench, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    write(EVERYTHING)
    if place == "environment":
        monkeypatch.setenv("ACTBENCH_LOAD", "mine.py")
    else:
        table = "[tool.actbench.run]\n" if place == "pyproject.toml" else ""
        write(f'{table}load = "mine.py"\n', place)
    said = refused(actbench, "run", *SELECTED)
    assert "cannot be set, because it runs code" in said
    assert said.endswith("write --load yourself")


@pytest.mark.usefixtures("actbench")
def test_a_strategy_takes_the_parameters_of_its_activation() -> None:
    write(
        HEAD + "@strategy('elu')\ndef scaled(m, alpha=1.0):\n    def derivative(y):\n"
        "        return 1.0 if y > 0.0 else y + alpha\n    return derivative\n"
    )
    plugins.load("mine.py")
    rule = registry.activation("elu:alpha=0.5").formulas.strategies["scaled"].derivative
    assert callable(rule)
    assert rule(-0.25) == 0.25
    plugins.unload()


def test_what_a_file_prints_is_no_output_of_a_command(actbench: Actbench) -> None:
    write("print('hello')\n" + EVERYTHING)
    result = actbench("list", "activations", "--load", "mine.py")
    assert "hello" not in result.stdout
    assert "hello" in result.stderr


# What is recorded


def test_a_run_records_what_it_loaded(actbench: Actbench, tmp_path: Path) -> None:
    write(EVERYTHING)
    actbench("run", "--load", "mine.py", *SELECTED, "--rounds", "1", "-o", "here")
    (loaded,) = record(Path("here"))["loaded"]
    assert (loaded["kind"], loaded["name"]) == ("file", "mine.py")
    assert len(loaded["sha256"]) == 64
    actbench("run", "--load", str(tmp_path / "mine.py"), *SELECTED, "--rounds", "1", "-o", "there")
    (other,) = record(Path("there"))["loaded"]
    assert other == loaded | {"name": ".../mine.py"}
    assert str(tmp_path) not in Path("there/run.json").read_text()


def test_a_resume_loads_what_the_run_had(actbench: Actbench) -> None:
    write(EVERYTHING)
    actbench("run", "--load", "mine.py", *SELECTED, "--rounds", "1", "-o", "here")
    result = actbench("run", "--resume", "here", "--rounds", "2")
    assert result.exit_code == 0, result.stderr
    assert {row["rounds"] for row in rows(Path("here/cases.csv"))} == {"2"}


def test_a_resume_refuses_other_code(actbench: Actbench) -> None:
    write(EVERYTHING)
    actbench("run", "--load", "mine.py", *SELECTED, "--rounds", "1", "-o", "here")
    write(EVERYTHING + "\n")
    said = refused(actbench, "run", "--resume", "here", code=5)
    assert said.startswith("--resume here: mine.py is not the code that the run there had")
    Path("mine.py").unlink()
    assert refused(actbench, "run", "--resume", "here").startswith("--load mine.py: there is no such file")


def test_a_resume_of_a_file_with_a_full_path_asks_for_it(actbench: Actbench, tmp_path: Path) -> None:
    write(EVERYTHING)
    named = str(tmp_path / "mine.py")
    actbench("run", "--load", named, *SELECTED, "--rounds", "1", "-o", "here")
    assert "there is no such file" in refused(actbench, "run", "--resume", "here", "--rounds", "2")
    assert actbench("run", "--load", named, "--resume", "here", "--rounds", "2").exit_code == 0


# What is refused


def test_a_stored_run_is_checked_without_loading(actbench: Actbench) -> None:
    write(EVERYTHING)
    result = actbench("check", "latest", "--baseline", "latest", "--load", "mine.py")
    assert result.exit_code == 2
    assert "--load selects what --against measures: leave it out with --baseline" in result.stderr


# Packages


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Install a distribution that offers what a text declares."""

    def install(text: str = EVERYTHING, points: str = "[actbench.activations]\nmine = offered_module\n") -> Path:
        place = tmp_path / "site"
        info = place / "offered-1.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offered\nVersion: 1.5\n")
        (info / "RECORD").write_text("offered_module.py,,\n")
        (info / "entry_points.txt").write_text(points)
        (place / "offered_module.py").write_text(text)
        monkeypatch.syspath_prepend(place)
        return place

    yield install
    sys.modules.pop("offered_module", None)


def test_a_package_is_listed_without_being_imported_and_loaded_when_named(
    actbench: Actbench, installed: Callable[..., Path]
) -> None:
    installed()
    listed = actbench("list").stdout
    assert "parabola" not in listed
    assert "offered  1.5, not loaded by itself: add --load offered  [mine]" in listed
    result = actbench("run", "--load", "offered", *SELECTED, "--rounds", "1", "-o", "here")
    assert result.exit_code == 0, result.stderr
    (loaded,) = record(Path("here"))["loaded"]
    assert (loaded["kind"], loaded["name"], loaded["version"]) == ("package", "offered", "1.5")
    assert actbench("run", "--resume", "here", "--rounds", "2").exit_code == 0


def test_entry_points_may_name_what_they_offer_one_by_one(actbench: Actbench, installed: Callable[..., Path]) -> None:
    installed(
        points="[actbench.activations]\na = offered_module:parabola\n[actbench.backends]\nb = offered_module:Quiet\n"
    )
    assert "parabola" in actbench("list", "activations", "--load", "offered").stdout
    assert "numpy-quiet" in actbench("list", "backends", "--load", "offered").stdout
    assert "two-terms" not in actbench("list", "strategies", "--load", "offered").stdout


def test_a_package_that_raises_is_reported_with_its_entry_point(
    actbench: Actbench, installed: Callable[..., Path]
) -> None:
    installed("x = 1\nraise ValueError('no')\n")
    assert refused(actbench, "list", "--load", "offered") == (
        "--load offered: entry point mine (offered_module): line 2 raised ValueError: no: correct that line"
    )


def test_a_package_that_offers_nothing_is_refused(actbench: Actbench) -> None:
    assert "the package offers nothing" in refused(actbench, "list", "--load", "pytest")
    result = actbench("list", "packages")
    assert result.exit_code == 0


def test_the_same_code_is_loaded_once(actbench: Actbench) -> None:
    write(EVERYTHING)
    assert actbench("list", "--load", "mine.py", "--load", "mine.py").exit_code == 0


@pytest.mark.usefixtures("actbench")
def test_code_that_is_not_what_it_was_is_refused() -> None:
    write(EVERYTHING)
    with pytest.raises(InputError, match="changed since this run started"):
        plugins.load("mine.py", "0" * 64)


def test_json_stays_json_beside_a_file_that_prints(actbench: Actbench) -> None:
    write("print('hello')\n" + EVERYTHING)
    result = actbench(
        "accuracy", "--load", "mine.py", "-a", "parabola", "-b", "numpy", "--points", "10", "--format", "json", "-q"
    )
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)
