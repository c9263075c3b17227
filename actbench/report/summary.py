"""What a run says, in order: the answer, the speedups, the times, what each strategy costs, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import pandas as pd

from actbench.analysis.statistics import MIN_ROUNDS
from actbench.model import STRATEGIES, Check, Failure, LeftOut
from actbench.report.numbers import NO_INTERVAL, UNDECIDED, count, plus_minus, ratio, significant
from actbench.report.table import Table

BLOCK = ["activation", "op", "dtype", "size"]


@dataclass(frozen=True, slots=True)
class Summary:
    """The parts of a summary, as text."""

    answers: tuple[str, ...]
    tables: tuple[Table, ...]
    remarks: tuple[str, ...]


def summarise(
    cases: pd.DataFrame,
    speedups: pd.DataFrame,
    checks: Sequence[Check],
    left_out: Sequence[LeftOut],
    failures: Sequence[Failure],
) -> Summary:
    """Put a run's tables into words. `cases` and `speedups` are `analysis.tables`' frames."""
    tables: list[Table] = []
    for (activation, op), of_one in cases[cases["strategy"] != "yardstick"].groupby(["activation", "op"], sort=False):
        own = speedups[(speedups["activation"] == activation) & (speedups["op"] == op)]
        tables += _speedup_table(f"{activation}, {op}", own)
        tables.append(_time_table(f"{activation}, {op}", of_one))
    if checks:
        tables.append(_cost_table(cases, checks))
    return Summary(tuple(_answers(speedups)), tuple(tables), tuple(_remarks(cases, left_out, failures)))


def _answers(speedups: pd.DataFrame) -> Iterator[str]:
    """Say for each activation and op what keeping y is worth against evaluating the exponential again."""
    chosen = speedups[
        (speedups["reference_strategy"] == "recompute")
        & (speedups["candidate_strategy"] == "cached")
        & (speedups["reference_backend"] == speedups["candidate_backend"])
    ]
    for (activation, op), found in chosen.groupby(["activation", "op"], sort=False):
        faster, slower = found[found["low"] > 1], found[found["high"] < 1]
        parts = [f"{activation}, {op}: reusing the cached output is faster than recomputing"]
        parts.append(f"in {len(faster)} of {len(found)} comparisons")
        if len(faster):
            ranges = [
                f"{_span(rows['ratio'])} times with {backend}"
                for backend, rows in faster.groupby("candidate_backend", sort=False)
            ]
            parts.append(f"({', '.join(ranges)})")
        if len(slower):
            parts.append(f"and slower in {len(slower)}")
        undecided = len(found) - len(faster) - len(slower)
        if undecided:
            parts.append(f"; {undecided} undecided")
        yield " ".join(parts).replace(" ;", ";") + "."


def _span(ratios: pd.Series) -> str:
    low, high = significant(ratios.min(), 2), significant(ratios.max(), 2)
    return low if low == high else f"{low} to {high}"


def _speedup_table(title: str, speedups: pd.DataFrame) -> Iterator[Table]:
    """Yield the strategies of each backend against the reference: recompute where there is one, else the first."""
    within = speedups[speedups["reference_backend"] == speedups["candidate_backend"]]
    if within.empty:
        return
    present = [name for name in STRATEGIES if name in {*within["reference_strategy"], *within["candidate_strategy"]}]
    reference = "recompute" if "recompute" in present else present[0]
    others = [name for name in present if name != reference]
    rows = []
    for key, found in within.groupby(["candidate_backend", "dtype", "size"], sort=False):
        cells = {}
        for row in found.itertuples():
            if row.reference_strategy == reference:
                cells[row.candidate_strategy] = ratio(row.ratio, row.low, row.high)
            elif row.candidate_strategy == reference:
                cells[row.reference_strategy] = ratio(1 / row.ratio, 1 / row.high, 1 / row.low)
        rows.append((key[0], key[1], count(key[2]), *(cells.get(name, "") for name in others)))
    yield Table(
        f"Speedup over {reference}: {title}",
        f"Times faster than `{reference}` on the same backend, measured side by side; below 1 it is slower.",
        ("backend", "dtype", "n", *others),
        tuple(rows),
        labels=2,
    )


def _time_table(title: str, cases: pd.DataFrame) -> Table:
    present = [name for name in STRATEGIES if name in set(cases["strategy"])]
    rows = []
    for key, found in cases.groupby(["backend", "dtype", "size"], sort=False):
        cells = {
            row.strategy: f"{plus_minus(*(1e9 * each / row.size for each in (row.seconds, row.low, row.high)))}"
            f" ({significant(row.copy_limit_pct, 2)} %)"
            for row in found.itertuples()
        }
        rows.append((key[0], key[1], count(key[2]), *(cells.get(name, "") for name in present)))
    return Table(
        f"Time: {title}",
        "Nanoseconds per element, and in brackets the rate of moving the operands as a percentage of a plain copy's.",
        ("backend", "dtype", "n", *present),
        tuple(rows),
        labels=2,
    )


def _cost_table(cases: pd.DataFrame, checks: Sequence[Check]) -> Table:
    """Say what each strategy keeps and how wrong it can be."""
    kept = {(row.activation, row.strategy, row.dtype): row.residual_bytes_per_element for row in cases.itertuples()}

    def key(check: Check) -> tuple[str, str, str]:
        return check.kernel.activation, check.kernel.strategy, check.kernel.dtype

    rows = []
    order = {name: index for index, name in enumerate(STRATEGIES)}
    ordered = sorted(
        checks, key=lambda check: (check.kernel.activation, check.kernel.dtype, order[check.kernel.strategy])
    )
    for name, same in groupby(ordered, key):
        worst = max(same, key=lambda check: (check.max_ulp, -abs(check.worst_z)))
        rows.append(
            (
                *name,
                str(kept.get(name, "")),
                significant(worst.max_ulp, 2),
                significant(worst.worst_z, 3),
                "; ".join(worst.weaknesses),
            )
        )
    return Table(
        "What a strategy costs",
        "Bytes kept per element from forward to backward, and the largest error of g' in units in the last place over "
        "the whole range of z, on the least accurate backend and op; ∞ where the result is not a number.",
        ("activation", "strategy", "dtype", "bytes kept", "max ULP", "at z", "known weakness"),
        tuple(rows),
        labels=3,
    )


def _remarks(cases: pd.DataFrame, left_out: Sequence[LeftOut], failures: Sequence[Failure]) -> Iterator[str]:
    rounds = sorted(set(cases["rounds"]))
    if rounds:
        span = str(rounds[0]) if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
        yield (
            f"± is the half width of the 95 % interval over {span} rounds, each a fresh process; {UNDECIDED} marks a "
            f"ratio whose interval holds 1, so that no difference is shown."
        )
        if rounds[0] < MIN_ROUNDS:
            yield f"{NO_INTERVAL} marks a figure without an interval: that takes {MIN_ROUNDS} rounds."
    yield from left_out_lines(left_out)
    for failure in failures:
        yield f"FAILED {failure.block} in round {failure.round}: {failure.reason}"


def left_out_lines(left_out: Sequence[LeftOut]) -> Iterator[str]:
    """Say what was left out, one line a reason."""
    reasons: dict[str, list[str]] = {}
    for item in left_out:
        reasons.setdefault(item.reason, []).append(item.case)
    for reason, names in reasons.items():
        plural = "case" if len(names) == 1 else "cases"
        yield f"left out {len(names)} {plural}, e.g. {names[0]}: {reason}"
