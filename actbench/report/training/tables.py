"""The tables of training steps: times, parts, gains measured and predicted, and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from actbench.analysis.training import ArmResult
from actbench.model.checks import StepCheck
from actbench.model.training import FREE, StepPart
from actbench.report.answers import grouped
from actbench.report.numbers import NO_FIGURE, count, percent, plus_minus, ratio, significant
from actbench.report.table import Table
from actbench.report.training.words import BOUND, arm, gain, nbytes

Cells = tuple[str, ...]

FIELDS: tuple[tuple[str, Callable[[ArmResult], str]], ...] = (
    ("network", lambda row: str(row.case.op)),
    ("activation", lambda row: row.case.activation),
    ("backend", lambda row: row.case.backend),
    ("dtype", lambda row: row.case.dtype),
    ("batch", lambda row: count(row.case.size)),
)
"""What tells the steps of a kind of network apart: columns where it varies, a part of the title where it does not."""

NOT_MEASURED = "not measured"

OVER_SHIPPED = (
    f" Over shipped: likewise, beside the framework's own activation and gradient, of which `{FREE}` is no limit."
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """The arms of the steps of one kind of network, and what they have in common."""

    rows: Sequence[ArmResult]

    def table(
        self, title: str, note: str, columns: Cells, cells: Callable[[ArmResult], Iterable[Cells]], *, labels: int = 0
    ) -> Table | None:
        """Return a table with the rows that `cells` makes of every arm; None where it makes none.

        Its first `labels` columns are names.
        """
        values = {name: [*dict.fromkeys(map(field, self.rows))] for name, field in FIELDS}
        varied = [(name, field) for name, field in FIELDS if len(values[name]) > 1]
        shared = [f"batch {of[0]}" if name == "batch" else of[0] for name, of in values.items() if len(of) == 1]
        kind = [] if len(values["network"]) == 1 else [self.rows[0].case.op.network]
        lines = [
            (*(field(row) for _, field in varied), arm(row.case), *line) for row in self.rows for line in cells(row)
        ]
        if not lines:
            return None
        return Table(
            f"{title}: {', '.join([*kind, *shared])}",
            note,
            (*(name for name, _ in varied), "strategy", *columns),
            tuple(lines),
            labels=len(varied) + 1 + labels,
        )


def tables(results: Sequence[ArmResult]) -> Iterator[Table]:
    """Yield the tables of every kind of network."""
    for rows in grouped(results, attrgetter("case.op.network")).values():
        kind = _Kind(rows)
        for made in (_times(kind), _parts(kind), _gains(kind), _memory(kind)):
            if made:
                yield made


def _times(kind: _Kind) -> Table | None:
    has_shipped = any(row.over_shipped for row in kind.rows)
    compared = [row for row in kind.rows if row.speedup]
    references = " or ".join(f"`{name}`" for name in dict.fromkeys(row.reference for row in compared))
    speedup = (
        f" Speedup: the time of the reference, {references} on the same backend, divided by that of the arm, measured "
        f"side by side; below 1 the arm is slower.{OVER_SHIPPED if has_shipped else ''} Time saved: the share of the "
        "reference's step; negative where the arm takes longer."
    )
    note = f"Milliseconds of one step: forward, loss, backward and update.{speedup if compared else ''} {BOUND}"

    def cells(row: ArmResult) -> Iterator[Cells]:
        over_shipped = ratio(row.over_shipped) if row.over_shipped else ""
        beside = (
            *(ratio(row.speedup) if row.speedup else "", *((over_shipped,) if has_shipped else ())),
            gain(row.gain) if row.gain else "",
        )
        yield plus_minus(row.seconds.scaled(1e3)), *(beside if compared else ())

    beside = ("speedup", *(("over shipped",) if has_shipped else ()), "time saved")
    table = kind.table("Time of a step", note, ("ms", *(beside if compared else ())), cells)
    return replace(table, leads=True) if table else None


def _parts(kind: _Kind) -> Table | None:
    def cells(row: ArmResult) -> Iterator[Cells]:
        if row.parts:
            shares = _adding_up([part.share.value for part in row.parts])
            yield (*shares, percent(row.excess) if row.excess else "")

    return kind.table(
        "Where the time of a step goes",
        "Percent of an instrumented step, in which a clock is read after every part; together 100. Rest: what lies "
        "between the parts, such as calls, and in eager frameworks the bookkeeping of gradients. Overhead: how much "
        "longer the instrumented step takes than the timed one. Seconds and intervals are in parts.csv. Where a "
        "framework adds biases within products, they are a part of these, but for checkpoint's; a step that is "
        "compiled as a whole has no parts, and no row.",
        (*map(str, StepPart), "overhead"),
        cells,
    )


def _gains(kind: _Kind) -> Table | None:
    def cells(row: ArmResult) -> Iterator[Cells]:
        if row.gain:
            for state, prediction in row.predictions.items():
                elsewhere = gain(row.elsewhere) if row.elsewhere else ""
                figures = gain(row.gain), percent(prediction.gain), gain(prediction.difference)
                yield str(state), *figures, elsewhere, gain(prediction.remaining)

    return kind.table(
        "Gain, measured and predicted",
        "The share of the reference's step that is saved. Predicted from a state of operands: of each pass of the "
        "activation, its share of the reference's step times what the arm saves of that pass alone, with operands in "
        "that state, summed over the passes. Predicted from in-step: what both passes save in instrumented steps. "
        "Difference: predicted less measured, in percent of the step, paired by round. Elsewhere: what is saved of all "
        "other parts of instrumented steps. Remaining: predicted and elsewhere, less measured; of in-step, that is how "
        "much instrumented and timed steps disagree. What is not measured alone has in-step only, and a step that is "
        "compiled as a whole has no row, nor have arms that are no strategies.",
        ("predicted from", "measured", "predicted", "difference", "elsewhere", "remaining"),
        cells,
        labels=1,
    )


def _memory(kind: _Kind) -> Table | None:
    def cells(row: ArmResult) -> Iterator[Cells]:
        check = row.check
        if check:
            yield (
                *(nbytes(check.kept), nbytes(check.alive), _for_gradient(check)),
                _predicted(check.kept, check.predicted_kept),
                NOT_MEASURED if check.peak is None else nbytes(check.peak),
                *_error(row),
            )

    return kind.table(
        "Memory of a step, and gradients",
        "Bytes from the forward to the backward pass, without parameters and inputs: kept in all; of these, alive "
        "anyway, which the network holds whatever the strategy is; and the rest, kept for g'. Declared: what network "
        "and strategy declare, as counted where both agree; where a framework compiles the step, the difference is "
        "what its compiler chose. Peak: the most that a step allocates at once. Gradient error: |computed - reference| "
        "/ |reference| in the Euclidean norm, with a reference in float64, of the worst parameter: the weights W1 or "
        "the biases b1 of the first linear layer, and so on.",
        ("kept in all", "alive anyway", "kept for g'", "declared", "peak", "gradient error", "parameter"),
        cells,
    )


def _for_gradient(check: StepCheck) -> str:
    """Return the bytes that are kept for g'; less than none where a compiler computes again what is alive otherwise."""
    less = check.alive - check.kept
    return f"{nbytes(less)} less than alive" if less > 0 else nbytes(-less)


def _predicted(kept: int, predicted: int | None) -> str:
    if predicted is None:
        return NO_FIGURE
    if predicted == kept:
        return "as counted"
    return f"{nbytes(predicted)} (counted {nbytes(abs(kept - predicted))} {'more' if kept > predicted else 'less'})"


def _error(row: ArmResult) -> Cells:
    check = row.check
    if check is None or check.error is None:
        return "left out by design" if row.case.strategy == FREE else NO_FIGURE, ""
    return significant(check.error, 2), check.worst


def _adding_up(shares: Sequence[float]) -> list[str]:
    """Return shares in percent with one decimal, rounded so that they add up to 100 as the shares do to 1."""
    tenths = [1000 * share for share in shares]
    floors = [int(tenth // 1) for tenth in tenths]
    missing = round(sum(tenths)) - sum(floors)
    largest = sorted(range(len(tenths)), key=lambda index: floors[index] - tenths[index])[:missing]
    return [f"{(floor + (index in largest)) / 10:.1f}" for index, floor in enumerate(floors)]
