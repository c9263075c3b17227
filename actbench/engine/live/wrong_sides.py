"""Wrong kernels of a live check, by side: one error names all sides on which there is one, and the code they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from actbench.engine.working.checking import RefusedError, Verification
from actbench.errors import WrongKernelError

BASELINE, CANDIDATE, CONTROL = SIDES = ("baseline", "candidate", "control")
"""The names of the three processes in errors, in order; the control is the baseline again."""


@dataclass(frozen=True, slots=True)
class CodeOfSides:
    """The user's own code that both sides load, by name."""

    same: tuple[str, ...] = ()
    different: tuple[str, ...] = ()

    def explained(self, *, in_baseline: bool) -> str:
        """Return which code a wrong kernel of the user's may come from, in parentheses."""
        if self.same:
            return f" (both sides load the same {', '.join(self.same)})"
        if self.different and in_baseline:
            names = ", ".join(self.different)
            return (
                f" (the baseline loads another {names}; its kernels are checked against the formulas of the one here)"
            )
        return ""


NO_CODE = CodeOfSides()


class WrongSides:
    """What is wrong on each side, until all of them have been looked at."""

    def __init__(self, code: CodeOfSides, verification: Verification, names: Sequence[str] = ()) -> None:
        """Start with nothing wrong; `names` are what the sides are called, with articles."""
        self._code = code
        self._names = dict(zip(SIDES, names or [f"the {side}" for side in SIDES], strict=True))
        self._verification = verification
        self._wrong: dict[str, RefusedError] = {}

    @contextmanager
    def on(self, side: str) -> Iterator[None]:
        """Keep the error of a wrong kernel on a side."""
        try:
            yield
        except RefusedError as error:
            self._wrong[side] = error

    def raise_any(self) -> None:
        """Raise `WrongKernelError` with the sides on which a kernel is wrong, if there are any."""
        if not self._wrong:
            return
        wrong = dict(self._wrong)
        if BASELINE in wrong:
            wrong.pop(CONTROL, None)
        first = next(iter(wrong.values()))
        if len(wrong) > 1 and len({str(error) for error in wrong.values()}) == 1:
            sentence = f"on both sides, {first}"
        else:
            sentence = "; ".join(f"in {self._names[side]}, {error}" for side, error in wrong.items())
        if self._verification.is_of_loaded_code(first):
            sentence += self._code.explained(in_baseline=CANDIDATE not in wrong)
        raise WrongKernelError(sentence) from None
