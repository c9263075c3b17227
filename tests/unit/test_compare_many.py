"""What several runs look like beside the first, a column each."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.conftest import Actbench
from tests.support.compared import CACHED, NEW, NOTE, OLD, RECOMPUTE, on_another_host, scaled, words
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, TWO_BLOCKS

TABLE = f"""\
### Times: old / each run

Times in copies in the first run, and how many times as long it takes as each other run, relative to the yardstick: \
above 1 that run is faster. A row is faster or slower only where the time itself is as well. \
{NOTE.replace("of the findings is 5 %.", "of the findings in each column is 5 %. - marks what a run does not have.")}

| case | old | new | third |
| --- | ---: | ---: | ---: |
| {RECOMPUTE} | 8.00 ± 0.00 | 1.00 ± 0.00 ≈ | 1.00 ± 0.00 ≈ |
| {CACHED} | 2.00 ± 0.00 | 1.25 ± 0.00 faster | 0.500 ± 0.000 slower |
| geometric mean of 2 cases | 4.00 ± 0.00 | 1.12 ± 0.00 faster | 0.707 ± 0.000 slower |

- new: 2 cases in both runs: 1 faster, 1 undecided
- third: 2 cases in both runs: 1 slower, 1 undecided
"""


@pytest.fixture
def three(old_and_new: Actbench, bench: FakeBench) -> Actbench:
    """A third run, in which `cached` takes twice as long as in the first."""
    bench.seconds = scaled(cached=2.0)
    old_and_new("run", *SMALL, "-o", "third")
    return old_and_new


def test_each_run_has_a_column_with_its_ratio_to_the_first(three: Actbench) -> None:
    result = three("compare", OLD, NEW, "third", "--format", "markdown")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == TABLE
    shown = words(three("compare", OLD, NEW, "third").stdout)
    assert f"{CACHED} 2.00 ± 0.00 1.25 ± 0.00 faster 0.500 ± 0.000 slower" in shown


def test_csv_and_json_have_the_figures_of_each_pair(three: Actbench) -> None:
    pairs = [json.loads(three("compare", OLD, name, "--format", "json").stdout) for name in (NEW, "third")]
    report = json.loads(three("compare", OLD, NEW, "third", "--format", "json").stdout)
    assert report["reference"] == "old"
    assert [run["run"] for run in report["runs"]] == ["new", "third"]
    assert [run["figures"] for run in report["runs"]] == [pair["figures"] for pair in pairs]
    rows = list(csv.DictReader(io.StringIO(three("compare", OLD, NEW, "third", "--format", "csv").stdout)))
    assert [(row["run"], row["name"]) for row in rows] == [
        (name, figure["name"]) for name, pair in zip((NEW, "third"), pairs, strict=True) for figure in pair["figures"]
    ]


def test_what_a_run_does_not_have_is_a_dash(three: Actbench, bench: FakeBench) -> None:
    bench.seconds = scaled()
    three("run", *TWO_BLOCKS, "-o", "more")
    three("run", *TWO_BLOCKS, "-o", "again")
    lines = three("compare", "more", NEW, "again").stdout.splitlines()
    (row,) = (line for line in lines if line.startswith(CACHED.replace("1000", "2000")))
    assert words(row).endswith("2.00 ± 0.00 - 1.00 ± 0.00 ≈")


def test_runs_on_other_hosts_are_compared_by_their_speedups_as_well(three: Actbench) -> None:
    on_another_host("third")
    shown = three("compare", OLD, NEW, "third", "--format", "markdown").stdout
    _, _, speedups = shown.partition("### Speedups on other hosts: each run / old")
    assert "| geometric mean of 1 cases" not in speedups
    assert f"| {CACHED} | 4.00 ± 0.00 | 0.500 ± 0.000 smaller |" in speedups


def test_a_run_that_cannot_be_compared_with_the_first_is_refused(three: Actbench) -> None:
    three("run", *SMALL[:-1], "3000", "-o", "apart")
    result = three("compare", OLD, NEW, "apart")
    assert result.exit_code == 5
    assert "old and apart have no measured case in common" in result.stderr
