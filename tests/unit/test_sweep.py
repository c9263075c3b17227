"""The preset sweep, and what a run says of where the answer changes with the size."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from actbench import registry
from actbench.model.cases import Block, Case
from actbench.model.names import WIDE, Op
from actbench.planning import costs, durations, presets, suite
from actbench.planning.selection import Room
from actbench.report import crossovers
from actbench.report.numbers import about
from actbench.runs import tables
from actbench.runs.archive import load
from tests.conftest import Actbench
from tests.support.drawn import drawn, layer
from tests.support.exact_times import NANOSECOND, exact_seconds
from tests.support.fake import FakeBench, crash
from tests.support.selections import FILES, PAIR, names, rows

SIZES = ("-n", "1k,4k,16k,64k")
CURVE = (*PAIR, *SIZES)
"""Two arms at four sizes."""


def crossing_at(size: float, slope: float = -0.5) -> object:
    """Return times by which caching is faster on one side of a size and slower on the other."""
    return lambda case: NANOSECOND * case.size * ((case.size / size) ** slope if case.strategy == "recompute" else 1.0)


# The preset


def test_the_sweep_goes_in_half_decades_from_16_to_16_million_elements() -> None:
    sizes = [size.elements for size in presets.get("sweep").axes.sizes]
    assert (sizes[0], sizes[-1], len(sizes)) == (16, 16_000_000, 13)
    assert sizes[1:5] == [50, 160, 500, 1600]
    for smaller, larger in pairwise(sizes):
        assert larger / smaller == pytest.approx(10**0.5, rel=0.02)


def test_the_sweep_asks_what_a_cache_is_worth_and_what_it_costs() -> None:
    axes = presets.get("sweep").axes
    assert axes.activations == ("logistic",)
    assert axes.strategies == ("recompute", "cached")
    assert axes.ops == (Op.DERIVATIVE, Op.STEP)
    assert axes.dtypes == WIDE
    usable = {name for name, backend in registry.backends().items() if not backend.unavailable}
    assert {*axes.backends} == usable & {"numpy", "numba", "numba-simd"}


def test_a_sweep_is_predicted_to_take_three_to_four_minutes() -> None:
    chosen = presets.get("sweep")
    plan = suite.plan(chosen.axes, Room(1 << 40), seed=1)
    assert 180 <= chosen.budget <= 240
    assert 6 * durations.predicted_round(plan, costs.arm_seconds(plan, chosen.arm_seconds)) < chosen.budget


def test_the_sweep_is_among_the_presets_that_are_listed(actbench: Actbench) -> None:
    assert "sweep     from which size on does the answer change?" in actbench("list", "presets").stdout


# A run


HEAD = (
    "activation,op,dtype,operands,rows,backend,reference_strategy,candidate_strategy,"
    "kind,size,low,high,faster_below,faster_above,sizes,decided,rounds"
)


def test_exact_times_give_an_exact_crossover_in_the_file_the_sentence_the_table_and_the_chart(
    actbench: Actbench, bench: FakeBench
) -> None:
    bench.seconds = crossing_at(8000.0)  # type: ignore[assignment]
    result = actbench("run", *CURVE, "-o", "here")
    assert result.exit_code == 0, result.output
    assert Path("here/crossovers.csv").read_text().splitlines()[0] == HEAD
    (row,) = rows(Path("here/crossovers.csv"))
    assert (row["kind"], row["faster_below"], row["faster_above"]) == ("crosses", "cached", "recompute")
    assert [float(row[name]) for name in ("size", "low", "high")] == pytest.approx([8000.0] * 3, rel=2e-3)
    assert (row["sizes"], row["decided"], row["rounds"]) == ("4", "4", "6")
    sentence = "logistic, derivative, float64, numpy: caching stops paying at n = 8\u202f000."
    assert sentence in result.stdout
    markdown = Path("here/summary.md").read_text()
    assert f"\n{sentence}\n" in markdown
    cells = "logistic | derivative | float64 | numpy | recompute, cached | crosses | cached | recompute"
    assert f"| {cells} | 8\u202f000 (8\u202f000) |" in markdown
    band = layer(drawn("speedup", load(Path("here"))), "crossing")
    assert [*band[["low", "high"]].to_numpy().ravel()] == pytest.approx([8000.0] * 2, rel=2e-3)


def test_a_cache_that_pays_from_some_size_on_says_so(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = crossing_at(8000.0, slope=0.5)  # type: ignore[assignment]
    assert "numpy: caching starts to pay at n = 8\u202f000." in actbench("run", *CURVE).stdout


def test_a_strategy_that_is_faster_everywhere_has_no_crossover(actbench: Actbench) -> None:
    result = actbench("run", *CURVE, "-o", "here")
    assert "numpy: no crossover from n = 1\u202f000 to 64k: caching is faster everywhere." in result.stdout
    (row,) = rows(Path("here/crossovers.csv"))
    assert (row["kind"], row["size"], row["low"], row["high"]) == ("none", "", "1000", "64000")
    assert row["faster_below"] == row["faster_above"] == "cached"


def test_curves_over_columns_are_told_apart_by_their_rows(actbench: Actbench) -> None:
    sizes = ",".join(f"{number}x{columns}" for number in (4, 8) for columns in (16, 64, 256, 1024))
    selection = ("-a", "softmax", "-b", "numpy", "-s", "recompute,cached", "-d", "float64", "-n", sizes)
    assert actbench("run", *selection, "-o", "here").exit_code == 0
    assert [row["rows"] for row in rows(Path("here/crossovers.csv"))] == ["4", "8"]
    assert {row.curve.rows for row in tables.crossovers(Path("here")) or ()} == {4, 8}
    summary = Path("here/summary.md").read_text()
    assert "float64, numpy, 4 rows: no crossover from n = 64 to " in summary
    assert "| float64 | 8 | numpy | recompute, cached | none |" in summary


def test_a_strategy_that_is_slower_everywhere_has_none_either(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = lambda case: NANOSECOND * case.size * (2.0 if case.strategy == "cached" else 1.0)
    assert "to 64k: recomputing is faster everywhere." in actbench("run", *CURVE).stdout


def test_a_speedup_that_fades_is_no_crossover(actbench: Actbench, bench: FakeBench) -> None:
    def seconds(case: Case) -> float:
        slower = 3.0 if case.strategy == "recompute" and case.size < 10_000 else 1.0
        return NANOSECOND * case.size * slower

    bench.seconds = seconds
    result = actbench("run", *CURVE, "-o", "here")
    assert "caching is faster; no difference as large as 10 % from n = 16k on." in " ".join(result.stdout.split())
    (row,) = rows(Path("here/crossovers.csv"))
    assert (row["kind"], row["low"], row["high"], row["faster_above"]) == ("fades", "4000", "16000", "")


def test_a_speedup_that_emerges_says_up_to_where_there_is_none(actbench: Actbench, bench: FakeBench) -> None:
    def seconds(case: Case) -> float:
        slower = 3.0 if case.strategy == "recompute" and case.size > 10_000 else 1.0
        return NANOSECOND * case.size * slower

    bench.seconds = seconds
    stdout = " ".join(actbench("run", *CURVE).stdout.split())
    assert "caching is faster; no difference as large as 10 % up to n = 4 000." in stdout


def test_one_speed_everywhere_is_said_to_be_one(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = lambda case: NANOSECOND * case.size
    assert "numpy: no difference as large as 10 % from n = 1\u202f000 to 64k." in actbench("run", *CURVE).stdout


def test_too_few_rounds_leave_it_undecided(actbench: Actbench) -> None:
    result = actbench("run", *CURVE, "--rounds", "2", "-o", "here")
    assert "numpy: undecided from n = 1\u202f000 to 64k." in result.stdout
    (row,) = rows(Path("here/crossovers.csv"))
    assert (row["kind"], row["decided"], row["rounds"]) == ("undecided", "0", "2")


def test_three_sizes_make_no_file_no_sentence_and_no_table(actbench: Actbench) -> None:
    result = actbench("run", *PAIR, "-n", "1k,4k,16k", "-o", "here")
    assert names(Path("here")) == FILES
    assert "rossover" not in result.stdout


def test_four_sizes_make_one_file_more(actbench: Actbench) -> None:
    assert actbench("run", *CURVE, "-o", "here").exit_code == 0
    assert names(Path("here")) == {*FILES, "crossovers.csv"}


def test_a_size_that_fails_is_missing_from_its_curve(actbench: Actbench, bench: FakeBench) -> None:
    def on_time(block: Block) -> None:
        if block.size == 2000:
            crash("gone")

    bench.on_time = on_time
    assert actbench("run", *PAIR, "-n", "1k,2k,4k,16k,64k", "-o", "here").exit_code == 4
    (row,) = rows(Path("here/crossovers.csv"))
    assert row["sizes"] == "4"


def test_every_pair_of_strategies_is_in_the_file_and_those_with_recompute_in_the_table(actbench: Actbench) -> None:
    selection = ("-a", "logistic", "-b", "numpy", "-s", "recompute,cached,complement", "-d", "float64", *SIZES)
    result = actbench("run", *selection, "-o", "here")
    pairs = [(row["reference_strategy"], row["candidate_strategy"]) for row in rows(Path("here/crossovers.csv"))]
    assert pairs == [("recompute", "cached"), ("recompute", "complement"), ("cached", "complement")]
    table = Path("here/summary.md").read_text().partition("### Crossovers")[2].partition("###")[0]
    assert table.count("| recompute, ") == 2
    assert "cached, complement" not in table
    assert result.stdout.count("no crossover") == 1


def test_a_pair_whose_reference_is_before_recompute_is_in_the_table(actbench: Actbench) -> None:
    selection = ("-a", "logistic", "-b", "numpy", "-s", "textbook,recompute,cached", "-d", "float64", *SIZES)
    assert actbench("run", *selection, "-o", "here").exit_code == 0
    table = Path("here/summary.md").read_text().partition("### Crossovers")[2].partition("###")[0]
    assert "| textbook, recompute |" in table
    assert "| recompute, cached |" in table
    assert "| textbook, cached |" not in table


def test_without_recompute_the_table_has_what_there_is(actbench: Actbench) -> None:
    selection = ("-a", "logistic", "-b", "numpy", "-s", "cached,complement", "-d", "float64", *SIZES)
    assert actbench("run", *selection, "-o", "here").exit_code == 0
    assert "| cached, complement | none | cached | cached |" in Path("here/summary.md").read_text()


def test_curves_of_which_the_same_is_said_share_a_sentence(actbench: Actbench, bench: FakeBench) -> None:
    pair = ("-a", "logistic", "-s", "recompute,cached", "-b", "numpy,numpy-blocked,python", *SIZES)
    bench.seconds = lambda case: (
        exact_seconds(case) * (9 if case.strategy == "cached" and case.dtype == "float32" else 1)
    )
    assert actbench("run", *pair, "--op", "derivative", "-o", "here").exit_code == 0
    sentences = [line for line in Path("here/summary.md").read_text().splitlines() if "no crossover" in line]
    rest = "no crossover from n = 1\u202f000 to 64k"
    assert sentences == [
        f"logistic, derivative, float64, python and numpy and numpy-blocked: {rest}: caching is faster everywhere.",
        f"logistic, derivative, float32, numpy and numpy-blocked: {rest}: recomputing is faster everywhere.",
    ]


def test_many_curves_are_counted_in_one_sentence(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossovers, "MOST_SENTENCES", 8)
    selection = ("-a", "logistic,tanh,elu", "-b", "numpy", "-d", "float64", "-s", "recompute,cached", *SIZES)
    result = actbench("run", *selection, "--op", "derivative,backward,step", "--rounds", "6")
    assert result.exit_code == 0, result.output
    sentence = "Caching stops or starts to pay at some size in 0 of 9 series of sizes: see the table of crossovers."
    assert sentence in " ".join(result.stdout.split())
    assert "no crossover" not in result.stdout


def test_other_commands_take_a_run_with_many_sizes(actbench: Actbench) -> None:
    assert actbench("run", *CURVE, "-o", "here").exit_code == 0
    shutil.copytree("here", "there")
    for words in (("compare", "here", "--by", "size"), ("compare", "here", "there"), ("export", "here", "--to", "bmf")):
        assert actbench(*words).exit_code == 0
    assert actbench("run", "--resume", "here", "--rounds", "8").exit_code == 0
    assert rows(Path("here/crossovers.csv"))[0]["rounds"] == "8"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        *((1, "1"), (16, "16"), (99.4, "99"), (99.6, "100"), (1600, "1\u202f600"), (9949, "9\u202f900")),
        *((9960, "10k"), (16_000, "16k"), (160_000, "160k"), (996_000, "1M"), (3_149_000, "3.1M"), (16e6, "16M")),
    ],
)
def test_a_number_of_elements_is_shown_in_two_digits(number: float, shown: str) -> None:
    assert about(number) == shown
