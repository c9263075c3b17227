"""The pipe bound of an inner loop: the loop in the assembly, the port models, and llvm-mca."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from actbench import registry
from actbench.analysis.pipe_share import percent_of, pipe_share
from actbench.backends._limits import clock, mca, port_model
from actbench.backends._limits.inner_loop import InnerLoop, Instruction, vector_loops
from actbench.backends._limits.port_model import (
    GOLDEN_COVE,
    SKYLAKE,
    SKYLAKE_SERVER,
    SUNNY_COVE,
    ZEN_3,
    ZEN_4,
    ZEN_5,
    Family,
    PipeBound,
    family,
    pipe_bound,
)
from actbench.engine.protocol_limits import MeasureCall
from actbench.host.processors import Description
from actbench.kernels.kernel import Kernel
from actbench.kernels.pipes import OPS, LoopBound, loop_bound
from actbench.kernels.resolution import resolve
from actbench.model.cases import Case
from actbench.model.names import WIDE, Dtype, Op
from tests.support import fake

ASSEMBLY = """\
\t.text
kernel:
.LBB0_1:
\tvmovss\t(%rax,%rbx,4), %xmm0
\tvmovss\t%xmm0, (%rcx,%rbx,4)
\tincq\t%rbx
\tjne\t.LBB0_1
.LBB0_2:
\tvmulps\t(%rax,%rbx,4), %zmm1, %zmm2  # a comment
\tvmovups\t%zmm3, 64(%rsp)
\tvmovups\t%zmm2, (%rcx,%rbx,4)
\taddq\t$16, %rbx
\tcmpq\t%rbx, %rdx
\tjne\t.LBB0_2
.LBB0_3:
\tvmovups\t%ymm2, (%rcx,%rbx,4)
\tjne\t.LBB0_3
.LBB0_4:
\tvpmovdw\t%zmm2, (%rcx,%rbx,2)
\tje\t.LBB0_9
\tjmp\t.LBB0_4
.LBB0_5:
\tvpmovdw\t%zmm2, (%rcx,%rbx,2)
\tjmp\t.LBB0_5
\t#APP
.Ltmp0:
\tvmovups\t%zmm2, (%rcx)
\tvmovups\t%zmm3, 64(%rcx)
\tjne\t.Ltmp0
\t#NO_APP
"""

CASE = "logistic/recompute/numba-simd/derivative/float32/1000"
on_x86 = pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="assembly of x86-64 is read")


def loop(*lines: str) -> InnerLoop:
    return InnerLoop(".L1", (*(f"\t{line}" for line in lines), "\tcmpq\t%rbx, %rdx", "\tjne\t.L1"))


def bound(of: Family, *lines: str) -> PipeBound:
    of_loop = pipe_bound(loop(*lines), of)
    assert isinstance(of_loop, PipeBound)
    return of_loop


# The loop


def test_the_loops_are_those_that_store_results_in_the_widest_vectors() -> None:
    assert [(one.label, one.stored) for one in vector_loops(ASSEMBLY)] == [(".LBB0_2", 64), (".LBB0_5", 32)]


def test_the_loops_in_inline_assembly_are_apart_from_those_of_llvm() -> None:
    assert [(one.label, one.stored) for one in vector_loops(ASSEMBLY, inline=True)] == [(".Ltmp0", 128)]


def test_operands_in_memory_are_read_or_written() -> None:
    load, store = (
        Instruction.parse("\tvmulps\t-64(%rax,%rbx,4), %ymm1, %ymm2"),
        Instruction.parse("vmovups\t%xmm2, (%rax)"),
    )
    assert (load.reads_memory, load.writes_memory, load.bits) == (True, False, 256)
    assert (store.reads_memory, store.writes_memory, store.bits) == (False, True, 128)


# The port models


def test_pipes_are_as_busy_as_the_busiest_set_of_them() -> None:
    product, logic, shift = "vmulps\t%zmm1, %zmm2, %zmm3", "vpord\t%zmm1, %zmm2, %zmm3", "vpslld\t$23, %zmm1, %zmm2"
    assert bound(GOLDEN_COVE, *[product] * 4).cycles == 2
    assert bound(GOLDEN_COVE, *[shift] * 3, *[logic] * 3).cycles == 3
    assert bound(GOLDEN_COVE, *[shift] * 3, *[logic] * 5).cycles == 4
    assert bound(GOLDEN_COVE, *[shift] * 3, *[logic] * 5).slots == 8


@pytest.mark.parametrize(
    ("of", "bits", "count"), [(SKYLAKE_SERVER, 512, 2), (GOLDEN_COVE, 256, 3), (ZEN_4, 512, 4), (ZEN_5, 512, 4)]
)
def test_pipes_are_counted_by_the_width_of_vectors(of: Family, bits: int, count: int) -> None:
    assert of.pipe_count(bits) == count


@pytest.mark.parametrize("name", ["vxorps", "vxorpd", "vpxor", "vpxord", "vpxorq"])
def test_setting_a_register_to_zero_takes_no_pipe(name: str) -> None:
    alone, of_two = f"{name}\t%zmm3, %zmm3, %zmm3", f"{name}\t%zmm1, %zmm3, %zmm3"
    assert (bound(ZEN_4, alone).slots, bound(ZEN_4, of_two).slots) == (0, 2)


def test_dividers_loads_stores_and_issue_bound_as_well() -> None:
    assert bound(GOLDEN_COVE, "vdivpd\t%zmm1, %zmm2, %zmm3") == PipeBound(16, "divider", 2)
    assert bound(GOLDEN_COVE, *["vmovups\t%zmm1, (%rax,%rbx,4)"] * 3) == PipeBound(3, "stores", 0)
    assert bound(GOLDEN_COVE, *["vmovups\t(%rax,%rbx,4), %zmm1"] * 4) == PipeBound(2, "loads", 0)
    assert bound(SKYLAKE, *["vmovaps\t%ymm1, %ymm2"] * 7) == PipeBound(2, "issue", 0)


def test_an_instruction_that_no_model_knows_is_named() -> None:
    assert pipe_bound(loop("vaesenc\t%zmm1, %zmm2, %zmm3"), ZEN_5) == "vaesenc"
    bound = port_model.lowest([loop("vaesenc\t%zmm1, %zmm2, %zmm3")], ZEN_5)
    assert bound == "the port model does not know vaesenc"


def test_of_the_versions_of_a_loop_the_one_with_the_lowest_bound_counts() -> None:
    store, product = "vmovups\t%zmm1, (%rax,%rbx,4)", "vmulps\t%zmm1, %zmm2, %zmm3"
    short, long = loop(store, product, product, product, product), loop(store, *[product] * 6)
    assert port_model.lowest([long, short], GOLDEN_COVE) == (short, PipeBound(2, "pipes", 4))


@pytest.mark.parametrize(
    ("vendor", "number", "model", "flags", "expected"),
    [
        ("GenuineIntel", 6, 167, "avx2 avx512f gfni avx512_fp16", GOLDEN_COVE),
        ("GenuineIntel", 6, 106, "avx2 avx512f gfni", SUNNY_COVE),
        ("GenuineIntel", 6, 167, "avx2 avx512f gfni", None),
        ("GenuineIntel", 6, 85, "avx2 avx512f", SKYLAKE_SERVER),
        ("GenuineIntel", 6, 158, "avx2 clflushopt", SKYLAKE),
        ("GenuineIntel", 6, 151, "avx2 clflushopt avx_vnni", None),
        ("GenuineIntel", 6, 60, "avx2", None),
        ("AuthenticAMD", 26, 2, "avx512f", ZEN_5),
        ("AuthenticAMD", 25, 17, "avx512f", ZEN_4),
        ("AuthenticAMD", 25, 1, "avx2", ZEN_3),
        ("AuthenticAMD", 23, 49, "avx2", None),
        ("", 0, 0, "", None),
    ],
)
def test_a_family_is_known_by_what_its_processors_can_do(
    vendor: str, number: int, model: int, flags: str, expected: Family | None
) -> None:
    text = f"vendor_id\t: {vendor}\ncpu family\t: {number}\nmodel\t\t: {model}\nmodel name\t: X\nflags\t\t: {flags}\n"
    assert family(Description.parse(text * 2)) is expected


@on_x86
@pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")
@pytest.mark.parametrize("op", sorted(OPS))
def test_the_models_know_what_kernels_are_made_of(op: Op) -> None:
    kernel = resolve(Case.parse(CASE.replace("derivative", op)))
    assert isinstance(kernel, Kernel)
    of_kernel = loop_bound(kernel, 1000)
    assert not isinstance(of_kernel, str)
    assert of_kernel.elements * 4 == of_kernel.loop.stored
    for one in (SKYLAKE_SERVER, GOLDEN_COVE, ZEN_4, ZEN_5):
        pipes = pipe_bound(of_kernel.loop, one)
        assert isinstance(pipes, PipeBound), pipes
        assert pipes.slots >= 15 * of_kernel.vectors


# The clock, and the share


@pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")
def test_the_chain_of_the_clock_multiplies_as_often_as_it_takes_the_exclusive_or() -> None:
    assert clock.compiled()(0, 7) == 7
    assert clock.compiled()(1, 1) == clock.FACTOR ^ 1
    if platform.machine() in {"x86_64", "AMD64"}:
        bodies = re.findall(r"^(\.L\w+):\n((?:\t(?!j).*\n)*\tj\w+\t\1\n)", clock.code(), re.MULTILINE)
        assert bodies
        for _, body in bodies:
            assert body.count("imul") == len(re.findall(r"\bxorq", body)) > 0


def test_the_share_is_paired_with_the_clock_of_its_repeat() -> None:
    share = pipe_share([[2e-6, 1e-6] * 6, [2e-7, 1e-7] * 6, [5e-7, 2.5e-7] * 6], (100, 400), [0.5e-9, 0.25e-9] * 6)
    assert share.cycles == pytest.approx((4000, 4000, 4000))
    assert percent_of(3000, share.cycles) == pytest.approx((75, 75, 75))
    assert share.element == pytest.approx((2, 2, 2)), "calls on 100 elements take 400 cycles, those on 400 take 1 000"
    assert share.gigahertz.low == pytest.approx(2)
    assert share.gigahertz.high == pytest.approx(4)


def test_of_a_loop_that_seems_to_take_no_time_nothing_is_known() -> None:
    share = pipe_share([[1e-6] * 6, [1e-7] * 6, [3e-7] * 5 + [1e-7]], (100, 400), [0.5e-9] * 6)
    assert share.element is None
    assert share.cycles == pytest.approx((2000, 2000, 2000))


def test_of_a_case_that_was_measured_alone_the_call_is_known_and_the_loop_is_not() -> None:
    share = pipe_share([[1e-6] * 6], None, [0.5e-9] * 6)
    assert share.element is None
    assert share.cycles == pytest.approx((2000, 2000, 2000))


def test_a_worker_measures_calls_on_several_numbers_of_elements_and_the_clock() -> None:
    answer = fake.real_answer(MeasureCall("logistic/cached/numpy/derivative/float64/100", (100, 100_000), 1, 2))
    small, large = answer.seconds
    assert len(small) == len(large) == len(answer.cycle) == 2
    assert 1e-8 < min(small) < min(large) < 1e-2


def test_the_loop_is_measured_on_operands_in_the_first_level_cache() -> None:
    of_loop = LoopBound(loop(), 64, range(10_000), None, None, "", None)
    assert of_loop.sizes_in_cache(8) == (10 * 64, 32 * 64), "two arrays of float32 and 2 048 elements: 16 KiB"


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        (range(1024, 8193), (16 * 64, 32 * 64)),
        (range(0), None),
        (range(1000, 1500), (16 * 64, 23 * 64)),
        (range(1000, 1537), (16 * 64, 24 * 64)),
    ],
)
def test_the_loop_is_measured_on_sizes_that_it_is_applied_to(sizes: range, expected: tuple[int, int] | None) -> None:
    assert LoopBound(loop(), 64, sizes, None, None, "", None).sizes_in_cache(8) == expected


@pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")
@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("name", ["logistic", "tanh"])
def test_the_loop_that_is_bounded_and_measured_is_that_of_the_size_of_the_case(name: str, dtype: Dtype) -> None:
    from actbench.backends._simd import assembly

    sizes = assembly.sizes("times_complement" if name == "logistic" else "one_minus_square")
    if not sizes:
        pytest.skip("no loop in assembly is used here")
    kernel = resolve(Case.parse(f"{name}/cached/numba-simd/derivative/{dtype}/1"))
    assert isinstance(kernel, Kernel)
    fewest, most = (nbytes // dtype.itemsize for nbytes in (sizes[0], sizes[-1]))
    for size in (100, fewest - 1, fewest, fewest + 1, most, most + 1, 100_000):
        in_assembly = size * dtype.itemsize in sizes
        of_kernel = loop_bound(kernel, size)
        assert not isinstance(of_kernel, str)
        assert of_kernel.loop.inline == in_assembly
        measured = of_kernel.sizes_in_cache(kernel.moved_bytes)
        assert (measured is not None) == in_assembly
        if measured:
            assert fewest <= measured[0] < measured[1] <= most


# llvm-mca


def installed(path: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    program = path / "llvm-mca"
    program.write_text(f"#!/bin/sh\ncat > {path}/loop\necho '{output}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(path), prepend=":")


def test_llvm_mca_gets_the_loop_and_its_bound_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = "LLVM version 19.1.0\nHost CPU: znver5\nBlock RThroughput: 26.5"
    installed(tmp_path, monkeypatch, output)
    assert mca.mca_bound(loop("vmulps\t%zmm1, %zmm2, %zmm3")) == mca.McaBound("19.1.0", "znver5", 26.5)
    assert (tmp_path / "loop").read_text().startswith(".L1:\n\tvmulps\t%zmm1")


def test_an_llvm_mca_that_does_not_take_the_loop_gives_no_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch, "LLVM version 19.1.0\nHost CPU: znver5\nerror: unsupported")
    assert mca.mca_bound(loop()) == mca.McaBound("19.1.0", "znver5", None)


@pytest.mark.parametrize("name", ["Host CPU: (unknown)", "Host CPU: generic", ""])
def test_an_llvm_mca_that_does_not_know_the_processor_gives_no_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    installed(tmp_path, monkeypatch, f"LLVM version 14.0.6\n{name}\nBlock RThroughput: 1.0")
    assert mca.mca_bound(loop()) == mca.McaBound("14.0.6", "", None)
