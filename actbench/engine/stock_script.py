"""The script that stock ``pyperf.Runner`` runs, and reruns in each of its worker processes: one block's cases.

``python -m actbench.engine.stock_script --cases ID,ID --seed SEED --inputs JSON [--load SHA256=FILE]`` and
pyperf's own options.
"""

from __future__ import annotations

from functools import cache
from itertools import repeat
from time import perf_counter
from typing import Any

import msgspec
import numpy as np
import pyperf

from actbench import plugins
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Invocation, Placement
from actbench.kernels.resolution import resolve
from actbench.model.cases import Case
from actbench.model.inputs import Inputs

MODULE = "actbench.engine.stock_script"


@cache
def prepared(case_id: str, seed: int, inputs: Inputs) -> Invocation:
    """Return the call that a case stands for, made when this process first times it."""
    case = Case.parse(case_id)
    subject = resolve(case)
    operands = Operands.drawn(subject.activation, case.dtype, case.size, seed, inputs, case.rows)
    placement = Placement(operands, np.random.default_rng())
    return subject.invocation(case.size, placement)


def time_calls(loops: int, case_id: str, seed: int, inputs: Inputs) -> float:
    """Return the seconds that `loops` calls take together."""
    call = prepared(case_id, seed, inputs)
    function, arguments = call.function, call.arguments
    times = repeat(None, loops)
    with np.errstate(all="ignore"):  # as in a worker
        start = perf_counter()
        for _ in times:
            function(*arguments)
        return perf_counter() - start


def pass_on(command: list[str], arguments: Any) -> None:
    """Hand our own options to pyperf's worker processes."""
    command += ["--cases", arguments.cases, "--seed", str(arguments.seed), "--inputs", arguments.inputs]
    command += [part for source in arguments.load for part in ("--load", source)]


def main() -> None:
    """Let pyperf time every case."""
    runner = pyperf.Runner(program_args=("-m", MODULE), add_cmdline_args=pass_on)
    runner.argparser.add_argument("--cases", required=True, help="case ids, with commas between them")
    runner.argparser.add_argument("--seed", type=int, required=True, help="seed of what is drawn")
    runner.argparser.add_argument("--inputs", required=True, help="what pre-activations are drawn from")
    runner.argparser.add_argument("--load", action="append", default=[], help="a user's own code: SHA256=NAME")
    arguments = runner.parse_args()
    for source in arguments.load:
        digest, _, name = source.partition("=")
        plugins.load(name, digest)
    inputs = msgspec.json.decode(arguments.inputs, type=Inputs)
    for case_id in arguments.cases.split(","):
        runner.bench_time_func(case_id, time_calls, case_id, arguments.seed, inputs)


if __name__ == "__main__":
    main()
