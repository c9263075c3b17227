"""The arms of training steps, bytes and shares of a step, in words."""

from __future__ import annotations

from collections.abc import Iterable

from actbench import registry
from actbench.analysis.interval import Interval
from actbench.model.cases import Case
from actbench.model.training import CHECKPOINT, FREE, SHIPPED
from actbench.model.variants import Variant
from actbench.report.kept_words import KEPT
from actbench.report.numbers import UNDECIDED, count, percent, significant
from actbench.report.op_by_op import OP_BY_OP, is_op_by_op

KEEPING = {name: f"keeping {KEPT[name]}" for name in ("cached", "complement", "intermediate", "pair")}
"""The strategies that may replace ``recompute``, in words, in the order of preference."""

BOUND = (
    f"`{FREE}` copies dy in place of dy g'(z): the limit of what a cheaper gradient can save beside the same forward "
    "pass, unless the step is compiled as a whole; and no choice."
)

WHOLE_FROM = 100
"""Number of units from which on bytes are shown without decimals."""

UNITS = ("B", "KiB", "MiB", "GiB")

MOST_OF_A_UNIT = 10_000
"""Number of units from which on the next larger one is used; less where that makes whole numbers of these."""


def eager(names: Iterable[str]) -> list[str]:
    """Return the backends among names that execute formulas operation by operation, beside what they ship."""
    backends = registry.backends()
    known = [name for name in dict.fromkeys(names) if name in backends]
    return [name for name in known if not (backends[name].takes_arrays or backends[name].compiles_for_a_size)]


def is_limit(strategy: str, backend: str) -> bool:
    """Return whether an arm is the limit of what a cheaper gradient can save.

    A compiler of whole steps may compute the same forward pass otherwise beside each gradient, so that ``free`` is no
    limit there.
    """
    known = registry.backends().get(backend)
    return strategy == FREE and not (known and known.compiles_for_a_size)


def arm(case: Case) -> str:
    """Return the name of an arm in tables: a strategy, with what it must not be mistaken for."""
    is_bound = is_limit(case.strategy, case.backend)
    remarks = [text for text, applies in (("bound", is_bound), (OP_BY_OP, is_op_by_op(case))) if applies]
    return f"{case.strategy} ({'; '.join(remarks)})" if remarks else str(case.strategy)


def with_bound(names: str, beside: str) -> str:
    """Return a strategy, or one with its backend as in ``free/numpy``, with a remark where it is the limit.

    `beside` has its backend, or those that are compared, among other names, with slashes between them.
    """
    strategy, *rest = names.split("/")
    limit = all(is_limit(strategy, name) for name in (*rest, *beside.split("/")))
    return "/".join([f"{strategy} (bound)" if limit else strategy, *rest])


def keeping(strategy: Variant) -> str:
    """Return what a strategy does, in words, with the name that tables have: ``keeping y (cached)``."""
    if strategy == SHIPPED:
        return "the framework's own gradient (shipped)"
    if strategy == CHECKPOINT:
        return "computing z again (checkpoint)"
    words = KEEPING.get(strategy.name)
    if words is None:
        return str(strategy)
    return f"{words}{f' as {strategy.storage}' if strategy.storage else ''} ({strategy})"


def nbytes(number: int) -> str:
    """Return a number of bytes: ``256 B``, ``1 029 KiB``, ``12.5 MiB``."""
    value = float(number)
    for unit in UNITS:
        is_whole = value != 0 and value % 1024 == 0
        if unit == UNITS[-1] or (abs(value) < MOST_OF_A_UNIT and not is_whole):
            break
        value /= 1024
    whole = abs(value) >= WHOLE_FROM or value == round(value)
    return f"{count(round(value)) if whole else significant(value, 3)} {unit}"


def gain(interval: Interval) -> str:
    """Return a gain in percent, marked where its interval includes 0."""
    text = percent(interval)
    return f"{text} {UNDECIDED}" if interval.contains(0.0) else text
