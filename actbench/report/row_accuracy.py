"""The accuracy of kernels of row activations: as tables, by the spread of a row; and what it is in those of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isinf

from actbench import registry
from actbench.analysis.accuracy import Errors, RowAccuracy
from actbench.model.checks import Check
from actbench.model.names import Quantity
from actbench.report.numbers import counted, significant
from actbench.report.table import Table, grouped

ABOUT = (
    "The largest error over {rows} of {columns} z, by the spread of a row, its largest z less its lowest, in units in "
    "the last place of {unit}; ∞ where the result is no number."
)


def of_checks(checks: Iterable[Check]) -> Iterator[str]:
    """Say what the error, z and bytes of checks are, where any is of a row activation."""
    if any(one.is_row for one in registry.known_activations(check.kernel.activation for check in checks)):
        yield (
            "Along rows, as in softmax, it is the error of the gradient of z, in units of the last place of the row's "
            "largest, before digits cancel, and z is that of its column; bytes a row are of "
            "what is kept one number a row."
        )


def tables(kernels: Sequence[RowAccuracy]) -> Iterator[Table]:
    """Yield two tables per quantity and dtype: errors relative to the row's largest, and of each element."""
    groups: dict[tuple[Quantity, str], list[RowAccuracy]] = {}
    for item in kernels:
        groups.setdefault((item.quantity, item.kernel.dtype), []).append(item)
    for (quantity, dtype), group in groups.items():
        what, largest = (
            ("y", "the row's largest y")
            if quantity is Quantity.FORWARD
            else ("the gradient of z", "the row's largest, before digits cancel")
        )
        yield _table(f"Error of {what} along rows, {dtype}", largest, [(item, item.bands) for item in group])
        title = f"Error of {what} along rows, of each element, {dtype}"
        yield _table(title, "each element", [(item, item.each) for item in group])


def _table(title: str, unit: str, rows: Sequence[tuple[RowAccuracy, Sequence[Errors]]]) -> Table:
    first, bands = rows[0]
    return Table(
        title,
        ABOUT.format(rows=counted(first.rows, "row"), columns=first.columns, unit=unit),
        ("activation", "strategy", "backend", *map(_words, bands)),
        grouped(
            grouped(
                (
                    (
                        *(item.kernel.activation, str(item.kernel.strategy), item.kernel.backend),
                        *(significant(band.largest.size, 2) for band in of_item),
                    )
                    for item, of_item in rows
                ),
                2,
            ),
            1,
        ),
        labels=3,
    )


def _words(band: Errors) -> str:
    return f"{band.low:g} on" if isinf(band.high) else f"{band.low:g} to {band.high:g}"
