"""Probes: one element and a cacheful of every kind of block, timed in every round."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actbench.model.cases import Arm, Block, Case
from actbench.model.events import Measured
from actbench.model.names import Dtype, Op
from actbench.model.plan import IN_CACHE_SIZE, Plan
from actbench.model.variants import Variant
from actbench.runs import archive
from actbench.runs.writer import reopen
from tests.conftest import Actbench
from tests.support.damage import resealed
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench, crash
from tests.support.selections import FILES, PAIR, SMALL, TWO_BLOCKS, edit, names, record, rows
from tests.support.steps import STEP

EARLIER = Path(__file__).parents[2] / "results" / "cuda"

NUMPY, PYTHON = Arm(Variant("cached"), "numpy"), Arm(Variant("cached"), "python")


def block(size: int, *arms: Arm, activation: str = "tanh") -> Block:
    return Block(activation, Op.DERIVATIVE, Dtype.FLOAT64, size, arms or (NUMPY,))


@pytest.mark.parametrize(
    ("blocks", "sizes"),
    [
        ((block(1000), block(IN_CACHE_SIZE)), (1,)),
        ((block(1000), block(100_000)), (1, IN_CACHE_SIZE)),
        ((block(1), block(100_000)), (IN_CACHE_SIZE,)),
        ((block(1), block(IN_CACHE_SIZE), block(100_000)), ()),
        ((block(1),), ()),
        ((Block("overhead", Op.DERIVATIVE, Dtype.FLOAT64, 100_000, (Arm(Variant("loop"), "numpy"),)),), ()),
    ],
)
def test_a_plan_has_the_probes_that_its_blocks_need_and_are_not_there(
    blocks: tuple[Block, ...], sizes: tuple[int, ...]
) -> None:
    assert tuple(probe.size for probe in Plan(blocks, seed=1).probes) == sizes


def test_blocks_that_differ_in_size_share_a_probe_with_the_arms_of_all_of_them() -> None:
    plan = Plan((block(1000, NUMPY, PYTHON), block(4_000_000), block(2000, activation="logistic")), seed=1)
    assert [(probe.id, probe.arms) for probe in plan.probes] == [
        ("tanh/derivative/float64/1", (NUMPY, PYTHON)),
        (f"tanh/derivative/float64/{IN_CACHE_SIZE}", (NUMPY, PYTHON)),
        ("logistic/derivative/float64/1", (NUMPY,)),
    ]


def test_every_round_times_the_probes_once_and_they_are_in_a_file_of_their_own(actbench: Actbench) -> None:
    assert actbench("run", *PAIR, "-n", "1000,100k", "--rounds", "3", "-o", "here").exit_code == 0
    assert names(Path("here")) == FILES
    probes = rows(Path("here/probes.csv"))
    kinds = {(row["strategy"], row["size"], row["round"]) for row in probes}
    timed = ("recompute", "cached", "yardstick")
    expected = {(kind, size, number) for kind in timed for size in ("1", str(IN_CACHE_SIZE)) for number in "123"}
    assert kinds == expected
    assert {row["size"] for row in rows(Path("here/values.csv"))} == {"1000", "100000"}
    assert {row["size"] for row in rows(Path("here/cases.csv"))} == {"1000", "100000"}
    suite = json.loads(Path("here/pyperf.json").read_text())
    assert len(suite["benchmarks"]) == 6
    cases = [row for row in probes if row["strategy"] == "cached"]
    assert {(row["size"], float(row["seconds"])) for row in cases} == {("1", 1e-9), (str(IN_CACHE_SIZE), 8.192e-6)}


def test_a_round_times_the_probes_of_its_own_blocks_alone(actbench: Actbench, bench: FakeBench) -> None:
    def seconds(case: Case) -> float:
        scatter = random.Random(f"{bench.workers_started}/{case.id}").uniform(-0.06, 0.06)  # noqa: S311
        return exact_seconds(case) * (1 + (scatter if case.activation == "logistic" else 0))

    bench.seconds = seconds
    actbench("run", "-a", "logistic,tanh", *SMALL[2:], "--target", "3", "-o", "here")
    probes, values = (
        {(row["activation"], int(row["round"])) for row in rows(Path("here", name))}
        for name in ("probes.csv", "values.csv")
    )
    assert max(number for activation, number in probes if activation == "tanh") == 6
    assert max(number for activation, number in probes if activation == "logistic") > 6
    assert probes == values


def test_a_round_times_the_activations_of_its_own_steps_alone(actbench: Actbench, bench: FakeBench) -> None:
    def seconds(case: Case) -> float:
        scatter = random.Random(f"{bench.workers_started}/{case.id}").uniform(-0.06, 0.06)  # noqa: S311
        return exact_seconds(case) * (1 + (scatter if case.op.network and case.size == 8 else 0))

    bench.seconds = seconds
    actbench(
        "train", "dense:16-8", *STEP[3:-4], "--batch", "8,32", "-s", "recompute,cached", "--target", "3", "-o", "here"
    )
    last = {
        name: {size: max(int(row["round"]) for row in of_file if row["size"] == size) for size in sizes}
        for name, sizes in (("values.csv", ("8", "32")), ("probes.csv", ("64", "256")))
        for of_file in [rows(Path("here", name))]
    }
    assert last["values.csv"]["32"] == last["probes.csv"]["256"] == 6
    assert last["values.csv"]["8"] == last["probes.csv"]["64"] > 6


def test_a_probe_that_fails_costs_its_words_and_no_block(actbench: Actbench, bench: FakeBench) -> None:
    def on_time(block: Block) -> None:
        if block.size == 1:
            crash("no such size")

    bench.on_time = on_time
    result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 4
    assert "FAILED logistic/derivative/float64/1 while calibrating: no such size" in " ".join(result.stdout.split())
    assert rows(Path("here/speedups.csv"))[0]["rounds"] == "6"
    assert "Bottleneck" not in result.stdout


def test_a_probe_that_failed_is_measured_by_a_resume(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = lambda block: crash("no such size") if block.size == 1 else None
    assert actbench("run", *SMALL, "-o", "here").exit_code == 4
    bench.on_time = lambda _: None
    assert actbench("run", "--resume", "here").exit_code == 0
    assert {row["round"] for row in rows(Path("here/probes.csv"))} == set("123456")


def test_probes_that_are_not_as_they_were_written_are_refused(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "2", "-o", "here")
    path = Path("here/probes.csv")
    lines = path.read_text().splitlines(keepends=True)
    for changed, message in (
        (lines[:-1], "probes.csv is incomplete: it ends before line "),
        ([*lines, lines[-1]], "this is more than was measured"),
        ([line.replace("e-09", "e-08") for line in lines], "a number was changed"),
    ):
        path.write_text("".join(changed))
        result = actbench("compare", "here")
        assert result.exit_code == 2
        assert message in result.stderr
    path.unlink()
    assert "probes.csv" in actbench("compare", "here").stderr


def test_probes_in_the_journal_survive_a_kill(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "1", "-o", "here")
    with reopen(Path("here")) as writer:
        (probe,) = writer.record.plan.probes
        (first,) = writer.times.probed()
        writer.take(Measured(replace(first, round=2), 1, 2))
    run = archive.load(Path("here"))
    assert run.times.rounds(probe) == (1, 2)
    assert [*run.times.probed()][1] == replace(first, round=2)


@pytest.mark.parametrize(
    ("share", "where"),
    [
        ("1.5", "line 5: "),
        ("-0.1", "line 5: "),
        ("nan", "line 5: "),
        ("", "line 5: "),
        ("all", "line 5: "),
        ("0.5", "lines 2 "),
    ],
)
def test_a_share_of_the_processor_that_is_not_as_it_was_written_is_refused(
    actbench: Actbench, share: str, where: str
) -> None:
    actbench("run", *SMALL, "--rounds", "1", "-o", "here")
    path = Path("here/values.csv")
    lines = path.read_text().splitlines()
    lines[4] = lines[4].rpartition(",")[0] + "," + share
    path.write_text("\n".join(lines) + "\n")
    result = actbench("compare", "here")
    assert result.exit_code == 2
    assert f"values.csv, {where}" in result.stderr


def without_probes(run: Path) -> None:
    """Make of a run one that was measured without probes, and without the shares of the processor."""
    (run / "probes.csv").unlink()
    header, *lines = (run / "values.csv").read_text().splitlines()
    (run / "values.csv").write_text("\n".join([header, *(line.rpartition(",")[0] + ",0" for line in lines), ""]))

    def change(record: dict[str, Any]) -> None:
        for name in ("calibrations", "digests"):
            record[name] = {block: held for block, held in record[name].items() if not block.endswith("/1")}

    edit(run, change)
    resealed(run)


def test_a_run_without_probes_says_that_its_bottlenecks_are_not_known(actbench: Actbench) -> None:
    actbench("run", *TWO_BLOCKS, "-o", "here")
    without_probes(Path("here"))
    assert actbench("compare", "here").exit_code == 0
    drawn = actbench("plot", "parts", "here", "-o", "parts.svg")
    assert drawn.exit_code == 2
    assert "that is in probes.csv, which runs of stock pyperf lack" in drawn.stderr
    result = actbench("run", "--resume", "here", "--rounds", "6")
    assert result.exit_code == 0, result.output
    assert {row["processor_pct"] for row in rows(Path("here/cases.csv"))} == {""}
    assert "Bottleneck" not in result.stdout
    actbench("report", str(EARLIER), "-o", "page.html")
    message = "the run has no probes.csv, which holds the times of one element and of 8192 in every round"
    assert message in Path("page.html").read_text()


def test_a_resumed_run_without_probes_gets_some_for_its_further_rounds(actbench: Actbench) -> None:
    actbench("run", *TWO_BLOCKS, "--rounds", "2", "-o", "here")
    without_probes(Path("here"))
    assert actbench("run", "--resume", "here", "--rounds", "4").exit_code == 0
    assert {row["round"] for row in rows(Path("here/probes.csv"))} == {"3", "4"}
    assert names(Path("here")) == FILES
    assert record(Path("here"))["rounds"] == 4
