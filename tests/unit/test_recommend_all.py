"""The table of what layers should keep."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from actbench.engine.races.racing import Racing
from actbench.engine.stopping import BlockProgress
from actbench.errors import ExitCode
from actbench.host import environment
from actbench.model.cases import Arm, Block, Case
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.report.recommendation_table import COLUMNS, as_markdown
from tests.conftest import Actbench
from tests.support.documents import read
from tests.support.fake import FakeBench
from tests.support.races import taking, unlike

TABLE = (
    *("recommend", "--all", "-a", "logistic,relu", "-d", "float32", "--op", "backward", "-n", "1000"),
    *("--operands", "warm", "-q"),
)

ENOUGH_FOR_A_ROUND = 8
"""Number of workers: for the errors, the environment, the checks, the calibration and a few rounds."""


def test_a_table_has_a_race_for_each_activation_and_backend(actbench: Actbench, bench: FakeBench) -> None:
    def seconds(case: Case) -> float:
        fastest = "cached" if case.backend == "numpy" else "recompute"
        return 1e-6 * (0.5 if case.strategy == fastest and case.activation == "logistic" else 1.0)

    bench.seconds = seconds
    result = actbench(*TABLE, "-b", "numpy,numpy-blocked", "--format", "csv", "--fresh")
    assert result.exit_code == 0, result.output
    rows = [*csv.DictReader(io.StringIO(result.stdout))]
    chosen = {(row["activation"], row["backend"]): (row["outcome"], row["choice"]) for row in rows}
    assert chosen["logistic", "numpy"] == ("winner", "cached")
    assert chosen["logistic", "numpy-blocked"] == ("winner", "recompute")
    assert chosen["relu", "numpy"][0] == "ties"
    assert next(float(row["recompute_over_choice"]) for row in rows if row["choice"] == "cached") == pytest.approx(2)


def test_globs_stand_for_what_a_layer_may_keep_something_for(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = taking(cached=0.5)
    result = actbench(*TABLE, "-a", "log[is]*,tan?", "--op", "*", "--format", "csv", "--fresh")
    assert result.exit_code == 0, result.output
    rows = [*csv.DictReader(io.StringIO(result.stdout))]
    assert {row["activation"] for row in rows} == {"logistic", "tanh"}
    assert {row["op"] for row in rows} == {"derivative", "backward", "step"}


def test_the_table_is_written_as_markdown_csv_json_and_a_page(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = taking(cached=0.5)
    result = actbench(*TABLE, "-o", "table")
    assert result.exit_code == 0, result.output
    assert "numpy, 2 races: 2 with one fastest strategy. Recommended are cached (2)." in result.stdout
    assert {path.name for path in Path("table").iterdir()} == {
        *("recommendations.csv", "recommendations.json", "summary.md", "report.html")
    }
    markdown = Path("table/summary.md").read_text(encoding="utf-8")
    assert "| logistic | cached: 2.00 ± 0.00 |" in markdown
    races = json.loads(Path("table/recommendations.json").read_text(encoding="utf-8"))["races"]
    assert [race["choice"]["strategy"] for race in races] == ["cached", "cached"]
    page = Path("table/report.html").read_text(encoding="utf-8")
    assert '<h2 id="races-title">All races</h2>' in page
    assert "data-kind" not in page


def test_every_column_is_explained() -> None:
    explained = re.findall(r"`(\w+)`", read("how-to/choose-what-to-keep.md"))
    assert {*COLUMNS} <= {*explained}


def test_what_a_budget_leaves_open_is_marked_and_the_same_command_goes_on(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = unlike(bench, taking(cached=0.5))
    result = actbench(*TABLE, "--budget", "1ms")
    assert result.exit_code == ExitCode.INCONCLUSIVE
    assert "the budget leaves 2 of 2 races open" in result.stderr
    assert "cached ?: 2.00 ?" in result.stdout
    assert actbench(*TABLE).exit_code == 0
    assert "nothing was measured now" in actbench(*TABLE).stdout


def test_what_cannot_be_measured_is_left_out_with_the_reason(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = taking(cached=0.5)
    result = actbench(*TABLE, "--operands", "warm,cold", "-n", "10")
    assert result.exit_code == 0, result.output
    assert "numpy, 2 races:" in result.stdout
    assert re.search(
        "left out [0-9]+ cases, e.g. logistic/textbook/numpy/backward/float32/10/cold: a cache", result.stdout
    )


def test_what_no_strategy_meets_is_one_cell_of_the_table(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = taking(cached=0.5)
    result = actbench(*TABLE, "--max-ulp", "0.4", "--format", "csv")
    assert result.exit_code == 0, result.output
    rows = {row["activation"]: row for row in csv.DictReader(io.StringIO(result.stdout))}
    assert (rows["logistic"]["outcome"], rows["logistic"]["choice"]) == ("ruled out", "")
    assert "recompute" in rows["logistic"]["ruled_out"]
    assert rows["relu"]["outcome"] != "ruled out"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--within", "mlp:3-4"), "--all is of activations alone: leave --within out"),
        (("--others",), "--others is about one activation: leave --all out"),
        (("--format", "code"), "--format code is of one activation: leave --all out"),
        (("-a", "nosuch"), "unknown activation 'nosuch'"),
        (("-o", "afile"), "afile is not a directory: name another with -o"),
        (("-o", "arun"), "-o arun: it holds a run, whose files would be replaced"),
    ],
)
def test_what_cannot_be_a_table_is_one_sentence(actbench: Actbench, options: tuple[str, ...], sentence: str) -> None:
    Path("afile").write_text("", encoding="utf-8")
    Path("arun").mkdir()
    Path("arun/run.json").write_text("", encoding="utf-8")
    result = actbench(*TABLE, *options)
    assert result.exit_code == ExitCode.BAD_INPUT
    assert sentence in result.stderr


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = unlike(bench, taking(cached=0.5))

    def stop(_: object) -> None:
        if bench.workers_started > ENOUGH_FOR_A_ROUND:
            raise KeyboardInterrupt

    bench.on_time = stop
    interrupted = actbench(*TABLE, "-o", "table")
    assert interrupted.exit_code == ExitCode.INTERRUPTED
    assert "interrupted: what is finished is kept; the same command goes on" in interrupted.stderr
    assert "cached ?: 2.00 ?" in Path("table/summary.md").read_text(encoding="utf-8")
    bench.on_time = lambda _: None
    later = actbench(*TABLE, "-o", "table")
    assert later.exit_code == 0
    assert "it counts, too" in later.stdout


def test_what_is_left_of_a_budget_goes_to_the_races_with_the_fewest_rounds() -> None:
    arms = (Arm(Variant("recompute"), "numpy"), Arm(Variant("cached"), "numpy"))
    blocks = [Block(name, Op.STEP, Dtype.FLOAT32, 1000, arms) for name in ("elu", "gelu", "tanh")]
    race = Racing.of(blocks, {}, 0.02, 10.0, apart=True)
    progress = {block: BlockProgress(rounds, (), 2.0) for block, rounds in zip(blocks, (3, 1, 2), strict=True)}
    assert race.worthwhile(3, progress, elapsed=1.0) == blocks
    assert race.worthwhile(3, progress, elapsed=5.0) == [blocks[1], blocks[2]]
    assert race.worthwhile(3, progress, elapsed=9.0) == blocks, "none fits, so that the race is over"
    assert race.enough(3, 0.0, 9.0, 6.0)


def test_remarks_hold_no_html() -> None:
    text = as_markdown([], ["lost: <b>it</b>"], environment.collect(None))
    assert "\n- lost: &lt;b>it&lt;/b>\n" in text
