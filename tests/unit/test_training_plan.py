"""From a selection of training steps to their plan: cases, arms, predictors, and what is left out with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from actbench import registry
from actbench.errors import InputError
from actbench.model.cases import Case
from actbench.model.names import Op, OperandState
from actbench.model.plan import Plan
from actbench.model.training import Optimizer
from actbench.model.variants import Variant
from actbench.planning import training
from actbench.planning.selection import Room
from actbench.planning.training import TrainingSelection

ROOM = Room(memory=8 * 2**30, cache=1 << 16)


def planned(room: Room = ROOM, **selection: object) -> Plan:
    """Return the plan of a small selection."""
    chosen: dict[str, object] = {"networks": ("mlp:64-32-16-4",), "activations": ("tanh",), "backends": ("numpy",)}
    return training.plan(TrainingSelection(**chosen | selection), room, seed=1)  # type: ignore[arg-type]


def arms(plan: Plan) -> list[str]:
    """Return the arms of the one block."""
    (block,) = plan.blocks
    return [str(arm.strategy) for arm in block.arms]


def reasons(plan: Plan) -> dict[str, str]:
    """Return why what is left out."""
    return {left.case: left.reason for left in plan.left_out}


def test_every_arm_that_exists_is_measured_but_textbook() -> None:
    assert arms(planned()) == ["recompute", "cached", "complement", "checkpoint", "free"]
    assert arms(planned(activations=("silu",))) == ["recompute", "intermediate", "pair", "checkpoint", "free"]
    assert not planned().left_out, "that numpy ships no gradient is no news"


def test_an_arm_that_is_named_and_cannot_be_is_left_out_with_its_reason() -> None:
    plan = planned(strategies=tuple(map(Variant, ("shipped", "textbook", "cached:float16", "cached:float32"))))
    assert arms(plan) == ["textbook", "cached:float16"]
    assert reasons(plan) == {
        "tanh/shipped/numpy/mlp:64-32-16-4/float32/128": "numpy has no automatic differentiation",
        "tanh/cached:float32/numpy/mlp:64-32-16-4/float32/128": (
            "float32 is no narrower than the arithmetic's float32: nothing would be saved"
        ),
    }


def test_the_defaults_are_logistic_and_tanh_with_the_activations_of_two_backends() -> None:
    plan = training.plan(TrainingSelection(), ROOM, seed=1)
    assert [block.id for block in plan.blocks] == [
        "logistic/mlp:784-512-512-10/float32/128",
        "tanh/mlp:784-512-512-10/float32/128",
    ]
    assert {case.backend for case in plan.cases} == {"numpy", "numpy+numba-simd"}
    assert plan.training is not None
    assert plan.training.optimizer is Optimizer.SGD
    assert plan.training.activated == {"mlp:784-512-512-10": (512, 512)}


def test_a_plan_is_the_product_of_what_is_named_each_once_and_in_order() -> None:
    plan = planned(
        networks=("ffn:8-16", "dense:8-4", "ffn:8-16"),
        dtypes=("float64",),
        batches=(32, 8, 32),
        backends=("numpy", "numpy+numpy"),
        strategies=(Variant("free"), Variant("cached"), Variant("free")),
    )
    assert [block.id for block in plan.blocks] == [
        f"tanh/{network}/float64/{batch}" for network in ("ffn:8-16", "dense:8-4") for batch in (8, 32)
    ]
    assert {str(arm.strategy) + arm.backend for block in plan.blocks for arm in block.arms} == {
        "cachednumpy",
        "freenumpy",
    }


def test_a_glob_keeps_the_steps_whose_id_matches() -> None:
    assert arms(planned(pattern="*/c*/*")) == ["cached", "complement", "checkpoint"]
    with pytest.raises(InputError, match=r"measure: --filter 'nothing' matches no id, such as tanh/\S+/\d+$"):
        planned(pattern="nothing")


def test_gains_are_predicted_from_the_activations_alone_at_as_many_elements() -> None:
    plan = planned(predictors=("warm", "cold"), batches=(512,))
    assert plan.training is not None
    predictors = {(block.op, block.size, block.operands): block for block in plan.training.predictors}
    arms_of_op = {Op.BACKWARD: ["recompute", "cached", "complement"], Op.STEP: ["recompute", "complement"]}
    for op, width, state in product(arms_of_op, (32, 16), (OperandState.WARM, OperandState.COLD)):
        block = predictors.pop((op, 512 * width, state))
        assert [str(arm.strategy) for arm in block.arms] == arms_of_op[op], "complement stores an array of its own"
    assert not predictors
    assert plan.probes == plan.training.predictors
    assert plan.cache == ROOM.cache
    assert planned(predictors=("warm",)).cache == 0, "no operands are cold"


@pytest.mark.parametrize(
    ("activation", "strategies", "in_both_passes"),
    [
        ("tanh", ("recompute", "cached", "complement"), ["recompute", "complement"]),
        ("tanh", ("cached", "complement"), ["cached", "complement"]),
        ("silu", ("intermediate", "pair"), ["intermediate", "pair"]),
        ("tanh", ("recompute", "cached"), None),
        ("tanh", ("textbook", "cached"), None),
    ],
)
def test_both_passes_are_measured_alone_of_what_stores_and_of_its_reference(
    activation: str, strategies: tuple[str, ...], in_both_passes: list[str] | None
) -> None:
    plan = planned(activations=(activation,), strategies=tuple(map(Variant, strategies)), networks=("ffn:8-1024",))
    arms_of_op = {probe.op: [str(arm.strategy) for arm in probe.arms] for probe in plan.probes}
    both = {} if in_both_passes is None else {Op.STEP: in_both_passes}
    assert arms_of_op == {Op.BACKWARD: [*strategies]} | both


def test_a_gain_that_cannot_be_predicted_is_left_out_and_the_step_is_measured() -> None:
    plan = planned(networks=("dense:4-4",), batches=(1,), room=Room(ROOM.memory, 32 << 20))
    assert len(plan.cases) == 5
    assert plan.training is not None
    assert not plan.training.predictors
    assert all("no gain is predicted from it: " in reason for reason in reasons(plan).values())


def refusals() -> Iterator[tuple[dict[str, object], str]]:
    """Yield selections that leave nothing, and why."""
    yield {"networks": ("nosuch:3-4",)}, "unknown network 'nosuch'"
    yield {"networks": ("mlp",)}, "'mlp' is not a network: write its name and its widths"
    yield {"networks": ("mlp:3-4",)}, "write mlp:INPUTS-HIDDEN-OUTPUTS-FURTHER-... with as many widths as it names"
    yield (
        {"networks": ("ffn:99999-99999",)},
        "its block needs about [0-9e+.]+ GB, more than half of this machine's 8.6 GB",
    )
    yield {"networks": ("ffn:1024-1024",), "batches": (10**6,)}, "its block needs about"
    yield {"networks": ("ffn:9999-9999",), "batches": (2000,)}, "one step would take about [0-9]+ s, above 10 s"
    yield (
        {"activations": ("silu",), "strategies": (Variant("cached"),)},
        "-s cached is a strategy of no activation that is selected: silu has recompute, intermediate, pair",
    )
    yield {"strategies": (Variant("nosuch"),)}, "unknown strategy 'nosuch'"
    yield {"strategies": (Variant("free:float16"),)}, "unknown strategy 'free:float16'"
    yield {"strategies": (Variant("shipped"),)}, "numpy has no automatic differentiation"
    yield {"backends": ("numba",)}, "no products of matrices to train networks with: write numpy\\+numba"
    yield {"backends": ("python",)}, "no products of matrices to train networks with$"
    yield {"backends": ("numpy+python",)}, "python has arrays of its own, which no other backend takes$"
    yield {"backends": ("numpy+",)}, "write numpy, or two with a \\+ between them"
    yield {"dtypes": ("bfloat16",)}, "compute in bfloat16, and --residual-dtype bfloat16 keeps in it what is saved"
    if registry.backends()["torch"].unavailable is None:
        adam: dict[str, object] = {"backends": ("torch",), "dtypes": ("float16",), "optimizer": Optimizer.ADAM}
        yield adam, "adam's squares of gradients underflow in float16, and it divides by 0: take bfloat16, or sgd"
    yield {"predictors": ("hot",)}, "unknown state of operands 'hot'"


REFUSED = {said: selection for selection, said in refusals()}


@pytest.mark.parametrize("said", REFUSED)
def test_what_leaves_nothing_to_measure_is_refused_with_the_reason(said: str) -> None:
    room = Room(400 * 2**30, ROOM.cache) if "above 10 s" in said else ROOM
    with pytest.raises(InputError, match=said):
        planned(room, **REFUSED[said])


def test_memory_counts_the_arms_that_are_measured_together() -> None:
    many, one = {"networks": ("ffn:1024-4096",)}, {"strategies": (Variant("cached"),)}
    room = Room(400 << 20, ROOM.cache)
    with pytest.raises(InputError, match="more than half of this machine's"):
        planned(room, **many)
    assert planned(room, **many, **one).cases == (Case.parse("tanh/cached/numpy/ffn:1024-4096/float32/128"),)


def test_a_network_whose_activation_follows_no_linear_layer_has_no_checkpoint() -> None:
    assert "checkpoint" in arms(planned(networks=("glu-ffn:8-8",)))
