from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from actbench import registry
from actbench.backends import Device, _nvidia
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerOptions
from actbench.engine.protocol import LocateDevice, Prepare, Slice, Sweep, Time
from actbench.host import environment
from actbench.kernels.operands import Operand, Operands
from actbench.kernels.placement import Placement
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from actbench.planning.suite import grouped
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.resolved import prepare
from tests.support.selections import edit, record, rows

RUN = ("run", "-a", "logistic", "-b", "numpy,numba", "-s", "recompute,cached", "-d", "float64", "-n", "1k")

GPU = "Grand GPU 9000, 80 GiB"

SetDevice = Callable[[str, str], None]

WITHOUT = registry.backends()["torch-cuda"].unavailable
on_a_device = pytest.mark.skipif(WITHOUT is not None, reason=f"torch-cuda: {WITHOUT}")


@pytest.fixture
def set_device(monkeypatch: pytest.MonkeyPatch) -> SetDevice:
    """Let numba's operands lie in the memory of a device, and say which and by what driver."""
    kind = type(registry.backends()["numba"])

    def set_device(name: str, driver: str) -> None:
        monkeypatch.setattr(kind, "on_device", True)
        monkeypatch.setattr(kind, "device", lambda _: Device(name, {"driver": driver}))

    set_device(GPU, "1.2")
    return set_device


@pytest.mark.usefixtures("set_device")
def test_a_run_records_the_device_and_says_so(actbench: Actbench) -> None:
    result = actbench(*RUN, "-o", "here")
    assert result.exit_code == 0
    recorded = record(Path("here"))["environment"]
    assert recorded["devices"] == {"numba": GPU}
    assert recorded["libraries"]["driver"] == "1.2"
    assert f"numba: on {GPU}; rates are percentages of a copy in its own memory." in result.stdout
    assert actbench("report", "here").exit_code == 0
    assert Path("here/report.html").read_text().count(GPU) == 3, "the remark, the environment and the last line"


@pytest.mark.usefixtures("set_device")
def test_a_case_on_a_device_is_held_against_a_copy_there(actbench: Actbench) -> None:
    assert actbench(*RUN, "-o", "here").exit_code == 0
    cases = {(row["strategy"], row["backend"]): row for row in rows(Path("here/cases.csv"))}
    copies = {backend for strategy, backend in cases if strategy == "yardstick"}
    assert copies == {"numpy", "numba"}
    reached = 100 * float(cases["yardstick", "numba"]["seconds"]) / float(cases["cached", "numba"]["seconds"])
    assert float(cases["cached", "numba"]["copy_limit_pct"]) == pytest.approx(reached)


def test_a_worker_is_asked_where_there_is_a_device_alone(
    actbench: Actbench, bench: FakeBench, request: pytest.FixtureRequest
) -> None:
    assert actbench(*RUN, "-o", "without", "--rounds", "1").exit_code == 0
    assert record(Path("without"))["environment"]["devices"] == {}
    without, bench.workers_started = bench.workers_started, 0
    request.getfixturevalue("set_device")
    assert actbench(*RUN, "-o", "with", "--rounds", "1").exit_code == 0
    assert bench.workers_started == without + 1


def test_a_run_does_not_go_on_with_another_device(actbench: Actbench, set_device: SetDevice) -> None:
    assert actbench(*RUN, "-o", "here", "--rounds", "1").exit_code == 0
    set_device("Small GPU, 8 GiB", "1.2")
    result = actbench("run", "--resume", "here", "--rounds", "2")
    assert result.exit_code == 5
    assert f"(devices: numba {GPU} then, numba Small GPU, 8 GiB now)" in result.stderr


def test_another_device_is_another_host_and_another_driver_other_software(
    actbench: Actbench, set_device: SetDevice
) -> None:
    for name, device, driver in (("a", GPU, "1.2"), ("b", GPU, "1.3"), ("c", "Small GPU, 8 GiB", "1.2")):
        set_device(device, driver)
        assert actbench(*RUN, "-o", name).exit_code == 0
    updated = actbench("compare", "a", "b").output
    assert "driver was 1.2, is 1.3" in updated
    assert "two hosts" not in updated
    assert f"two hosts, so seconds are not compared, only what was measured side by side (device of numba {GPU}" in (
        actbench("compare", "a", "c").output.replace("\n", " ")
    )


def test_a_run_without_a_device_is_compared_with_one_that_has_it(actbench: Actbench, set_device: SetDevice) -> None:
    assert actbench(*RUN, "-o", "with").exit_code == 0
    edit(Path("with"), lambda changed: changed["environment"].update(devices={"torch-cuda": GPU}))
    set_device("Small GPU, 8 GiB", "1.2")
    assert actbench(*RUN, "-o", "other").exit_code == 0
    assert "two hosts" not in actbench("compare", "with", "other").output, "they have no device in common"


def test_a_device_that_cannot_be_used_is_reported_in_a_line(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(registry.backends()["numba"])

    def fails(_: object) -> Device:
        raise RuntimeError("CUDA driver version is insufficient")

    monkeypatch.setattr(kind, "on_device", True)
    monkeypatch.setattr(kind, "device", fails)
    result = actbench(*RUN, "-o", "here")
    assert result.exit_code == 4
    assert result.stderr.endswith("RuntimeError: CUDA driver version is insufficient\n")
    assert result.stderr.startswith("actbench: ")
    assert result.stderr.count("\n") == 1
    assert not Path("here").exists()


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (root)\n", "580.159.04"),
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54  Tue Jun  6\nGCC version:  12.2.0\n", "535.54"),
        ("", "unknown"),
    ],
)
def test_the_drivers_version_is_the_first_that_linux_tells(text: str, version: str) -> None:
    assert _nvidia.driver(text) == version


# On a device


@on_a_device
def test_an_nvidia_device_has_a_name_and_a_copy_of_its_own() -> None:
    (block,) = grouped(
        Block("logistic", Op.DERIVATIVE, Dtype.FLOAT32, 1000, (Arm(Variant("cached"), "torch-cuda"),)).cases
    )
    assert block.copies == ("torch-cuda",)
    copy = block.timed[1]
    operands = Operands.drawn(registry.activation(block.activation), block.dtype, block.size, 1)
    invocation = prepare(copy, Placement(operands, np.random.default_rng(1)))
    out, z = invocation.arguments
    assert {out.device.type, z.device.type} == {"cuda"}
    invocation.function(out, z)
    np.testing.assert_array_equal(out.cpu().numpy(), operands.array(Operand.of("", "z")))


@on_a_device
def test_a_worker_times_what_is_on_a_device_and_names_it() -> None:
    (block,) = grouped(Block("tanh", Op.STEP, Dtype.FLOAT32, 1000, (Arm(Variant("cached"), "torch-cuda"),)).cases)
    worker = WorkerProcess(WorkerOptions(environment.choose_cpu(None), 120.0), here())
    try:
        device = worker.ask(LocateDevice("torch-cuda"))
        worker.ask(Prepare.of(block, Plan((), seed=1)))
        ((*seconds,),) = worker.ask(Time((Sweep(1, (Slice(0, 10), Slice(1, 10), Slice(2, 10))),))).seconds
    finally:
        worker.close()
    assert "GiB" in device.name
    assert {"CUDA"} <= device.versions.keys()
    assert all(value > 0 for value in seconds)
