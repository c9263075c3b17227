"""What the numbers have in common with which definitions are evaluated: their order, and that none becomes a float."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any


class ExactNumber:
    """A number with more digits than a float, that is compared by the sign of a difference."""

    __array_ufunc__ = None
    """numpy's numbers leave arithmetic with these to this class."""
    __hash__ = None  # type: ignore[assignment]  # it equals numbers of other types
    __slots__ = ()

    @abstractmethod
    def sign_beside(self, other: Any) -> int:
        """Return the sign of this minus another number."""

    def __lt__(self, other: Any) -> bool:
        """Return whether this is less."""
        return self.sign_beside(other) < 0

    def __le__(self, other: Any) -> bool:
        """Return whether this is less or equal."""
        return self.sign_beside(other) <= 0

    def __gt__(self, other: Any) -> bool:
        """Return whether this is greater."""
        return self.sign_beside(other) > 0

    def __ge__(self, other: Any) -> bool:
        """Return whether this is greater or equal."""
        return self.sign_beside(other) >= 0

    def __eq__(self, other: object) -> bool:
        """Return whether both are equal."""
        return self.sign_beside(other) == 0

    def __ne__(self, other: object) -> bool:
        """Return whether both differ."""
        return self.sign_beside(other) != 0

    def __float__(self) -> float:
        """Raise, since ``math.exp(z)`` would silently continue with 16 digits."""
        raise TypeError("it converts z to float")
