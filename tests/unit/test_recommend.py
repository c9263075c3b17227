"""What a layer should keep: exact times, real errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actbench.analysis.standings import Standing, standings
from actbench.errors import ExitCode
from actbench.host import environment
from actbench.model.cases import Arm
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.races import Recommend, outcome, taking, undecided, unwrapped

JSON = ("--format", "json")


def test_a_strategy_that_is_faster_than_all_others_is_named_alone(recommend: Recommend) -> None:
    answer = outcome(
        recommend(
            taking(cached=0.5),
            *JSON,
        )
    )
    assert (answer["outcome"], answer["choice"]["strategy"], answer["ties"]) == ("winner", "cached", [])
    recompute = next(arm for arm in answer["arms"] if arm["strategy"] == "recompute")
    assert recompute["time_over_fastest"] == pytest.approx({"value": 2, "low": 2, "high": 2})
    assert recompute["standing"] == "slower"


def test_programs_read_of_an_open_race_that_the_first_is_the_fastest_so_far(
    recommend: Recommend, bench: FakeBench
) -> None:
    result = recommend(undecided(bench), *JSON, "--budget", "8s")
    assert result.exit_code == ExitCode.INCONCLUSIVE
    answer = json.loads(result.stdout)
    assert answer["outcome"] == "open"
    assert answer["choice"]["standing"] == "fastest so far"


def test_of_ties_the_one_is_recommended_that_keeps_nothing_beside_what_is_alive_anyway(recommend: Recommend) -> None:
    answer = outcome(
        recommend(
            taking(recompute=0.985),
            *JSON,
        )
    )
    assert answer["outcome"] == "ties"
    assert answer["choice"]["strategy"] == "cached", "y is alive anyway, and it takes 1.5 % longer"
    kept_z = outcome(recommend(taking(recompute=0.985), *JSON, "--alive", "z"))
    assert kept_z["choice"]["strategy"] == "recompute"


def test_the_sentences_say_what_to_keep_what_it_gains_and_what_it_costs(recommend: Recommend) -> None:
    result = recommend(taking(cached=0.5), "-s", "recompute,cached")
    answer = unwrapped(result)
    assert re.fullmatch(
        r"logistic, float32, backward pass with numpy, n = 1000, warm operands: keep y \(cached\), the fastest with "
        r"95 % confidence\. In comparison, z \(recompute\) takes 2\.00 ± 0\.00 times as long a call, and keeps 4 "
        r"bytes per element more, beside what is alive anyway \(y\)\. With cached, g' is off by up to 0\.0002\d of g', "
        r"not counting what one rounding of z causes\. With that, it is off by up to \d{4} ULP \(z = 7\.\d+\), and by "
        r"up to \d\.\de-8 as a difference: a search of \d+k z on -8 to 8 met nothing worse\.",
        answer,
    )


def test_bytes_that_are_alive_anyway_are_not_kept_for_the_gradient(recommend: Recommend) -> None:
    def cells(*options: str) -> list[str]:
        lines = recommend(taking(), "-a", "gelu", "-s", "pair,recompute", "--format", "markdown", *options).stdout
        return next(line for line in lines.splitlines() if line.startswith("| pair")).split("|")

    assert [cell.strip() for cell in cells()[5:7]] == ["4", "4"], "z for g', y in any case"
    assert [cell.strip() for cell in cells("--alive", "y,z")[5:7]] == ["0", "8"]


def test_code_to_paste_is_that_of_the_choice_under_the_answer(recommend: Recommend) -> None:
    result = recommend(taking(cached=0.5), "--format", "code")
    assert result.stdout.startswith("# logistic, float32, backward pass with numpy, n = 1000, ")
    names: dict[str, Any] = {}
    exec(result.stdout, names)  # noqa: S102  # that is what it is for
    y, kept = names["logistic_forward"](np.zeros(2))
    assert names["logistic_backward"](np.ones(2), kept).tolist() == [0.25, 0.25]
    assert kept[0] is y


def test_a_budget_that_decides_nothing_ends_with_inconclusive(recommend: Recommend) -> None:
    result = recommend(taking(cached=0.5), "--budget", "1ms")
    assert result.exit_code == ExitCode.INCONCLUSIVE
    answer = unwrapped(result)
    assert "nothing can be said yet: 1 round of the 10 that it takes at least. So far y (cached) is ahead" in answer
    assert (
        "of its time others took, as a median and range of these rounds, z (textbook) 2.00, z (recompute) 2.00"
        in answer
    )
    assert "In comparison" not in answer
    assert re.search(
        r"the budget leaves it open \(10 rounds are the fewest that show a difference\): it takes at least 10 rounds, "
        r"about \d+ s with what comes before them: give --budget \d+s; or widen --margin",
        result.stderr,
    ), result.stderr


def test_only_arms_whose_interval_reaches_the_fastest_are_open(recommend: Recommend, bench: FakeBench) -> None:
    result = recommend(undecided(bench), "--budget", "15s", "-q")
    answer = unwrapped(result)
    assert re.search(r"not decided by \d+ rounds\. So far .+ is ahead, and by the 95 % intervals either may be", answer)
    open_ones = answer.partition("either may be faster: ")[2].partition(". ")[0]
    assert open_ones.count("times as long") == 1
    assert "recompute" not in open_ones
    assert re.search(
        r"open: \d+ more rounds decide it .+ with --budget \d+s, the same command goes on|than 1000 rounds",
        result.stderr,
    )


def test_strategies_that_break_a_bound_are_listed_with_the_figure_that_rules_them_out(recommend: Recommend) -> None:
    answer = outcome(recommend(taking(cached=0.5), *JSON, "-a", "tanh", "--max-error", "1e-3"))
    ruled_out = {one["strategy"]: one["reason"] for one in answer["ruled_out"]}
    assert {*ruled_out} == {"textbook", "cached"}
    assert re.fullmatch(
        r"its g' is off by 0\.16 of g' on -8 to 8 \(z = -?7\.\d+, \|g'\| = \S+\) beyond one rounding of z, above "
        r"--max-error 0\.001",
        ruled_out["cached"],
    )
    assert answer["choice"]["strategy"] != "cached"
    near_zero = outcome(recommend(taking(cached=0.5), *JSON, "-a", "tanh", "--max-error", "1e-3", "--on=-1:1"))
    assert near_zero["choice"]["strategy"] == "cached"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--max-ulp", "0.1"),
            r"no strategy of logistic meets these bounds; [a-z]+ comes nearest, but its g' is off by",
        ),
        (("--max-kept", "0", "--alive", "z", "-s", "cached"), "above --max-kept 0"),
        (("--alive", "q"), "unknown array to --alive 'q': known are c, y, z$"),
        (("-a", "tanh", "--max-ulp", "1"), "recompute comes nearest, but its g' is off by [23]."),
        (("--max-kept", "nan"), "'nan' is no bound: write a number from 0 on, for example 4 or 0.5"),
        (("--max-ulp", "1%"), "'1%' is no bound: write a number from 0 on, for example 4 or 0.5"),
        (("--max-error", "0%"), "'0%' is no relative error: write a number above 0, for example 1e-5 or 0.001%"),
        (("--seed", "one"), "'one' is not a whole number from 0 to"),
        (("-d", "float32,float64"), "'float32,float64' is a list: ask for one at a time"),
        (
            ("--max-kept", "1", "-s", "recompute"),
            "it keeps 4 bytes per element beside what is alive, above --max-kept 1",
        ),
        (("-a", "tanh", "-s", "cached", "--max-error", "0.1%"), "above --max-error 0.001"),
        (("-a", "nosuch"), "unknown activation 'nosuch'"),
        (("-n", "100k", "--max-call", "1us"), "'1us' is not a time"),
        (("-n", "1M", "--max-call", "0.001ms"), r"above the cap of 1e-06 s \(--max-call\)"),
        (("-s", "checkpoint"), "'checkpoint' takes part in training steps alone, .+: add --within, for example mlp:"),
        (("-a", "silu", "-s", "cached"), "silu has the strategies"),
        (("--on", "3:2"), "'3:2' is not a range: write for example -8:8"),
        (("--within", "mlp:3-4"), "--within races in training steps, of 128 rows: leave --size, --op, --operands out"),
        (("--from", "latest"), "--fresh uses no earlier run: leave --from out"),
        (("--inputs", "normal:0,1", "--on", "1:2"), "--on is where errors count without --inputs: leave --on out"),
        (("--op", "second"), "a layer keeps what g' needs: for g'', see actbench run --op second"),
        (("--batch", "8"), "--batch is of the network of --within: name it, or leave it out"),
        (("--others", "--format", "code"), "--others adds to the answer: leave --format code out"),
        (("--format", "csv"), "--format csv is of the table of --all"),
        (("-o", "table"), "-o is for the table of --all"),
        (("--inputs", "words.npy"), "words.npy"),
        (("--inputs", "text.npy"), "text.npy"),
        (("--inputs", "absent.npy"), "absent.npy"),
    ],
)
def test_what_cannot_be_met_is_one_sentence(recommend: Recommend, options: tuple[str, ...], sentence: str) -> None:
    np.save("words.npy", np.array(["z", "y"]))
    Path("text.npy").write_text("1 2 3", encoding="utf-8")
    result = recommend(taking(), *options)
    assert result.exit_code == ExitCode.BAD_INPUT
    assert re.search(sentence, result.stderr), result.stderr
    assert "Traceback" not in result.output


def test_lists_in_the_settings_are_for_commands_that_take_several(recommend: Recommend) -> None:
    Path("actbench.toml").write_text("size = [1000, 2000]\ndtype = 'float32,float64'\nmargin = 3\n", encoding="utf-8")
    assert outcome(recommend(taking(recompute=0.985), *JSON))["margin"] == 0.03


def test_in_a_network_the_race_is_of_training_steps(actbench: Actbench) -> None:
    network = ("recommend", "-a", "logistic", "--within", "dense:16-8", "--batch", "8", "-q", "--fresh", *JSON)
    answer = outcome(actbench(*network))
    assert answer["outcome"] == "winner"
    assert (answer["choice"]["strategy"], answer["choice"]["step_bytes_kept"]) == ("cached", 256)


def test_checkpoint_takes_part_in_a_training_step_and_keeps_nothing_beside_what_is_alive(actbench: Actbench) -> None:
    within = ("recommend", "-a", "logistic", "--within", "mlp:16-8-8", "--batch", "8", "-q", "--fresh", *JSON)
    answer = outcome(actbench(*within, "-s", "recompute,checkpoint"))
    arms = {arm["strategy"]: arm for arm in answer["arms"]}
    assert (arms["checkpoint"]["keeps"], arms["checkpoint"]["bytes_for_gradient"]) == ([], 0)
    assert arms["checkpoint"]["max_ulp"] == arms["recompute"]["max_ulp"]
    code = actbench(*within[:-2], "-s", "checkpoint", "--format", "code")
    assert "torch.utils.checkpoint.checkpoint(f, h, use_reentrant=False)" in code.stdout
    refused = actbench(*within, "-s", "free")
    assert refused.exit_code == ExitCode.BAD_INPUT
    assert "'free' is a gradient that is wrong by design" in refused.stderr


def test_of_a_gated_activation_both_gradients_count(recommend: Recommend) -> None:
    gated = ("-a", "swiglu", "-s", "recompute,intermediate", "--on=-1:8")
    answer = outcome(recommend(taking(intermediate=0.5), *JSON, *gated))
    assert answer["choice"]["keeps"] == ["a", "b", "s"]
    assert (answer["choice"]["bytes_kept"], answer["choice"]["bytes_for_gradient"]) == (12, 12)
    errors = [arm["max_relative_error"]["size"] for arm in answer["arms"]]
    assert all(0 < error < 1e-5 for error in errors)
    text = unwrapped(recommend(taking(intermediate=0.5), *gated))
    assert "keep a, b and what the forward pass computed on the way (intermediate), the fastest" in text
    assert re.search(r"the gradient of a or b is off by up to \d\.\de-7 of itself", text)
    assert re.search(r"a search of \d+k a on -1 to 8, b from N\(0, 1\), met nothing worse", text)
    code = recommend(taking(intermediate=0.5), *gated, "--format", "code")
    assert "def swiglu_backward(dy, kept):" in code.stdout
    alive = outcome(recommend(taking(intermediate=0.5), *JSON, *gated, "--alive", "a,b"))
    assert alive["choice"]["bytes_for_gradient"] == 4


def test_where_a_cache_is_too_large_operands_are_warm_unless_a_state_is_named(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "last_level_cache", lambda _: 1 << 40)
    words = ("recommend", "-a", "logistic", "-n", "1000", "--op", "backward", "-q", "--fresh", *JSON)
    answer = outcome(actbench(*words, "-b", "python,numpy"))
    assert answer["choice"]["case"] == "logistic/cached/numpy/backward/float32/1000"
    assert answer["remarks"][0].startswith(
        "Operands are warm (the same in every call), because they cannot come from memory here: a cache of "
        "1048576 MiB takes"
    )
    refused = actbench(*words, "--operands", "residuals-cold")
    assert refused.exit_code == ExitCode.BAD_INPUT
    assert "a cache of 1048576 MiB takes" in refused.stderr
    assert ": name larger arrays, or --operands warm" in refused.stderr


def test_all_strategies_may_be_named_as_all(recommend: Recommend) -> None:
    answer = outcome(recommend(taking(cached=0.5), *JSON, "-s", "all"))
    assert {arm["strategy"] for arm in answer["arms"]} == {"textbook", "recompute", "cached", "complement"}


WRONG = """
from actbench import kernel

@kernel("logistic", "wrong", keeps=("y",), backends=("numpy",), dtypes=("float32",))
def wrong(dy, y):
    return dy * y
"""


def test_a_wrong_kernel_is_left_out_of_the_race_which_ends_with_4(recommend: Recommend) -> None:
    Path("mine.py").write_text(WRONG, encoding="utf-8")
    result = recommend(taking(cached=0.5), "--load", "mine.py")
    assert result.exit_code == ExitCode.FAILED
    assert "keep y (cached), the fastest" in result.stdout
    assert "logistic/wrong/numpy/backward/float32 is wrong" in result.stdout


ARMS = tuple(Arm(Variant(f"arm{number}"), "numpy") for number in range(4))


def race(rng: np.random.Generator, draw: Callable[..., Any], factors: tuple[float, ...], margin: float) -> bool:
    """Look after every third of 40 rounds until nothing is open; return whether the first arm ever lost."""
    rounds = np.array(factors) * np.exp(0.02 * draw(rng, size=(40, 4)))
    for number in range(10, 41, 3):
        places = standings(ARMS, rounds[:number, :, None], margin, 3)
        if places[0].standing is Standing.SLOWER:
            return True
        if all(place.standing is not Standing.OPEN for place in places):
            break
    return False


@pytest.mark.parametrize("draw", [np.random.Generator.standard_normal, np.random.Generator.standard_cauchy])
def test_the_fastest_arm_is_taken_for_a_slower_one_in_at_most_one_race_of_twenty(draw: Callable[..., Any]) -> None:
    rng = np.random.default_rng(1)
    lost = sum(race(rng, draw, (1.0, 1.0, 1.0, 1.01), 0.02) for _ in range(60))
    assert lost <= 3
