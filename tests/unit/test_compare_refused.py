"""What a comparison of two runs cannot say, and runs that cannot be compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.compared import CACHED, NEW, OLD, edited, figures, scaled, words
from tests.support.damage import resealed
from tests.support.fake import FakeBench
from tests.support.selections import PAIR, SMALL, TWO_BLOCKS

# What limits a comparison


def test_too_few_rounds_give_a_ratio_without_interval_or_finding(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "--rounds", "3", "-o", OLD)
    bench.seconds = scaled(cached=0.5)
    actbench("run", *SMALL, "--rounds", "3", "-o", NEW)
    (_, cached, _) = figures(actbench, OLD, NEW)
    assert (cached["ratio"], cached["low"], cached["high"]) == (pytest.approx(2.0), None, None)
    assert cached["finding"] == "undecided"
    shown = actbench("compare", OLD, NEW).stdout
    assert f"{CACHED} undecided 2.00 ? 1.00 ? 2.00 ? 2.00 ? 3, 3" in words(shown)
    assert shown.endswith("\n? marks a figure without an interval: too few rounds in a run\n")


def test_different_numbers_of_rounds_are_compared(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "--rounds", "6", "-o", OLD)
    bench.seconds = scaled(cached=0.5)
    actbench("run", *SMALL, "--rounds", "9", "-o", NEW)
    (_, cached, _) = figures(actbench, OLD, NEW)
    assert (cached["finding"], cached["baseline_rounds"], cached["candidate_rounds"]) == ("faster", 6, 9)


def test_cases_of_one_run_only_are_listed_by_block(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    actbench("run", *TWO_BLOCKS, "-o", NEW)
    for runs, finding, rounds in (((OLD, NEW), "new", "0, 6"), ((NEW, OLD), "missing", "6, 0")):
        shown = actbench("compare", *runs, "--format", "markdown").stdout
        assert shown.startswith(f"**2 cases in both runs: 2 undecided; in one run only: 2 {finding}**\n")
        row = f"| logistic/derivative/float64/2000 | {finding} | recompute/numpy, cached/numpy | {rounds} |\n"
        assert row in shown
        assert [figure["ratio"] for figure in figures(actbench, *runs) if figure["finding"] == finding] == [None, None]


def test_a_case_that_shared_its_block_with_others_is_shown_but_not_decided(
    actbench: Actbench, bench: FakeBench
) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = scaled(cached=0.5)
    actbench("run", *SMALL, "-s", "recompute,cached,complement", "-o", NEW)
    (_, cached, mean, *_) = figures(actbench, OLD, NEW)
    assert (cached["ratio"], cached["finding"], cached["chance"]) == (pytest.approx(2.0), "undecided", None)
    assert mean["finding"] == "undecided"
    shown = actbench("compare", OLD, NEW).stdout
    assert "2 cases undecided: their blocks have other cases in the baseline" in shown


# What is refused


def refused(actbench: Actbench, *arguments: str) -> tuple[int, str]:
    result = actbench("compare", *arguments)
    assert not result.stdout
    assert result.stderr.count("\n") == 1
    return result.exit_code, result.stderr.removeprefix("actbench: ").rstrip("\n")


def test_runs_without_a_common_case_are_refused(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    actbench("run", *PAIR, "-n", "2000", "-o", NEW)
    message = "old and new have no measured case in common: measure the same selection"
    assert refused(actbench, OLD, NEW) == (5, message)


def test_runs_of_two_engines_are_refused(old_and_new: Actbench) -> None:
    edited(OLD, '"engine": "interleaved"', '"engine": "pyperf"')
    message = "old was measured by engine pyperf, new by interleaved: measure both by the same"
    assert refused(old_and_new, OLD, NEW) == (5, message)


def test_runs_on_other_inputs_are_refused(old_and_new: Actbench) -> None:
    edited(NEW, '"distribution": "normal"', '"distribution": "uniform"')
    resealed(Path(NEW))
    message = "old was measured on inputs from normal:0,1, new from uniform:0,1: measure both on the same"
    assert refused(old_and_new, OLD, NEW) == (5, message)


def test_a_suite_that_does_not_tell_its_host_is_refused(old_and_new: Actbench) -> None:
    Path("alone").mkdir()
    Path("alone/pyperf.json").write_bytes(Path(OLD, "pyperf.json").read_bytes())
    code, message = refused(old_and_new, "alone/pyperf.json", NEW)
    assert (code, message) == (5, "alone/pyperf.json does not name its host: name the directory of the run")


@pytest.mark.parametrize("runs", [(OLD, "nowhere"), ("nowhere", NEW)])
def test_what_is_no_run_is_bad_input(old_and_new: Actbench, runs: tuple[str, str]) -> None:
    code, message = refused(old_and_new, *runs)
    assert code == 2
    assert message.startswith("nowhere is not a run")


def test_a_reference_between_two_runs_is_bad_input(old_and_new: Actbench) -> None:
    message = "--reference is for one run: of several, the first is the reference; leave it out"
    assert refused(old_and_new, OLD, NEW, "--reference", "cached") == (2, message)


def test_by_activation_within_one_run_is_bad_input(old_and_new: Actbench) -> None:
    message = "--by activation compares two runs: name the other one as well, or another --by"
    assert refused(old_and_new, OLD, "--by", "activation") == (2, message)
