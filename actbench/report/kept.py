"""The bytes that a case keeps for the backward pass on both sides of a check, in words."""

from __future__ import annotations

from actbench.analysis.regression import Change


def kept(change: Change) -> str:
    """Return how many bytes are kept, and how many in the baseline; nothing where that is not known."""
    if change.kept is None:
        return ""
    unit = "step" if change.case.op.network else "element"
    there, here = map(in_digits, (change.kept.baseline, change.kept.candidate))
    return f"keeps {here} bytes per {unit} for the backward pass, {there} in the baseline"


def in_digits(nbytes: float) -> str:
    """Return a number of bytes, of which a part may be of a row, and so no whole number."""
    return str(nbytes) if isinstance(nbytes, int) else f"{nbytes:.6g}"
