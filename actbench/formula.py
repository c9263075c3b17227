"""An activation: its mathematics once, for every backend.

An activation is a function of a namespace ``m`` (``math``, ``numpy``, ``mpmath``, ...) that returns `Formulas`. The
name of a strategy's parameter says which residual it reads: ``z`` the pre-activation, ``y`` the output; any other
residual comes with a function that saves it. Literals are written as floats (``1.0``): a backend gives them the
kernel's dtype.

Two dialects: **array**, an expression over whole arrays (``m.where``), and **scalar**, which may branch. Where a
formula needs no branch, one source serves both; where it does, `Piecewise` holds the two.

Further parameters of the function, with defaults, are the activation's own, such as ELU's alpha: ``elu`` is the one by
default, ``elu:alpha=0.5`` another activation.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from itertools import pairwise
from math import inf, isfinite, log
from types import MappingProxyType
from typing import Any, Protocol

Formula = Callable[..., Any]

NONE: Mapping[float, float] = MappingProxyType({})


class Dialect(StrEnum):
    """How a formula is written."""

    ARRAY = "array"
    SCALAR = "scalar"


class FloatFormat(Protocol):
    """The limits of a floating-point format, as `numpy.finfo` gives them."""

    @property
    def max(self) -> Any:
        """The largest finite number."""

    @property
    def eps(self) -> Any:
        """The distance from 1 to the next larger number."""

    @property
    def tiny(self) -> Any:
        """The smallest normal number."""


class Flaw(StrEnum):
    """The ways in which a strategy may be known to fail."""

    CANCELS = "cancels"
    """Digits cancel: the error is a few eps in absolute terms, however small g' is."""
    OVERFLOWS = "overflows"
    """An intermediate overflows: the call raises, or returns 0, inf or NaN, where g' is a number."""
    AMPLIFIES = "amplifies"
    """A rounded intermediate counts several times over: the error in ULP is larger by a known factor."""
    MERGES = "merges"
    """y rounds to its value at a kink, and the result is g' on the kink's other side."""
    INACCURATE = "inaccurate"
    """The result is a number, but off, as that of a fast approximation is. It is timed with its error in the tables."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """A known failure of a strategy, declared with its formula.

    The oracle holds the strategy to it both ways: outside ``where`` the strategy must be accurate, inside it the
    result must be wrong in just the way declared.
    """

    flaw: Flaw
    why: str
    where: Callable[[Any, FloatFormat], Any]
    """From z and the float format: where (a boolean array) the flaw is to be expected; of `AMPLIFIES`, the factor (a
    float array), and at most 1 where there is none. Of `INACCURATE`, a boolean array allows any finite error, and a
    float array one of so many ULP, 0 where there is none."""


SMALLEST, LARGEST = 1e-20, 1e20
"""Between these a parameter, and what it multiplies, has all digits in float32 and in float64."""


def magnitude(name: str, value: float, *, positive: bool = False) -> float:
    """Return the size of a parameter that multiplies g or z; `ValueError` where a float format cannot do so.

    It may be 0 or negative too unless it must be positive.
    """
    size = abs(value)
    if positive and not SMALLEST <= value <= LARGEST:
        raise ValueError(f"{name} must be between {SMALLEST:g} and {LARGEST:g}")
    if value and not SMALLEST <= size <= LARGEST:
        raise ValueError(f"{name} must be 0, or between {SMALLEST:g} and {LARGEST:g} in size")
    return size


def few_digits(exponent: Callable[[Any], Any], factor: Callable[[Any], Any]) -> Weakness:
    """Return the weakness of an exponential among the subnormal numbers; exponent and factor are functions of z."""
    return Weakness(
        Flaw.AMPLIFIES,
        "below the smallest normal number the exponential has few digits, and what they lack is multiplied",
        lambda z, fmt: factor(z) * (exponent(z) < log(fmt.tiny)),
    )


@dataclass(frozen=True, slots=True)
class Piecewise:
    """A formula that branches: with ``if`` in the scalar dialect, with ``m.where`` or the like over arrays."""

    scalar: Formula
    array: Formula


@dataclass(frozen=True, slots=True)
class Strategy:
    """How g' is computed from what was kept."""

    derivative: Formula | Piecewise
    save: Formula | Piecewise | None = None
    """Forward for residuals other than z and y: z -> (y, residual, ...)."""
    weaknesses: tuple[Weakness, ...] = ()


@dataclass(frozen=True, slots=True)
class Formulas:
    """An activation in one namespace: its forward function and its strategies by name, in either dialect."""

    forward: Formula | Piecewise
    strategies: Mapping[str, Strategy]
    range: tuple[float, float]
    """Infimum and supremum of g."""
    kinks: Mapping[float, float]
    """Where g' jumps, and the value that it takes there, by convention."""
    at_nan: float | None
    """g' at z = NaN; None where that is not stated: built-in activations give NaN (`actbench.verification.calls`)."""
    uncached: str | None
    """Why y alone cannot give g', or need not, where there is no strategy `cached`."""
    weaknesses: tuple[Weakness, ...]
    """Known failures of the forward formula."""
    definition: Formula
    """g as mathematics alone, for numbers of any precision; the forward formula where that is as good."""

    def __init__(  # noqa: PLR0913  # all by name, and most are seldom needed
        self,
        *,
        forward: Formula | Piecewise,
        range: tuple[float, float] = (-inf, inf),  # noqa: A002  # the word for it
        kinks: Mapping[float, float] = NONE,
        at_nan: float | None = None,
        uncached: str | None = None,
        weaknesses: tuple[Weakness, ...] = (),
        definition: Formula | None = None,
        **strategies: Formula | Piecewise | Strategy,
    ) -> None:
        """Take each strategy as a plain formula, or as a `Strategy` when there is more to say of it."""
        object.__setattr__(self, "forward", forward)
        object.__setattr__(self, "range", range)
        object.__setattr__(self, "kinks", kinks)
        object.__setattr__(self, "at_nan", at_nan)
        object.__setattr__(self, "uncached", uncached)
        object.__setattr__(self, "weaknesses", weaknesses)
        object.__setattr__(self, "definition", definition or _in(Dialect.SCALAR, forward))
        object.__setattr__(
            self,
            "strategies",
            {name: rule if isinstance(rule, Strategy) else Strategy(rule) for name, rule in strategies.items()},
        )

    def with_strategy(self, name: str, rule: Formula | Piecewise | Strategy) -> Formulas:
        """Return the formulas with one strategy more."""
        return Formulas(
            forward=self.forward,
            range=self.range,
            kinks=self.kinks,
            at_nan=self.at_nan,
            uncached=self.uncached,
            weaknesses=self.weaknesses,
            definition=self.definition,
            **{**self.strategies, name: rule},
        )


@dataclass(frozen=True, slots=True)
class Conversion:
    """How residuals are kept in a narrower type than the arithmetic's."""

    kept_in: str
    widen: Formula
    narrow: Formula


@dataclass(frozen=True, slots=True)
class Rule:
    """One strategy of one activation, in one dialect and namespace: what a backend executes."""

    forward: Formula
    derivative: Formula
    save: Formula | None
    own: Formula | None = None
    """A library's own kernel for dy * g', (dy, *residuals), in the derivative's place."""
    conversion: Conversion | None = None
    """What the functions do with every residual beside, where residuals are kept narrowly."""

    @property
    def residuals(self) -> tuple[str, ...]:
        """What the forward pass keeps: the names of the derivative's parameters, and of the type: ``y:float16``."""
        kept_in = f":{self.conversion.kept_in}" if self.conversion else ""
        return tuple(f"{name}{kept_in}" for name in inspect.signature(self.derivative).parameters)

    @property
    def saved(self) -> tuple[str, ...]:
        """The residuals that exist for this strategy alone, stored by `save`: narrow ones all do."""
        return tuple(name for name in self.residuals if name not in {"z", "y"})


@dataclass(frozen=True, slots=True)
class Extension:
    """A strategy for an activation that exists already, as a user's own code declares it."""

    activation: str
    name: str
    summary: str
    build: Callable[..., Formula | Piecewise | Strategy]


@dataclass(frozen=True, slots=True)
class Activation:
    """A named activation."""

    name: str
    """Dashes for the underscores of the function's name, and the parameters that are not the defaults."""
    summary: str
    build: Callable[..., Formulas]
    reference: str = ""
    """Where it was published."""
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def formulas(self) -> Formulas:
        """What is known of it without a namespace: its strategies, range and kinks."""
        return self.build(None)

    @property
    def strategies(self) -> Mapping[str, Strategy]:
        """The strategies that exist for this activation."""
        return self.formulas.strategies

    def with_parameters(self, given: Mapping[str, float]) -> Activation:
        """Return the activation with other parameters; `ValueError` says which it has not, or cannot have."""
        for name, value in given.items():
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise ValueError(f"{self.name} has no parameter '{name}' (its parameters: {known})")
            if not isfinite(value):
                raise ValueError(f"{name} must be a finite number")
        changed = {name: value for name, value in given.items() if value != self.parameters[name]}
        if not changed:
            return self
        words = (f":{name}={changed[name]!r}".removesuffix(".0") for name in self.parameters if name in changed)
        found = replace(
            self,
            name=self.name + "".join(words),
            build=partial(self.build, **changed),
            parameters={**self.parameters, **changed},
        )
        found.build(None)  # it says so where a value is out of its domain
        return found

    def with_strategy(self, added: Extension) -> Activation:
        """Return the activation with a strategy more; what that has parameters for of the activation's, it is given."""
        build, own = self.build, {*inspect.signature(added.build).parameters}

        def extended(m: Any, **parameters: float) -> Formulas:
            shared = {name: value for name, value in parameters.items() if name in own}
            return build(m, **parameters).with_strategy(added.name, added.build(m, **shared))

        return replace(self, build=extended)

    def forward(self, dialect: Dialect, m: Any) -> Formula:
        """Return g in a dialect, over the namespace `m`."""
        return _in(dialect, self.build(m).forward)

    def rule(self, strategy: str, dialect: Dialect, m: Any) -> Rule:
        """Return a strategy in a dialect, over the namespace `m`."""
        formulas = self.build(m)
        chosen = formulas.strategies[strategy]
        return Rule(
            forward=_in(dialect, formulas.forward),
            derivative=_in(dialect, chosen.derivative),
            save=None if chosen.save is None else _in(dialect, chosen.save),
        )


def activation(build: Callable[..., Formulas]) -> Activation:
    """Declare an activation: its name is the function's, its summary the docstring's first line.

    What follows in the docstring is where it was published; what follows ``m`` in the signature are its parameters.
    """
    summary, _, reference = (inspect.getdoc(build) or "").partition("\n")
    _, *parameters = inspect.signature(build).parameters.values()
    defaults = {each.name: float(each.default) for each in parameters}
    return Activation(build.__name__.replace("_", "-"), summary, build, " ".join(reference.split()), defaults)


def looked_up(formula: Formula) -> set[str]:
    """Return the names that a formula looks up in its namespace ``m``."""
    code = pairwise(dis.get_instructions(formula))
    return {after.argval for before, after in code if (before.opname, before.argval) == ("LOAD_DEREF", "m")}


def strategy(
    activation: str, *, name: str | None = None
) -> Callable[[Callable[..., Formula | Piecewise | Strategy]], Extension]:
    """Declare a strategy for an activation that exists, in a file of one's own (``actbench run --load FILE.py``).

    It is a function of ``m``, and of those of the activation's parameters that it needs, which returns a formula, a
    `Piecewise` or a `Strategy`. Its name, with dashes for underscores, is the strategy's unless `name` is; the first
    line of its docstring says what it keeps.
    """
    if not isinstance(activation, str):
        raise TypeError('write @strategy("logistic"), with the name of the activation')

    def declare(build: Callable[..., Formula | Piecewise | Strategy]) -> Extension:
        if isinstance(build.__globals__.get(build.__name__), Extension):
            twice = f"'{build.__name__}' is declared twice here: call one otherwise, with its name as name="
            raise ValueError(twice)  # noqa: TRY004  # it is the name's fault
        summary, _, _ = (inspect.getdoc(build) or f"a strategy for {activation}").partition("\n")
        return Extension(activation, name or build.__name__.replace("_", "-"), summary, build)

    return declare


def _in(dialect: Dialect, formula: Formula | Piecewise) -> Formula:
    if isinstance(formula, Piecewise):
        return formula.scalar if dialect is Dialect.SCALAR else formula.array
    return formula
