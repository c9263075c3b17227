"""Parameters that are places on the axis of z, where a function has a kink or a jump."""

from __future__ import annotations

STEP = 1 / 64
LARGEST = 4.0


def place(name: str, value: float, *, positive: bool = False) -> float:
    """Return a place of a kink: a multiple of 1 / 64 up to 4 in size, which all formats have, those of 16 bits too.

    In a format that rounds it, the kink would lie elsewhere. `ValueError` where it is no such number.
    """
    if abs(value) > LARGEST or value % STEP or (positive and value <= 0.0):
        raise ValueError(f"{name} must be a {'positive ' * positive}multiple of 1/64, at most {LARGEST:g} in size")
    return value
