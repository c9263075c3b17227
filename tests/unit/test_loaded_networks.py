# ruff: noqa: E501  # a table of what is written and what is said
"""Networks of the user's own: loaded from a file, listed, and refused where they cannot be used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actbench import plugins, registry
from actbench.model.names import Op
from tests.conftest import Actbench

HEAD = "from actbench import Activate, Linear, Multiply, network\n"

FUNNEL = """
@network
def funnel(width, layers=2):
    'Layers that halve.'
    if width % 2**layers:
        raise ValueError(f"{width} cannot be halved {layers} times")
    widths = [width // 2**halved for halved in range(layers + 1)]
    pairs = zip(widths, widths[1:])
    return [layer for pair in pairs for layer in (Linear(*pair), Activate())]
"""

STEPS = ("--batch", "4", "-a", "silu", "-b", "numpy")


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """Hold every command to unloading what it loads."""
    yield
    left = plugins.loaded()
    plugins.unload()
    assert not left


def write(text: str) -> None:
    """Write the file that is loaded."""
    Path("mine.py").write_text(HEAD + text)


def test_a_file_that_declares_a_network_alone_is_loaded(actbench: Actbench) -> None:
    write(FUNNEL)
    shown = actbench("list", "networks", "--load", "mine.py")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.splitlines()[-1].split(maxsplit=1) == ["funnel:WIDTH[-LAYERS]", "Layers that halve."]
    planned = actbench("train", "funnel:8", "--load", "mine.py", *STEPS, "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "silu/pair/numpy/funnel:8/float32/4\n" in planned.stdout
    shown = actbench("show", "silu/pair/numpy/funnel:8-1/float32/4", "--load", "mine.py")
    assert "layers, 36 parameters\n    Linear(8, 4)\n    Activate()\n" in shown.stdout


def test_a_loaded_network_is_in_the_registry_until_it_is_unloaded(actbench: Actbench) -> None:
    del actbench
    write(FUNNEL)
    plugins.load("mine.py")
    assert registry.current().network(Op("funnel:8-1")).activated == (4,)
    assert registry.current().additions.networks == ("funnel",)
    plugins.unload()
    assert "funnel" not in registry.networks()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FUNNEL.replace("funnel", "mlp"), "there is a network 'mlp' already: give yours another name"),
        (
            FUNNEL + FUNNEL,
            "network 'funnel' is defined on line 4 and again on line 13, so that the first is lost: give one of them another name",
        ),
        (
            "@network\ndef Mine(width): return []\n",
            "'Mine' cannot name a network: use small letters, digits, underscores",
        ),
        ("@network\ndef mine(): return []\n", "network 'mine' has no parameter: let it take its widths, at least one"),
        (
            "@network\ndef mine(width, *, depth): return []\n",
            "network 'mine' has the parameter depth: widths have no names in ids",
        ),
        (
            "from actbench.networks.mlp import mlp\n",
            "it declares no @activation, no @strategy, no @kernel, no @network and no Backend: 'actbench init' writes a file that does",
        ),
    ],
)
def test_a_mistake_in_its_declaration_is_one_line(actbench: Actbench, text: str, said: str) -> None:
    write(text)
    result = actbench("train", "--load", "mine.py", "--dry-run")
    assert (result.exit_code, result.stderr) == (2, f"actbench: --load mine.py: {said}\n")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('an odd width')", "'mine:4' cannot be built: an odd width"),
        ("pass", "'mine:4' cannot be built: it returns nothing: return a list of layers"),
        ("return [Linear(width, 3)]", "'mine:4' cannot be built: it has no Activate layer, and so nothing to compare"),
        (
            "return undefined",
            "--load mine.py: network 'mine': line 4 raised NameError: name 'undefined' is not defined: correct that line",
        ),
        (
            "raise SystemExit(0)",
            "--load mine.py: network 'mine': line 4 raised SystemExit: 0: correct that line",
        ),
    ],
)
def test_what_it_raises_when_it_is_built_is_one_line(actbench: Actbench, body: str, said: str) -> None:
    write(f"@network\ndef mine(width):\n    {body}\n")
    for command in (("train", "mine:4", *STEPS, "--dry-run"), ("show", "silu/pair/numpy/mine:4/float32/4")):
        result = actbench(*command, "--load", "mine.py")
        assert (result.exit_code, result.stderr) == (2, f"actbench: {said}\n")


def test_a_network_that_never_ends_to_be_built_has_the_time_limit_of_loading(actbench: Actbench) -> None:
    write("@network\ndef mine(width):\n    while True: pass\n")
    result = actbench("train", "mine:4", *STEPS, "--load", "mine.py", "--timeout", "100ms")
    assert result.exit_code == 2
    assert "network 'mine': line 4 was still running after 0.1 s: does a loop end?" in result.stderr


def test_a_package_may_offer_networks(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    info = Path("place/offering-1.5.dist-info")
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offering\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text("[actbench.networks]\nhere = offering_networks:funnel\n")
    Path("place/offering_networks.py").write_text(HEAD + FUNNEL)
    monkeypatch.syspath_prepend(Path("place").absolute())
    assert "add --load offering  [here]" in actbench("list", "packages").stdout
    assert "funnel" not in actbench("list", "networks").stdout
    assert "funnel:WIDTH[-LAYERS]" in actbench("list", "networks", "--load", "offering").stdout
    sys.modules.pop("offering_networks")
