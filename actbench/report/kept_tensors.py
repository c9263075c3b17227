"""Which tensors the candidates of a recommendation keep, in words: short ones for tables, plain ones for sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actbench import registry
from actbench.analysis.recommendation import Candidate
from actbench.model.training import CHECKPOINT, SHIPPED
from actbench.report.kept_words import KEPT
from actbench.report.numbers import joined
from actbench.report.op_by_op import OP_BY_OP, is_op_by_op

COMMON = frozenset({"z", "y", "g'", "a", "b"})
"""Names that need no explanation."""

UNNAMED = "saved_"
"""How the names of what a framework saves begin that is neither z, y nor g'."""


def short(one: Candidate) -> str:
    """Return what a candidate keeps, for a table: ``z and y``; of a framework's own activation, with bytes each."""
    if one.case.strategy == SHIPPED:
        return saved(one, "bytes")
    names = joined(one.keeps) or KEPT.get(one.case.strategy.name, one.case.strategy.name)
    return f"{names} as {one.case.strategy.storage}" if one.case.strategy.storage else names


def lost_to(one: Candidate, *, with_backend: bool) -> str:
    """Return ``slower than cached`` of one that lost to this, and may be as fast as the leader; otherwise nothing."""
    if one.lost_to is None:
        return ""
    return f"slower than {one.lost_to.strategy}{f' with {one.lost_to.backend}' if with_backend else ''}"


def named(one: Candidate, *, with_backend: bool) -> str:
    """Return what a candidate keeps with its strategy, for a sentence: ``y (cached)``."""
    strategy = one.case.strategy
    if strategy == SHIPPED:
        return f"what {one.case.backend} saves by itself: {saved(one, 'bytes per element')} ({SHIPPED})"
    further = KEPT.get(strategy.name, "") if {*one.keeps} - COMMON else ""
    storage = f" as {strategy.storage}" if strategy.storage else ""
    known = [name for name in one.keeps if name in COMMON]
    words = joined([*known, further]) if further else short(one).removesuffix(storage)
    backend = f" with {one.case.backend}" if with_backend else ""
    executed = f", {OP_BY_OP}" if is_op_by_op(one.case) else ""
    return f"{words}{storage} ({strategy}{backend}{executed})"


def meanings(candidates: Sequence[Candidate]) -> Iterator[str]:
    """Yield what the names in a table mean that are not z, y or g', a or b, a sentence each."""
    for one in {one.case.strategy.name: one for one in candidates}.values():
        name = one.case.strategy.name
        further = [name for name in one.keeps if name not in COMMON]
        if one.case.strategy == SHIPPED:
            yield f"{SHIPPED} is the framework's own activation, with what its automatic differentiation saves."
        elif one.case.strategy == CHECKPOINT:
            yield f"{CHECKPOINT} keeps the linear layer's input, which is alive anyway, and multiplies again to get z."
        elif further and name in KEPT:
            yield f"{joined(further)} of {name}: {KEPT[name]}."
    if any(registry.activation(one.case.activation).is_gated for one in candidates):
        yield "Of y = g(a) b, g' stands for the worse of the gradients of a and b; z is a, and b is from N(0, 1)."


def saved(one: Candidate, unit: str) -> str:
    """Return what a framework saves by itself, each tensor with its bytes."""
    tensors = (
        f"{'another tensor' if name.startswith(UNNAMED) else name} ({nbytes} {unit})"
        for name, nbytes in zip(one.keeps, one.sizes, strict=True)
    )
    return joined([*tensors]) or "nothing"
