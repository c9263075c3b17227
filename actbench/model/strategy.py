"""How a strategy is declared: its formulas in either dialect, what its forward pass saves, and its weaknesses."""

from __future__ import annotations

from dataclasses import dataclass, replace

from actbench.model.rule import Dialect, Formula
from actbench.model.weakness import Weakness


@dataclass(frozen=True, slots=True)
class Piecewise:
    """A formula that branches: with ``if`` in the scalar dialect, with ``m.where`` or the like over arrays."""

    scalar: Formula
    array: Formula


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to compute g' from the residuals of the forward pass."""

    derivative: Formula | Piecewise
    save: Formula | Piecewise | None = None
    """The forward pass that saves residuals other than inputs and y: z -> (y, residual, ...)."""
    weaknesses: tuple[Weakness, ...] = ()
    backends: tuple[str, ...] | None = None
    """The backends that may execute it; all where it is None."""
    dtypes: tuple[str, ...] | None = None
    """The dtypes in which it may be executed; all where it is None."""
    second: Formula | Piecewise | Strategy | None = None
    """g'' from the same residuals, by parameters of the same names; as a `Strategy` if it has weaknesses."""

    @property
    def of_second(self) -> Strategy | None:
        """The strategy with g'' in place of g'; None where it has no form of g''."""
        if self.second is None:
            return None
        form = self.second if isinstance(self.second, Strategy) else Strategy(self.second)
        return replace(form, save=self.save, backends=self.backends, dtypes=self.dtypes)

    def limited(self, backend: str, dtype: str) -> str | None:
        """Return to what it is limited where a backend or a dtype is not part of that, in words; None where it is."""
        if self.backends is not None and backend not in self.backends:
            return f"the backend{'s' * (len(self.backends) > 1)} {', '.join(self.backends)}"
        if self.dtypes is not None and dtype not in self.dtypes:
            return ", ".join(self.dtypes)
        return None


def in_dialect(dialect: Dialect, formula: Formula | Piecewise) -> Formula:
    """Return a formula as it is written in a dialect."""
    if isinstance(formula, Piecewise):
        return formula.scalar if dialect is Dialect.SCALAR else formula.array
    return formula
