"""What one core can do at most: the loop that is timed, what its rates come to, and how they are shown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import product
from math import isnan
from platform import machine

import numpy as np
import pytest

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.analysis.peak_rates import PeakRate, VectorWidth, arithmetic, copying, pipe_bound
from actbench.backends._limits import copies
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerOptions
from actbench.engine.protocol_limits import MeasureLimits
from actbench.host import processors
from actbench.host.processors import Description
from actbench.model.kernel_copies import KERNEL_COPIES, LOOP_COPY, NON_TEMPORAL_COPY
from actbench.model.names import WIDE, Dtype
from tests.conftest import Actbench
from tests.support import fake
from tests.support.fake import FakeBench
from tests.support.tiers import exhaustive_but

needs_numba = pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")

REGISTERS = {
    "x86_64": {128: "xmm", 256: "ymm", 512: "zmm"},
    "AMD64": {128: "xmm", 256: "ymm", 512: "zmm"},
    "aarch64": {128: r"v\d+\.(?:2d|4s)"},
    "arm64": {128: r"fmla\.(?:2d|4s)"},  # as Apple writes it: fmla.2d v0, v1, v2
}
"""How the assembly names a packed register of so many bits, by architecture."""

FUSED = {"x86_64": r"vfmadd\d+p[sd]", "AMD64": r"vfmadd\d+p[sd]", "aarch64": "fmla", "arm64": "fmla"}
MEMORY = {"x86_64": r"\(%", "AMD64": r"\(%", "aarch64": r"\[", "arm64": r"\["}
"""What shows that an instruction reads or writes memory."""

DESTINATION = {"x86_64": -1, "AMD64": -1, "aarch64": 0, "arm64": 0}
"""Index of the operand that an instruction writes to: each chain writes to another register."""


# The loop


def hottest(assembly: str, fused: str) -> list[str]:
    """Return the instructions of the loop with most multiply-adds: from a label to the jump back to it."""
    parts = re.split(r"^(\.?L\w+):\n", assembly, flags=re.MULTILINE)
    blocks = [
        [line.strip() for line in body.splitlines()]
        for label, body in zip(parts[1::2], parts[2::2], strict=True)
        if re.search(rf"\s{re.escape(label)}\b", body)
    ]
    return max(blocks, key=lambda lines: sum(bool(re.match(fused, line)) for line in lines))


def forms() -> list[tuple[int, int]]:
    from actbench.backends._limits import fma

    return list(fma.FORMS)


FORMS = [] if registry.backends()["numba"].unavailable else forms()
BY_FORM = pytest.mark.parametrize(
    ("dtype", "form"),
    exhaustive_but(product(WIDE, FORMS), lambda of: of[0] is WIDE[FORMS.index(of[1]) % len(WIDE)]),
)


@needs_numba
@BY_FORM
def test_the_loop_of_the_optimised_code_keeps_its_vectors_out_of_memory(dtype: Dtype, form: tuple[int, int]) -> None:
    from actbench.backends._limits import fma

    optimised, _ = fma.code(dtype, *form)
    bits, chains = form
    vector = f"v{bits // (8 * dtype.itemsize)}f{8 * dtype.itemsize}"
    blocks = re.split(r"\n\n(?=[\w.]+:)", optimised)
    (loop, *_) = sorted(blocks, key=lambda block: -block.count(f"@llvm.fmuladd.{vector}("))
    assert loop.count(f"@llvm.fmuladd.{vector}(") % chains == 0
    assert loop.count(f"@llvm.fmuladd.{vector}(") >= chains
    assert not re.search(r"\b(?:load|store|alloca)\b", loop)


@needs_numba
@pytest.mark.skipif(machine() not in REGISTERS, reason="no assembly is known here")
@pytest.mark.parametrize("dtype", exhaustive_but(WIDE, Dtype.FLOAT64.__eq__))
def test_a_form_is_fused_multiply_adds_on_packed_registers_and_touches_no_memory(dtype: Dtype) -> None:
    from actbench.backends._limits import fma

    fused, registers, memory = FUSED[machine()], REGISTERS[machine()], MEMORY[machine()]
    loops = {form: hottest(fma.code(dtype, *form)[1], fused) for form in FORMS}
    by_form = {form: [line for line in loop if re.match(fused, line)] for form, loop in loops.items()}
    if not any(by_form.values()):
        pytest.skip("this processor has no fused multiply-add")
    kept = [form for form, loop in loops.items() if not any(re.search(memory, line) for line in loop)]
    packed = [
        (bits, chains) for bits, chains in kept if re.search(registers.get(bits, "$^"), str(by_form[bits, chains]))
    ]
    assert packed
    for bits, chains in packed:
        assert len(by_form[bits, chains]) % chains == 0
        assert (
            len({re.findall(r"%?\w+mm\d+|v\d+", line)[DESTINATION[machine()]] for line in by_form[bits, chains]})
            == chains
        )


@needs_numba
@BY_FORM
def test_every_chain_is_computed(dtype: Dtype, form: tuple[int, int]) -> None:
    from actbench.backends._limits import fma

    bits, chains = form
    real = np.dtype(dtype).type
    x = np.repeat(1.0 + np.arange(chains) / chains, bits // (8 * dtype.itemsize))
    run = fma.compiled(dtype, *form)
    for count in range(6):
        assert run(count, real(0.75), real(0.25)) == pytest.approx(x.sum(), rel=1e-5)
        x = x * 0.75 + 0.25
    assert fma.operations(dtype, *form) == 2 * x.size


@needs_numba
def test_one_of_the_forms_serves_processors_with_few_registers_and_one_those_with_long_latencies() -> None:
    operands = 2
    assert any(chains + operands <= 16 for bits, chains in FORMS if bits == 128)
    assert any(chains >= 16 for bits, chains in FORMS if bits == 128)
    assert {bits for bits, _ in FORMS} == {128, 256, 512}


def test_a_real_worker_measures_both() -> None:
    worker = WorkerProcess(WorkerOptions(None, 60.0), here())
    try:
        answer = worker.ask(MeasureLimits((1 << 16, 1 << 23), 2))
    finally:
        worker.close()
    sizes = {kind: [copy.nbytes for copy in answer.copies if copy.kind == kind] for kind in ("", *KERNEL_COPIES)}
    assert sizes[""] == sizes[LOOP_COPY] == [1 << 16, 1 << 23]
    assert sizes[NON_TEMPORAL_COPY] == ([] if copies.unavailable(NON_TEMPORAL_COPY) else [1 << 23])
    assert len(answer.cycle) == 2
    assert 1e-10 < min(answer.cycle) <= max(answer.cycle) < 1e-8
    measured = [rates.rates for rates in answer.arithmetic] + [rates.rates for rates in answer.copies]
    assert all(len(rates) == 2 and min(rates) > 0 for rates in measured)
    assert {(rates.dtype, rates.bits) for rates in answer.arithmetic} == {
        (dtype, bits) for dtype in WIDE for bits, _ in FORMS
    }


# What the rates come to


def repeated(bits: int, rate: float) -> VectorWidth:
    return VectorWidth(bits, (rate * 1e9,) * 6)


def test_the_peak_is_the_fastest_form_s_and_the_registers_are_as_wide_as_helps() -> None:
    peak = arithmetic("float64", [repeated(128, 20), repeated(128, 30), repeated(256, 60), repeated(512, 61)])
    assert peak.rate.value == pytest.approx(61)
    assert peak.detail == "fused multiply-adds on 256-bit vectors"


def test_wider_vectors_that_help_are_found_and_one_disturbed_repeat_does_not_decide() -> None:
    disturbed = VectorWidth(512, (100e9, 100e9, 100e9, 100e9, 1e9, 100e9, 100e9))
    peak = arithmetic("float32", [repeated(128, 30), disturbed, repeated(256, 60)])
    assert peak.rate.value == pytest.approx(100)
    assert peak.detail == "fused multiply-adds on 512-bit vectors"
    assert peak.rate.low < peak.rate.high == pytest.approx(100)


@pytest.mark.parametrize(
    ("nbytes", "subject", "where"),
    [
        (512 << 10, "copy of 512 KiB", "both arrays fit L2, as large as the system says it is"),
        (64 << 20, "copy of 64 MiB", "out of every cache"),
        (16 << 20, "copy of 16 MiB", "both arrays fit L3, as large as the system says it is"),
        (24 << 10, "copy of 24 KiB", "both arrays fit L1d, as large as the system says it is"),
    ],
)
def test_a_copy_is_reported_with_the_cache_that_holds_it(nbytes: int, subject: str, where: str) -> None:
    caches = {"L1d": 48 << 10, "L2": 2 << 20, "L3": 32 << 20}
    peak = copying(nbytes, (2e9,) * 6, caches)
    assert (peak.subject, peak.detail) == (subject, f"read and written; {where}")
    assert peak.rate == pytest.approx((2, 2, 2))


# How they are shown


@pytest.mark.parametrize(("kind", "words"), [(LOOP_COPY, ", by a loop"), (NON_TEMPORAL_COPY, ", non-temporal")])
def test_a_copy_as_a_kernel_could_make_it_is_named(kind: str, words: str) -> None:
    assert copying(64 << 20, (2e9,) * 6, {}, kind).subject == f"copy of 64 MiB{words}"


def test_what_pipes_can_do_follows_from_the_clock_and_the_share_is_paired() -> None:
    cycles = [0.5e-9, 0.25e-9] * 3
    rates = tuple(24 / cycle for cycle in cycles)
    bound = pipe_bound("float32", 32, [repeated(128, 1), VectorWidth(256, rates)], cycles, "port model of X")
    assert (bound.subject, bound.detail) == ("float32 pipe bound", "32 a cycle (port model of X)")
    assert bound.rate.low == pytest.approx(64)
    assert bound.rate.high == pytest.approx(128)
    assert bound.share == pytest.approx((75, 75, 75)), "a clock that changes is not in it"


LINES = """\
what one core can do at most
float32 arithmetic           101 ± 0 GFLOP/s, fused multiply-adds on 256-bit vectors
float64 arithmetic           50.5 ± 0.0 GFLOP/s, fused multiply-adds on 256-bit vectors
clock                        4.00 ± 0.00 GHz, from a chain of known latency
float32 pipe bound           256 ± 0 GFLOP/s, 64 a cycle (port model of Zen 5), of which 39.5 ± 0.0 % are reached
float64 pipe bound           128 ± 0 GFLOP/s, 32 a cycle (port model of Zen 5), of which 39.5 ± 0.0 % are reached
"""


KNOWN = Description("AuthenticAMD", 26, 2, frozenset({"avx512f"}))


def test_env_shows_the_limits_where_they_are_asked_for(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "description", lambda: KNOWN)
    shown = actbench("env", "--limits").stdout
    assert LINES in shown
    small, large = [line for line in shown.splitlines() if line.startswith("copy of")]
    assert "50.0 ± 0.0 GB/s, read and written; " in small
    assert large.startswith("copy of 64 MiB               10.0 ± 0.0 GB/s, read and written; ")
    assert bench.workers_started == 1


def test_env_says_that_the_pipes_of_an_unknown_processor_are_not_known(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "description", Description)
    shown = actbench("env", "--limits").stdout
    assert "pipe bound                   not known: there is no port model of this processor\n" in shown


def test_env_measures_nothing_by_itself(actbench: Actbench, bench: FakeBench) -> None:
    assert "at most" not in actbench("env").stdout
    assert "limits" not in json.loads(actbench("env", "--format", "json").stdout)
    assert bench.workers_started == 0


def test_env_as_json_has_the_limits(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "description", lambda: KNOWN)
    report = json.loads(actbench("env", "--limits", "--format", "json").stdout)
    assert report.keys() == {"environment", "noise", "configuration", "limits"}
    float32, float64, clock, bound, _, *copies = report["limits"]
    assert float32["subject"] == "float32 arithmetic"
    assert [float64[name] for name in ("rate", "low", "high")] == pytest.approx([50.5] * 3)
    assert clock["rate"] == pytest.approx(4)
    assert bound["share_pct"] == pytest.approx(100 * 101 / 256)
    assert [limit["unit"] for limit in copies] == ["GB/s", "GB/s"]


def test_without_numba_copies_alone_are_measured_and_the_reason_is_given(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_numba = fake.limits
    monkeypatch.setattr(fake, "limits", lambda request: replace(with_numba(request), arithmetic=(), cycle=()))
    monkeypatch.setattr(type(registry.backends()["numba"]), "requires", "no_such_distribution")
    shown = actbench("env", "--limits").stdout
    assert "arithmetic                   not measured: no_such_distribution is not installed\n" in shown
    assert shown.count("copy of") == 2
    unknown: PeakRate = arithmetic_of(json.loads(actbench("env", "--limits", "--format", "json").stdout))
    assert isnan(unknown.rate.value)


def arithmetic_of(report: dict[str, list[dict[str, str | float | None]]]) -> PeakRate:
    """Return the first limit of env's JSON, which has no NaN."""
    first = report["limits"][0]
    rate, low, high = (
        float("nan") if first[name] is None else float(first[name] or 0) for name in ("rate", "low", "high")
    )
    return PeakRate(str(first["subject"]), Interval(rate, low, high), str(first["unit"]), str(first["detail"]))
