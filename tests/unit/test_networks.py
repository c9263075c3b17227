"""Networks: how they are written, and what cannot be built."""

from __future__ import annotations

import pytest

from actbench import Activate, Linear, Multiply, network, networks
from actbench.errors import InputError
from actbench.model import names
from actbench.model.cases import Case
from actbench.model.names import Op
from actbench.model.networks import NetworkKind

BUILT_IN = networks.built_in()


def refusal(kind: NetworkKind, text: str) -> str:
    """Return why a network cannot be built."""
    with pytest.raises(InputError) as raised:
        kind(Op(text))
    return str(raised.value)


def test_a_network_is_an_op_with_a_name_and_widths() -> None:
    op = names.training("glu-ffn:512-1376")
    assert (op.network, op.widths) == ("glu-ffn", (512, 1376))
    assert Op("glu-ffn:512-1376") is op, "it is the same object wherever it is read"
    assert names.training("glu-ffn:0512-01376") is op
    assert op not in [*Op], "iteration yields the three alone"
    assert (Op.STEP.network, Op.STEP.widths) == ("", ())


@pytest.mark.parametrize("text", ["mlp", "mlp:", "mlp:3-", "mlp:-3", "mlp:3.5", "MLP:3", "mlp:3,4", "mlp:1234567890"])
def test_what_is_no_network_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a network: write its name and its widths, e\.g\. mlp:784-512-10"):
        names.training(text)


def test_a_case_of_a_training_step_comes_back_from_its_id() -> None:
    text = "logistic/cached:float16/numpy+numba-simd/mlp:784-512-10/float32/128"
    case = Case.parse(text)
    assert case.id == text
    assert (case.op.widths, case.size, case.backends) == ((784, 512, 10), 128, ("numpy", "numba-simd"))
    with pytest.raises(InputError, match="a training step has no state of operands: leave '/cold' out"):
        Case.parse(f"{text}/cold")


@pytest.mark.parametrize(
    ("name", "usage", "text", "activated"),
    [
        ("dense", "dense:INPUTS-OUTPUTS", "dense:3-2", (2,)),
        ("mlp", "mlp:INPUTS-HIDDEN-OUTPUTS-FURTHER-...", "mlp:5-4-3-2", (4, 3)),
        ("ffn", "ffn:WIDTH-HIDDEN", "ffn:3-8", (8,)),
        ("glu-ffn", "glu-ffn:WIDTH-HIDDEN", "glu-ffn:3-8", (8,)),
    ],
)
def test_built_in_networks(name: str, usage: str, text: str, activated: tuple[int, ...]) -> None:
    kind = BUILT_IN[name]
    assert kind.usage == usage
    assert kind.summary
    assert kind(Op(text)).activated == activated


def test_widths_that_may_be_left_out_are_in_brackets() -> None:
    @network
    def deep_one(width: int, hidden_layers: int = 2) -> list[Linear | Activate]:
        return [Linear(width, width), Activate()] * hidden_layers

    assert deep_one.usage == "deep-one:WIDTH[-HIDDEN-LAYERS]"
    assert len(deep_one(Op("deep-one:4")).linears) == 2
    assert len(deep_one(Op("deep-one:4-3")).linears) == 3


def test_the_wrong_number_of_widths_or_a_width_of_0_is_refused() -> None:
    for text in ("mlp:3-4", "mlp:3"):
        assert refusal(BUILT_IN["mlp"], text) == (
            f"'{text}': write mlp:INPUTS-HIDDEN-OUTPUTS-FURTHER-... with as many widths as it names"
        )
    assert refusal(BUILT_IN["ffn"], "ffn:3-0") == "'ffn:3-0' has a layer of width 0: write widths from 1 on"


def too_deep() -> list[object]:
    """Return layers that are nested beyond what can be walked."""
    layers: list[object] = [Linear(4, 4), Activate()]
    for _ in range(5000):
        layers = [Multiply(layers, [])]  # type: ignore[arg-type]
    return layers


def shared() -> list[object]:
    """Return few objects, which are more layers than could be counted."""
    layers: list[object] = [Linear(4, 4), Activate()]
    for _ in range(60):
        layers = [Multiply(layers, layers)]  # type: ignore[arg-type]
    return layers


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda _: None, "it returns nothing: return a list of layers"),
        (lambda width: (layer for layer in [Linear(width, 1)]), "it returns a generator: return a list of layers"),
        (lambda _: [], "it has no Linear layer, and so nothing to train"),
        (lambda _: [Activate()], "it has no Linear layer, and so nothing to train"),
        (lambda width: [Linear(width, 3)], "it has no Activate layer, and so nothing to compare"),
        (lambda width: [Linear(width, 3), Activate(), Linear(4, 2)], "Linear(4, 2) is given 3 features"),
        (lambda width: [Linear(width, width / 2), Activate()], "Linear(4, 2.0): widths are integers from 1 on"),
        (lambda width: [Linear(width, width - 4), Activate()], "Linear(4, 0): widths are integers from 1 on"),
        (
            lambda width: [Linear(width, 3), Multiply([Activate()], [Linear(3, 2)])],
            "Multiply is given 3 features and 2",
        ),
        (
            lambda width: [Linear(width, 3), Multiply(Activate(), [])],  # type: ignore[arg-type]
            "Multiply takes two lists of layers, not Activate()",
        ),
        (
            lambda width: [Linear(width, 3), Activate],
            "the class Activate is no layer: use Linear(...), Activate() and Multiply(...)",
        ),
        (
            lambda width: [Linear(width, 3), Multiply([3.0], [])],  # type: ignore[list-item]
            "a float is no layer: use Linear(...), Activate() and Multiply(...)",
        ),
        (lambda _: too_deep(), "it has more than 200 layers"),
        (lambda _: shared(), "it has more than 200 layers"),
        (lambda width: [Linear(width, width), Activate()] * 101, "it has more than 200 layers"),
        (
            lambda _: int("no number\nof two lines"),
            "invalid literal for int() with base 10: 'no number\\nof two lines'",
        ),
    ],
)
def test_a_network_that_cannot_be_built_is_refused_in_a_sentence(build: object, said: str) -> None:
    kind = NetworkKind("mine", "", build)  # type: ignore[arg-type]
    assert refusal(kind, "mine:4") == f"'mine:4' cannot be built: {said}"


def test_an_error_without_text_or_of_several_lines_is_one_line() -> None:
    for error, said in ((ValueError(), "it raised ValueError"), (ValueError("one\ntwo"), "one")):

        def build(_: int, error: ValueError = error) -> list[Linear | Activate]:
            raise error

        assert refusal(NetworkKind("mine", "", build), "mine:4") == f"'mine:4' cannot be built: {said}"
