"""What ``actbench recommend`` says where workers fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actbench.engine.protocol import Evaluate
from actbench.engine.races import frameworks
from actbench.errors import ExitCode
from actbench.model.cases import Block
from tests.conftest import Actbench
from tests.support import fake
from tests.support.fake import FakeBench, crash
from tests.support.peers import usable
from tests.support.races import LOGISTIC, Recommend, taking

BLOCK = "logistic/backward/float32/1000"


def runs_with_rounds() -> int:
    """Return the number of runs in which something was measured."""
    return sum(json.loads(file.read_text())["rounds"] > 0 for file in Path("results").glob("2*/run.json"))


@pytest.mark.parametrize(
    "options", [("text",), ("markdown",), ("json",), ("code",), ("json", "--others")], ids=" ".join
)
def test_a_race_in_which_nothing_can_be_timed_ends_with_4_and_the_reason(
    recommend: Recommend, bench: FakeBench, options: tuple[str, ...]
) -> None:
    bench.on_time = lambda _: crash("gone")
    result = recommend(taking(), "--format", *options)
    assert result.exit_code == ExitCode.FAILED, result.output
    assert result.stderr.endswith(f"nothing could be timed: {BLOCK}: gone\n")
    if "json" in options:
        assert json.loads(result.stdout)["choice"] is None


def test_of_many_races_those_are_shown_in_which_something_was_timed(actbench: Actbench, bench: FakeBench) -> None:
    def on_time(block: Block) -> None:
        if block.activation == "relu":
            crash("gone")

    bench.seconds, bench.on_time = taking(cached=0.5), on_time
    result = actbench("recommend", "--all", *LOGISTIC, "-a", "logistic,relu", "-d", "float32")
    assert result.exit_code == ExitCode.FAILED, result.output
    assert "1 with one fastest strategy, 1 with nothing measured" in result.stdout
    assert "relu/backward/float32/1000: gone" in result.stdout


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("name", [usable("torch")])
def test_a_framework_that_crashes_is_not_compared_and_the_command_ends_with_4(
    recommend: Recommend, bench: FakeBench, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_time(block: Block) -> None:
        if any(case.strategy == "shipped" for case in block.cases):
            crash("gone")

    monkeypatch.setattr(frameworks, "FRAMEWORKS", (name,))
    bench.on_time = on_time
    result = recommend(taking(cached=0.5), "--others", "--format", "json")
    assert result.exit_code == ExitCode.FAILED, result.output
    answer = json.loads(result.stdout)
    assert (answer["choice"]["strategy"], answer["others"]) == ("cached", [])
    (absent,) = answer["absent"]
    assert absent.startswith(f"Not compared: {name}, because logistic/shipped/{name}/")
    assert absent.endswith(" cannot be timed: gone.")
    assert runs_with_rounds() == 1, "strategies without a framework are not measured"


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("name", [usable("torch"), usable("jax")])
def test_a_framework_whose_derivative_cannot_be_looked_at_is_not_compared_and_the_command_ends_with_4(
    recommend: Recommend, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fake.real_answer

    def answer(request: Any) -> Any:
        if isinstance(request, Evaluate) and "/shipped/" in request.case:
            crash("gone")
        return real(request)

    monkeypatch.setattr(frameworks, "FRAMEWORKS", (name,))
    monkeypatch.setattr(fake, "real_answer", answer)
    result = recommend(taking(cached=0.5), "--others", "--format", "json")
    assert result.exit_code == ExitCode.FAILED, result.output
    answered = json.loads(result.stdout)
    assert (answered["choice"]["strategy"], answered["others"]) == ("cached", [])
    shipped = f"logistic/shipped/{name}/backward/float32"
    assert runs_with_rounds() == 1, "strategies without a framework are not measured"
    assert answered["absent"] == [f"Not compared: {name}, because {shipped} cannot be checked: gone."]


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("name", [usable("torch")])
@pytest.mark.parametrize(
    ("backends", "reason"),
    [
        (["numpy", "torch"], f"nothing could be timed: {BLOCK}: gone"),
        (
            ["numpy"],
            "compared with what led in the race: logistic/cached/numpy/backward/float32/1000 cannot be timed",
        ),
    ],
)
def test_where_the_comparison_with_frameworks_fails_the_answer_of_the_race_stands_and_it_ends_with_4(
    *,
    recommend: Recommend,
    bench: FakeBench,
    name: str,
    backends: list[str],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = frameworks.prepare

    def on_time(block: Block) -> None:
        if any(case.backend in backends for case in block.cases):
            crash("gone")

    def prepare(*arguments: Any) -> Any:
        bench.on_time = on_time
        return real(*arguments)

    monkeypatch.setattr(frameworks, "FRAMEWORKS", (name,))
    monkeypatch.setattr(frameworks, "prepare", prepare)
    result = recommend(taking(cached=0.5), "--others")
    assert result.exit_code == ExitCode.FAILED, result.output
    assert "keep y (cached), the fastest" in result.stdout
    assert reason in result.stderr
