"""Two runs by groups of cases."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from actbench.model.cases import Case
from tests.conftest import Actbench, run_in
from tests.support.compared import NEW, OLD, figures, on_another_host
from tests.support.exact_times import exact_seconds
from tests.support.selections import TWO_BLOCKS


def now(case: Case) -> float:
    """Return what a call takes in the newer run."""
    factor = {1000: 0.5, 2000: 0.25}.get(case.size, 1.0) if case.strategy == "cached" else 1.0
    return factor * exact_seconds(case)


@pytest.fixture(scope="module")
def two_measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of two sizes and strategies; `cached` takes half the time now, and a quarter at 2000."""
    directory = tmp_path_factory.mktemp("grouped")
    run_in(directory, "run", *TWO_BLOCKS, "-o", OLD, seconds=exact_seconds)
    run_in(directory, "run", *TWO_BLOCKS, "-o", NEW, seconds=now)
    return directory


@pytest.fixture
def grouped(actbench: Actbench, two_measured: Path) -> Actbench:
    """Return the command line beside copies of both."""
    shutil.copytree(two_measured, Path.cwd(), symlinks=True, dirs_exist_ok=True)
    return actbench


@pytest.mark.parametrize(
    ("by", "means"),
    [
        ("strategy", {"recompute": 1.0, "cached": 8**0.5}),
        ("size", {"1000": 2**0.5, "2000": 2.0}),
        ("backend", {"numpy": 8**0.25}),
        ("dtype", {"float64": 8**0.25}),
        ("activation", {"logistic": 8**0.25}),
    ],
)
def test_a_group_has_the_geometric_mean_of_its_cases(grouped: Actbench, by: str, means: dict[str, float]) -> None:
    compared = figures(grouped, OLD, NEW, "--by", by)
    groups = {figure["name"]: figure for figure in compared if figure["by"] == by}
    assert list(groups) == list(means)
    for name, mean in means.items():
        expected = pytest.approx(mean)
        assert (groups[name]["ratio"], groups[name]["low"], groups[name]["high"]) == (expected, expected, expected)
        assert groups[name]["cases"] == 4 / len(means)


def test_groups_are_followed_by_the_mean_of_all_where_there_are_several(grouped: Actbench) -> None:
    (*_, last) = figures(grouped, OLD, NEW, "--by", "size")
    assert (last["by"], last["cases"], last["ratio"]) == ("all", 4, pytest.approx(8**0.25))
    assert [figure["by"] for figure in figures(grouped, OLD, NEW, "--by", "backend")] == ["backend"]


def test_a_table_of_groups_counts_their_cases(grouped: Actbench) -> None:
    shown = grouped("compare", OLD, NEW, "--by", "strategy", "--format", "markdown").stdout
    assert shown.startswith("**4 cases in both runs, 2 groups: 1 faster, 1 undecided**\n")
    assert "| strategy | finding | cases | baseline | candidate | ratio | of the time itself | rounds |\n" in shown
    assert "| cached | faster | 2 | 2.00 ± 0.00 | 0.707 ± 0.000 | 2.83 ± 0.00 | 2.83 ± 0.00 | 6, 6 |\n" in shown


def test_speedups_are_grouped_by_pairs_of_strategies_as_well(grouped: Actbench) -> None:
    on_another_host(OLD)
    compared = figures(grouped, OLD, NEW, "--by", "size")
    speedups = [(figure["name"], figure["ratio"]) for figure in compared if figure["figure"] == "cached / recompute"]
    assert speedups == [("1000", pytest.approx(2)), ("2000", pytest.approx(4)), ("all", pytest.approx(8**0.5))]
