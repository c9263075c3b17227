"""As a script: one worker's part in a round of a live check, with the time at which each step ended.

    python -m benchmarks.round_parts CASE...

Prints a JSON object of steps and `time.monotonic()` at their ends; the cases of the first block are the arguments.
"""

from __future__ import annotations

import json
import random
import sys
import time
from importlib import import_module
from typing import Any

ARM_SECONDS = 0.02
"""The longest arm that is compared; a live check takes a quarter of it."""

STEPS = {
    "interpreter": "starting Python, and nothing else",
    "worker": "actbench's worker and its protocol",
    "numpy": "numpy",
    "kernels": "actbench's kernels, activations and backends; code that can be moved",
    "numba": "numba's compiler",
    "first block": "preparing the first block: kernels from numba's cache, inputs, first calls",
    "block again": "preparing a block whose kernels are there",
    "calibration": "calibrating its loops, once a check and not in a round",
    "timing": "timing its arms",
    "looking": "listing what was seen in the calls after timed values",
}
"""What each step is."""


def main() -> None:
    """Do every step of a round, and print when each ended."""
    ends = {"interpreter": time.monotonic()}

    def ended(step: str) -> None:
        ends[step] = time.monotonic()

    worker = import_module("actbench.engine.working.worker")
    protocol = import_module("actbench.engine.protocol")
    ended("worker")
    import_module("numpy")
    ended("numpy")
    server = worker.Server()
    server.answer(protocol.Start(None, 1))
    ended("kernels")
    if any("/numba" in case for case in sys.argv[1:]):
        import_module("actbench.backends._numba_import").import_compiler()
        ended("numba")
    suite, cases = import_module("actbench.planning.suite"), import_module("actbench.model.cases")
    timing = import_module("actbench.engine.timing")
    (block,) = suite.grouped([cases.Case.parse(case) for case in sys.argv[1:]])
    prepare = protocol.Prepare(tuple(case.id for case in block.timed), 1)
    begun = time.monotonic()
    server.answer(prepare)
    ends["first block"] = time.monotonic() - begun + max(ends.values())
    shift = time.monotonic() - ends["first block"]  # what planning imports is the conductor's, not the worker's

    def after_shift(step: str) -> None:
        ends[step] = time.monotonic() - shift

    server.answer(prepare)
    after_shift("block again")
    calibration = timing.calibrated(_Direct(server), block, ARM_SECONDS, time.perf_counter)
    after_shift("calibration")
    for sweep in timing.sweeps(block, calibration, random.Random(1)):  # noqa: S311  # not for cryptography
        server.answer(protocol.Time((sweep,)))
    after_shift("timing")
    server.answer(protocol.ListDoubts())
    after_shift("looking")
    print(json.dumps(ends))


class _Direct:
    """A worker in this process."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def ask(self, request: Any) -> Any:
        """Answer a request."""
        return self._server.answer(request)


if __name__ == "__main__":
    main()
