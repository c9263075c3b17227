"""The types and decorators with which the file of an activation is written.

An activation is a function of a namespace ``m`` (``math``, ``numpy``, ``mpmath``, ...) that returns `Formulas`; every
backend executes these. The names of a strategy's parameters say which residuals it reads: ``z`` the pre-activation,
``y`` the output; any other residual comes with a function that saves it. Literals, floats, get the kernel's dtype.

An activation whose ``forward`` takes ``a`` and ``b`` is **gated**, y = g(a) b. Each of its strategies returns two
factors of the upstream gradient: b g'(a), which gives the gradient of a, and g(a), which gives that of b. ``kinks`` and
``range`` are those of g, and the weaknesses' ``where`` is a function of a, b and the float format.

An activation whose strategies take ``dy`` first is a **row** activation: it works along the last axis, with the
reductions ``m.sum`` and ``m.max`` of a row, and its strategies return the gradient of z. What ``forward`` and ``save``
make is one number an element, or one a row. The weaknesses' ``where`` takes z, rows by columns, and the format. Where
``forward`` takes ``(z, target)``, a row has the number of a column, which ``m.pick`` and ``m.replace`` take.

There are two dialects: **array**, an expression over whole arrays (``m.where``), and **scalar**, which may branch. A
formula without a branch is written once and serves both; one with a branch is written twice, as a `Piecewise`.

The parameters after ``m`` are those of the activation, with defaults, such as ELU's alpha: ``elu`` has the default, and
``elu:alpha=0.5`` is another activation.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from math import inf, isfinite
from types import MappingProxyType
from typing import Any

from actbench.model.magnitude import magnitude
from actbench.model.rule import GATED, Dialect, Formula, Rule, inputs_of, takes_upstream
from actbench.model.strategy import Piecewise, Strategy, in_dialect
from actbench.model.user_kernels import KernelDeclaration, UserStrategy, by_strategy
from actbench.model.weakness import Flaw, FloatFormat, Weakness, few_digits

__all__ = [
    "Activation",
    "Extension",
    "Flaw",
    "FloatFormat",
    "Formulas",
    "Piecewise",
    "Strategy",
    "Weakness",
    "activation",
    "few_digits",
    "magnitude",
    "strategy",
]

NONE: Mapping[float, float] = MappingProxyType({})


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
    """Why g' cannot be computed from y alone, or need not be; where there is no strategy `cached` of y."""
    weaknesses: tuple[Weakness, ...]
    """Known failures of `forward`."""
    definition: Formula
    """g for numbers of any precision, without regard to rounding; `forward` by default."""
    second_kinks: Mapping[float, float]
    """The z at which g'' jumps, with the value of g'' there by convention."""
    without_second: str | None
    """Why there is no form of g''; given where no strategy has one."""

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
        second_kinks: Mapping[float, float] = NONE,
        without_second: str | None = None,
        **strategies: Formula | Piecewise | Strategy,
    ) -> None:
        """Accept each strategy as a formula, or as a `Strategy` if it saves residuals or has weaknesses."""
        object.__setattr__(self, "forward", forward)
        object.__setattr__(self, "range", range)
        object.__setattr__(self, "kinks", kinks)
        object.__setattr__(self, "at_nan", at_nan)
        object.__setattr__(self, "uncached", uncached)
        object.__setattr__(self, "weaknesses", weaknesses)
        object.__setattr__(self, "definition", definition or in_dialect(Dialect.SCALAR, forward))
        object.__setattr__(self, "second_kinks", second_kinks)
        object.__setattr__(self, "without_second", without_second)
        object.__setattr__(
            self,
            "strategies",
            {name: rule if isinstance(rule, Strategy) else Strategy(rule) for name, rule in strategies.items()},
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs: z, or a and b of a gated activation, whose `forward` has these two parameters."""
        return inputs_of(in_dialect(Dialect.SCALAR, self.forward))

    def with_strategy(self, name: str, rule: Formula | Piecewise | Strategy) -> Formulas:
        """Return the formulas with one more strategy."""
        return self._with(strategies={**self.strategies, name: rule if isinstance(rule, Strategy) else Strategy(rule)})

    @property
    def of_second(self) -> Formulas:
        """The formulas with g'' in place of g', as far as there are forms of it."""
        forms = {name: form for name, one in self.strategies.items() if (form := one.of_second)}
        return self._with(strategies=forms, kinks=self.second_kinks, at_nan=None)

    def _with(self, **changes: Any) -> Formulas:
        changed = copy(self)
        for name, value in changes.items():
            object.__setattr__(changed, name, value)  # it is frozen
        return changed


@dataclass(frozen=True, slots=True)
class Extension:
    """A strategy that a user's file declares for an existing activation."""

    activation: str
    name: str
    summary: str
    build: Callable[..., Formula | Piecewise | Strategy]


@dataclass(frozen=True, eq=False)
class Activation:
    """A named activation. What is read from its formulas is read once: plans have thousands of its cases."""

    name: str
    """The function's name with dashes for underscores, then the parameters that differ from the defaults."""
    summary: str
    build: Callable[..., Formulas]
    reference: str = ""
    """The publication."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    declared_kernels: tuple[KernelDeclaration, ...] = ()
    """The user's kernels for this activation, with any parameters."""
    first: Activation | None = None
    """Of which it has g'' in place of g'."""

    @property
    def second(self) -> Activation:
        """This activation with g'' in place of g': strategies, kinks and truth. Its forward pass is the same."""
        return _second_of(self)

    @property
    def plain_name(self) -> str:
        """The name without parameters."""
        return self.name.partition(":")[0]

    @cached_property
    def formulas(self) -> Formulas:
        """The formulas built without a namespace: for reading strategies, range and kinks, not for calls."""
        return self.build(None)

    @cached_property
    def is_gated(self) -> bool:
        """Whether it has two inputs, a and b, and y = g(a) b."""
        return self.formulas.inputs == GATED

    @cached_property
    def is_row(self) -> bool:
        """Whether it works along rows, the last axis: its strategies, as the first of them, take dy first."""
        first = next(iter(self.formulas.strategies.values()), None)
        return first is not None and takes_upstream(in_dialect(Dialect.ARRAY, first.derivative))

    @cached_property
    def strategies(self) -> Mapping[str, Strategy | UserStrategy]:
        """The strategies of this activation: its formulas, then the user's kernels."""
        return {**self.formulas.strategies, **self._user_strategies}

    @cached_property
    def _user_strategies(self) -> Mapping[str, UserStrategy]:
        return by_strategy(kernel for kernel in self.declared_kernels if kernel.activation == self.name)

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

    def saving(self, residuals: Iterable[str]) -> str | None:
        """Return the strategy whose forward pass saves residuals; None for z and y alone, or where there is none."""
        rest = {*residuals} - {*self.formulas.inputs, "y"}
        saved = ((name, self.rule(name, Dialect.SCALAR, None).saved) for name in self.formulas.strategies)
        return next((name for name, names in saved if rest and rest <= {*names}), None)

    def with_kernel(self, added: KernelDeclaration) -> Activation:
        """Return the activation with one more kernel of the user's."""
        return replace(self, declared_kernels=(*self.declared_kernels, added))

    def forward(self, dialect: Dialect, m: Any) -> Formula:
        """Return g in a dialect, over the namespace `m`."""
        return in_dialect(dialect, self.build(m).forward)

    def rule(self, strategy: str, dialect: Dialect, m: Any) -> Rule:
        """Return the rule of a strategy in a dialect, over the namespace `m`.

        Of a user's kernel, it is the rule of the forward pass that saves what the kernel keeps, and names that.
        """
        formulas = self.build(m)
        if kernels := self._user_strategies.get(strategy):
            saving = self.saving(kernels.keeps)
            save = formulas.strategies[saving].save if saving else None
            declared = Strategy(kernels.names_residuals, save)
        else:
            declared = formulas.strategies[strategy]
        return Rule(
            forward=in_dialect(dialect, formulas.forward),
            derivative=in_dialect(dialect, declared.derivative),
            save=None if declared.save is None else in_dialect(dialect, declared.save),
        )


def activation(build: Callable[..., Formulas]) -> Activation:
    """Declare an activation: its name is the function's, and its summary is the docstring's first line.

    The rest of the docstring names the publication; the parameters after ``m`` are the activation's, with defaults.
    `TypeError` without ``m``, or where a parameter has no default.
    """
    summary, _, reference = (inspect.getdoc(build) or "").partition("\n")
    names = [*inspect.signature(build).parameters.values()]
    if not names:
        raise TypeError(f"write def {build.__name__}(m), m being the namespace of the formulas")
    parameters = names[1:]
    if bare := [parameter.name for parameter in parameters if parameter.default is parameter.empty]:
        raise TypeError(f"{build.__name__} needs a default for {bare[0]}, such as {bare[0]}=1.0")
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


@cache
def _second_of(activation: Activation) -> Activation:
    def build(m: Any) -> Formulas:
        return activation.build(m).of_second

    return replace(activation, build=build, declared_kernels=(), first=activation)
