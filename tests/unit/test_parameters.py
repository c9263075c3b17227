from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from actbench.cli.values import Duration, Names, Notation, Percent, Rows, SizeText
from actbench.model.sizes import Size, sizes
from tests.conftest import Actbench


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("1", 1),
        ("1000", 1000),
        ("1e6", 1_000_000),
        ("1E6", 1_000_000),
        ("64k", 64_000),
        ("64K", 64_000),
        ("64Ki", 65_536),
        ("1.5k", 1_500),
        ("2M", 2_000_000),
        ("1Mi", 1_048_576),
        (" 8 ", 8),
        ("1e10", 10**10),
        ("4096x4096", 16_777_216),
        ("8x1Kix64", 524_288),
    ],
)
def test_a_size_is_read_as_a_number_of_elements(text: str, elements: int) -> None:
    assert SizeText().convert(text, None, None) == Size(elements)


@pytest.mark.parametrize("text", ["0", "4x4", "many"])
def test_what_is_no_number_of_rows_is_refused_as_such(text: str) -> None:
    with pytest.raises(click.BadParameter, match=rf"'{text}' is not a number of rows: write"):
        Rows().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "shape"), [("1000", ""), ("4096x1024", "4096x1024"), ("8x1Kix64", "8x1024x64"), ("1x1", "1x1")]
)
def test_a_shape_stays_the_name_of_a_size(text: str, shape: str) -> None:
    assert SizeText().convert(text, None, None).shape == shape


@pytest.mark.parametrize(
    "text",
    [
        *("-1", "0", "0k", "1e99", "1e999", "nan", "inf", "", " ", "1.5", "12q", "0x10", "1_000", "+5", "1e-3"),
        *("4096x", "x", "4096x0", "1e5x1e6", "2x-2", "2*2", "1.5x2", "2x2q"),
        *("k", "1e", "1..5", "1k k", "١٢", "½", "1e10000", "10000000001", "true", "1/2", "1e3e3", "%5", "5%"),
    ],
)
def test_what_is_no_size_is_refused_with_what_was_written(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a size: write") as refused:
        SizeText().convert(text, None, None)
    assert refused.value.message.startswith(f"'{text}' ")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("90", 90.0), ("2m", 120.0), ("2min", 120.0), ("1.5h", 5400.0), ("500ms", 0.5), ("1e2s", 100.0)],
)
def test_a_time_is_read_in_seconds(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["-1s", "0", "0s", "nan", "inf", "5 parsecs", "", "s", "1h30m", "1:30", "8d", "1 s s"])
def test_what_is_no_time_is_refused_with_what_was_written(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a time: write") as refused:
        Duration().convert(text, None, None)
    assert refused.value.message.startswith(f"'{text}' ")


@pytest.mark.parametrize(("text", "share"), [("2", 0.02), ("2%", 0.02), ("0.5 %", 0.005), ("100", 1.0)])
def test_a_percentage_is_read_as_a_share(text: str, share: float) -> None:
    assert Percent().convert(text, None, None) == share


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "", "%", "2%%", "2k", "two"])
def test_what_is_no_percentage_is_refused_with_what_was_written(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a percentage: write") as refused:
        Percent().convert(text, None, None)
    assert refused.value.message.startswith(f"'{text}' ")


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (Percent, "101", "'101' is too large: write a percentage up to 100, "),
        (Percent, "1000%", "'1000%' is too large: "),
        (Duration, "169h", "'169h' is too long: write a time up to 168 h, "),
        (Duration, "1e99s", "'1e99s' is too long: "),
        (SizeText, "1k,2k", "'1k,2k' is a list: write one size"),
        (Rows, "32,64", "'32,64' is a list: write one number of rows"),
    ],
)
def test_what_is_refused_is_not_called_something_else(kind: Callable[[], Notation], text: str, message: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        kind().convert(text, None, None)
    assert refused.value.message.startswith(message)


@pytest.mark.parametrize("item", [SizeText(), Rows()])
def test_only_a_list_says_that_commas_separate_its_parts(item: Notation) -> None:
    with pytest.raises(click.BadParameter) as refused:
        Names("ONE", item).convert("1,many", None, None)
    assert refused.value.message.endswith("; commas separate several")
    with pytest.raises(click.BadParameter) as alone:
        item.convert("many", None, None)
    assert "commas" not in alone.value.message


def test_a_list_takes_commas_and_spaces() -> None:
    assert Names("SIZE", SizeText()).convert("1k, 2k,3", None, None) == sizes(1000, 2000, 3)


@pytest.mark.parametrize("text", ["", ",", "numpy,", ",numpy", "numpy,,numba", " , "])
def test_a_list_with_an_empty_part_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="has an empty part"):
        Names("BACKEND").convert(text, None, None)


def test_options_repeat_or_take_commas_and_a_value_given_twice_counts_once(actbench: Actbench) -> None:
    common = ("list", "cases", "-a", "logistic", "-s", "cached", "-d", "float64")
    repeated = actbench(*common, "-b", "numpy", "-b", "numba", "-n", "2k", "-n", "1000", "-n", "1k")
    with_commas = actbench(*common, "-b", "numba,numpy,numpy", "-n", "1000,2000")
    assert with_commas.stdout == repeated.stdout
    assert repeated.stdout.splitlines() == [
        "logistic/cached/numpy/derivative/float64/1000",
        "logistic/cached/numba/derivative/float64/1000",
        "logistic/cached/numpy/derivative/float64/2000",
        "logistic/cached/numba/derivative/float64/2000",
    ]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("-a", "logistik", "unknown activation 'logistik': did you mean 'logistic'?"),
        ("-a", "Tanh", "unknown activation 'Tanh': did you mean 'tanh'?"),
        ("-a", "sigmoid", "unknown activation 'sigmoid': did you mean 'logistic'?"),
        ("-a", "swish", "unknown activation 'swish': did you mean 'silu'?"),
        ("-a", "GELU", "unknown activation 'GELU': did you mean 'gelu'?"),
        ("-a", "zzzz", "unknown activation 'zzzz': known are arctan, celu, elu, "),
        ("-b", "nump", "unknown backend 'nump': did you mean 'numpy'?"),
        ("-s", "cache", "unknown strategy 'cache': did you mean 'cached'?"),
        ("--op", "derivate", "unknown op 'derivate': did you mean 'derivative'?"),
        ("-d", "float46", "unknown dtype 'float46': did you mean 'float64'?"),
        ("-d", "bfloat", "unknown dtype 'bfloat': did you mean 'bfloat16'?"),
        ("-d", "f8", "unknown dtype 'f8': "),
        ("--preset", "defualt", "unknown preset 'defualt': did you mean 'default'?"),
    ],
)
@pytest.mark.parametrize("command", [("run",), ("run", "--dry-run"), ("list", "cases")])
def test_an_unknown_name_is_one_line_that_suggests_the_nearest(
    actbench: Actbench, command: tuple[str, ...], option: str, value: str, said: str
) -> None:
    result = actbench(*command, option, value)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"actbench: {said}")
    assert result.stderr.count("\n") == 1


def test_a_name_like_no_other_may_be_of_code_that_was_not_loaded(actbench: Actbench) -> None:
    for option in ("-a", "-b"):
        assert actbench("run", option, "qqqq").stderr.endswith("; code of your own is named with --load\n")


@pytest.mark.parametrize("command", [("run",), ("accuracy",), ("list", "cases")])
def test_a_strategy_that_an_activation_does_not_have_is_refused_with_what_it_has(
    actbench: Actbench, command: tuple[str, ...]
) -> None:
    result = actbench(*command, "-a", "silu", "-s", "cached")
    assert result.exit_code == 2
    assert result.stderr == (
        "actbench: the selection leaves no case to measure: silu has the strategies recompute, intermediate, pair, and "
        "no cached, because y between -0.278 and 0 comes from two different z\n"
    )


@pytest.mark.parametrize("command", ["run", "list"])
def test_a_filter_that_matches_nothing_says_where_the_cases_are_listed(actbench: Actbench, command: str) -> None:
    arguments = ("cases",) if command == "list" else ()
    result = actbench(command, *arguments, "--filter", "*/nothing/*")
    assert result.exit_code == 2
    assert result.stderr == ("actbench: the selection leaves no case to measure (see 'actbench list cases')\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-n", "-1"),
        ("-n", "1e99"),
        ("--budget", "0"),
        ("--target", "0%"),
        ("--rounds", "0"),
        ("--seed", "-1"),
        ("--engine", "turbo"),
        ("--timeout", "nan"),
        ("--affinity", "99999"),
        ("surplus",),
        ("--no-such-option",),
    ],
)
def test_a_bad_argument_exits_with_2_names_itself_and_writes_nothing(
    actbench: Actbench, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = actbench("run", *arguments)
    assert result.exit_code == 2
    assert arguments[-1] in result.stderr
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


def test_an_unknown_command_suggests_the_nearest(actbench: Actbench) -> None:
    result = actbench("compair")
    assert result.exit_code == 2
    assert "compare" in result.stderr
