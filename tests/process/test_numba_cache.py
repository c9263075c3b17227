from __future__ import annotations

import ctypes
import marshal
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import numba
import numpy as np
import pytest
from numba.core.caching import IndexDataCacheFile

from actbench import registry
from actbench.backends import _generated_code, _numba_cache
from actbench.backends._compiling import jitted
from actbench.kernels.resolution import kernel as resolved
from actbench.model.cases import KernelId
from actbench.model.checks import Compiled
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.variants import Variant
from tests.support.tiers import exhaustive_but

ENTRIES = 60

FORKED = """
from multiprocessing import get_context

def started(function, *arguments):
    process = get_context("fork").Process(target=function, args=arguments)
    process.start()
    return process

def ended(process):
    process.join()
    assert process.exitcode == 0
"""
"""For programs whose processes do as separate programs would, which import numba once."""

SAVE = (
    FORKED
    + """
import sys
from pathlib import Path
from numba.core.caching import IndexDataCacheFile
from actbench.backends import _numba_cache

def save_all(place, letter, entries):
    index = IndexDataCacheFile(place, "loop", "stamp")
    save = _numba_cache.alone(Path(place, "lock"), index.save)
    for number in range(entries):
        save((letter, number), f"{letter} {number}")

place, letters, entries = sys.argv[1:]
for process in [started(save_all, place, letter, int(entries)) for letter in letters]:
    ended(process)
"""
)


def run(program: str, *arguments: str, **variables: str) -> None:
    """Run a program."""
    command, environment = [sys.executable, "-c", program, *arguments], os.environ | variables
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2], env=environment
    )
    assert done.returncode == 0, done.stderr


def test_what_several_processes_save_at_once_is_each_found_as_it_was(tmp_path: Path) -> None:
    run(SAVE, str(tmp_path), "abc", str(ENTRIES))
    index: Any = cast(Any, IndexDataCacheFile)(str(tmp_path), "loop", "stamp")
    for letter in "abc":
        assert [index.load((letter, number)) for number in range(ENTRIES)] == [f"{letter} {n}" for n in range(ENTRIES)]


def test_a_kernel_goes_to_the_cache_and_comes_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))

    def double(out: Any, z: Any) -> None:
        for i in range(out.size):
            out[i] = 2.0 * z[i]

    hits = []
    for _ in range(2):
        dispatcher = numba.njit(double)
        _numba_cache.share(dispatcher)
        dispatcher.compile(numba.void(numba.float64[::1], numba.float64[::1]))
        out = np.zeros(3)
        dispatcher(out, np.ones(3))
        assert out.tolist() == [2.0] * 3
        hits.append(bool(dispatcher.stats.cache_hits))
    assert hits == [False, True]
    assert len([*tmp_path.rglob("*.lock")]) == 1


DOUBLE = """
from numba.extending import register_jitable

def made():
    @register_jitable
    def twice(number):
        return 2.0 * number

    def double(out, z):
        for i in range(out.size):
            out[i] = twice(z[i])

    return double
"""


def test_what_was_compiled_with_byte_code_from_source_comes_from_the_cache_with_byte_code_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code from source has the name of its file from the module, and that from a `.pyc` file has a copy."""
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "cache"))
    file = tmp_path / "doubling.py"
    file.write_text(DOUBLE)
    source = compile(DOUBLE, str(file), "exec")
    hits = []
    for code in (source, marshal.loads(marshal.dumps(source))):  # noqa: S302  # written by this line
        module: dict[str, Any] = {"__name__": "doubling", "__file__": source.co_filename}
        exec(code, module)  # noqa: S102  # as an import does
        dispatcher = numba.njit(module["made"]())
        _numba_cache.share(dispatcher)
        dispatcher.compile(numba.void(numba.float64[::1], numba.float64[::1]))
        hits.append(bool(dispatcher.stats.cache_hits))
    assert hits == [False, True]


def test_what_calls_something_that_cannot_be_pickled_is_compiled_without_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "cache"))
    exponential = ctypes.CDLL(None).exp
    exponential.argtypes, exponential.restype = (ctypes.c_double,), ctypes.c_double

    def call(out: Any, z: Any) -> None:
        out[0] = exponential(z[0])

    compiled, out = jitted(call, ["float64", "float64"]), np.zeros(1)
    compiled(out, np.ones(1))
    assert math.isclose(out[0], math.e)
    assert not (tmp_path / "cache").exists()


def test_where_no_lock_can_be_written_it_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert _numba_cache.alone(tmp_path / "file" / "lock", lambda key: f"found {key}")("this") == "found this"


COMPILE_AND_CALL = (
    FORKED
    + """
import sys
import numpy as np
from actbench.kernels.resolution import resolve
from actbench.model.cases import Case
from tests.support import kernels

def compile(case):
    assert not resolve(case).bound.from_cache, case.id

def call(cases):
    for case in cases:
        z = np.linspace(-2, 2, case.size, dtype=case.dtype)
        expected = kernels.outputs(Case.parse(case.id.replace(case.backend, "numpy")).kernel, z)
        assert resolve(case).bound.from_cache, case.id
        for one, other in zip(kernels.outputs(case.kernel, z), expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6, err_msg=case.id)

cases = [*map(Case.parse, sys.argv[1:])]
for case in cases:
    ended(started(compile, case))
ended(started(call, cases))
"""
)


@pytest.mark.parametrize("backend", exhaustive_but(["numba", "numba-simd", "numba-parallel"], "numba".__eq__))
def test_kernels_that_other_processes_compiled_are_not_taken_for_one_another(backend: str, tmp_path: Path) -> None:
    """Numba counts functions from 1 in every process: what it leaves a function of its own has the name of another."""
    cases = [f"{activation}/recompute/{backend}/step/float32/301" for activation in ("logistic", "gelu-tanh")]
    run(COMPILE_AND_CALL, *cases, NUMBA_CACHE_DIR=str(tmp_path))


def bound_and_compiled(kernel: KernelId) -> tuple[bool, Compiled | None]:
    """Bind a kernel as a process does that has not yet; return whether it came from the cache, and what it is."""
    backend, chosen = registry.backend(kernel.backend), (kernel.op, resolved(kernel).rule, kernel.dtype)
    bound = backend.bind(*chosen)
    return bound.from_cache, backend.compiled(bound, *chosen)


@pytest.mark.parametrize("backend", ["numba", "numba-simd"])
def test_a_kernel_from_the_cache_is_what_it_was_when_it_was_compiled_and_is_not_compiled_again(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    kernel, other = (KernelId("logistic", Variant("cached"), backend, Op.DERIVATIVE, dtype) for dtype in WIDE)
    (first, facts), (_, others) = bound_and_compiled(kernel), bound_and_compiled(other)
    assert facts != others
    monkeypatch.setattr(_generated_code, "facts", None)
    assert (first, bound_and_compiled(kernel)) == (False, (True, facts))
    assert bound_and_compiled(other) == (True, others)


def test_what_another_version_read_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    kernel = KernelId("logistic", Variant("cached"), "numba", Op.DERIVATIVE, Dtype.FLOAT64)
    _, facts = bound_and_compiled(kernel)
    monkeypatch.setattr(_generated_code, "edition", lambda: "another")
    read = Mock(side_effect=_generated_code.facts)
    monkeypatch.setattr(_generated_code, "facts", read)
    assert bound_and_compiled(kernel) == bound_and_compiled(kernel) == (True, facts)
    read.assert_called_once()
