"""What keeping y is worth of the derivative alone: in cache, from memory, and on a device."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from actbench.analysis.interval import Interval
from actbench.model.names import WIDE, OperandState
from actbench.report.numbers import count, plus_minus, ratio, significant

RESULTS = Path(__file__).parents[2] / "results"

SIZE = 100_000
"""Elements, at which all states of operands are measured."""

HEADS = {
    OperandState.WARM: "in cache",
    OperandState.RESIDUALS_COLD: "residuals from memory",
    OperandState.COLD: "all from memory",
}
"""Heads of columns."""

Key = tuple[str, ...]
"""Activation, backend, dtype, size and state of operands."""


@cache
def read(run: str, name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a CSV file of a committed run."""
    with (RESULTS / run / name).open(encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def interval(row: dict[str, str], *columns: str) -> Interval:
    """Return an interval from three columns of a row: estimate, low and high."""
    return Interval(*(float(row[column] or "nan") for column in columns))


@cache
def kept(run: str) -> dict[Key, Interval]:
    """Return what keeping y is worth in a run."""
    worth: dict[Key, Interval] = {}
    for row in read(run, "speedups.csv"):
        same_backend = row["reference_backend"] == row["candidate_backend"]
        if same_backend and (row["reference_strategy"], row["candidate_strategy"]) == ("recompute", "cached"):
            key = (
                row["activation"],
                row["candidate_backend"],
                row["dtype"],
                row["size"],
                row.get("operands", OperandState.WARM),
            )
            worth[key] = interval(row, "ratio", "low", "high")
    return worth


def shown(run: str, key: Key) -> str:
    """Return what keeping y is worth, with its interval; a dash where it was not measured."""
    return ratio(kept(run)[key]) if key in kept(run) else "-"


def on_shipped(run: str, backend: str, dtype: str) -> Interval | None:
    """Return how many times as fast keeping y is as the framework's own logistic function; None without one."""
    arms = ("cached", backend, "shipped", backend)
    columns = ("reference_strategy", "reference_backend", "candidate_strategy", "candidate_backend")
    for row in read(run, "speedups.csv"):
        conditions = (row["activation"], row["dtype"], row["operands"])
        if conditions == ("logistic", dtype, OperandState.WARM) and tuple(row[name] for name in columns) == arms:
            return interval(row, "ratio", "low", "high").inverse()
    return None


def beside_shipped(run: str, backend: str, dtype: str) -> str:
    """Return that ratio, with its interval; a dash where there is none."""
    of = on_shipped(run, backend, dtype)
    return ratio(of) if of else "-"


def spread(worth: Mapping[str, Interval]) -> str:
    """Return the smallest and the largest estimate of the ratios that are shown to differ from 1; name the others."""
    shown = sorted(of.value for of in worth.values() if not of.contains(1.0))
    undecided = [name for name, of in worth.items() if of.contains(1.0)]
    rest = f" (with {', '.join(undecided)} no difference is shown)" if undecided else ""
    return (f"{significant(shown[0], 2)} to {significant(shown[-1], 2)} times" if shown else "nothing") + rest


def reference() -> Iterator[str]:
    """Yield a table: a row an activation, backend and dtype."""
    worth = kept("reference")
    sizes = sorted({int(size) for *_, size, _ in worth})
    columns = [
        (str(size), state) for size in sizes for state in (OperandState if size == SIZE else (OperandState.WARM,))
    ]
    heads = [
        f"n = {count(int(size))}, {HEADS[state]}" if int(size) == SIZE else f"n = {count(int(size))}"
        for size, state in columns
    ]
    yield f"| activation | backend | dtype | {' | '.join(heads)} |"
    yield f"|---|---|---|{'---:|' * len(columns)}"
    for activation, backend, dtype in dict.fromkeys(key[:3] for key in worth):
        cells = [shown("reference", (activation, backend, dtype, *column)) for column in columns]
        yield f"| {activation} | {backend} | {dtype} | {' | '.join(cells)} |"


def reference_in_words() -> Iterator[str]:
    """Yield the spread of a backend, in cache and from memory, at the size that has all states."""
    worth = kept("reference")
    yield f"At n = {count(SIZE)} keeping y is worth, by the estimates over activations and dtypes:"
    yield ""
    for backend in dict.fromkeys(key[1] for key in worth):
        by_state = {
            state: {
                f"{activation} in {dtype}": of
                for (activation, name, dtype, *where), of in worth.items()
                if (name, *where) == (backend, str(SIZE), state)
            }
            for state in OperandState
        }
        cells = [
            f"{spread(ratios)} {'' if state is OperandState.WARM else 'with '}{HEADS[state]}"
            for state, ratios in by_state.items()
            if ratios
        ]
        yield f"- {backend}: {', '.join(cells)}"


def peers() -> Iterator[str]:
    """Yield a table: a row a backend and dtype."""
    heads = (*HEADS.values(), "times as fast as the framework's own, in cache")
    yield f"| backend | dtype | recompute in cache, ns | keeping y is worth, {' | '.join(heads)} |"
    yield f"|---|---|---:|{'---:|' * len(heads)}"
    times = {
        (row["backend"], row["dtype"]): plus_minus(interval(row, "seconds", "low", "high").scaled(1e9 / SIZE))
        for row in read("peers", "cases.csv")
        if (row["strategy"], row["size"], row["operands"]) == ("recompute", str(SIZE), OperandState.WARM)
    }
    for dtype in WIDE:
        for backend in dict.fromkeys(backend for backend, of in times if of == dtype):
            cells = [shown("peers", ("logistic", backend, dtype, str(SIZE), state)) for state in OperandState]
            cells.append(beside_shipped("peers", backend, dtype))
            yield f"| {backend} | {dtype} | {times[backend, dtype]} | {' | '.join(cells)} |"


def peers_in_words() -> Iterator[str]:
    """Yield a sentence: how far the estimates of this run and of the reference are apart, at most."""
    peers, alone = kept("peers"), kept("reference")
    apart = {key: abs(peers[key].value / alone[key].value - 1) for key in peers.keys() & alone.keys()}
    worst = max(apart, key=apart.__getitem__)
    _, backend, dtype, *_, state = worst
    yield (
        f"Ratios of this table differ from those of the same cases above by up to {100 * apart[worst]:.0f} % "
        f"({backend}, {dtype}, {HEADS[OperandState(state)]}): the interval of a run contains neither what differs "
        "between runs, nor what the other cases of a block do to caches and clock."
    )


def cuda() -> Iterator[str]:
    """Yield a table: a row a backend on the device."""
    yield "| backend | recompute, ns per element | keeping y is worth |"
    yield "|---|---:|---:|"
    times = {
        row["backend"]: plus_minus(interval(row, "seconds", "low", "high").scaled(1e9 / int(row["size"])))
        for row in read("cuda", "cases.csv")
        if row["strategy"] == "recompute"
    }
    for (_, backend, *_), worth in kept("cuda").items():
        yield f"| {backend} | {times[backend]} | {ratio(worth)} |"


def cuda_in_words() -> Iterator[str]:
    """Yield a sentence: how near to a copy the compiled kernel is."""
    for row in read("cuda", "cases.csv"):
        if (row["strategy"], row["backend"]) == ("cached", "torch-compile-cuda"):
            limit = plus_minus(interval(row, "copy_limit_pct", "copy_limit_low_pct", "copy_limit_high_pct"))
            yield f"Compiled, what is cached moves its bytes at {limit} % of a copy's rate."
