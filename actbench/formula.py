"""The types and decorators with which the file of an activation is written.

An activation is a function of a namespace ``m`` (``math``, ``numpy``, ``mpmath``, ...) that returns `Formulas`; every
backend executes these. The names of a strategy's parameters say which residuals it reads: ``z`` the pre-activation,
``y`` the output; any other residual comes with a function that saves it. Literals are written as floats (``1.0``): a
backend gives them the kernel's dtype.

There are two dialects: **array**, an expression over whole arrays (``m.where``), and **scalar**, which may branch. A
formula without a branch is written once and serves both; one with a branch is written twice, as a `Piecewise`.

The parameters after ``m`` are those of the activation, with defaults, such as ELU's alpha: ``elu`` has the default, and
``elu:alpha=0.5`` is another activation.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from math import inf, isfinite, log
from types import MappingProxyType
from typing import Any, Protocol

from actbench.model.rule import Dialect, Formula, Rule

NONE: Mapping[float, float] = MappingProxyType({})


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
    """The rounding error of an intermediate is amplified: the error in ULP is larger by a known factor."""
    MERGES = "merges"
    """y rounds to its value at a kink, and the result is g' on the kink's other side."""
    INACCURATE = "inaccurate"
    """The result is a number, but inaccurate, as a fast approximation is. It is timed; the tables show its error."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """A known failure of a strategy, declared with its formula.

    The oracle checks both regions: outside ``where`` the strategy must be accurate; inside, its error must have the
    declared form.
    """

    flaw: Flaw
    why: str
    where: Callable[[Any, FloatFormat], Any]
    """A function of z (an array) and the float format, which returns where the flaw is expected: a boolean array.

    For `AMPLIFIES`, it returns the factor as a float array, at most 1 where nothing is amplified. For `INACCURATE`, a
    boolean array allows any finite error; a float array gives the allowed error in ULP, 0 where there is none."""


SMALLEST, LARGEST = 1e-20, 1e20
"""Range of a parameter in which it and its product with g or z have all digits in float32 and in float64."""


def magnitude(name: str, value: float, *, positive: bool = False) -> float:
    """Return the absolute value of a parameter that multiplies g or z; `ValueError` where a float format cannot do so.

    Unless it must be `positive`, it may be 0 or negative.
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
        "below the smallest normal number the exponential has few digits, and its error is multiplied",
        lambda z, fmt: factor(z) * (exponent(z) < log(fmt.tiny)),
    )


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
    """The forward pass that saves residuals other than z and y: z -> (y, residual, ...)."""
    weaknesses: tuple[Weakness, ...] = ()


@dataclass(frozen=True, slots=True)
class Formulas:
    """An activation in one namespace: its forward function and its strategies by name, in either dialect."""

    forward: Formula | Piecewise
    strategies: Mapping[str, Strategy]
    range: tuple[float, float]
    """Infimum and supremum of g."""
    kinks: Mapping[float, float]
    """The z at which g' jumps, with the value of g' there by convention."""
    at_nan: float | None
    """g' at z = NaN; None where unspecified. Then built-in ones return NaN (`actbench.verification.calls`)."""
    uncached: str | None
    """Why g' cannot be computed from y alone, or need not be; given where there is no strategy `cached`."""
    weaknesses: tuple[Weakness, ...]
    """Known failures of `forward`."""
    definition: Formula
    """g for numbers of any precision, without regard to rounding; `forward` by default."""

    def __init__(  # noqa: PLR0913  # keywords, most of them seldom needed
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
        """Accept each strategy as a formula, or as a `Strategy` if it saves residuals or has weaknesses."""
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
        """Return the formulas with one more strategy."""
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
class Extension:
    """A strategy that a user's file declares for an existing activation."""

    activation: str
    name: str
    summary: str
    build: Callable[..., Formula | Piecewise | Strategy]


@dataclass(frozen=True, slots=True, eq=False)
class Activation:
    """A named activation."""

    name: str
    """The function's name with dashes for underscores, then the parameters that differ from the defaults."""
    summary: str
    build: Callable[..., Formulas]
    reference: str = ""
    """The publication."""
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def plain_name(self) -> str:
        """The name without parameters."""
        return self.name.partition(":")[0]

    @property
    def formulas(self) -> Formulas:
        """The formulas built without a namespace: for reading strategies, range and kinks, not for calls."""
        return self.build(None)

    @property
    def strategies(self) -> Mapping[str, Strategy]:
        """The strategies of this activation."""
        return self.formulas.strategies

    def with_parameters(self, values: Mapping[str, float]) -> Activation:
        """Return the activation with other parameters; `ValueError` names an unknown one, or a value out of range."""
        for name, value in values.items():
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise ValueError(f"{self.name} has no parameter '{name}' (its parameters: {known})")
            if not isfinite(value):
                raise ValueError(f"{name} must be a finite number")
        changed = {name: value for name, value in values.items() if value != self.parameters[name]}
        if not changed:
            return self
        words = (f":{name}={changed[name]!r}".removesuffix(".0") for name in self.parameters if name in changed)
        name, parameters = self.name + "".join(words), {**self.parameters, **changed}
        activation = replace(self, name=name, build=partial(self.build, **changed), parameters=parameters)
        activation.build(None)  # raises ValueError where a value is out of range
        return activation

    def with_strategy(self, added: Extension) -> Activation:
        """Return the activation with one more strategy, which gets the activation's parameters that it names."""
        build, accepted = self.build, {*inspect.signature(added.build).parameters}

        def extended(m: Any, **parameters: float) -> Formulas:
            shared = {name: value for name, value in parameters.items() if name in accepted}
            return build(m, **parameters).with_strategy(added.name, added.build(m, **shared))

        return replace(self, build=extended)

    def forward(self, dialect: Dialect, m: Any) -> Formula:
        """Return g in a dialect, over the namespace `m`."""
        return _in(dialect, self.build(m).forward)

    def rule(self, strategy: str, dialect: Dialect, m: Any) -> Rule:
        """Return the rule of a strategy in a dialect, over the namespace `m`."""
        formulas = self.build(m)
        declared = formulas.strategies[strategy]
        return Rule(
            forward=_in(dialect, formulas.forward),
            derivative=_in(dialect, declared.derivative),
            save=None if declared.save is None else _in(dialect, declared.save),
        )


def activation(build: Callable[..., Formulas]) -> Activation:
    """Declare an activation: its name is the function's, and its summary is the docstring's first line.

    The rest of the docstring names the publication; the parameters after ``m`` are the activation's.
    """
    summary, _, reference = (inspect.getdoc(build) or "").partition("\n")
    _, *parameters = inspect.signature(build).parameters.values()
    defaults = {parameter.name: float(parameter.default) for parameter in parameters}
    return Activation(build.__name__.replace("_", "-"), summary, build, " ".join(reference.split()), defaults)


def strategy(
    activation: str, *, name: str | None = None
) -> Callable[[Callable[..., Formula | Piecewise | Strategy]], Extension]:
    """Declare a strategy for an existing activation, in a file of yours (``actbench run --load FILE.py``).

    The decorated function takes ``m`` and the activation's parameters that it needs, and returns a formula, a
    `Piecewise` or a `Strategy`. The strategy has the function's name, with dashes for underscores, unless `name` is
    given; the first line of the docstring names its residuals.
    """
    if not isinstance(activation, str):
        raise TypeError('write @strategy("logistic"), with the name of the activation')

    def declare(build: Callable[..., Formula | Piecewise | Strategy]) -> Extension:
        if isinstance(build.__globals__.get(build.__name__), Extension):
            twice = (
                f"'{build.__name__}' is declared twice in this file: rename one, and pass its strategy's name as name="
            )
            raise ValueError(twice)  # noqa: TRY004  # it is the name's fault
        summary, _, _ = (inspect.getdoc(build) or f"a strategy for {activation}").partition("\n")
        return Extension(activation, name or build.__name__.replace("_", "-"), summary, build)

    return declare


def _in(dialect: Dialect, formula: Formula | Piecewise) -> Formula:
    if isinstance(formula, Piecewise):
        return formula.scalar if dialect is Dialect.SCALAR else formula.array
    return formula
