"""numexpr: the formula as a program of its virtual machine, block by block into a preallocated output.

The formula is called with numexpr's expression nodes, which builds the tree that numexpr otherwise parses from text.
Nodes support neither numpy's scalars nor Python's abs(). So literals become nodes of the kernel's dtype, without which
float32 would be computed in float64, and abs becomes numexpr's.

A program has one output. A step that saves y and a residual therefore computes the exponential twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from actbench.backends._backend import Backend, Bound
from actbench.backends._listing import sources
from actbench.backends._rewriting import rewritten
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.rule import Dialect, Formula, Rule


@cache
def library() -> Any:
    """Import numexpr, with one thread."""
    import numexpr

    numexpr.set_num_threads(1)
    return numexpr


def single(program: Callable[..., Any]) -> Callable[..., Any]:
    """Return the call of one program."""

    def call(out, *operands):
        program(*operands, out=out, ex_uses_vml=False)

    return call


def forward(keeping: list[Callable[..., Any]]) -> Callable[..., Any]:
    """Run forward, a program an output."""

    def call(*arrays):
        *saved, z = arrays
        for program, out in zip(keeping, saved, strict=True):
            program(z, out=out, ex_uses_vml=False)

    return call


def step(keeping: list[Callable[..., Any]], gradient: Callable[..., Any], kept: list[int]) -> Callable[..., Any]:
    """Return the call of a step: forward, one program per output, then backward on the arrays at the indices `kept`."""

    def call(*arrays):
        *saved, dz, z, dy = arrays
        compute(*saved, z)
        gradient(dy, *(arrays[place] for place in kept), out=dz, ex_uses_vml=False)

    compute = forward(keeping)
    return call


class Numexpr(Backend):
    """Programs of numexpr's virtual machine."""

    name = "numexpr"
    summary = "a program of numexpr's virtual machine on one thread, block by block into preallocated output"
    requires = "numexpr"
    libraries = ("numexpr",)
    optional = True
    dialect = Dialect.ARRAY
    dtypes = WIDE
    rank = 15
    preallocates = True
    lacks = ("erf", "erfc")
    only_wide = "numexpr has no 16-bit floats, and the result of a program has the type of its operands"
    protects = True
    planning_ns = 20.0

    def namespace(self) -> Any:
        """Return numexpr's functions of nodes."""
        functions = library().expressions.functions
        return SimpleNamespace(**functions | {"atan": functions["arctan"]})

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Compile the formulas to programs."""
        match op:
            case Op.DERIVATIVE | Op.SECOND:
                return Bound(single(_program(rule.derivative, rule.residuals, dtype)))
            case Op.BACKWARD:
                return Bound(single(_gradient(rule, dtype)))
            case Op.STEP:
                keeping = _forward_programs(rule, dtype)
                arrays = ("y", *rule.saved, "dz", "z", "dy")
                return Bound(step(keeping, _gradient(rule, dtype), [arrays.index(name) for name in rule.residuals]))

    def bind_forward(self, rule: Rule, dtype: Dtype) -> Bound:
        """Make the programs of the forward pass."""
        return Bound(forward(_forward_programs(rule, dtype)))

    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source of the functions that call the programs."""
        del rule
        return sources([step, forward] if op is Op.STEP else [single])

    def forward_execution(self, rule: Rule) -> str:
        """Return the source of the function that calls the programs of the forward pass."""
        del rule
        return sources([forward])


def _forward_programs(rule: Rule, dtype: Dtype) -> list[Callable[..., Any]]:
    """Return the programs of y and of what is saved."""
    outputs = range(1 + len(rule.saved))
    return [_program(rule.save or rule.forward, ("z",), dtype, output if rule.save else None) for output in outputs]


def _gradient(rule: Rule, dtype: Dtype) -> Callable[..., Any]:
    """Return the program of dy * g'."""
    derivative = _over_nodes(rule.derivative, dtype)
    return _compiled(lambda dy, *residuals: dy * derivative(*residuals), ("dy", *rule.residuals), dtype)


def _program(formula: Formula, names: tuple[str, ...], dtype: Dtype, output: int | None = None) -> Callable[..., Any]:
    """Return the program of a formula, or of one of its outputs."""
    over_nodes = _over_nodes(formula, dtype)
    return _compiled(lambda *nodes: over_nodes(*nodes) if output is None else over_nodes(*nodes)[output], names, dtype)


def _over_nodes(formula: Formula, dtype: Dtype) -> Formula:
    expressions = library().expressions
    real = np.dtype(dtype).type
    return rewritten(formula, lambda value: expressions.ConstantNode(real(value)), abs=expressions.functions["abs"])


def _compiled(function: Callable[..., Any], names: tuple[str, ...], dtype: Dtype) -> Callable[..., Any]:
    expressions = library().expressions
    kind = {Dtype.FLOAT32: "float", Dtype.FLOAT64: "double"}[dtype]
    tree = function(*(expressions.VariableNode(name, kind) for name in names))
    used = _variables(tree)
    places = [place for place, name in enumerate(names) if name in used]
    signature = [(names[place], expressions.kind_to_type[kind]) for place in places]
    program: Callable[..., Any] = library().NumExpr(tree, signature)
    if len(places) == len(names):
        return program
    return lambda *operands, **options: program(*(operands[place] for place in places), **options)


def _variables(node: Any) -> set[str]:
    """Return the names of the variables in an expression: numexpr takes no operand that it does not use."""
    if node.astType == "variable":
        return {node.value}
    return set[str]().union(*map(_variables, node.children)) if node.astType == "op" else set()
