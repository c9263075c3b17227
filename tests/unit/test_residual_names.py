"""Names of narrow residuals, and what cannot be kept so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actbench import registry
from actbench.errors import InputError
from actbench.kernels.resolution import resolve
from actbench.model.cases import RUNGS, Case
from actbench.model.names import Dtype, Op, Storage
from actbench.model.sizes import sizes
from actbench.model.variants import Variant
from actbench.planning.presets import Axes
from actbench.planning.selection import Room
from actbench.planning.suite import plan
from actbench.registry import STRATEGIES
from tests.support.narrow import kernel

GIGABYTE = 10**9

AXES = Axes(
    activations=("logistic",),
    strategies=(Variant("cached"), Variant("cached:float16")),
    backends=("numpy",),
    ops=(Op.DERIVATIVE,),
    dtypes=(Dtype.FLOAT32,),
    sizes=sizes(1000),
)


@pytest.mark.parametrize("storage", Storage)
def test_the_strategy_s_name_says_the_type_and_so_does_the_id(storage: Storage) -> None:
    text = f"logistic/cached:{storage}/numpy/derivative/float64/1000"
    case = Case.parse(text)
    assert case.id == text
    assert (case.strategy.name, case.strategy.storage) == ("cached", storage)


def test_variants_stand_after_their_strategy_in_every_table() -> None:
    def rank(text: str) -> tuple[int, int]:
        return Variant(text).sort_key((*STRATEGIES, *RUNGS))

    names = ["empty", "complement:float16", "cached:bfloat16", "complement", "cached:float16", "cached", "textbook"]
    assert sorted(names, key=rank) == [
        *("textbook", "cached", "cached:float16", "cached:bfloat16", "complement", "complement:float16", "empty")
    ]
    assert sorted([*STRATEGIES, *RUNGS], key=rank) == [*STRATEGIES, *RUNGS]


def test_narrow_and_plain_arms_share_a_block() -> None:
    (block,) = plan(AXES, Room(GIGABYTE), seed=1).blocks
    assert [arm.strategy for arm in block.arms] == ["cached", "cached:float16"]


@pytest.mark.parametrize(
    ("strategy", "backend", "dtype", "reason"),
    [
        ("cached:float32", "numpy", "float32", "float32 is no narrower than the arithmetic's float32"),
        ("cached:float16", "python", "float64", "Python's lists hold float64 only"),
    ],
)
def test_what_cannot_be_kept_narrowly_is_left_out_with_the_reason(
    strategy: str, backend: str, dtype: str, reason: str
) -> None:
    axes = replace(AXES, strategies=(Variant("cached"), Variant(strategy)), backends=(backend,), dtypes=(Dtype(dtype),))
    planned = plan(axes, Room(GIGABYTE), seed=1)
    assert [case.strategy for case in planned.cases] == ["cached"]
    assert [item.case for item in planned.left_out] == [f"logistic/{strategy}/{backend}/derivative/{dtype}/1000"]
    assert planned.left_out[0].reason.startswith(reason)
    with pytest.raises(InputError, match=reason):
        resolve(kernel(strategy, backend=backend, dtype=dtype)).require_supported()


def test_numexpr_keeps_nothing_narrowly() -> None:
    reason = registry.backends()["numexpr"].unsupported_storage(Storage.FLOAT16, Dtype.FLOAT32)
    assert reason is not None
    assert reason.startswith("numexpr has no 16-bit floats")


def test_without_ml_dtypes_there_is_no_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actbench.model.number_formats.find_spec", lambda _: None)
    numpy = registry.backend("numpy")
    assert (numpy.unsupported_storage(Storage.BFLOAT16, Dtype.FLOAT32) or "").startswith("ml_dtypes is not installed")
    assert numpy.unsupported_storage(Storage.FLOAT16, Dtype.FLOAT32) is None


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("cached:float61", "unknown residual dtype of cached 'float61': did you mean 'float16'?"),
        ("cached:float64", "unknown residual dtype of cached 'float64'"),
        ("cashed:float16", "unknown strategy 'cashed:float16'"),
        ("empty:float16", "unknown strategy 'empty:float16'"),
        ("cached:", "unknown residual dtype of cached ''"),
    ],
)
def test_a_name_that_is_not_known_is_refused(strategy: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        plan(replace(AXES, strategies=(Variant(strategy),)), Room(GIGABYTE), seed=1)
