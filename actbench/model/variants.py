"""A strategy together with the type its residuals are kept in, and how that is written: ``cached:float16``.

A strategy is a choice of residuals: ``cached`` keeps y as it was computed, ``cached:float16`` rounds it to float16, and
widens it again where g' is computed from it, as in mixed-precision training. Everything else, the upstream gradient,
the output and what a call returns, stays in the type of the arithmetic.

Ids, and whatever is named as they are, hold the text; it is written and read here alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from actbench.errors import InputError, unknown
from actbench.model.names import Storage


class Variant(NamedTuple):
    """A strategy's name, and the type of its residuals where that is narrower than the arithmetic's."""

    strategy: str
    storage: Storage | None = None

    def __str__(self) -> str:
        """``cached`` or ``cached:float16``."""
        return f"{self.strategy}:{self.storage}" if self.storage else self.strategy

    @classmethod
    @cache
    def parse(cls, text: str) -> Variant:
        """Read the text; `InputError` for a type that residuals cannot be kept in."""
        strategy, colon, storage = text.partition(":")
        if colon and storage not in list(Storage):
            raise unknown(f"residual dtype of {strategy}", storage, list(Storage))
        return cls(strategy, Storage(storage) if colon else None)

    def sort_key(self, order: Sequence[str]) -> tuple[int, int]:
        """Return its place in tables, where strategies are in this order; narrow variants follow what they are of.

        Those that are not in the order, such as a user's own, come last.
        """
        place = order.index(self.strategy) if self.strategy in order else len(order)
        return place, 1 + [*Storage].index(self.storage) if self.storage else 0


def with_storage(variants: Iterable[str], types: Iterable[str], excluded: Iterable[str]) -> tuple[str, ...]:
    """Return these variants, and beside each that names no type those that keep its residuals in `types`.

    `excluded` are names that keep nothing. `InputError` for a type that residuals cannot be kept in, or where no
    variant is left to keep them.
    """
    variants, types, excluded = tuple(variants), tuple(types), tuple(excluded)
    for name in types:
        if name not in list(Storage):
            raise unknown("residual dtype", name, list(Storage))
    parsed = map(Variant.parse, variants)
    wide = [variant.strategy for variant in parsed if variant.storage is None and variant.strategy not in excluded]
    if not wide:
        raise InputError(f"--residual-dtype: no strategy among {', '.join(variants)} keeps what it computed as it is")
    narrow = (str(Variant(strategy, Storage(name))) for strategy in wide for name in types)
    return tuple(dict.fromkeys((*variants, *narrow)))
