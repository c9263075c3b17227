"""The tables and files of a run of training steps, to the character."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from actbench.analysis.interval import Interval
from actbench.analysis.training import ArmResult, PartTime, results
from actbench.model.cases import Case
from actbench.model.checks import StepCheck
from actbench.model.training import StepPart
from actbench.model.variants import Variant
from actbench.report.table import Table, markdown
from actbench.report.training import files
from actbench.report.training.tables import tables
from actbench.runs.archive import load
from actbench.runs.names import GAINS, MEMORY, PARTS, TABLES
from tests.conftest import Actbench, run_in
from tests.support.exact_times import exact_seconds
from tests.support.selections import FILES, names, rows
from tests.support.steps import STEP

STRATEGIES = ["recompute", "cached", "complement", "checkpoint", "free (bound)"]


@pytest.fixture(scope="module")
def exact_steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a run of exact steps, ``here``: to be copied and not to be changed."""
    directory = tmp_path_factory.mktemp("exact_steps")
    run_in(directory, "train", *STEP, "-o", "here", seconds=exact_seconds)
    return directory


@pytest.fixture
def summary(actbench: Actbench, exact_steps: Path) -> dict[str, list[str]]:
    """Return the rows of each table of exact steps, by title, from ``here``."""
    del actbench  # which goes into an empty directory
    shutil.copytree(exact_steps / "here", "here")
    text = Path("here/summary.md").read_text(encoding="utf-8")
    parts = [part.splitlines() for part in text.split("\n### ")[1:]]
    return {title: [line for line in lines if line.startswith("|")] for title, *lines in parts}


def exactly(*percents: str) -> str:
    """Return cells of percentages that are the same in all rounds."""
    return " | ".join(f"{figure} % ± 0.00 %" for figure in percents)


def test_the_tables_are_those_of_time_parts_gains_and_memory(summary: dict[str, list[str]]) -> None:
    step = "dense:16-8, logistic, numpy, float32, batch 8"
    assert summary == {
        f"Time of a step: {step}": [
            "| strategy | ms | speedup | time saved |",
            "| --- | ---: | ---: | ---: |",
            "| recompute | 0.800 ± 0.000 |  |  |",
            "| cached | 0.776 ± 0.000 | 1.03 ± 0.00 | 3.00 % ± 0.00 % |",
            "| complement | 0.792 ± 0.000 | 1.01 ± 0.00 | 1.00 % ± 0.00 % |",
            "| checkpoint | 1.04 ± 0.00 | 0.769 ± 0.000 | -30.00 % ± 0.00 % |",
            "| free (bound) | 0.768 ± 0.000 | 1.04 ± 0.00 | 4.00 % ± 0.00 % |",
        ],
        f"Where the time of a step goes: {step}": [
            f"| strategy | {' | '.join(StepPart)} | overhead |",
            f"| --- |{' ---: |' * 9}",
            *(
                f"| {name} | 30.0 | 45.0 | 5.0 | 3.0 | 4.0 | 2.0 | 10.0 | 1.0 | 2.00 % ± 0.00 % |"
                for name in STRATEGIES
            ),
        ],
        f"Gain, measured and predicted: {step}": [
            "| strategy | predicted from | measured | predicted | difference | elsewhere | remaining |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
            f"| cached | in-step | {exactly('3.00', '0.24', '-2.76', '2.82', '0.06')} |",
            f"| cached | warm | {exactly('3.00', '2.29', '-0.71', '2.82', '2.11')} |",
            f"| complement | in-step | {exactly('1.00', '0.08', '-0.92', '0.94', '0.02')} |",
            f"| complement | warm | {exactly('1.00', '1.53', '0.53', '0.94', '1.47')} |",
        ],
        f"Memory of a step, and gradients: {step}": [
            "| strategy | kept in all | alive anyway | kept for g' | declared | peak | gradient error | parameter |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
            "| recompute | 512 B | 256 B | 256 B | as counted | 768 B | 1.0e-7 | W1 (16 x 8) |",
            "| cached | 256 B | 256 B | 0 B | as counted | 384 B | 1.0e-7 | W1 (16 x 8) |",
            "| complement | 512 B | 256 B | 256 B | as counted | 768 B | 1.0e-7 | W1 (16 x 8) |",
            "| checkpoint | 256 B | 256 B | 0 B | as counted | 384 B | 1.0e-7 | W1 (16 x 8) |",
            "| free (bound) | 256 B | 256 B | 0 B | as counted | 384 B | left out by design |  |",
        ],
    }


def test_a_run_of_steps_has_three_further_files(summary: dict[str, list[str]]) -> None:
    assert summary
    assert names(Path("here")) == FILES | {PARTS, GAINS, MEMORY}
    assert {PARTS, GAINS, MEMORY} <= {*TABLES}


def test_parts_csv_has_the_seconds_of_every_part_whose_shares_add_up(summary: dict[str, list[str]]) -> None:
    assert summary
    written = rows(Path("here", PARTS))
    assert len(written) == len(STRATEGIES) * len(StepPart)
    assert [*written[4].values()] == [
        *("logistic", "recompute", "numpy", "dense:16-8", "float32", "8", "warm"),
        *("bias", "3.264e-05", "3.264e-05", "3.264e-05", "0.04"),
    ]
    for strategy in {row["strategy"] for row in written}:
        of_arm = [row for row in written if row["strategy"] == strategy]
        assert [row["part"] for row in of_arm] == [*StepPart]
        assert sum(float(row["share"]) for row in of_arm) == pytest.approx(1, abs=1e-8)


def test_gains_csv_has_what_is_saved_and_what_was_predicted(summary: dict[str, list[str]]) -> None:
    assert summary
    written = rows(Path("here", GAINS))
    assert [*written[0]] == [
        *("activation", "strategy", "backend", "op", "dtype", "size", "operands", "reference_strategy"),
        *("gain", "low", "high", "predictor_operands", "predicted", "predicted_low", "predicted_high"),
        *("difference", "difference_low", "difference_high", "rounds"),
        *("elsewhere", "elsewhere_low", "elsewhere_high", "remaining", "remaining_low", "remaining_high"),
    ]
    assert {(*list(row.values())[:8], row["rounds"]) for row in written} == {
        ("logistic", strategy, "numpy", "dense:16-8", "float32", "8", "warm", "recompute", "7")
        for strategy in ("cached", "complement", "checkpoint", "free")
    }
    figures = ("gain", "predicted", "difference", "elsewhere", "remaining")
    for row in written:
        for name in figures:
            assert row[name] == row[f"{name}_low" if name != "gain" else "low"]
    assert [(row["strategy"], row["predictor_operands"]) for row in written] == [
        *(("cached", "in-step"), ("cached", "warm"), ("complement", "in-step"), ("complement", "warm")),
        *(("checkpoint", ""), ("free", "")),
    ]
    assert [[float(row[name]) for name in figures] for row in written[:4]] == pytest.approx(
        np.array(
            [
                [0.03, 0.002448, -0.027552, 0.028152, 0.0006],
                [0.03, 0.02295, -0.00705, 0.028152, 0.021102],
                [0.01, 0.000816, -0.009184, 0.009384, 0.0002],
                [0.01, 0.0153, 0.0053, 0.009384, 0.014684],
            ]
        ),
        abs=1e-9,
    )
    assert [[row[name] for name in figures] for row in written[4:]] == [
        ["-0.3", "", "", "-0.28152", ""],
        ["0.04", "", "", "0.037536", ""],
    ]


def test_memory_csv_has_bytes_and_errors(summary: dict[str, list[str]]) -> None:
    assert summary
    assert Path("here", MEMORY).read_text(encoding="utf-8") == (
        "activation,strategy,backend,op,dtype,size,operands,kept_bytes,alive_bytes,predicted_kept_bytes,"
        "predicted_alive_bytes,peak_bytes,gradient_error,worst_gradient\n"
        "logistic,recompute,numpy,dense:16-8,float32,8,warm,512,256,512,256,768,1e-07,W1 (16 x 8)\n"
        "logistic,cached,numpy,dense:16-8,float32,8,warm,256,256,256,256,384,1e-07,W1 (16 x 8)\n"
        "logistic,complement,numpy,dense:16-8,float32,8,warm,512,256,512,256,768,1e-07,W1 (16 x 8)\n"
        "logistic,checkpoint,numpy,dense:16-8,float32,8,warm,256,256,256,256,384,1e-07,W1 (16 x 8)\n"
        "logistic,free,numpy,dense:16-8,float32,8,warm,256,256,256,256,384,,\n"
    )


def test_cases_csv_has_no_figure_per_element_of_a_step(summary: dict[str, list[str]]) -> None:
    assert summary
    for row in rows(Path("here/cases.csv")):
        per_element = ("ns_per_element", "gb_per_s", "copy_limit_pct", "residual_bytes_per_element", "max_ulp")
        assert {row[name] for name in per_element} == {""}


def test_the_bytes_of_every_batch_are_its_own(actbench: Actbench) -> None:
    assert actbench("train", *STEP, "--batch", "16", "-s", "recompute,cached", "-o", "here").exit_code == 0
    kept = {(row["strategy"], row["size"]): row["kept_bytes"] for row in rows(Path("here", MEMORY))}
    assert kept == {
        ("recompute", "8"): "512",
        ("cached", "8"): "256",
        ("recompute", "16"): "1024",
        ("cached", "16"): "512",
    }


def test_sentences_and_tables_along_batches_speak_of_rows(actbench: Actbench) -> None:
    options = ("--batch", "32,128,512", "-s", "recompute,cached,free")
    assert actbench("train", *STEP, *options, "-o", "here").exit_code == 0
    text = Path("here/summary.md").read_text(encoding="utf-8")
    assert (
        "\nlogistic, dense:16-8, float32, numpy: keeping y saves more than 1 % of a step from 8 to 512 rows.\n" in text
    )
    table = text.partition("### Gain along batches and widths")[2]
    assert "| activation | network | dtype | backend | strategy | along | 8 | 32 | 128 | 512 |" in table
    assert "| logistic | dense:16-8 | float32 | numpy | free (bound) | batch | 4.00 ± 0.00 |" in table
    crossovers = rows(Path("here/crossovers.csv"))
    assert [(row["reference_strategy"], row["candidate_strategy"]) for row in crossovers] == [("recompute", "cached")]


EXACT = Interval(1.0, 0.99, 1.01)


def arm(strategy: str, backend: str = "torch", **known: object) -> ArmResult:
    """Return an arm of a step; what is not known of it is missing."""
    case = Case.parse(f"gelu/{strategy}/{backend}/ffn:8-32/float32/64")
    plain = ArmResult(case, EXACT.scaled(0.02), 8, Variant("recompute"), None, None, None, (), None, None)
    return replace(plain, **known)  # type: ignore[arg-type]


def titled(made: list[Table], title: str) -> Table:
    (table,) = [table for table in made if table.title.startswith(title)]
    return table


def test_times_beside_what_a_framework_ships_and_formulas_that_run_op_by_op() -> None:
    made = [
        *tables(
            [
                arm("recompute", over_shipped=EXACT.scaled(0.8)),
                arm("shipped", speedup=EXACT.scaled(1.25), gain=Interval(0.2, 0.19, 0.21)),
                arm("free", speedup=EXACT, gain=Interval(0.0, -0.01, 0.01), over_shipped=EXACT.scaled(0.8)),
            ]
        )
    ]
    table = titled(made, "Time of a step: ffn:8-32, gelu, torch, float32, batch 64")
    assert "Over shipped: likewise, beside the framework's own activation and gradient" in table.note
    assert table.columns == ("strategy", "ms", "speedup", "over shipped", "time saved")
    assert table.rows == (
        ("recompute (the formula, op by op)", "20.0 ± 0.2", "", "0.800 ± 0.008", ""),
        ("shipped", "20.0 ± 0.2", "1.250 ± 0.012", "", "20.0 % ± 1.0 %"),
        ("free (bound)", "20.0 ± 0.2", "1.000 ± 0.010 ≈", "0.800 ± 0.008", "0.0 % ± 1.0 % ≈"),
    )


def test_a_step_that_is_compiled_as_a_whole_has_no_parts_and_its_compiler_chooses_what_it_keeps() -> None:
    case = Case.parse("gelu/cached/jax/ffn:8-32/float32/64")
    compiled = StepCheck(case.kernel, 3e-7, "b2 (8)", 300 << 10, 100 << 10, 500 << 10, 100 << 10, None)
    shipped = StepCheck(case.kernel, 0.0, "W1 (8 x 32)", 300 << 10, 100 << 10, None, 100 << 10, 1 << 20)
    more = replace(compiled, kept=512 << 10)
    made = [*tables([arm("cached", "jax", check=compiled), arm("shipped", "jax", check=shipped)])]
    assert [table.title.partition(":")[0] for table in made] == ["Time of a step", "Memory of a step, and gradients"]
    less = "500 KiB (counted 200 KiB less)"
    assert titled(made, "Memory").rows == (
        ("cached", "300 KiB", "100 KiB", "200 KiB", less, "not measured", "3.0e-7", "b2 (8)"),
        ("shipped", "300 KiB", "100 KiB", "200 KiB", "-", "1 MiB", "0", "W1 (8 x 32)"),
    )
    assert titled([*tables([arm("cached", "jax", check=more)])], "Memory").rows[0][4] == "500 KiB (counted 12 KiB more)"


def test_shares_are_rounded_so_that_they_add_up_to_a_hundred() -> None:
    shares = [1 / 3, 1 / 3, 1 / 3, *[0.0] * 5]
    parts = tuple(PartTime(part, EXACT, EXACT.scaled(share)) for part, share in zip(StepPart, shares, strict=True))
    table = titled([*tables([arm("recompute", parts=parts, excess=Interval(0.1, 0.09, 0.11))])], "Where")
    assert table.rows[0][1:] == ("33.4", "33.3", "33.3", *["0.0"] * 5, "10.0 % ± 1.0 %")


def test_what_varies_is_a_column_and_what_does_not_a_part_of_the_title() -> None:
    made = titled([*tables([arm("cached", "numpy"), arm("cached", "jax")])], "Time")
    assert made.title == "Time of a step: ffn:8-32, gelu, float32, batch 64"
    assert made.columns[:2] == ("backend", "strategy")
    assert made.figures == (False, False, True)
    assert "| numpy | cached | 20.0 ± 0.2 |" in markdown(made)


def test_widths_of_one_kind_of_network_are_in_one_table() -> None:
    case = Case.parse("gelu/cached/numpy/ffn:16-64/float32/64")
    made = [*tables([arm("cached", "numpy"), arm("cached", "numpy", case=case)])]
    table = titled(made, "Time of a step: ffn, gelu, numpy, float32, batch 64")
    assert table.columns[:2] == ("network", "strategy")
    assert [row[0] for row in table.rows] == ["ffn:8-32", "ffn:16-64"]


def test_the_files_of_a_run_are_what_its_times_say(summary: dict[str, list[str]]) -> None:
    assert summary
    run = load(Path("here"))
    assert run.record is not None
    made = files.contents([*results(run.times, run.record)], [])
    assert {name: Path("here", name).read_text(encoding="utf-8") for name in made} == made
    assert next(csv.reader(made[PARTS].splitlines()))[-5:] == ["part", "seconds", "low", "high", "share"]
