"""Kernels that fail before a race: they are left out of it, and the others race."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actbench import plugins
from actbench.engine.launch import WorkerLostError
from actbench.engine.protocol import Doubts, Evaluate, ListDoubts, PackedDoubt
from actbench.engine.wire import PackedArray, Request
from actbench.errors import ExitCode
from tests.conftest import Actbench
from tests.support import fake
from tests.support.fake import FakeBench, FakeWorker
from tests.support.races import LOGISTIC, Recommend, outcome, taking, unlike, unwrapped

MINE = """
from actbench import kernel
from actbench.errors import InputError

@kernel("logistic", "mine", keeps=("y",), backends=("numpy",), dtypes=("float32",))
def mine(dy, y):
    {body}
    return dy * y * (1 - y)
"""

ID = "logistic/mine/numpy/backward/float32"


def load(body: str) -> tuple[str, str]:
    """Write a kernel with a statement before its result; return the option that loads it."""
    Path("mine.py").write_text(MINE.format(body=body), encoding="utf-8")
    return "--load", "mine.py"


@pytest.mark.parametrize(
    ("body", "reason", "code"),
    [
        ("raise RuntimeError('it is lost')", f"{ID} cannot be checked: worker: RuntimeError: it is lost", 4),
        ("raise RuntimeError('\\x1b[31mit is\\tlost')", r"worker: RuntimeError: \x1b[31mit is\tlost", 4),
        ("dy *= y", f"{ID} is wrong: it changes ", 4),
        ("raise InputError('it needs a device')", "it needs a device", 0),
    ],
    ids=["it raises", "its reason does not print", "it changes an operand", "it is unsupported"],
)
def test_a_kernel_that_fails_is_left_out_and_the_others_race(
    recommend: Recommend, body: str, reason: str, code: int
) -> None:
    loaded = load(body)
    result = recommend(taking(cached=0.5), *loaded, "--format", "json")
    assert result.exit_code == code, result.output
    answer = json.loads(result.stdout)
    assert (answer["outcome"], answer["choice"]["strategy"]) == ("winner", "cached")
    assert "mine" not in {arm["strategy"] for arm in answer["arms"]}
    assert sum(reason in remark for remark in answer["remarks"]) == 1
    later = recommend(taking(recompute=0.1), *loaded, fresh=False)
    assert later.exit_code == code, later.output
    assert "nothing was measured now" in later.stdout
    assert reason in " ".join(later.stdout.split())


def test_where_all_fail_it_ends_with_4_and_the_reason(recommend: Recommend) -> None:
    result = recommend(taking(), *load("raise RuntimeError('it is lost')"), "-s", "mine")
    assert result.exit_code == ExitCode.FAILED, result.output
    assert result.stderr.endswith(f"{ID} cannot be checked: worker: RuntimeError: it is lost\n")


def test_a_kernel_that_is_not_supported_is_not_said_to_have_failed(recommend: Recommend) -> None:
    result = recommend(taking(cached=0.5), *load("raise InputError('it needs a device')"))
    assert result.exit_code == 0, result.output
    assert "Nothing is known of mine, which could not be measured, or lost to what could not." in unwrapped(result)
    assert "failed" not in result.stdout.lower()


def test_where_nothing_is_supported_it_ends_with_the_reason(recommend: Recommend) -> None:
    result = recommend(taking(), *load("raise InputError('it needs a device')"), "-s", "mine")
    assert result.exit_code == ExitCode.BAD_INPUT, result.output
    assert result.stderr.endswith("no case is left to measure, because it needs a device\n")


def test_a_worker_that_is_lost_by_chance_costs_no_kernel(recommend: Recommend, monkeypatch: pytest.MonkeyPatch) -> None:
    real, losses = fake.real_answer, ["the worker ended"]

    def answer(request: Any) -> Any:
        if isinstance(request, Evaluate) and losses:
            raise WorkerLostError(losses.pop())
        return real(request)

    monkeypatch.setattr(fake, "real_answer", answer)
    answered = outcome(recommend(taking(cached=0.5), "--format", "json"))
    assert {arm["strategy"] for arm in answered["arms"]} == {"textbook", "recompute", "cached", "complement"}
    assert not losses


WRONG = """
from actbench import Formulas, activation

@activation
def half(m):
    "z / 2"

    def forward(z):
        return z / 2.0

    def recompute(z):
        return 0.6 + 0.0 * z

    return Formulas(forward=forward, recompute=recompute)
"""


UNSUPPORTED = (
    WRONG.replace("0.6 + 0.0 * z", "backed(z)")
    .replace(
        "    def forward",
        """    def backed(z):
        if getattr(z, "size", 3) < 3:
            raise InputError("it needs a device")
        return 0.5 + 0.0 * z

    def forward""",
    )
    .replace("from actbench import", "from actbench.errors import InputError\nfrom actbench import", 1)
)


def test_a_table_of_which_the_rest_is_not_supported_is_shown_by_earlier_runs(
    actbench: Actbench, bench: FakeBench, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(plugins.unload)
    Path("half.py").write_text(UNSUPPORTED, encoding="utf-8")
    bench.seconds = unlike(bench, taking(cached=0.5))
    table = ("recommend", "--all", *LOGISTIC, "-a", "logistic,half", "-d", "float32", "--load", "half.py")
    for number in ("first", "second"):
        result = actbench(*table, "-o", number)
        assert result.exit_code == 0, result.output
        assert "numpy, 2 races: 1 with one fastest strategy, 1 with nothing measured." in result.stdout
        words = " ".join(result.stdout.split())
        assert "half/recompute/numpy/backward/float32" in words
        assert "it needs a device" in words
        assert "winner" in Path(number, "recommendations.csv").read_text(encoding="utf-8")


def test_kernels_that_turn_out_to_be_wrong_in_the_race_are_not_recommended(
    recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, rounds, nothing = FakeWorker.ask, count(), PackedArray.pack(np.empty(0))

    def ask(self: FakeWorker, question: Request[Any], more_time: float = 0.0) -> Any:
        if isinstance(question, ListDoubts) and self.block and next(rounds) >= 6:
            doubts = (PackedDoubt(arm, "it counts its calls", False, *3 * [nothing]) for arm in range(2))
            return Doubts(tuple(doubts))
        return real(self, question, more_time)

    monkeypatch.setattr(FakeWorker, "ask", ask)
    result = recommend(taking(cached=0.5), "-s", "recompute,cached")
    assert result.exit_code == ExitCode.FAILED
    assert "it counts its calls" in result.stderr
    assert result.stdout == ""


def test_a_table_of_which_the_rest_cannot_be_measured_is_shown_by_earlier_runs_and_ends_with_4(
    actbench: Actbench, bench: FakeBench, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(plugins.unload)
    Path("half.py").write_text(WRONG, encoding="utf-8")
    bench.seconds = unlike(bench, taking(cached=0.5))
    table = ("recommend", "--all", *LOGISTIC, "-a", "logistic,half", "-d", "float32", "--load", "half.py")
    for number in ("first", "second"):
        result = actbench(*table, "-o", number)
        assert result.exit_code == ExitCode.FAILED, result.output
        assert "numpy, 2 races: 1 with one fastest strategy, 1 with nothing measured." in result.stdout
        assert "half/recompute/numpy/backward/float32 is wrong" in " ".join(result.stdout.split())
        assert "winner" in Path(number, "recommendations.csv").read_text(encoding="utf-8")
    assert "nothing else could be measured now" in result.stdout
