"""How often `actbench compare --by host` shows differences between simulated hosts: where there are, and are not.

Twelve hosts measure a plan; rounds scatter by 2 %, on some hosts by half of that, on others by twice as much. Either
all hosts have the same speedups, or three of them others in one pair of eight. Of crossovers, all hosts have the same
size in eight curves, or three of them another one in one curve.

Run: python -m benchmarks.host_simulation
"""

from __future__ import annotations

import sys

import numpy as np

from actbench.analysis.between_hosts import between_hosts
from actbench.analysis.crossovers import curve_points, findings
from actbench.analysis.crossovers_on_hosts import RunOnHost, crossovers_on_hosts
from actbench.analysis.history import Measurement
from actbench.analysis.interval import Interval
from actbench.analysis.statistics import hodges_lehmann
from actbench.model.cases import Case
from actbench.runs.tables import CrossoverRow, CurveNames
from benchmarks.gate import share

HOSTS, PAIRS, ROUNDS, SCATTER = 12, 8, 10, 0.02

DIFFERENCES = {f"host {number}": {4: 1.06, 7: 0.95, 11: 1.1}.get(number, 1.0) for number in range(1, HOSTS + 1)}
"""By host, how many times larger the speedup of the first pair is."""

SIZES = tuple(1000 * 2**power for power in range(8))
"""Of the curves."""

STEEPNESS = float(np.log(2) / np.log(1.1))
"""Of a curve: n doubles where the speedup grows by a tenth."""

SIMULATIONS = 200


def simulated(
    rng: np.random.Generator, *, differing: bool, rounds: int = ROUNDS
) -> list[tuple[str, list[Measurement]]]:
    """Return what all hosts measured, drawn at random."""
    runs = []
    for host, factor in DIFFERENCES.items():
        scatter = SCATTER * float(rng.choice([0.5, 1.0, 2.0]))
        members = []
        for pair in range(PAIRS):
            speedup = (1.0 + pair / 4) * (factor if differing and pair == 0 else 1.0)
            logs = np.log(speedup) + scatter * rng.normal(size=rounds)
            case, reference = (
                Case.parse(f"logistic/{strategy}/numpy/derivative/float64/{1000 * (pair + 1)}")
                for strategy in ("cached", "recompute")
            )
            ratio = Interval.from_logs(hodges_lehmann(logs))
            members.append(Measurement(case, reference, (), ratio, 1e-6, rounds))
        runs.append((host, members))
    return runs


def simulated_crossovers(rng: np.random.Generator, *, differing: bool, rounds: int = ROUNDS) -> list[RunOnHost]:
    """Return the crossovers of all hosts: a speedup that grows by a tenth with every doubling of n crosses 1.

    Where hosts differ, the speedups of the first curve are those of `DIFFERENCES` times as large.
    """
    runs = []
    for host, factor in DIFFERENCES.items():
        scatter = SCATTER * float(rng.choice([0.5, 1.0, 2.0]))
        curves = []
        for curve in range(PAIRS):
            crossover = (10_000 + 2_500 * curve) * (factor**-STEEPNESS if differing and curve == 0 else 1.0)
            means = [np.log(size / crossover) / STEEPNESS for size in SIZES]
            curves.append(
                [(size, mean + scatter * rng.normal(size=rounds)) for size, mean in zip(SIZES, means, strict=True)]
            )
        rows = [
            CrossoverRow(_curve(number), one.kind, one.size, rounds, one.below, one.above)
            for number, points in enumerate(curve_points(curves))
            for one in findings(points, "recompute", "cached")
        ]
        runs.append(RunOnHost(host, {}, rows))
    return runs


def _curve(number: int) -> CurveNames:
    return CurveNames("logistic", "derivative", "float64", "warm", f"backend{number}", "recompute", "cached")


def main() -> None:
    """Print how often an interaction is shown."""
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else SIMULATIONS
    for rounds in (6, ROUNDS, 20):
        rng = np.random.default_rng(rounds)
        shown = falsely = 0
        for _ in range(simulations):
            first = min(
                between_hosts(simulated(rng, differing=True, rounds=rounds)).cells, key=lambda cell: cell.case.size
            )
            shown += first.differs
            without = between_hosts(simulated(rng, differing=False, rounds=rounds))
            falsely += any(cell.differs for cell in without.cells)
        print(f"{rounds} rounds: shown where it exists in {share(shown, simulations)}")
        print(f"{rounds} rounds: claimed in any of {PAIRS} pairs where there is none in {share(falsely, simulations)}")
        shown = falsely = 0
        for _ in range(simulations):
            differing = crossovers_on_hosts(simulated_crossovers(rng, differing=True, rounds=rounds))
            shown += any(one.differs for one in differing if one.curve.backend == "backend0")
            alike = crossovers_on_hosts(simulated_crossovers(rng, differing=False, rounds=rounds))
            falsely += any(one.differs for one in alike)
        print(f"{rounds} rounds: crossovers shown to differ where they do in {share(shown, simulations)}")
        print(f"{rounds} rounds: claimed in any of {PAIRS} curves where there is none in {share(falsely, simulations)}")


if __name__ == "__main__":
    main()
