from __future__ import annotations

from itertools import chain

import numpy as np
import pytest

from actbench import registry
from actbench.backends import StepArrays
from actbench.kernels.operands import Array
from actbench.kernels.placement import ALIGNMENT
from actbench.kernels.training_arrays import drawn
from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.model.names import WIDE, Dtype, Op

MLP = registry.current().network(Op("mlp:300-50-7"))


def all_of(arrays: StepArrays) -> list[Array]:
    return [arrays.x, arrays.target, *chain.from_iterable(zip(arrays.weights, arrays.biases, strict=True))]


@pytest.mark.parametrize("dtype", WIDE)
def test_the_arrays_of_a_step_have_its_type_and_the_shapes_of_its_network(dtype: Dtype) -> None:
    arrays = all_of(drawn(MLP, 20, dtype, 1, STANDARD_NORMAL))
    assert [array.shape for array in arrays] == [(20, 300), (20, 7), (300, 50), (50,), (50, 7), (7,)]
    assert all(array.dtype == dtype and array.flags.c_contiguous and array.flags.writeable for array in arrays)
    assert all(array.ctypes.data % ALIGNMENT == 0 for array in arrays)


def test_arrays_are_equal_for_equal_seeds_alone() -> None:
    one, same, different = (all_of(drawn(MLP, 20, Dtype.FLOAT32, seed, STANDARD_NORMAL)) for seed in (1, 1, 2))
    assert all(np.array_equal(*pair) for pair in zip(one, same, strict=True))
    assert not any(np.any(left == right) for left, right in zip(one, different, strict=True))


def test_no_two_arrays_are_drawn_from_one_stream() -> None:
    square = registry.current().network(Op("mlp:8-8-8"))
    arrays = [array.ravel()[:8] for array in all_of(drawn(square, 8, Dtype.FLOAT64, 1, STANDARD_NORMAL))]
    correlations = np.corrcoef(arrays) - np.eye(len(arrays))
    assert np.abs(correlations).max() < 0.99


def test_the_first_z_varies_as_the_input_does() -> None:
    arrays = drawn(MLP, 1000, Dtype.FLOAT64, 1, STANDARD_NORMAL)
    assert np.var(arrays.x @ arrays.weights[0]) == pytest.approx(1, abs=0.05)
    assert np.var(arrays.biases[0]) == pytest.approx(1 / 300, rel=0.5)
    assert np.var(arrays.target) == pytest.approx(1, abs=0.05)


def test_x_is_drawn_from_the_inputs_and_nothing_else_is() -> None:
    plain = all_of(drawn(MLP, 20, Dtype.FLOAT32, 1, STANDARD_NORMAL))
    uniform = all_of(drawn(MLP, 20, Dtype.FLOAT32, 1, Inputs.parse("uniform:5,6")))
    assert np.all((uniform[0] >= 5) & (uniform[0] <= 6))
    assert all(np.array_equal(*pair) for pair in zip(plain[1:], uniform[1:], strict=True))


@pytest.mark.parametrize("dtype", WIDE)
def test_nothing_that_is_drawn_is_subnormal(dtype: Dtype) -> None:
    for array in all_of(drawn(MLP, 1000, dtype, 1, STANDARD_NORMAL)):
        assert np.all((np.abs(array) >= np.finfo(dtype).tiny) & np.isfinite(array))
