"""A strategy together with the type its residuals are kept in, and how that is written: ``cached:float16``.

A strategy is a choice of residuals: ``cached`` keeps y as it was computed, ``cached:float16`` rounds it to float16, and
widens it again where g' is computed from it, as in mixed-precision training. Everything else, the upstream gradient,
the output and what a call returns, stays in the type of the arithmetic.

It is written and read here alone; inside, cases and kernels hold what was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

from actbench.errors import InputError, unknown
from actbench.model.names import Storage


class Variant(str):
    """A strategy, or what stands in its place: the text that ids have, and its parts.

    It is made of the text, and equal to it, as ops and dtypes are; `InputError` for a type that residuals cannot be
    kept in.
    """

    __slots__ = ("name", "storage")

    name: str
    """The strategy's name alone."""
    storage: Storage | None
    """The type of its residuals where that is narrower than the arithmetic's."""

    def __new__(cls, text: str) -> Self:
        """Read the text."""
        variant = super().__new__(cls, text)
        name, colon, storage = text.partition(":")
        if colon and storage not in list(Storage):
            raise unknown(f"residual dtype of {name}", storage, list(Storage))
        variant.name, variant.storage = name, Storage(storage) if colon else None
        return variant

    @classmethod
    def of(cls, name: str, storage: Storage) -> Self:
        """Return the variant of a strategy that keeps its residuals in a type."""
        return cls(f"{name}:{storage}")

    def sort_key(self, order: Sequence[str]) -> tuple[int, int]:
        """Return its place in tables, where strategies are in this order; narrow variants follow what they are of.

        Those that are not in the order, such as a user's own, come last.
        """
        place = order.index(self.name) if self.name in order else len(order)
        return place, 1 + [*Storage].index(self.storage) if self.storage else 0


def with_storage(variants: Iterable[Variant], types: Iterable[str], excluded: Iterable[str]) -> tuple[Variant, ...]:
    """Return these variants, and beside each that names no type those that keep its residuals in `types`.

    `excluded` are names that keep nothing. `InputError` for a type that residuals cannot be kept in, or where no
    variant is left to keep them.
    """
    variants, types, excluded = tuple(variants), tuple(types), tuple(excluded)
    for name in types:
        if name not in list(Storage):
            raise unknown("residual dtype", name, list(Storage))
    wide = [variant.name for variant in variants if not (variant.storage or variant.name in excluded)]
    if not wide:
        raise InputError(f"--residual-dtype: no strategy among {', '.join(variants)} keeps what it computed as it is")
    narrow = (Variant.of(strategy, Storage(name)) for strategy in wide for name in types)
    return tuple(dict.fromkeys((*variants, *narrow)))
