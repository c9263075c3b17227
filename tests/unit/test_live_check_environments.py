"""What two environments have, and what goes wrong in them."""

from __future__ import annotations

import json

import pytest

from actbench.model.cases import Block
from tests.conftest import Actbench
from tests.support.checked import CASES, OTHER
from tests.support.fake import FakeBench, crash
from tests.support.selections import PAIR


def verdicts(stdout: str) -> dict[str, str]:
    return {case["case"]: case["verdict"] for case in json.loads(stdout)["cases"]}


# What the environments have


def test_a_case_that_only_the_baseline_has_is_missing_and_one_that_only_the_candidate_has_is_new(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actbench.planning import suite

    offered = suite.offered
    monkeypatch.setattr(
        "actbench.planning.suite.offered", lambda query: [case for case in offered(query) if case.size != 2000]
    )
    bench.baseline_has = lambda case: case.size != 3000
    monkeypatch.setattr("tests.support.fake.offered", offered)
    result = actbench(*OTHER, *PAIR, "-n", "1000,2000,3000", "--format", "json")
    assert result.exit_code == 3
    assert sorted(verdicts(result.stdout).values()) == ["missing"] * 2 + ["new"] * 2 + ["unchanged"] * 2


def test_environments_without_a_common_case_cannot_be_compared(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_has = lambda _: False
    result = actbench(*CASES)
    assert result.exit_code == 5
    assert "have no selected case in common" in result.stderr


def test_a_library_that_one_side_lacks_is_named_where_no_case_is_left(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_has = lambda _: False
    bench.baseline_versions = {name: version for name, version in bench.baseline_versions.items() if name != "numba"}
    result = actbench(*CASES, "-b", "numba")
    assert result.exit_code == 5
    assert "in common: the baseline lacks numba: install what both need, or name other backends (-b)" in result.stderr


def test_so_is_a_library_that_a_dtype_or_a_formula_needs_and_no_backend(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_has = lambda _: False
    bench.baseline_versions = {name: of for name, of in bench.baseline_versions.items() if name != "ml_dtypes"}
    result = actbench(*CASES)
    assert result.exit_code == 5
    assert "in common: the baseline lacks ml_dtypes, which some formulas or dtypes need" in result.stderr


def test_versions_that_differ_are_reported(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_versions = bench.baseline_versions | {"numpy": "1.0.0"}
    assert "numpy: 1.0.0 in the baseline, " in actbench(*CASES).stdout


def test_a_name_that_neither_environment_knows_is_bad_input(actbench: Actbench) -> None:
    result = actbench(*OTHER, "-a", "logistic,tahn")
    assert result.exit_code == 2
    assert result.stderr == "actbench: unknown activation 'tahn': did you mean 'tanh'?\n"


# What goes wrong


def test_a_block_that_fails_is_reported_and_ends_with_4(actbench: Actbench, bench: FakeBench) -> None:
    def failing(block: Block) -> None:
        if block.size == 2000:
            crash("the control was killed by SIGSEGV")

    bench.on_time = failing
    result = actbench(*CASES)
    assert result.exit_code == 4
    assert result.stderr.endswith("actbench: failed: logistic/derivative/float64/2000 (see above)\n")
    assert result.stdout.count("the control was killed by SIGSEGV") == 1
    assert "2 unchanged" in result.stdout


def test_ctrl_c_prints_the_verdicts_so_far(actbench: Actbench, bench: FakeBench) -> None:
    def interrupt(_: Block) -> None:
        if bench.workers_started > 3 + 2 + 1 + 3 * 5:
            raise KeyboardInterrupt

    bench.on_time = interrupt
    result = actbench(*CASES)
    assert result.exit_code == 130
    assert "4 inconclusive" in result.stdout
    assert "interrupted: these are the verdicts so far" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check",), "name what to compare with"),
        (("check", "latest"), "name what to compare with"),
        (("check", "--against", "other", "--baseline", "old"), "name what to compare with"),
        (("check", "--baseline", "old"), "--baseline needs a RUN to check"),
        (("check", "latest", "--against", "other"), "--against measures both sides itself"),
        (("check", "latest", "--baseline", "old", "-n", "1000"), "leave it out with --baseline"),
        ((*OTHER, "--margins", "5"), "is not a margin of some cases"),
        ((*OTHER, "--margins", "*=much"), "is not a percentage"),
    ],
)
def test_contradictions_are_usage_errors(actbench: Actbench, arguments: tuple[str, ...], said: str) -> None:
    result = actbench(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
