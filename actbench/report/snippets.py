"""A strategy as code to paste into a program of numpy, torch or jax: a forward pass that keeps, and a backward pass.

The functions are those that the backend executes: the activation's source, in which the namespace ``m`` is written out
as the library's, with the numbers and functions that they refer to.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType, MappingProxyType
from typing import Any

from actbench.errors import InputError
from actbench.kernels.kernel import Kernel
from actbench.kernels.shipped import ShippedKernel
from actbench.model.names import Storage
from actbench.model.rule import Dialect, Formula, Rule
from actbench.report import snippets_onednn

ONEDNN = "onednn"
"""The backend whose library is written in C++."""


@dataclass(frozen=True, slots=True)
class Library:
    """How a library is written."""

    imports: tuple[str, ...]
    prefix: str
    """Of its functions."""
    elsewhere: Mapping[str, str]
    """The functions of formulas that are not found under the prefix, with where they are."""
    template: str
    cast: str
    """What turns an array into one of another type."""

    def named(self, function: str) -> str:
        """Return a function of formulas as the library has it."""
        return self.elsewhere.get(function, f"{self.prefix}.{function}")


NUMPY = Library(
    ("import numpy as np",),
    "np",
    MappingProxyType({"erf": "special.erf", "erfc": "special.erfc"}),
    '''
def {name}_forward({inputs}):
    """Return {call}, and what the backward pass needs."""
    {forward}
    return y, ({kept},)


def {name}_backward(dy, kept):
    """Return {returns}."""
    ({names},) = kept
    return {gradient}
''',
    "{}.astype({})",
)

TORCH = Library(
    ("import torch",),
    "torch",
    MappingProxyType({"copy": "torch.clone"}),
    '''
class {title}(torch.autograd.Function):
    """{call}: {title}.apply({inputs})."""

    @staticmethod
    def forward(ctx, {inputs}):
        {forward}
        ctx.save_for_backward({kept})
        return y

    @staticmethod
    def backward(ctx, dy):
        {names}{comma} = ctx.saved_tensors
        return {gradient}
''',
    "{}.to({})",
)

JAX = Library(
    ("import jax", "import jax.numpy as jnp"),
    "jnp",
    MappingProxyType({"erf": "jax.scipy.special.erf", "erfc": "jax.scipy.special.erfc"}),
    '''
def {name}_forward({inputs}):
    """Return {call}, and what the backward pass needs."""
    {forward}
    return y, ({kept},)


def {name}_backward(kept, dy):
    """Return {returns}."""
    ({names},) = kept
    return {gradients}


@jax.custom_vjp
def {function}({inputs}):
    """{call}"""
    return {name}_forward({inputs})[0]


{function}.defvjp({name}_forward, {name}_backward)
''',
    "{}.astype({})",
)

LIBRARIES: Mapping[str, Library] = MappingProxyType(
    {"torch": TORCH, "torch-compile": TORCH, "torch-cuda": TORCH, "torch-compile-cuda": TORCH, "jax": JAX}
)
"""By backend; the others take arrays of numpy."""


def comment(kernel: Kernel) -> str:
    """Return how a line of comment begins in the language of a kernel's library."""
    return "//" if kernel.backend.name == ONEDNN else "#"


def snippet(kernel: Kernel) -> str:
    """Return a strategy as code; `InputError` for one that is no formula."""
    if isinstance(kernel, ShippedKernel):
        return f"y = {kernel.call}  # and what autograd does with it\n"
    if not kernel.has_formula:
        raise InputError(f"'{kernel.strategy}' is a kernel of yours: its code is in the file that declares it")
    if kernel.backend.name == ONEDNN:
        return snippets_onednn.snippet(kernel)
    library = LIBRARIES.get(kernel.backend.name, NUMPY)
    rule = kernel.activation.rule(kernel.strategy, Dialect.ARRAY, None)
    sources = _Sources(library)
    keeping = sources.add(rule.save or rule.forward)
    derivative = sources.add(rule.derivative)
    places = _places(kernel, rule, keeping, derivative, library)
    function = f"{places['name']}_" if places["name"] in sources.numbers else places["name"]  # a constant has that name
    body = library.template.format(**places, function=function)
    scipy = ["from scipy import special"] if "special." in sources.text and library is NUMPY else []
    narrow = ["import ml_dtypes"] if "ml_dtypes." in body else []
    return "\n".join([*library.imports, *scipy, *narrow, "", sources.text, body.strip("\n"), ""])


def _places(kernel: Kernel, rule: Rule, keeping: str, derivative: str, library: Library) -> dict[str, str]:
    """Return what a template leaves open."""
    names = rule.residuals
    kept, read = [*names], [*names]
    if kernel.storage:
        narrow = _type(kernel.storage, library)
        kept = [library.cast.format(name, narrow) for name in names]
        read = [library.cast.format(name, "dy.dtype") for name in names]
    name = kernel.activation.name.partition(":")[0].replace("-", "_")
    forward, inputs = ", ".join(["y", *rule.saved]) if rule.save else "y", ", ".join(rule.inputs)
    factor = f"{derivative}({', '.join(read)})"
    both = f"tuple(dy * factor for factor in {factor})"
    return {
        "name": name,
        "title": name.title().replace("_", ""),
        "call": kernel.activation.summary,
        "inputs": inputs,
        "forward": f"{forward} = {keeping}({inputs})",
        "kept": ", ".join(kept),
        "names": ", ".join(names),
        "comma": "," if len(names) == 1 else "",
        "returns": "the gradients of a and b" if rule.is_gated else "dy g'(z)",
        "gradient": both if rule.is_gated else f"dy * {factor}",
        "gradients": both if rule.is_gated else f"(dy * {factor},)",
    }


def _type(storage: Storage, library: Library) -> str:
    return f"ml_dtypes.{storage}" if library is NUMPY and storage is Storage.BFLOAT16 else f"{library.prefix}.{storage}"


@dataclass(slots=True)
class _Sources:
    """Functions with all that they refer to, as source."""

    library: Library
    functions: dict[str, Formula] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Numbers first, then functions, each after those that it calls."""
        numbers = [
            f"{name} = {value!r}" if abs(value) < float("inf") else f'{name} = float("{value}")'
            for name, value in self.numbers.items()
        ]
        return "\n".join([*numbers, *(["", ""] if numbers else []), *(f"{part}\n\n" for part in self.parts)])

    def add(self, function: Formula, name: str | None = None) -> str:
        """Add a function under its name, or another; return the name."""
        name = name or function.__name__
        if self.functions.setdefault(name, function) is not function:
            return self.add(function, f"{name}_")
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        if not isinstance(tree, ast.FunctionDef):
            raise InputError(f"{name} is no function with a name of its own: its source cannot be printed")
        used = inspect.getclosurevars(function)
        for one, value in {**used.nonlocals, **used.globals}.items():
            self._refer(one, value)
        tree.name, tree.returns, tree.decorator_list = name, None, []
        for argument in tree.args.args:
            argument.annotation = None
        source = ast.unparse(_WrittenOut(self.library).visit(tree))
        if source not in self.parts:
            self.parts.append(source)
        return name

    def _refer(self, name: str, value: Any) -> None:
        if isinstance(value, int | float):
            self.numbers[name] = value
        elif isinstance(value, FunctionType):
            self.add(value, name)


class _WrittenOut(ast.NodeTransformer):
    """Writes ``m.exp`` as the library's function."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # ast's name
        """Replace what is looked up in ``m``."""
        if isinstance(node.value, ast.Name) and node.value.id == "m":
            return ast.parse(self._library.named(node.attr), mode="eval").body
        return node
