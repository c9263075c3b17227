"""Sizes of arrays: numbers of elements, and the shapes by which users name them.

A kernel of an elementwise activation is called on a contiguous array, and elements do not know which row they are in:
4096x4096 and 16777216 are one measurement. So the shape is a name. Ids and comparisons go by the number of elements,
runs of either name can be compared, and a selection that names one number twice, once by a shape, is refused: whoever
writes both expects two answers, and there is one. Files and tables show the shape that the user wrote.

Where the last axis has a meaning of its own, as for softmax, the number of rows is an axis of the case beside the
number of elements; the shape then still is how the user wrote both. A number alone is one row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Self

from actbench.errors import InputError


class Shape(str):
    """The sides of an array, as ids and files have them: ``4096x4096``; empty where no shape is named.

    It is made of the text, and equal to it, as variants are; `InputError` for what is no shape.
    """

    __slots__ = ("sides",)

    sides: tuple[int, ...]

    def __new__(cls, text: str = "") -> Self:
        """Read the text."""
        shape = super().__new__(cls, text)
        parts = text.split("x") if text else []
        if not all(part.isascii() and part.isdecimal() and part[0] != "0" for part in parts):
            raise InputError(f"'{text}' is not a shape: write its sides in digits, such as 4096x1024")
        shape.sides = tuple(map(int, parts))
        return shape

    @property
    def elements(self) -> int:
        """The number of elements."""
        return prod(self.sides)

    @property
    def rows(self) -> int:
        """The number of rows along the last side; 1 where no shape is named."""
        return prod(self.sides[:-1])


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """A number of elements, and the shape by which it was named, if by one; sizes are equal where the numbers are."""

    elements: int
    shape: Shape = field(default=Shape(), compare=False)

    @classmethod
    def of(cls, shape: Shape) -> Self:
        """Return the size of an array of this shape."""
        return cls(shape.elements, shape)

    def __str__(self) -> str:
        """Return the shape, or the number of elements."""
        return self.shape or str(self.elements)


def counted_elements(number: int) -> str:
    """Return so many elements, in words."""
    return "1 element" if number == 1 else f"{number} elements"


def sizes(*elements: int) -> tuple[Size, ...]:
    """Return sizes without shapes."""
    return tuple(map(Size, elements))
