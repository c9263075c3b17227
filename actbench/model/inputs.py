"""What pre-activations are drawn from: a distribution, or the elements of a user's own array.

It is written ``normal:MEAN,SD``, ``uniform:LOW,HIGH`` or ``FILE.npy``, and is written and read here alone. Drawing is
`actbench.kernels.drawing`'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf, isfinite
from pathlib import Path

from actbench.errors import InputError

REACH = 10.0
"""Standard deviations: no number that is drawn from a normal distribution is further from its mean (P < 1e-22)."""

FILE_SUFFIX = ".npy"

FORMS = "normal:MEAN,SD, uniform:LOW,HIGH or FILE.npy"


class Distribution(StrEnum):
    """The kinds of distributions."""

    NORMAL = "normal"
    """Its parameters are the mean and the standard deviation."""
    UNIFORM = "uniform"
    """Its parameters are the lowest number and the limit that the others stay below."""
    FILE = "file"
    """The elements of an array in a file, each as likely as any other; it has no parameters."""


DEFAULTS = {Distribution.NORMAL: (0.0, 1.0), Distribution.UNIFORM: (-1.0, 1.0)}
"""The parameters of a distribution that is written without any."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the pre-activations of a plan are drawn from; without arguments the standard normal distribution.

    Two are equal where the same seed gives the same numbers: of a file its contents count, and not its name.
    """

    distribution: Distribution = Distribution.NORMAL
    parameters: tuple[float, ...] = DEFAULTS[Distribution.NORMAL]
    file: str = field(default="", compare=False)
    """The path of a file, as the user names it."""
    sha256: str = ""
    """The digest of a file that was read."""

    @classmethod
    def parse(cls, text: str) -> Inputs:
        """Read what a user writes; a file is not looked at. `InputError` says what to write instead."""
        if text.endswith(FILE_SUFFIX):
            return cls(Distribution.FILE, (), text)
        name, colon, numbers = text.partition(":")
        if name not in {*DEFAULTS}:
            raise InputError(f"'{text}' is neither a known distribution nor a {FILE_SUFFIX} file: write {FORMS}")
        distribution = Distribution(name)
        try:
            parameters = tuple(map(float, numbers.split(","))) if colon else DEFAULTS[distribution]
        except ValueError:
            raise InputError(f"'{text}' has a parameter that is not a number: write {FORMS}") from None
        inputs = cls(distribution, parameters)
        if fault := inputs.fault:
            raise InputError(f"'{text}' cannot be drawn from: {fault}")
        return inputs

    @property
    def fault(self) -> str | None:
        """What is wrong with the parameters, and what is right; None where they can be drawn from."""
        if self.distribution is Distribution.FILE:
            right = not self.parameters and re.fullmatch("[0-9a-f]{64}", self.sha256)
            return None if right else "a file has a SHA-256, and no parameters"
        if len(self.parameters) != 2:
            return f"it needs 2 parameters, not {len(self.parameters)}: write {FORMS}"
        if not all(map(isfinite, self.parameters)):
            return "its parameters must be finite numbers"
        first, second = self.parameters
        if self.distribution is Distribution.NORMAL and second <= 0:
            return f"its standard deviation is {_written(second)}: write one above 0"
        if self.distribution is Distribution.UNIFORM and first >= second:
            return f"LOW is {_written(first)} and HIGH {_written(second)}: write the lower one first"
        low, high = self.bounds
        return None if high - low < inf else "it reaches beyond the largest float64: write smaller parameters"

    @property
    def bounds(self) -> tuple[float, float]:
        """The numbers between which all that is drawn lies; of distributions with parameters only."""
        first, second = self.parameters
        if self.distribution is Distribution.UNIFORM:
            return first, second
        return first - REACH * second, first + REACH * second

    def __str__(self) -> str:
        """Return the text of a distribution; of a file its name without directories, and its digest once it is read."""
        if self.distribution is not Distribution.FILE:
            return f"{self.distribution}:{','.join(map(_written, self.parameters))}"
        return Path(self.file).name + (f" (SHA-256 {self.sha256[:12]})" if self.sha256 else "")


STANDARD_NORMAL = Inputs()
"""What inputs are drawn from where nothing else is asked for."""


def _written(number: float) -> str:
    """Return the shortest text of a number."""
    return repr(number).removesuffix(".0")
