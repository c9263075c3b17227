from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from actbench import activations, backends
from actbench.cli import main
from actbench.cli.main import COMMANDS
from tests.conftest import Actbench
from tests.support.fake import FakeBench, exact_seconds

AVAILABLE = [name for name, backend in backends.catalogue().items() if not (backend.optional or backend.unavailable)]


# Help


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help_with_examples(actbench: Actbench, command: tuple[str, ...], flag: str) -> None:
    result = actbench(*command, flag)
    assert result.exit_code == 0
    assert "Examples:\n" in result.stdout
    assert f"actbench {' '.join(command)}".strip() in result.stdout.partition("Examples:\n")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_mentions_and_explains_each_option(actbench: Actbench, name: str) -> None:
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    shown = actbench(name, "--help").stdout
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert all(option in shown for option in parameter.opts)
            assert getattr(parameter, "help", None), f"{name} {parameter.opts[0]} is not explained"


def test_the_group_lists_every_command_and_exit_code(actbench: Actbench) -> None:
    shown = actbench("--help").stdout
    assert all(f"\n  {name} " in shown for name in COMMANDS)
    assert "Exit codes: 0 fine, 1 a case regressed, 2 usage or bad input, 3 inconclusive, 4 " in " ".join(shown.split())


def test_the_version_is_the_package_s(actbench: Actbench) -> None:
    from actbench import __version__

    assert actbench("--version").stdout == f"actbench, version {__version__}\n"


@pytest.mark.usefixtures("actbench")
@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["list", "activations"], ["run", "--help"], ["list", "cases"], ["--version"]]
)
def test_what_measures_nothing_imports_neither_numba_nor_pandas(arguments: list[str]) -> None:
    script = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(sorted({'numba', 'pandas', 'scipy'} & set(sys.modules)), file=sys.stderr))\n"
        "from actbench.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


# list


def test_list_shows_every_section(actbench: Actbench) -> None:
    shown = actbench("list").stdout
    lines = shown.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "activations",
        "backends",
        "strategies",
        "rungs",
        "presets",
    ]
    (logistic,) = [line.removeprefix("  logistic ").strip() for line in lines if line.startswith("  logistic ")]
    assert logistic == "1 / (1 + exp(-z))  [textbook, recompute, cached, complement]"
    for name in ("identity", "tanh", *backends.catalogue(), "smoke", "default", "full", "complement"):
        assert any(line.startswith(f"  {name} ") for line in lines), name


def test_an_activation_is_listed_with_its_parameters_range_kinks_and_why_y_is_not_enough(actbench: Actbench) -> None:
    lines = [line.split(maxsplit=1) for line in actbench("list", "activations").stdout.splitlines()]
    shown = {head: (rest, " ".join(after)) for (head, rest), after in zip(lines[::2], lines[1::2], strict=True)}
    assert len(shown) == len(activations.catalogue())
    assert shown["elu:alpha=1"] == (
        "z where z > 0, else alpha (exp(z) - 1)  [recompute, cached]",
        "values from -1 to inf",
    )
    assert shown["relu"][1] == "values from 0 to inf; at the kinks, by convention, g'(0) = 0"
    assert shown["leaky-relu:slope=0.01"][1] == "values from -inf to inf; at the kinks, by convention, g'(0) = 0.01"
    assert shown["hard-swish"][1] == (
        "values from -0.375 to inf; at the kinks, by convention, g'(-3) = 0, g'(3) = 1; "
        "no cached: y between -0.375 and 0 comes from two different z"
    )
    assert shown["gaussian"][1].endswith("; no cached: y is even: it does not tell the sign of z")


@pytest.mark.parametrize("section", ["activations", "backends", "strategies", "rungs", "presets"])
def test_one_section_alone_is_not_indented(actbench: Actbench, section: str) -> None:
    alone = actbench("list", section).stdout.splitlines()
    everything = actbench("list").stdout.splitlines()
    start = everything.index(section) + 1
    assert alone == [line[2:] for line in everything[start : start + len(alone)]]


@pytest.mark.parametrize(
    ("arguments", "heads"),
    [
        (("activations", "-a", "silu,elu:alpha=0.5"), ["silu", "elu:alpha=0.5"]),
        (("backends", "-b", "numpy"), ["numpy"]),
        (("strategies", "-s", "pair,cached"), ["cached", "pair"]),
    ],
)
def test_a_list_is_narrowed_to_what_is_named(actbench: Actbench, arguments: tuple[str, ...], heads: list[str]) -> None:
    result = actbench("list", *arguments)
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")] == heads


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backends", "-a", "silu"), "-a narrows 'actbench list cases'"),
        (("-n", "100"), "-n narrows 'actbench list cases'"),
        (("presets", "--filter", "*"), "--filter narrows 'actbench list cases'"),
        (("strategies", "-s", "cachd"), "did you mean 'cached'?"),
        (("backends", "-b", "fortran"), "unknown backend 'fortran'"),
        (("activations", "-a", "tahn"), "did you mean 'tanh'?"),
    ],
)
def test_an_option_that_a_list_would_ignore_is_refused(
    actbench: Actbench, arguments: tuple[str, ...], said: str
) -> None:
    result = actbench("list", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


def test_a_backend_that_is_not_installed_is_listed_with_its_reason_and_refused(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(backends.catalogue()["numba"]), "requires", "no_such_module_at_all")
    shown = actbench("list", "backends").stdout
    assert re.search(r"^numba +not available: no_such_module_at_all is not installed$", shown, re.MULTILINE)
    result = actbench("run", "-b", "numba", "--dry-run")
    assert result.exit_code == 2
    assert result.stderr == "actbench: backend 'numba' is not available: no_such_module_at_all is not installed\n"
    assert "/numba/" not in actbench("list", "cases").stdout


def test_list_cases_prints_ids_and_says_what_is_left_out(actbench: Actbench) -> None:
    result = actbench("list", "cases")
    assert result.exit_code == 0
    cases = result.stdout.splitlines()
    assert len(cases) == len(set(cases)) >= 80
    assert "one call would take about" in result.stderr
    assert "python computes in float64 only" in result.stderr


def test_a_glob_narrows_the_cases(actbench: Actbench) -> None:
    shown = actbench("list", "cases", "--filter", "tanh/cached/*/float32/1000").stdout.splitlines()
    assert shown == [f"tanh/cached/{name}/derivative/float32/1000" for name in ("numpy", "numba")]


# show


@pytest.mark.parametrize("backend", AVAILABLE)
@pytest.mark.parametrize("op", ["derivative", "backward", "step"])
def test_show_prints_the_code_that_is_measured(actbench: Actbench, backend: str, op: str) -> None:
    case = f"logistic/complement/{backend}/{op}/float64/1000"
    result = actbench("show", case)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{case}\nlogistic: 1 / (1 + exp(-z))\n{op}: ")
    assert "return c * (1.0 - c)" in result.stdout
    assert "keeps c: 8 bytes per element" in result.stdout
    assert ("\ncompiled\n" in result.stdout) == backend.startswith("numba")


def test_show_prints_where_an_activation_is_from_and_what_is_known_of_it(actbench: Actbench) -> None:
    shown = actbench("show", "elu:alpha=0.50/recompute/numpy/step/float64/10").stdout
    assert shown.startswith("elu:alpha=0.5/recompute/numpy/step/float64/10\nelu:alpha=0.5: z where z > 0, ")
    assert "\nD.-A. Clevert, T. Unterthiner and S. Hochreiter, " in shown
    assert "\nvalues from -0.5 to inf\nat the kinks, by convention, g'(0) = 0.5\n" in shown
    pair = actbench("show", "silu/pair/numpy/derivative/float64/10").stdout
    assert "\nno cached: y between -0.278 and 0 comes from two different z\n" in pair
    assert "keeps z, y: 16 bytes per element" in pair


def test_show_counts_the_bytes_of_one_call(actbench: Actbench) -> None:
    shown = actbench("show", "tanh/cached/numpy/backward/float32/1000").stdout
    assert "keeps y: 4 bytes per element; one call moves 12000 bytes" in shown
    assert "known weakness: cancels: " in shown


@pytest.mark.skipif("numba" not in AVAILABLE, reason="numba is not installed")
def test_a_float32_kernel_of_numba_computes_in_float32(actbench: Actbench) -> None:
    shown = actbench("show", "logistic/recompute/numba/derivative/float32/1000").stdout
    assert "float32 to float64    none" in shown
    assert "expf" in shown


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("logistic", "is not a case: write activation/strategy/backend/op/dtype/size"),
        ("logistic/cached/numpy/derivative/float32/0", "is not a case"),
        ("logistic/cached/numpy/derivative/float32/-5", "is not a case"),
        ("logistic/cached/numpy/derivative/float32/1e3", "is not a case: write its size in digits, such as 1000000,"),
        ("logistic/cached/numpy/derivative/float16/1000", "is not a case: the dtype is one of float32, float64, not"),
        (
            "logistic/cached/numpy/forward/float32/1000",
            "is not a case: the op is one of derivative, backward, step,",
        ),
        ("logistic/cached/numpy/derivative/float32/1000/", "is not a case"),
        ("", "is not a case"),
        ("logistik/cached/numpy/derivative/float32/1000", "did you mean 'logistic'?"),
        ("logistic/cache/numpy/derivative/float32/1000", "did you mean 'cached'?"),
        ("logistic/cached/nunpy/derivative/float32/1000", "did you mean 'numpy'?"),
        ("identity/cached/numpy/derivative/float32/1000", "unknown strategy of identity 'cached'"),
        ("logistic/cached/python/derivative/float32/1000", "float64 only"),
        ("elu:beta=2/cached/numpy/derivative/float32/1000", "elu has no parameter 'beta'"),
    ],
)
def test_a_bad_case_is_refused_in_one_line(actbench: Actbench, case: str, said: str) -> None:
    result = actbench("show", case)
    assert result.exit_code == 2
    assert result.stderr.startswith("actbench: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


# compare


EVERY_AXIS = (
    *("-a", "logistic", "-b", "numpy,numba", "-s", "recompute,cached,complement", "-n", "1000,8000"),
    *("-d", "float32,float64", "--seed", "1"),
)


@pytest.fixture
def measured(actbench: Actbench) -> Actbench:
    """Leave a run with every axis behind: exact times."""
    assert actbench("run", *EVERY_AXIS).exit_code == 0
    return actbench


Rows = dict[tuple[str, str], tuple[Any, int]]


def ratios(actbench: Actbench, *arguments: str) -> Rows:
    """Return ratio and number of cases by group and candidate, after a look at the intervals."""
    result = actbench("compare", "latest", *arguments, "--format", "csv")
    assert result.exit_code == 0, result.stderr
    found = list(csv.DictReader(io.StringIO(result.stdout)))
    for row in found:
        for name in ("low", "high", "least", "most"):
            assert float(row[name]) == pytest.approx(float(row["ratio"]))
        assert row["rounds"] == "6"
    return {(row["group"], row["candidate"]): (pytest.approx(float(row["ratio"])), int(row["cases"])) for row in found}


def test_by_strategy_every_strategy_is_set_against_recompute(measured: Actbench) -> None:
    assert ratios(measured) == {
        ("numpy", "cached"): (4.0, 4),
        ("numpy", "complement"): (2.0, 4),
        ("numba", "cached"): (4.0, 4),
        ("numba", "complement"): (2.0, 4),
    }


def test_by_backend_the_first_is_the_reference(measured: Actbench) -> None:
    assert ratios(measured, "--by", "backend") == {
        (strategy, "numba"): (2.0, 4) for strategy in ("recompute", "cached", "complement")
    }


def test_by_dtype_and_by_size_figures_are_per_element(measured: Actbench) -> None:
    groups = [
        f"{strategy}/{backend}" for strategy in ("recompute", "cached", "complement") for backend in ("numpy", "numba")
    ]
    assert ratios(measured, "--by", "dtype") == {(group, "float64"): (1.0, 2) for group in groups}
    assert ratios(measured, "--by", "size") == {(group, "8000"): (1.0, 2) for group in groups}


def test_another_reference_turns_the_ratios_round(measured: Actbench) -> None:
    assert ratios(measured, "--reference", "cached")["numpy", "recompute"] == (0.25, 4)
    assert ratios(measured, "--by", "backend", "--reference", "numba")["cached", "numpy"] == (0.5, 4)
    assert ratios(measured, "--by", "size", "--reference", "8000")["cached/numpy", "1000"] == (1.0, 2)


def test_the_geometric_mean_is_over_cases(actbench: Actbench, bench: FakeBench) -> None:
    slow = "logistic/cached/numpy/derivative/float64/8000"
    bench.seconds = lambda case: exact_seconds(case) * (4 if case.id == slow else 1)
    assert actbench("run", *EVERY_AXIS).exit_code == 0
    result = actbench("compare", "latest", "--format", "json")
    (row,) = [row for row in json.loads(result.stdout) if (row["group"], row["candidate"]) == ("numpy", "cached")]
    assert row["ratio"] == pytest.approx((4 * 4 * 4 * 1) ** 0.25)
    assert (row["least"], row["most"]) == (pytest.approx(1.0), pytest.approx(4.0))


def test_the_table_and_the_markdown_say_the_same(measured: Actbench) -> None:
    table = measured("compare", "latest").stdout
    assert "By strategy" in table
    (line,) = [line.split() for line in table.splitlines() if "cached / recompute" in line and " numpy " in line]
    assert line[:6] == ["logistic", "derivative", "numpy", "cached", "/", "recompute"]
    assert line[6:] == ["4.00", "±", "0.00", "4.00", "to", "4.00", "4", "6"]
    markdown = measured("compare", "latest", "--format", "markdown").stdout
    assert "| logistic | derivative | numpy | cached / recompute | 4.00 ± 0.00 | 4.00 to 4.00 | 4 | 6 |" in markdown


def test_a_comparison_without_intervals_has_null_bounds_and_question_marks(actbench: Actbench) -> None:
    selection = ("-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "-n", "1000", "-d", "float64")
    assert actbench("run", *selection, "--rounds", "2").exit_code == 0
    (row,) = json.loads(actbench("compare", "latest", "--format", "json").stdout)
    assert (row["ratio"], row["low"], row["high"]) == (pytest.approx(4.0), None, None)
    assert "4.00 ?" in actbench("compare", "latest").stdout


def test_nothing_to_compare_is_said(actbench: Actbench) -> None:
    selection = ("-a", "logistic", "-b", "numpy", "-s", "cached", "-n", "1000", "-d", "float64")
    assert actbench("run", *selection, "--rounds", "1").exit_code == 0
    for axis, value in (("strategy", "cached"), ("backend", "numpy"), ("dtype", "float64"), ("size", "1000")):
        result = actbench("compare", "latest", "--by", axis)
        assert result.exit_code == 2
        assert result.stderr == f"actbench: the run has nothing to compare by {axis}: it measured {value} only\n"


def test_an_unknown_reference_names_those_there_are(measured: Actbench) -> None:
    result = measured("compare", "latest", "--reference", "textbook")
    assert result.exit_code == 2
    assert result.stderr == (
        "actbench: --reference 'textbook': the run has the strategy values recompute, cached, complement\n"
    )


# env


def test_env_shows_the_machine_and_its_noise(actbench: Actbench) -> None:
    shown = actbench("env").stdout
    assert "cpu model  " in shown
    assert "what makes timings scatter" in shown


def test_env_as_json_is_what_a_run_records(actbench: Actbench) -> None:
    found = json.loads(actbench("env", "--format", "json").stdout)
    assert found.keys() == {"environment", "noise", "configuration"}
    actbench("run", "--preset", "smoke", "-b", "numpy", "-a", "logistic", "--rounds", "1", "-o", "here")
    recorded = json.loads(Path("here/run.json").read_text())["environment"]
    assert found["environment"] == recorded


def test_a_fault_of_our_own_ends_with_70_and_never_with_a_verdict(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty() -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("actbench.host.environment.memory", faulty)
    result = actbench("run", "--dry-run")
    assert result.exit_code == 70
    assert "ZeroDivisionError: oh" in result.stderr
    assert "a fault of actbench itself" in result.stderr


@pytest.mark.parametrize("arguments", [["list", "cases", "--preset", "full"], ["compare", "{run}"]])
def test_output_that_nobody_reads_ends_with_141(arguments: list[str]) -> None:
    run = Path(__file__).parents[2] / "results" / "reference"
    command = [sys.executable, "-m", "actbench", *(each.format(run=run) for each in arguments)]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == ""


def test_a_terminal_without_the_signs_gets_question_marks() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "actbench", "compare", str(Path(__file__).parents[2] / "results" / "reference")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert " ? " in done.stdout


def test_names_from_outside_cannot_break_the_line(actbench: Actbench) -> None:
    result = actbench("compare", "no\n::error::such run")
    assert result.exit_code == 2
    assert result.stderr.startswith("actbench: no\\n::error::such run is not a run")
    assert len(result.stderr.splitlines()) == 1
