"""Kernels that fail before a race: they are left out of it, and the others race."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actbench.engine.launch import WorkerLostError
from actbench.engine.protocol import Evaluate
from actbench.errors import ExitCode
from tests.support import fake
from tests.support.races import Recommend, outcome, taking

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
        ("dy *= y", f"{ID} is wrong: it changes ", 4),
        ("raise InputError('it needs a device')", "it needs a device", 0),
    ],
    ids=["it raises", "it changes an operand", "it is unsupported"],
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
