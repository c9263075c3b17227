"""Put what keeping y is worth into README.md, between its marks: `python -m benchmarks.readme_tables`.

The first table is of results/peers and results/train, the second of results/reference, the third of results/peers.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from actbench.analysis.interval import Interval
from actbench.model.names import WIDE, Dtype, OperandState
from actbench.report.numbers import count, plus_minus, ratio

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

SIZE = 100_000
"""Elements, at which all states of operands are measured."""

HEADS = {
    OperandState.WARM: "in cache",
    OperandState.RESIDUALS_COLD: "residuals from memory",
    OperandState.COLD: "all from memory",
}
"""Heads of columns."""

Rows = list[dict[str, str]]


def read(run: str, name: str) -> Rows:
    """Return the rows of a CSV file of a committed run."""
    with (ROOT / "results" / run / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def interval(row: dict[str, str], *columns: str) -> Interval:
    """Return what three columns of a row say: estimate, low and high."""
    return Interval(*(float(row[column] or "nan") for column in columns))


def kept(run: str) -> dict[tuple[str, ...], str]:
    """Return what keeping y is worth, by activation, backend, dtype, size and state."""
    worth: dict[tuple[str, ...], str] = {}
    for row in read(run, "speedups.csv"):
        same_backend = row["reference_backend"] == row["candidate_backend"]
        if same_backend and (row["reference_strategy"], row["candidate_strategy"]) == ("recompute", "cached"):
            key = (row["activation"], row["candidate_backend"], row["dtype"], row["size"], row["operands"])
            worth[key] = ratio(interval(row, "ratio", "low", "high"))
    return worth


def of_reference() -> Iterator[str]:
    """Yield the lines of the first table: a row an activation, backend and dtype."""
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
        cells = [worth.get((activation, backend, dtype, *column), "-") for column in columns]
        yield f"| {activation} | {backend} | {dtype} | {' | '.join(cells)} |"


def of_peers() -> Iterator[str]:
    """Yield the lines of the second table: a row a backend and dtype."""
    worth = kept("peers")
    yield f"| backend | dtype | recompute in cache, ns | keeping y is worth, {' | '.join(HEADS.values())} |"
    yield f"|---|---|---:|{'---:|' * len(HEADS)}"
    times = {
        (row["backend"], row["dtype"]): plus_minus(interval(row, "seconds", "low", "high").scaled(1e9 / SIZE))
        for row in read("peers", "cases.csv")
        if (row["strategy"], row["size"], row["operands"]) == ("recompute", str(SIZE), OperandState.WARM)
    }
    for dtype in WIDE:
        for backend in dict.fromkeys(backend for backend, of in times if of == dtype):
            cells = [worth.get(("logistic", backend, dtype, str(SIZE), state), "-") for state in OperandState]
            yield f"| {backend} | {dtype} | {times[backend, dtype]} | {' | '.join(cells)} |"


def of_train() -> Iterator[str]:
    """Yield the lines of the first table: a row a backend, from a hot loop to a training step."""
    worth = kept("peers")
    heads = (*HEADS.values(), "in a training step", "kept for the backward pass with z", "with y")
    yield f"| backend | {' | '.join(heads)} |"
    yield f"|---|{'---:|' * len(heads)}"
    steps = {key: text for key, text in kept("train").items() if (key[0], key[2]) == ("logistic", Dtype.FLOAT32)}
    nbytes = {
        (row["strategy"], row["backend"]): row["kept_bytes"]
        for row in read("train", "memory.csv")
        if row["activation"] == "logistic"
    }
    for (_, backend, *_), in_step in steps.items():
        alone = backend.rpartition("+")[2]
        cells = [worth.get(("logistic", alone, Dtype.FLOAT32, str(SIZE), state), "-") for state in OperandState]
        kibibytes = [
            f"{count(round(int(nbytes[strategy, backend]) / 1024))} KiB" for strategy in ("recompute", "cached")
        ]
        yield f"| {backend} | {' | '.join([*cells, in_step, *kibibytes])} |"


TABLES = {"train": of_train, "reference": of_reference, "peers": of_peers}
"""By the run that a table is of."""


def marks(run: str) -> tuple[str, str]:
    """Return the lines in README.md between which the table of a run stands."""
    return f"<!-- begin: python -m benchmarks.readme_tables, {run} -->\n", f"<!-- end: {run} -->\n"


def replaced(text: str) -> str:
    """Return the text of README.md with the tables of the committed runs."""
    for run, lines in TABLES.items():
        begin, end = marks(run)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        table = "".join(f"{line}\n" for line in lines())
        text = f"{before}{begin}{table}{end}{after}"
    return text


def main() -> None:
    """Rewrite README.md."""
    README.write_text(replaced(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
