"""Numbers in run.json that no run has are damage, told with the field; so is what was changed of measurements."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Actbench
from tests.support.selections import edit

OUT = "; restore it from a copy, or measure again\n"


@pytest.fixture
def run(one_block: Path) -> Path:
    """Two rounds of one block."""
    return one_block


def put(path: str, value: object) -> Callable[[Any], None]:
    """Return what changes one field, given as in a message: ``checks[0].ulp``."""
    *keys, last = path.replace("[", ".").replace("]", "").split(".")

    def change(record: Any) -> None:
        for key in keys:
            record = record[int(key) if isinstance(record, list) else key]
        record[int(last) if isinstance(record, list) else last] = value

    return change


BEYOND = [
    ("settings.rounds", -3),
    ("settings.rounds", 0),
    ("settings.rounds", 10**9),
    ("settings.threads", -1),
    ("settings.target", -0.02),
    ("settings.target", 1e308),
    ("settings.budget", 1e308),
    ("settings.arm_seconds", 0.0),
    ("settings.timeout", -60.0),
    ("seconds", 1e308),
    ("seconds", -1.0),
    ("rounds", -12),
    ("repeats", -1),
    ("plan.seed", -1),
    ("plan.blocks[0].size", 0),
    ("plan.blocks[0].size", 10**30),
    ("checks[0].ulp", -1.0),
    ("checks[0].by_band[3]", -1.0),
    ("checks[0].kept_bytes", -8),
    ("environment.logical_cpus", 0),
    ("environment.memory", -1),
    ("environment.physical_cpus", 0),
    ("environment.affinity", -1),
]


@pytest.mark.parametrize(("field", "value"), BEYOND, ids=str)
def test_a_number_that_no_run_has_is_damage_and_its_field_is_named(
    actbench: Actbench, run: Path, field: str, value: object
) -> None:
    edit(run, put(field, value))
    result = actbench("compare", "here")
    assert result.exit_code == 2, result.exception
    if isinstance(value, int) and abs(value) >= 2**63:
        assert result.stderr.startswith("actbench: here/run.json is damaged: ")
    else:
        assert result.stderr.startswith(f"actbench: here/run.json is damaged: {field} is ")
    assert result.stderr.endswith(OUT)


def short(record: Any) -> None:
    record["checks"][0]["by_band"] = [1.0, 2.0]


def calibrated(**changed: object) -> Callable[[Any], None]:
    return lambda record: next(iter(record["calibrations"].values())).update(changed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (short, "checks[0].by_band has 2 entries, and can have 18 or none"),
        (calibrated(slices=0), "calibrations['logistic/derivative/float64/1000'].slices is 0"),
        (calibrated(loops=[1, -2, 3]), "calibrations['logistic/derivative/float64/1000'].loops[1] is -2"),
        (calibrated(round_seconds=1e300), "calibrations['logistic/derivative/float64/1000'].round_seconds is 1e+300"),
        (calibrated(values=[3]), "is not for as many arms as the block has"),
        (put("plan.inputs.parameters", [1.0, -1.0]), "plan.inputs cannot be drawn from: its standard deviation is -1"),
        (put("plan.inputs.distribution", "file"), "plan.inputs cannot be drawn from: a file has a SHA-256"),
        (lambda record: record["checks"].append(record["checks"][0]), "checks[0].kernel is not in the plan, or is"),
        (lambda record: record["digests"].update(nothing={"1": "0"}), "digests has nothing, which was not calibrated"),
        (lambda record: record["environment"]["caches"].update(L1d=-1), "environment.caches.L1d is -1"),
        (lambda record: record["settings"].update(preset="a\nb"), "characters that do not print, in settings.preset"),
        (
            lambda record: record["plan"]["blocks"][0]["arms"][0].update(strategy="yardstick"),
            "has no arms, or one twice",
        ),
        (put("created", "soon"), "created is 'soon', and not a time"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("command", [("report",), ("run", "--resume")], ids=lambda command: command[-1])
def test_whatever_else_a_reader_would_compute_with_is_looked_at_first(
    actbench: Actbench, run: Path, command: tuple[str, ...], change: Callable[[Any], None], said: str
) -> None:
    edit(run, change)
    result = actbench(*command, "here")
    assert result.exit_code == 2, result.exception
    assert result.stderr.startswith("actbench: here/run.json is damaged: ")
    assert said in result.stderr
    assert result.stderr.endswith(OUT)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "change",
    [
        put("checks[0].ulp", 0.125),
        put("checks[0].by_band[3]", 0.125),
        put("rounds", 1),
        put("plan.seed", 2),
        put("plan.inputs.distribution", "uniform"),
        calibrated(round_seconds=0.125),
        lambda record: record["checks"].pop(),
        lambda record: record["digests"].popitem(),
        lambda record: record.pop("digests"),
        lambda record: record.pop("seal"),
        lambda record: record.pop("id"),
    ],
)
def test_what_was_measured_and_is_not_as_it_was_written_is_damage(
    actbench: Actbench, run: Path, change: Callable[[Any], object]
) -> None:
    edit(run, change)
    result = actbench("compare", "here")
    assert result.exit_code == 2
    assert "what it says of what was measured is not as it was written" in result.stderr


def test_what_describes_the_host_can_be_corrected_by_hand(actbench: Actbench, run: Path) -> None:
    edit(run, put("environment.cpu_model", "a processor"))
    assert actbench("compare", "here").exit_code == 0
    assert "a processor" in json.loads((run / "run.json").read_text())["environment"]["cpu_model"]


def test_a_name_of_a_field_that_is_no_text_is_damage(actbench: Actbench, run: Path) -> None:
    data = (run / "run.json").read_bytes()
    (run / "run.json").write_bytes(data.replace(b'"plan"', b'"\xbd": 1, "plan"', 1))
    result = actbench("compare", str(run))
    assert result.exit_code == 2, result.output
    assert "is damaged" in result.stderr
