"""The pages of the reference have everything that there is."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import actbench
from actbench import __version__, errors, registry
from actbench.analysis import sequential, standings
from actbench.analysis.commit_search import ROUNDS_BESIDE
from actbench.analysis.rounds_needed import FEWEST_ROUNDS
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.cli import configuration
from actbench.cli.main import COMMANDS
from actbench.engine.preparing import prepare
from actbench.engine.requests import RunRequest
from actbench.errors import ExitCode
from actbench.planning import presets
from actbench.report import tables_csv
from actbench.report.mathematics import signature
from actbench.report.training import files as of_training
from actbench.runs import names, values
from tests.support.documents import ROOT, blocks, extension, read, table
from tests.support.workflows import WORKFLOW
from tests.unit.test_configuration_file import EXAMPLE


def test_every_exit_code_has_a_row() -> None:
    assert [int(code) for code, _ in table(read("reference/exit-codes.md"), "exit code")] == [*ExitCode]


def test_the_calculation_of_what_many_hosts_need_is_of_the_default_preset() -> None:
    plan = prepare(RunRequest(seed=1)).plan
    blocks, probes, kernels = len(plan.blocks), len(plan.probes), len(plan.kernels)
    text = read("how-to/measure-on-many-hosts.md")
    assert f"it has {blocks} blocks, {probes} probes and {kernels} kernels." in text
    calibrated = blocks + probes
    messages = 7 * (calibrated + 1) + kernels + calibrated + 2
    assert f"these are 7 × {calibrated + 1} + {kernels} + {calibrated} + 2 = {messages}." in text
    cells = (f"{messages * hosts:,}".replace(",", " ") for hosts in (1, 200, 10_000))
    assert f"| messages | {' | '.join(cells)} |" in text


def test_every_backend_has_a_row() -> None:
    named = re.findall(r"`([\w-]+)`", " ".join(cells[0] for cells in table(read("reference/backends.md"), "backend")))
    assert sorted(named) == sorted(registry.backends())


def test_every_strategy_has_a_row() -> None:
    named = [cells[0].strip("`") for cells in table(read("reference/glossary.md"), "strategy")]
    assert named == [*registry.strategies(), "shipped"]


def test_every_public_name_of_the_package_is_documented() -> None:
    text = read("reference/python.md")
    documented = re.findall(r"^\.\. auto\w+:: (\w+)$", text, re.MULTILINE)
    assert {*documented, "__version__"} == {*actbench.__all__}
    assert "`actbench.__version__`" in text


def test_the_example_of_settings_is_the_one_that_is_tried_out() -> None:
    assert blocks(read("reference/settings.md"), "toml") == [EXAMPLE]


def test_every_option_that_cannot_be_set_is_named() -> None:
    _, _, text = read("reference/settings.md").partition("## What cannot be set\n")
    named = set(re.findall(r"`--([a-z-]+)`", text.partition("\n## ")[0]))
    assert named == {*configuration.ONE_CALL, *configuration.EXPLICIT}


def test_the_page_on_support_has_the_versions_that_pyproject_and_the_workflow_have() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = {cells[0].partition(",")[0]: cells for cells in table(read("reference/support.md"), "system or library")}
    tested = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]
    assert versions["Python"][1] == ", ".join(tested["python"])
    assert [system.partition("-")[0] for system in tested["system"]] == ["ubuntu", "ubuntu", "macos"]
    optional = ("torch", "jax", "numexpr", "onednn")
    bounds = [re.findall(r">=([\d.]+)", project["optional-dependencies"][name][0])[0] for name in optional]
    assert f"({', '.join(bounds[:-1])} and {bounds[-1]}, or later)" in versions["torch"][0]


def test_every_column_of_a_file_of_a_run_has_a_row() -> None:
    documented = set(re.findall(r"`(\w+)`", read("reference/files.md")))
    kinds = (
        *(tables_csv.CASE_COLUMNS, tables_csv.SPEEDUP_COLUMNS, tables_csv.CROSSOVER_COLUMNS),
        *(of_training.PART_COLUMNS, of_training.GAIN_COLUMNS, of_training.MEMORY_COLUMNS, of_training.SWEEP_COLUMNS),
        values.COLUMNS,
    )
    assert {*chain.from_iterable(kinds)} <= documented


def test_every_file_of_a_run_has_a_row() -> None:
    rows = [cells[0].strip("`") for cells in table(read("reference/files.md"), "file")]
    assert sorted(rows) == sorted([*names.WRITTEN, names.REPORT, names.LOADED_SOURCE])


def test_every_error_has_its_exit_code() -> None:
    documented = {
        name: int(code)
        for names, code in table(read("reference/exit-codes.md"), "exception")
        for name in re.findall(r"`(\w+)`", names)
    }
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ActbenchError)
    ]
    assert documented == {kind.__name__: kind.exit_code for kind in kinds if kind is not errors.ActbenchError}


def numbers(cell: str) -> list[int]:
    """Return the numbers of a cell, without the spaces between their thousands."""
    return [int(number.replace(" ", "")) for number in re.findall(r"\d[\d ]*\d|\d", cell)]


def test_every_preset_has_a_row_with_its_question_its_sizes_and_its_budget() -> None:
    rows = {cells[0].strip("`"): cells for cells in table(read("reference/presets.md"), "preset")}
    known = presets.catalogue()
    assert [*rows] == [*known]
    for name, (_, asks, _, _, elements, budget) in rows.items():
        assert known[name].summary.startswith(asks)
        assert numbers(budget) == [known[name].budget]
        sizes = [size.elements for size in known[name].axes.sizes]
        ends = elements.partition(",")[0]
        assert numbers(ends if "to" in ends else elements) == ([sizes[0], sizes[-1]] if "to" in ends else sizes)


def test_the_fewest_rounds_of_every_command_are_those_of_its_test() -> None:
    documented = [int(fewest) for _, fewest, _ in table(read("explanation/intervals.md"), "command")]
    of_24_cases = sequential.fewest_rounds(float(2 * sequential.TAIL_PROBABILITY / 24))
    race = {standings.fewest_rounds(arms) for arms in (4, 5)}
    assert documented == [MIN_ROUNDS, FEWEST_ROUNDS, of_24_cases, ROUNDS_BESIDE, *race]


def test_the_version_is_that_of_the_newest_entries_and_of_no_release_while_these_are_unreleased() -> None:
    newest, *_ = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert __version__.endswith(".dev0") if newest == "Unreleased" else __version__ == newest


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the pages that are made when the documents are built."""
    pages = extension("generated_pages", monkeypatch)
    return {
        **{f"commands/{file}": text for file, text in pages.commands()},
        **{f"activations/{file}": text for file, text in pages.activations()},
    }


def test_every_command_and_activation_has_a_page_that_is_listed(generated: dict[str, str]) -> None:
    for command, summary in COMMANDS.items():
        assert f"| [`{command}`]({command}.rst) | {summary} |" in generated["commands/index.md"]
        assert f"actbench.cli.{command}:command" in generated[f"commands/{command}.rst"]
    for name, one in registry.activations().items():
        page, row = generated[f"activations/{name}.md"], f"| [`{signature(one)}`]({name}.md) | "
        assert row in generated["activations/index.md"]
        assert one.summary in page
        assert one.reference in page
        assert all(f"| `{strategy}` | " in page for strategy in one.strategies)
        assert (ROOT / "actbench" / "activations" / Path(f"{name.replace('-', '_')}.py")).is_file()
