"""How much slower what `actbench recommend` chooses is than the best, as a later and longer measurement shows.

    python -m benchmarks.regret [--budget 30s] [--later 60s] [--cells 24] [-o build/regret.jsonl]

Each of 24 cells (activation, dtype, size, op, operands, backend) is decided by a fresh race with a budget; later
`actbench run` measures all of its strategies, without dropping any. The regret of a choice is its time over that of the
fastest strategy of that measurement, paired, with an interval that holds for all strategies of the cell together. What
torch and jax keep is measured in the same way: by the strategy of the cell that keeps the same. With `-b torch -b jax`
the cells are of these backends, and what they ship is one of the strategies.

A line of JSON is written for each cell as soon as it is done, and the table has all that the file has. The same command
goes on where it stopped, so that it can be run in pieces: four times `--cells 6` is the table of 24. Cells of other
budgets in the file are left alone. Pieces of other hosts add up by joining their files with `cat`; `--cells 0` measures
nothing and prints. Where operands cannot come from memory, since a cache is too large for it, they are warm instead.

A cell takes 90 s with these budgets, and about 15 s beside them: six are eleven minutes, 24 are 45. Torch's and jax's
choices need both installed. With `-b torch -b jax -o build/regret-frameworks.jsonl` a cell takes longer, since each
round loads the framework.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import click

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.analysis.sequential import TAIL_PROBABILITY
from actbench.analysis.standings import fastest_of, time_over
from actbench.engine.races import saved_names
from actbench.kernels import resolution
from actbench.kernels.shipped import ShippedKernel
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.training import SHIPPED
from actbench.report.numbers import change
from actbench.runs.archive import load

FRAMEWORKS = ("torch", "jax")

ACTIVATIONS = (
    *("logistic", "tanh", "gelu", "silu", "elu", "softplus"),
    *("mish", "gelu-tanh", "softsign", "arctan", "selu", "relu"),
)

BACKENDS = ("numpy", "numba-simd", "numba-simd", "numpy", "numba")
"""Of the cells, in turns."""

ROOT = Path(__file__).parents[1]


NO_ROOM = "the selection leaves no case to measure"
"""What `actbench` says where operands cannot come from memory."""


class FailedCommandError(click.ClickException):
    """A command that ended with an unexpected exit code."""


class Cell(NamedTuple):
    """What is decided."""

    activation: str
    dtype: str
    size: int
    op: str
    operands: str
    backend: str

    @property
    def options(self) -> list[str]:
        """Return it as options of `actbench`."""
        named = {"-a": self.activation, "-d": self.dtype, "-n": str(self.size), "--op": self.op}
        return [part for pair in {**named, "--operands": self.operands, "-b": self.backend}.items() for part in pair]


def cells(backends: Sequence[str] = BACKENDS) -> Iterator[Cell]:
    """Yield 24 cells: every activation twice, and the other axes in turns of different lengths.

    Operands that are warm are a tenth as large: small ones do not come from memory.
    """
    axes = (
        cycle(("float32", "float64", "float32")),
        cycle((10_000, 100_000, 30_000, 1_000_000, 300_000)),
        cycle(("step", "backward", "derivative", "step")),
        cycle(("residuals-cold", "warm", "cold", "residuals-cold", "warm", "residuals-cold", "cold")),
        cycle(backends),
    )
    for activation, dtype, size, op, operands, backend in zip(islice(cycle(ACTIVATIONS), 24), *axes, strict=False):
        yield Cell(activation, dtype, size // 10 if operands == "warm" else size, op, operands, backend)


def measurable(cell: Cell) -> Cell:
    """Return the cell, or that with warm operands where there is no room for cold ones here."""
    try:
        _actbench(["run", *cell.options, "--dry-run"], ".", (0,))
    except FailedCommandError as failed:
        if cell.operands == "warm" or NO_ROOM not in str(failed):
            raise
        return cell._replace(operands="warm")
    return cell


def measured(planned: Cell, budget: str, later: str) -> dict[str, Any]:
    """Decide a cell, measure it later, and return both."""
    cell = measurable(planned)
    with tempfile.TemporaryDirectory() as directory:
        decide = ["recommend", *cell.options, "--budget", budget, "--fresh", "--format", "json", "-q"]
        answer = json.loads(_actbench(decide, directory, (0, 3)))
        long = ["run", *cell.options, "--budget", later, "--target", "0.1", "-o", "later", "-q"]
        _actbench(long, directory, (0,))
        times = load(Path(directory, "later")).times
        (block,) = times.blocks
        seconds = times.seconds(block)[:, : len(block.arms)]
    strategies = [str(arm.strategy) for arm in block.arms]
    best = fastest_of(seconds)
    tail = TAIL_PROBABILITY / max(1, len(strategies) - 1)
    regrets = {name: time_over(seconds, arm, best, tail) for arm, name in enumerate(strategies)}
    return {
        "planned": planned._asdict(),
        "cell": cell._asdict(),
        "budgets": [budget, later],
        "outcome": answer["outcome"],
        "choice": answer["choice"]["strategy"],
        "ties": [one["strategy"] for one in answer["ties"]],
        "open": [one["strategy"] for one in answer["open"]],
        "keeps": {one["strategy"]: one["keeps"] for one in answer["arms"]},
        "best": strategies[best],
        "rounds": len(seconds),
        "regrets": regrets,
    }


def kept_by(framework: str, cell: Cell) -> list[str] | None:
    """Return what a framework keeps for the activation of a cell; None where it is not here, or has none."""
    backend = registry.backends()[framework]
    if backend.unavailable or backend.unshipped(cell.activation):
        return None
    kernel = resolution.kernel(KernelId(cell.activation, SHIPPED, framework, Op.STEP, Dtype(cell.dtype)))
    assert isinstance(kernel, ShippedKernel)  # as its strategy says
    return [*saved_names.kept_by(kernel)]


def report(lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each cell, and the summary of what was chosen by whom."""
    chosen: dict[str, list[Interval]] = {"actbench": [], **{name: [] for name in FRAMEWORKS}, SHIPPED.name: []}
    shown_worse = []
    for line in lines:
        cell = Cell(**line["cell"])
        regret = Interval(*line["regrets"][line["choice"]])
        chosen["actbench"].append(regret)
        if line["outcome"] == "winner" and regret.low > 1:
            shown_worse.append("/".join(map(str, cell)))
        of_frameworks = []
        for name in FRAMEWORKS:
            kept = kept_by(name, cell)
            alike = [one for one in line["regrets"] if one != SHIPPED and line["keeps"][one] == kept]
            same = alike[0] if alike else None
            of_frameworks.append(f"{name} keeps {' and '.join(kept) if kept else '?'}")
            if same:
                chosen[name].append(Interval(*line["regrets"][same]))
                of_frameworks[-1] += f" ({same}): {change(chosen[name][-1])}"
        if SHIPPED in line["regrets"]:
            chosen[SHIPPED.name].append(Interval(*line["regrets"][SHIPPED]))
            of_frameworks.append(f"as shipped: {change(chosen[SHIPPED.name][-1])}")
        among = "".join(f" ≈ {name}" for name in line["ties"]) + "".join(f", open: {name}" for name in line["open"])
        yield (
            f"{'/'.join(map(str, cell)):62} {line['outcome']:6} {line['choice']}{among}; best later: {line['best']}, "
            f"regret {change(regret)}; {'; '.join(of_frameworks)}"
        )
    yield ""
    for who, regrets in chosen.items():
        if regrets:
            values = [100 * (regret.value - 1) for regret in regrets]
            beyond = max((100 * (regret.low - 1) for regret in regrets if regret.has_bounds), default=0.0)
            yield (
                f"{who}: {len(regrets)} cells, regret: median {median(values):.2f} %, worst {max(values):.2f} %, worst "
                f"beyond the interval {max(beyond, 0):.2f} %"
            )
        else:
            yield f"{who}: nothing to compare: it is not here, or no strategy keeps the same"
    alone = sum(line["outcome"] == "winner" for line in lines)
    yield f"named alone: {alone}; shown to be worse: {', '.join(shown_worse) or 'none'}"


def _actbench(arguments: list[str], directory: str, codes: tuple[int, ...]) -> str:
    """Run the command line in a directory; return its output."""
    words = [sys.executable, "-m", "actbench", *arguments]
    here = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=directory, env=here)
    if done.returncode not in codes:
        raise FailedCommandError(f"actbench {' '.join(arguments)}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def _planned(line: dict[str, Any]) -> Cell:
    """Return the cell that was to be measured; a line of before cells could be warm instead has one alone."""
    return Cell(**line.get("planned", line["cell"]))


@click.command()
@click.option("--budget", default="30s", show_default=True, help="Of a decision.")
@click.option("--later", default="60s", show_default=True, help="Of the measurement that it is held against.")
@click.option("--cells", "count", default=24, show_default=True, help="Most cells that are measured now.")
@click.option(
    "-b", "--backend", "backends", multiple=True, default=BACKENDS, show_default=True, help="Of cells, in turns."
)
@click.option("-o", "--output", default="build/regret.jsonl", show_default=True, type=click.Path(path_type=Path))
def main(budget: str, later: str, count: int, backends: tuple[str, ...], output: Path) -> None:
    """Measure the cells that the file does not have yet, and print all of these budgets."""
    output.parent.mkdir(parents=True, exist_ok=True)
    written = [json.loads(line) for line in output.read_text("utf-8").splitlines()] if output.exists() else []
    planned = [*cells(backends)]
    lines = [line for line in written if line["budgets"] == [budget, later] and _planned(line) in planned]
    done = {*map(_planned, lines)}
    for cell in [cell for cell in planned if cell not in done][:count]:
        click.echo(f"{'/'.join(map(str, cell))} ...", err=True)
        lines.append(measured(cell, budget, later))
        with output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(lines[-1]) + "\n")
    click.echo("\n".join(report(lines)))


if __name__ == "__main__":
    main()
