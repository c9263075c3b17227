"""Several registers of 512 bits as one value of compiled code, for processors with AVX-512.

A function of one number, written with these operators and those of `actbench.backends._simd.bits`, is then one of four
or eight vector registers, without LLVM's vectoriser. So it may use instructions that no function of one number has,
such as a look-up in a table that a register holds. A value is one LLVM vector, which LLVM splits into registers: the
instructions of several independent chains alternate, and none waits for the one before.

An operand may be a single number of the same type, which then stands in every lane.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import lower_builtin, models, register_model, type_callable

BITS = 512
NumbaType: Any = types.Type
"""Which some versions of numba annotate."""


class Register(NumbaType):  # type: ignore[misc]  # it is Any
    """Numbers, or truths of comparisons, side by side in registers."""

    def __init__(self, element: Any, lanes: int) -> None:
        self.element, self.lanes = element, lanes
        super().__init__(f"Register({element}, {lanes})")


@register_model(Register)
class RegisterModel(models.PrimitiveModel):  # type: ignore[misc]  # numba is untyped
    """An LLVM vector."""

    def __init__(self, manager: Any, kind: Register) -> None:
        super().__init__(manager, kind, ir.VectorType(_llvm(kind.element), kind.lanes))


def _llvm(element: Any) -> ir.Type:
    if element == types.boolean:
        return ir.IntType(1)
    if element in {types.float32, types.float64}:
        return ir.FloatType() if element == types.float32 else ir.DoubleType()
    return ir.IntType(element.bitwidth)


def lanes_of(element: Any, registers: int) -> int:
    """Return how many numbers of a type some registers hold."""
    return registers * BITS // int(element.bitwidth)


def element_of(kind: Any) -> Any:
    """Return the type of the numbers in registers, or of a single number."""
    return kind.element if isinstance(kind, Register) else kind


def with_element(kind: Any, element: Any) -> Any:
    """Return the type of as many numbers of another type."""
    return Register(element, kind.lanes) if isinstance(kind, Register) else element


def common(*kinds: Any) -> Any:
    """Return the type of the result of an operation on these, all with elements of one type; None if they differ."""
    first, *rest = kinds
    if any(element_of(kind) != element_of(first) for kind in rest):
        return None
    return next((kind for kind in kinds if isinstance(kind, Register)), first)


def spread(builder: ir.IRBuilder, value: ir.Value, kind: ir.Type) -> ir.Value:
    """Return a value of this type: the value, or a vector with it in every lane."""
    if not isinstance(kind, ir.VectorType) or isinstance(value.type, ir.VectorType):
        return value
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), lanes)


def alike(builder: ir.IRBuilder, values: Any) -> list[ir.Value]:
    """Return values of which single numbers are spread over the lanes of the others."""
    lanes = next((value.type.count for value in values if isinstance(value.type, ir.VectorType)), 0)
    if not lanes:
        return [*values]
    return [
        value if isinstance(value.type, ir.VectorType) else spread(builder, value, ir.VectorType(value.type, lanes))
        for value in values
    ]


def by_register(builder: ir.IRBuilder, values: list[ir.Value], function: Callable[..., ir.Value]) -> ir.Value:
    """Return what a function of single registers of 512 bits gives for all those of some values."""
    count, lanes = values[0].type.count, BITS // _width(values[0].type.element)
    places = [range(first, first + lanes) for first in range(0, count, lanes)]
    parts = [function(*(parts_of(builder, one, part) for one in values)) for part in places]
    while len(parts) > 1:
        lanes *= 2
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [builder.shuffle_vector(*pair, _places(range(lanes))) for pair in pairs]
    return parts[0]


def parts_of(builder: ir.IRBuilder, value: ir.Value, lanes: range) -> ir.Value:
    """Return some lanes of a vector, as another."""
    return builder.shuffle_vector(value, _nothing(value), _places(lanes))


def _width(element: ir.Type) -> int:
    return 32 if element in {ir.FloatType(), ir.IntType(32)} else 64


def _places(lanes: range) -> ir.Constant:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), [*lanes])


def _nothing(value: ir.Value) -> ir.Constant:
    return ir.Constant(value.type, ir.Undefined)


def declared(builder: ir.IRBuilder, name: str, kind: ir.FunctionType) -> ir.Function:
    """Return an LLVM intrinsic, declared once in a module."""
    return builder.module.globals.get(name) or ir.Function(builder.module, kind, name)


def called(builder: ir.IRBuilder, name: str, values: Any) -> ir.Value:
    """Return the result of an LLVM intrinsic of values of one type, which is that of its result, too."""
    kind = values[0].type
    function = declared(builder, f"{name}.{suffix(kind)}", ir.FunctionType(kind, [kind] * len(values)))
    return builder.call(function, values)


def suffix(kind: ir.Type) -> str:
    """Return LLVM's abbreviation of a type: ``f32``, ``v16f32``."""
    if isinstance(kind, ir.VectorType):
        return f"v{kind.count}{suffix(kind.element)}"
    return str(kind.intrinsic_name)


def _define(function: Any, generate: Callable[..., ir.Value], result: Callable[[Any], Any]) -> None:
    """Define an operator of two operands, of which at least one is in registers."""

    def kinds(_context: Any) -> Callable[[Any, Any], Any]:
        def kind(x: Any, y: Any) -> Any:
            shared = common(x, y)
            return result(shared) if isinstance(shared, Register) else None

        return kind

    def code(_context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> ir.Value:
        return generate(builder, *alike(builder, values), element_of(signature.args[0]))

    type_callable(function)(kinds)
    for operands in ((Register, Register), (Register, types.Any), (types.Any, Register)):
        lower_builtin(function, *operands)(code)


def _define_of_one(function: Any, generate: Callable[[ir.IRBuilder, ir.Value], ir.Value]) -> None:
    """Define an operator of one operand."""

    def kinds(_context: Any) -> Callable[[Any], Any]:
        return lambda x: x if isinstance(x, Register) else None

    def code(_context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> ir.Value:
        return generate(builder, *values)

    type_callable(function)(kinds)
    lower_builtin(function, Register)(code)


def _arithmetic(name: str) -> Callable[..., ir.Value]:
    return lambda builder, x, y, _element: getattr(builder, name)(x, y)


def _comparison(sign: str) -> Callable[..., ir.Value]:
    def generate(builder: ir.IRBuilder, x: ir.Value, y: ir.Value, element: Any) -> ir.Value:
        if element in {types.float32, types.float64}:
            compare = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
            return compare(sign, x, y)
        return builder.icmp_signed(sign, x, y)

    return generate


def _same(kind: Register) -> Register:
    return kind


def _truths(kind: Register) -> Register:
    return Register(types.boolean, kind.lanes)


ARITHMETIC = {
    operator.add: "fadd",
    operator.sub: "fsub",
    operator.mul: "fmul",
    operator.truediv: "fdiv",
    operator.and_: "and_",
    operator.or_: "or_",
}
COMPARISONS = {
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
    operator.eq: "==",
    operator.ne: "!=",
}
for _function, _name in ARITHMETIC.items():
    _define(_function, _arithmetic(_name), _same)
for _function, _name in COMPARISONS.items():
    _define(_function, _comparison(_name), _truths)
_define_of_one(operator.neg, lambda builder, x: builder.fneg(x))
_define_of_one(abs, lambda builder, x: called(builder, "llvm.fabs", [x]))
