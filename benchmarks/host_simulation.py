"""How often `actbench compare --by host` shows differences between simulated hosts: where there are, and are not.

Twelve hosts measure a plan; rounds scatter by 2 %, on some hosts by half of that, on others by twice as much. Either
all hosts have the same speedups, or three of them others in one pair of eight.

Run: python -m benchmarks.host_simulation
"""

from __future__ import annotations

import sys

import numpy as np

from actbench.analysis.between_hosts import between_hosts
from actbench.analysis.history import Measurement
from actbench.analysis.interval import Interval
from actbench.analysis.statistics import hodges_lehmann
from actbench.model.cases import Case
from benchmarks.gate import share

HOSTS, PAIRS, ROUNDS, SCATTER = 12, 8, 10, 0.02

DIFFERENCES = {f"host {number}": {4: 1.06, 7: 0.95, 11: 1.1}.get(number, 1.0) for number in range(1, HOSTS + 1)}
"""By host, how many times larger the speedup of the first pair is."""

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
            alike = between_hosts(simulated(rng, differing=False, rounds=rounds))
            falsely += any(cell.differs for cell in alike.cells)
        print(f"{rounds} rounds: shown where it exists in {share(shown, simulations)}")
        print(f"{rounds} rounds: claimed in any of {PAIRS} pairs where there is none in {share(falsely, simulations)}")


if __name__ == "__main__":
    main()
