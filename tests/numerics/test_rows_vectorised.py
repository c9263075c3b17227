"""Loops along rows are vector code for every processor: compiled for some that need not be this one.

With AVX-512 LLVM once computed the address of every element in them and gathered it, at a tenth of the rate, where
other processors had plain loads: no test of values can show that.
"""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from tests.support.targets import on_x86, printed_for
from tests.support.tiers import Collected, exhaustive_but

COMPILE = """
import json
import sys

from actbench import registry
from actbench.backends import _row_compiling
from actbench.backends._row_functions import passes_of
from actbench.model.names import Dtype, Op
from actbench.model.rule import Dialect

of = json.loads(sys.argv[1])
codes = []
notations = {"numba-simd": "ASKING", "numba-simd-streaming": "STREAMED_ASKING"}
for name, activation, strategy in of["rules"]:
    backend = registry.backend(name)
    backend.row_notation = lambda notation=notations[name]: getattr(_row_compiling, notation)
    rule = registry.activation(activation).rule(strategy, Dialect.ARRAY, backend.row_namespace())
    for op in of["ops"]:
        passes = passes_of(Op(op), rule)
        compiled = _row_compiling.compiled(backend, passes, Dtype(of["dtype"]), edition="", cache=False)
        (code,) = compiled.inspect_llvm().values()
        codes.append((f"{name} {activation} {strategy} {op}", backend.row_source(passes), code))
print(json.dumps(codes))
"""

WIDTHS = {"x86-64": 128, "haswell": 256, "znver3": 256, "skylake-avx512": 512, "sapphirerapids": 512, "znver4": 512}
"""Bits of a vector by processor."""

OVER_COLUMNS = re.compile(r"for [ik] in range\((?!together)")
"""Loops over columns, without those of whole lines, which LLVM unrolls."""

PROLOGUE = ".prol"
"""What LLVM unrolls of the columns that vectors leave over begins with a loop that has no mark of the vectoriser."""

BITS = {"float32": 32, "float64": 64}

Rule = tuple[str, str, str]
"""Backend, activation and strategy."""

SUMS, KEPT = ("softmax", "cached"), ("softmax-cross-entropy", "recompute")
"""Sums alone; and a largest, exponentials that are kept, what is picked, and what is replaced."""

BACKENDS = ("numba-simd", "numba-simd-streaming")
REPRESENTATIVE: tuple[Rule, ...] = tuple((backend, *rule) for backend in BACKENDS for rule in (SUMS, KEPT))
BY_TURNS: dict[str, tuple[Rule, ...]] = {
    "haswell": (("numba-simd", *KEPT), ("numba-simd-streaming", *SUMS)),
    "skylake-avx512": (("numba-simd", *SUMS), ("numba-simd-streaming", *KEPT)),
}
"""Both backends and both rules on either processor."""

ALL = tuple(
    (backend, activation, strategy)
    for backend in BACKENDS
    for activation, strategies in {
        "softmax": ("textbook", "recompute", "cached", "intermediate"),
        "log-softmax": ("textbook", "recompute", "cached", "intermediate"),
        "logsumexp": ("textbook", "recompute", "intermediate", "pair"),
        "softmax-cross-entropy": ("textbook", "recompute", "cached", "intermediate"),
    }.items()
    for strategy in strategies
)

FUNCTION = re.compile(r"^define [^@\n]*i32 @.*?^}", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^([\w.]+):[^\n]*\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
LISTED = re.compile(r"^(!\d+) = ([^\n]*)$", re.MULTILINE)
LOOP_OF_VECTORS = re.compile(r"vector\.body\d*")
LANE_BY_LANE = re.compile(r"gather|scatter|masked|extractelement|insertelement")
NAMED = re.compile(r"!\d+")
MOVED = re.compile(r"\b(?:load|store) <(\d+) x (?:float|double)>")


@cache
def codes(processor: str, dtype: str, rules: tuple[Rule, ...], ops: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Return the source and LLVM's code of loops, for a processor."""
    codes = printed_for(processor, COMPILE, json.dumps({"rules": rules, "dtype": dtype, "ops": ops}))
    return {name: (source, code) for name, source, code in codes}


def faults(source: str, code: str, lanes: int) -> list[str]:
    """Return what is not as it should be in LLVM's code of loops along rows."""
    (body,) = FUNCTION.findall(code)
    listed = dict(LISTED.findall(code))
    wrong, vectors = [], set()
    for name, text in BLOCK.findall(body):
        repeats = re.search(rf"\bbr i1 [^\n]*label %{re.escape(name)}(?![\w.])[^\n]*", text)
        if repeats is None:
            continue
        marks = [mark for loop in NAMED.findall(repeats[0]) for mark in NAMED.findall(listed[loop])]
        if not any("isvectorized" in listed[mark] for mark in marks) and not name.endswith(PROLOGUE):
            wrong.append(f"{name} is scalar")
        if main := LOOP_OF_VECTORS.match(name):
            vectors.add(main[0])
            wrong += [f"{name} has {what}" for what in sorted({*LANE_BY_LANE.findall(text)})]
            wrong += [f"{name} moves {n} numbers at once" for n in {*MOVED.findall(text)} if int(n) != lanes]
    loops = len(OVER_COLUMNS.findall(source))
    return wrong if len(vectors) >= loops else [*wrong, f"of {loops} loops, {len(vectors)} are vector code"]


@on_x86
@pytest.mark.parametrize("processor", exhaustive_but(WIDTHS, BY_TURNS.__contains__))
def test_loops_along_rows_are_vector_code_as_wide_as_the_processor_can(processor: str) -> None:
    rules = REPRESENTATIVE if Collected.exhaustive else BY_TURNS[processor]
    check(processor, "float32", rules, ("backward",))


@on_x86
@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("processor", ["x86-64", "haswell", "skylake-avx512"])
def test_all_loops_along_rows_are_vector_code(processor: str, dtype: str) -> None:
    check(processor, dtype, ALL, ("backward", "step"))


def check(processor: str, dtype: str, rules: tuple[Rule, ...], ops: tuple[str, ...]) -> None:
    lanes = WIDTHS[processor] // BITS[dtype]
    wrong = {name: faults(source, code, lanes) for name, (source, code) in codes(processor, dtype, rules, ops).items()}
    assert wrong == {name: [] for name in wrong}
    assert wrong
