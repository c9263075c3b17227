"""How often a winner that is named alone is the right one, on races resampled from recorded rounds.

    python -m benchmarks.resampled_races results/reference results/peers results/sweep

A race has the strategies of one backend in one block of a run. Its rounds are drawn from the recorded ones, with
replacement, one after the other, and judged after each as `actbench recommend` judges them, until nothing is open or
`--rounds` are over. Right is the strategy whose recorded rounds are faster, by the median of the paired ratios, than
those of each other one. Printed are the shares of right winners, of ties, and of races that stay open.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from actbench.analysis.races import races_in
from actbench.analysis.speedups import log_ratios
from actbench.analysis.standings import Place, Standing, fewest_rounds, is_decided, standings
from actbench.analysis.statistics import Floats, wilson_interval
from actbench.model.cases import Arm
from actbench.runs.archive import load

MARGIN = 0.02
"""The share of the fastest one's time that makes no difference: that of `actbench recommend`."""

ENOUGH = 6
"""Number of recorded rounds from which on a race is resampled."""

CLOSE = 0.1
"""The difference in time, as a logarithm, below which two strategies are hard to tell apart."""

RIGHT = 0.95
"""The share of winners that must be right."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The recorded rounds of a race."""

    name: str
    arms: tuple[Arm, ...]
    seconds: Floats
    """Rounds x arms x values."""

    def is_fastest(self, arm: int) -> bool:
        """Return whether no other arm is faster, by all rounds."""
        return all(float(np.median(log_ratios(self.seconds, arm, one))) <= 0 for one in range(len(self.arms)))

    @property
    def is_close(self) -> bool:
        """Whether the second is nearly as fast as the fastest."""
        over_first = [float(np.median(log_ratios(self.seconds, arm, 0))) for arm in range(len(self.arms))]
        first, second, *_ = sorted(over_first)
        return second - first < CLOSE

    def raced(self, rng: np.random.Generator, rounds: int) -> list[Place]:
        """Race on rounds drawn from the recorded ones; return the last places."""
        drawn = self.seconds[rng.integers(len(self.seconds), size=rounds)]
        places: list[Place] = []
        for number in range(fewest_rounds(len(self.arms)), rounds + 1):
            places = standings(self.arms, drawn[:number], MARGIN, len(self.arms) - 1)
            if is_decided(places):
                break
        return places


def recorded(directory: Path) -> Iterator[Recorded]:
    """Yield the races of a run that has enough rounds of them."""
    times = load(directory).times
    for block in times.blocks:
        seconds = times.seconds(block)
        for race, arms in races_in(block, apart=True).items():
            if len(arms) > 1 and len(seconds) >= ENOUGH and not block.is_ladder:
                columns = [block.arms.index(arm) for arm in arms]
                yield Recorded(f"{race.block} with {race.backend}", arms, seconds[:, columns])


def outcomes(races: Sequence[Recorded], count: int, rounds: int, seed: int = 1) -> Counter[str]:
    """Return how so many races end: with the right winner, a wrong one, ties, or open."""
    rng = np.random.default_rng(seed)
    ends: Counter[str] = Counter()
    for number in rng.permutation(np.resize(np.arange(len(races)), count)):
        race = races[number]
        places = race.raced(rng, rounds)
        standing = Counter(place.standing for place in places)
        leader = next(index for index, place in enumerate(places) if place.standing is Standing.LEADS)
        if standing[Standing.OPEN]:
            ends["open"] += 1
        elif standing[Standing.TIE]:
            ends["ties"] += 1
        else:
            end = "right" if race.is_fastest(leader) else "wrong"
            ends.update([end, *([f"{end}, close"] if race.is_close else [])])
    return ends


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--cells", default=200, show_default=True, help="Number of races.")
@click.option("--rounds", default=60, show_default=True, help="Most rounds of a race.")
@click.option("--seed", default=1, show_default=True)
def main(runs: tuple[Path, ...], cells: int, rounds: int, seed: int) -> None:
    """Print how races end; exit code 1 where too few winners are right."""
    races = [race for run in runs for race in recorded(run)]
    ends = outcomes(races, cells, rounds, seed)
    alone = ends["right"] + ends["wrong"]
    share, low, high = wilson_interval(ends["right"], max(alone, 1)).scaled(100)
    click.echo(f"{cells} races resampled from {len(races)} recorded ones, at most {rounds} rounds each, seed {seed}")
    click.echo(f"winners named alone: {alone}, right: {ends['right']} ({share:.1f} %, {low:.1f} to {high:.1f} %)")
    close = ends["right, close"] + ends["wrong, close"]
    click.echo(f"of these with a second less than 10 % slower: {close}, right: {ends['right, close']}")
    click.echo(f"ties: {ends['ties']}, open: {ends['open']}")
    sys.exit(int(share < 100 * RIGHT))


if __name__ == "__main__":
    main()
