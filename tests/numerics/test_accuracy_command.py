"""What `actbench accuracy` prints, writes and refuses."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from actbench.analysis.accuracy import bands
from actbench.engine.protocol import Evaluate
from actbench.engine.wire import A, Request
from actbench.errors import BenchmarkError
from actbench.model.cases import Case
from tests.conftest import Actbench
from tests.support.fake import FakeBench, FakeWorker
from tests.support.surveyed import rows


def test_the_command_prints_a_table_a_dtype(actbench: Actbench) -> None:
    words = ("-a", "logistic", "-s", "recompute,cached", "-b", "numpy,python")
    result = actbench("accuracy", *words, "--points", "20", "--residuals", "exact")
    assert result.exit_code == 0, result.output
    assert "Error of g' in ULP, float32" in result.output
    assert "Error of g' in ULP, float64" in result.output
    line = next(line for line in result.output.splitlines() if "cached" in line and "python" in line)
    assert "37.4" in line


def test_errors_of_rows_are_shown_by_spread_in_units_of_the_row_and_of_each_element(actbench: Actbench) -> None:
    words = ("accuracy", "-a", "softmax", "-s", "recompute,cached", "-b", "numpy", "-d", "float64", "--points", "10")
    shown = actbench(*words).output
    assert "Error of the gradient of z along rows, float64" in shown
    assert "Error of the gradient of z along rows, of each element, float64" in shown
    assert "The largest error over 1 row of 50 z, by the spread of a row" in " ".join(shown.split())
    table = rows(actbench(*words, "--format", "csv").output)
    of_row, of_each = (
        {row["strategy"]: float(row["max_ulp"]) for row in table if row["part"] == part and row["low"] == "0"}
        for part in ("spread", "spread-each")
    )
    assert of_row.keys() == of_each.keys() == {"recompute", "cached"}
    assert all(0.1 < of_row[strategy] < 2 * of_each[strategy] for strategy in of_row)


def test_csv_and_json_say_the_same(actbench: Actbench) -> None:
    words = (
        "accuracy",
        "-a",
        "tanh",
        "-s",
        "textbook,recompute",
        "-b",
        "numpy",
        "-d",
        "float64",
        "--points",
        "20",
        "--format",
    )
    table, objects = rows(actbench(*words, "csv").output), json.loads(actbench(*words, "json").output)
    assert len(table) == len(objects)
    for row, item in zip(table, objects, strict=True):
        assert [name for name in row if name in item] == list(item)
        assert not any(row[name] for name in row if name not in item)
        for name, value in item.items():
            if value is None:
                assert not row[name]
            elif isinstance(value, list):
                assert row[name].count(" to ") == len(value)
            elif isinstance(value, str):
                assert row[name] == value
            else:
                assert float(row[name]) == pytest.approx(value, rel=1e-5)
    parts = [row["part"] for row in table if row["strategy"] == "recompute"]
    assert parts[:3] == ["normal", "left", "right"]
    assert parts.count("left") == parts.count("right") == 1 + len(bands())


def test_the_table_goes_to_a_file_in_markdown(actbench: Actbench, tmp_path: Path) -> None:
    result = actbench("accuracy", "-a", "identity", "-b", "numpy", "--points", "20", "-o", "accuracy.md")
    assert result.exit_code == 0, result.output
    assert not result.stdout
    assert "| identity | recompute | numpy |" in (tmp_path / "accuracy.md").read_text()


def test_a_file_s_name_asks_for_its_format(actbench: Actbench, tmp_path: Path) -> None:
    words = ("accuracy", "-a", "identity", "-b", "numpy", "-d", "float64", "--points", "20", "-o")
    assert actbench(*words, "a.csv").exit_code == 0
    assert actbench(*words, "a.json").exit_code == 0
    assert actbench(*words, "b.csv", "--format", "json").exit_code == 0
    assert (tmp_path / "a.csv").read_text().startswith("activation,strategy,")
    assert json.loads((tmp_path / "a.json").read_text()) == json.loads((tmp_path / "b.csv").read_text())


@pytest.mark.parametrize("name", ["accuracy.foo", "accuracy.html"])
@pytest.mark.parametrize("form", [(), ("--format", "table")])
def test_a_name_that_asks_for_no_known_format_is_refused_before_anything_is_computed(
    actbench: Actbench, bench: FakeBench, name: str, form: tuple[str, ...]
) -> None:
    result = actbench("accuracy", "-o", name, *form)
    assert result.exit_code == 2
    assert result.stderr == (f"actbench: -o {name}: name a file that ends in .md, .csv or .json, or give --format\n")
    assert bench.workers_started == 0
    nowhere = actbench("accuracy", "-o", "missing/a.md")
    assert nowhere.exit_code == 2
    sentence = "cannot write there (No such file or directory): name a file in a directory that exists"
    assert nowhere.stderr == f"actbench: -o missing/a.md: {sentence}\n"
    assert bench.workers_started == 0
    if not form:
        few = ("-a", "identity", "-b", "numpy", "-d", "float64", "--points", "10")
        assert actbench("accuracy", *few, "-o", name, "--format", "csv").exit_code == 0


def test_a_full_disk_is_reported_before_anything_is_computed(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    result = actbench("accuracy", "-a", "identity", "-b", "numpy", "--points", "10", "-o", "a.csv")
    assert result.exit_code == 74
    assert "-o a.csv: cannot write there (No space left on device)" in result.stderr
    assert bench.workers_started == 0


def test_a_table_in_a_file_is_of_markdown(actbench: Actbench, tmp_path: Path) -> None:
    words = ("accuracy", "-a", "identity", "-b", "numpy", "-d", "float64", "--points", "10", "--format", "table", "-o")
    assert actbench(*words, "a.md").exit_code == 0
    assert "| identity |" in (tmp_path / "a.md").read_text()
    refused = actbench(*words, "a.csv")
    assert refused.exit_code == 2
    assert refused.stderr == "actbench: -o a.csv: --format table is for Markdown and the terminal: leave it out\n"


def test_narrow_residuals_are_looked_at_beside_every_strategy(actbench: Actbench) -> None:
    result = actbench(
        *("accuracy", "-a", "logistic", "-b", "numpy", "-d", "float32", "--points", "20", "--format", "csv"),
        *("--residual-dtype", "float16", "--residuals", "exact"),
    )
    assert result.exit_code == 0, result.output
    whole = [row for row in rows(result.stdout) if (row["part"], row["low"], row["high"]) == ("right", "0", "inf")]
    by_strategy = {row["strategy"]: row for row in whole}
    assert {"cached", "cached:float16", "recompute:float16", "complement:float16"} <= set(by_strategy)
    assert float(by_strategy["cached:float16"]["zero_from"]) == pytest.approx(8.32, rel=1e-3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-a", "logistc"), "unknown activation 'logistc': did you mean 'logistic'"),
        (("-a", "overhead"), "'overhead' has no derivative to be held to: name activations with -a"),
        (
            ("-s", "dispatch"),
            "'dispatch' is a rung of the overhead ladder: it has no derivative to be held to; name strategies",
        ),
        (("-d", "bfloat16"), "compute in bfloat16, and --residual-dtype bfloat16 keeps in it what is saved"),
        (("-a", "tanh", "-d", "float64", "--exhaustive"), "--exhaustive is for 16 and 32 bits"),
    ],
)
def test_bad_input_is_reported_in_one_line(actbench: Actbench, words: tuple[str, ...], sentence: str) -> None:
    result = actbench("accuracy", "-b", "numpy", *words)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


@pytest.fixture
def without_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every worker refuse kernels that keep y."""
    real = FakeWorker.ask

    def ask(self: FakeWorker, request: Request[A]) -> A:
        if isinstance(request, Evaluate) and (case := Case.parse(request.case)).strategy == "cached":
            raise BenchmarkError(f"{case.backend} cannot compile cached")
        return real(self, request)

    monkeypatch.setattr(FakeWorker, "ask", ask)


@pytest.mark.usefixtures("without_cached")
@pytest.mark.parametrize("form", ["table", "csv"])
def test_kernels_that_cannot_be_looked_at_are_reported_after_the_others(
    actbench: Actbench, bench: FakeBench, form: str
) -> None:
    words = (
        "-a",
        "tanh",
        "-s",
        "recompute,cached,complement",
        "-b",
        "numpy,python",
        "-d",
        "float64",
        "--points",
        "10",
    )
    result = actbench("accuracy", *words, "--format", form, "-q")
    assert result.exit_code == 4
    assert result.stderr == (
        "actbench: tanh/cached/python/derivative/float64 cannot be surveyed: python cannot compile cached; nor can "
        "tanh/cached/numpy/derivative/float64\n"
    )
    assert all(f"{strategy}" in result.stdout for strategy in ("recompute", "complement"))
    assert "cached" not in result.stdout
    assert bench.workers_started == 3  # each refusal is another worker's


@pytest.mark.usefixtures("without_cached", "few")
def test_an_exhaustive_survey_goes_on_after_a_kernel_that_cannot_be_looked_at(actbench: Actbench) -> None:
    words = ("-a", "tanh", "-s", "recompute,cached", "-b", "numpy", "-d", "float32", "--points", "10", "--exhaustive")
    result = actbench("accuracy", *words, "--format", "csv", "-q")
    assert result.exit_code == 4
    assert {row["strategy"] for row in rows(result.stdout)} == {"recompute"}
    assert "tanh/cached/numpy/derivative/float32 cannot be surveyed: numpy cannot compile cached" in result.stderr


@pytest.mark.usefixtures("without_cached")
def test_no_file_is_written_where_nothing_can_be_looked_at(actbench: Actbench, tmp_path: Path) -> None:
    words = ("-a", "tanh", "-s", "cached", "-b", "numpy", "--points", "10", "-o", "errors.csv")
    assert actbench("accuracy", *words, "-q").exit_code == 4
    assert not (tmp_path / "errors.csv").exists()


def test_kernels_that_do_not_exist_are_reported_with_the_reason(actbench: Actbench) -> None:
    words = ("-a", "tanh", "-s", "cached", "-b", "numpy,python", "-d", "float32", "--residual-dtype", "float32")
    assert actbench("accuracy", *words, "--points", "10").stderr.splitlines()[-2:] == [
        "left out 2 cases, e.g. tanh/cached/python/derivative/float32: python computes in float64 only",
        (
            "left out 1 case, e.g. tanh/cached:float32/numpy/derivative/float32: float32 is no narrower than the "
            "arithmetic's float32: nothing would be saved"
        ),
    ]
