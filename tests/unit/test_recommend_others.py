"""What frameworks choose, beside what a race found."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import click
import numpy as np
import pytest

from actbench import registry
from actbench.analysis.deviations import Largest
from actbench.analysis.framework_choices import ComparedFrameworks, FrameworkBlock
from actbench.analysis.interval import Interval
from actbench.analysis.point_error import PointError
from actbench.analysis.recommendation import Candidate, RaceEnd
from actbench.backends import Backend
from actbench.engine.races import frameworks
from actbench.engine.races.saved_names import kept_by
from actbench.errors import ExitCode
from actbench.host import environment
from actbench.kernels import resolution
from actbench.kernels.shipped import ShippedKernel
from actbench.kernels.subject import Subject
from actbench.model.cases import Arm, Block, Case, KernelId
from actbench.model.names import Dtype, Op
from actbench.model.training import SHIPPED
from actbench.model.variants import Variant
from actbench.planning import cold
from actbench.planning.selection import Room
from actbench.report import framework_choices
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.peers import usable
from tests.support.races import Recommend, outcome, taking
from tests.support.states import CACHE

ZERO = Largest(0.0, 0.0)

NO_ERROR = PointError(ZERO, ZERO, ZERO, 1.0, float("inf"), 0.0, 1)

KEEPS = {"cached": ("y",), "recompute": ("z",), "shipped": ("y",)}

NAMES = ("cached/numpy", "shipped/torch", "cached/torch", "recompute/torch", "shipped/jax")

ARMS = tuple(Arm(Variant(name.split("/")[0]), name.split("/")[1]) for name in NAMES)


def candidate(arm: Arm) -> Candidate:
    """Return an arm of a race; jax keeps what no strategy does."""
    keeps = ("y", "saved_1") if arm.backend == "jax" else KEEPS[arm.strategy]
    case = Case.parse(f"tanh/{arm.strategy}/{arm.backend}/step/float32/1000")
    return Candidate(case, keeps, (4,) * len(keeps), 4 * (len(keeps) - 1), NO_ERROR)


def compared(seconds: dict[str, float], race: RaceEnd = RaceEnd.WINNER) -> ComparedFrameworks:
    """Return what fifteen rounds of exact times show."""
    block = FrameworkBlock(ARMS[0], (ARMS[1], ARMS[4]), ARMS[2:4], {arm: candidate(arm) for arm in ARMS})
    times = np.full((15, len(ARMS), 1), 1.0) * np.array([seconds[name] for name in NAMES])[:, None]
    return ComparedFrameworks(candidate(ARMS[0]).case, race, block.judged(ARMS, times), (), 15, None)


EXACT = dict(zip(NAMES, (1.0, 1.5, 1.2, 1.0, 3.0), strict=True))


def test_the_regret_of_a_choice_is_told_apart_from_that_of_the_kernel() -> None:
    torch, jax = compared(EXACT).frameworks
    assert torch.over_best == pytest.approx(Interval(1.5, 1.5, 1.5))
    assert torch.choice is not None
    assert (torch.choice.strategy, torch.choice.rival) == ("cached", "recompute")
    assert torch.choice.over_rival.value == pytest.approx(1.2)
    assert torch.choice.kernel.value == pytest.approx(1.25)
    assert jax.over_best.value == pytest.approx(3)
    assert jax.choice is None, "no strategy keeps y and something else"


def test_sentences_say_who_keeps_what_and_what_it_costs() -> None:
    torch, jax = framework_choices.sentences(compared(EXACT))
    assert torch == (
        "torch, eager: keeps y (4 bytes per element), as cached does. Its own activation takes 1.50 ± 0.00 times as "
        "long as cached with numpy, the fastest in the race. Of that, the choice costs a factor of 1.20 ± 0.00, the "
        "time of cached over that of recompute, as torch executes both; its own kernel takes 1.25 ± 0.00 times as long "
        "as the formula of cached."
    )
    assert jax == (
        "jax's default: keeps y (4 bytes per element) and another tensor (4 bytes per element), as no strategy does. "
        "Its own activation takes 3.00 ± 0.00 times as long as cached with numpy, the fastest in the race."
    )


def test_a_choice_costs_nothing_where_no_strategy_was_faster_and_the_next_is_named() -> None:
    no_faster = compared({**EXACT, "recompute/torch": 2.0})
    (table,) = framework_choices.tables(no_faster)
    assert table.rows[0][-3:-1] == ("-40.00 % ± 0.00 %", "+25.00 % ± 0.00 %")
    torch, _ = framework_choices.sentences(no_faster)
    assert (
        "Of that, the choice costs nothing, since no strategy was faster by these rounds: cached takes 0.600 ± 0.000 "
        "times as long as recompute, the next, as torch executes both; its own kernel takes" in torch
    )


@pytest.mark.parametrize("center", [0.99, 1.01])
def test_no_cost_of_a_choice_is_claimed_where_the_interval_contains_1(center: float) -> None:
    of_exact = compared(EXACT)
    torch, jax = of_exact.frameworks
    assert torch.choice is not None
    unclear = replace(torch.choice, over_rival=Interval(center, 0.98, 1.04))
    undecided = replace(of_exact, frameworks=(replace(torch, choice=unclear), jax))
    sentence, _ = framework_choices.sentences(undecided)
    assert f"Of that, no cost of the choice is shown: cached takes {center:.2f} " in sentence


@pytest.mark.parametrize(
    ("race", "what"),
    [(RaceEnd.OPEN, "ahead in the race, which is open"), (RaceEnd.TIES, "one of the fastest in the race")],
)
def test_what_a_race_did_not_show_is_not_called_the_fastest(race: RaceEnd, what: str) -> None:
    of_race = compared(EXACT, race)
    (table,) = framework_choices.tables(of_race)
    for text in (*framework_choices.sentences(of_race), table.note):
        assert f"over that of cached with numpy, {what}" in text or f"as long as cached with numpy, {what}" in text
        assert "the fastest in the race" not in text.replace("one of the fastest", "")


def test_all_intervals_hold_together() -> None:
    block = FrameworkBlock(ARMS[0], (ARMS[1], ARMS[4]), ARMS[2:4], {})
    assert block.tail == Fraction(25, 1000) / 6
    assert block.fewest_rounds == 11


def missing(backend: Backend) -> str | None:
    """Let no framework be installed."""
    return f"{backend.requires} is not installed" if backend.requires in {"torch", "jax"} else None


def test_a_framework_that_is_not_there_is_one_line(recommend: Recommend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backend, "unavailable", property(missing))
    result = recommend(taking(cached=0.5), "--others")
    assert result.exit_code == ExitCode.FINE
    assert "Not compared: torch and torch-compile, because torch is not installed." in result.stdout
    assert "Not compared: jax, because jax is not installed." in result.stdout


@pytest.mark.parametrize("is_there", [True, False])
def test_it_is_announced_that_frameworks_are_loaded_where_one_is_there(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    monkeypatch.setattr(frameworks, "obstacles", lambda _: {"torch": None if is_there else "it is not installed"})
    monkeypatch.setattr(
        frameworks, "prepare", lambda *_: ComparedFrameworks(candidate(ARMS[0]).case, RaceEnd.WINNER, (), (), 0, None)
    )
    words = ("recommend", "-a", "logistic", "-n", "1000", "--operands", "warm", "--op", "backward", "--fresh")
    result = actbench(*words, "-s", "recompute,cached", "--others")
    assert ("loading and compiling frameworks" in result.stderr) is is_there


def test_the_answer_of_the_race_comes_first_and_stands_where_ctrl_c_ends_the_comparison(
    recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        click.echo("comparing", err=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(frameworks, "prepare", interrupt)
    result = recommend(taking(cached=0.5), "--others")
    assert result.exit_code == ExitCode.INTERRUPTED
    assert "keep y (cached), the fastest" in result.output.partition("comparing")[0]
    result = recommend(taking(cached=0.5), "--others", "--format", "json")
    assert result.exit_code == ExitCode.INTERRUPTED
    assert json.loads(result.stdout)["choice"]["strategy"] == "cached"


def test_nothing_of_frameworks_is_loaded_where_nobody_asks(
    recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert recommend(taking(cached=0.5)).exit_code == 0
    assert "torch" not in sys.modules


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("name", [usable("torch")])
def test_what_torch_keeps_is_compared_in_the_same_rounds(
    recommend: Recommend, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frameworks, "FRAMEWORKS", (name,))
    result = outcome(recommend(taking(cached=0.5, shipped=0.6), "--others", "--format", "json"))
    (other,) = result["others"]
    assert (other["keeps"], other["same_strategy"], other["next_strategy"]) == (["y"], "cached", "recompute")
    assert other["time_over_best"]["value"] == pytest.approx(1.2)
    assert other["kernel_over_same_strategy"]["value"] == pytest.approx(1.2)
    assert json.dumps(result["absent"]) == "[]"


def test_frameworks_are_not_compared_on_warm_operands_where_the_race_was_on_those_from_memory(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cold.without_memory

    def without_memory(subjects: Sequence[Subject], of: Block, room: Room) -> str | None:
        is_larger = any(subject.backend.name == "numpy-blocked" for subject in subjects)
        return "so many sets need more than there is" if is_larger else real(subjects, of, room)

    monkeypatch.setattr(environment, "last_level_cache", lambda _: CACHE)
    monkeypatch.setattr(cold, "without_memory", without_memory)
    monkeypatch.setattr(frameworks, "FRAMEWORKS", ("numpy-blocked",))
    monkeypatch.setattr(Backend, "unshipped", lambda *_: None)
    bench.seconds = taking(cached=0.5)
    options = ("recommend", "-a", "logistic", "-n", "10000", "--op", "backward", "-q", "--fresh", "--others")
    answer = outcome(actbench(*options, "--format", "json"))
    assert answer["choice"]["case"] == "logistic/cached/numpy/backward/float32/10000/residuals-cold"
    assert answer["others"] == []
    (absent,) = answer["absent"]
    assert absent.startswith("Not compared: ")
    assert "so many sets need more than there is" in absent


@pytest.mark.parametrize(("name", "activation", "keeps"), [("torch", "gelu", ("z",)), ("jax", "logistic", ("g'",))])
def test_what_a_framework_keeps_is_named(name: str, activation: str, keeps: tuple[str, ...]) -> None:
    if reason := registry.backends()[name].unavailable:
        pytest.skip(reason)
    kernel = resolution.kernel(KernelId(activation, SHIPPED, name, Op.STEP, Dtype.FLOAT32))
    assert isinstance(kernel, ShippedKernel)
    assert kept_by(kernel) == keeps
