"""y (1 - y) and 1 - y^2 of arrays that the first-level cache has room for: loops in assembly, for AVX-512.

From that cache, one store of 512 bits a cycle is all that bounds a copy, and a kernel with one multiply-add for each
could be as fast. What LLVM makes of it is not. On Intel's processors it prefers 256 bits. On Zen 5 a multiply-add that
reads two registers keeps a store waiting half of the time, unless loads have just written both. Of 4096 elements in
float32, y (1 - y) took 1.10 times and 1 - y^2 1.33 times as long as a copy, calls included (``actbench run -n 4096``).
Here they take 1.04 and 1.07 times as long: the 1 is loaded anew for every register, and loads and stores have the order
that was fastest among some ten thousand. A call waits for one multiply-add more than that of a copy: 1 % of its time.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import extending
from numba.core import cgutils, types

from actbench.backends._simd import vector_width
from actbench.backends._simd.bits import multiply_add
from actbench.backends._simd.register_memory import REGISTER, RegisterBlocks, below, masked, size_of
from actbench.host import processors

BLOCK = 4
"""Registers of a block of `actbench.backends._simd.four_registers`, which are an iteration or several."""

ORDERS = {
    "times_complement": "L0 L1 A0 A1 S0 S1",
    "one_minus_square": "L0 L3 C0 L1 L2 A0 S0 C1 C2 A1 S1 A2 C3 S2 A3 S3",
}
"""Functions of `actbench.backends._simd.functions`, and what an iteration does with a register: load y (L) or the
constant 1 (C), apply the function (A), store the result (S)."""

LEAST = 1 << 12
"""Bytes of the smallest array for which it is used: of smaller ones LLVM's loop is as fast."""


def sizes(name: str) -> range:
    """Return the bytes of the arrays for which the loop of a function is used: none where it was not faster.

    On Intel's processors, loops of 512 bits are faster in the first-level cache alone (on an Emerald Rapids Xeon, 0.86
    times as long there and 1.05 times in the second). On Zen 5, that of 1 - y^2 is still 1.03 times as fast on arrays
    of 32 KiB. That of y (1 - y) gains less there than what follows the last whole block costs: 5000 elements in float32
    took 1.13 times as long as by LLVM's loop.
    """
    zen_5 = vector_width.is_zen_5()
    if not vector_width.has_registers() or not (zen_5 or processors.vendor() == "GenuineIntel"):
        return range(0)
    if name == "times_complement":
        return range(LEAST, (16 << 10) + 1, BLOCK * REGISTER)
    return range(LEAST, (32 << 10 if zen_5 else 16 << 10) + 1)


def instructions(name: str, kind: Any) -> str:
    """Return the loop, of at least one iteration, in AT&T's syntax.

    LLVM's operands are $0, the address of y, $1, that of the result, $2, the number of iterations, and $3, that of a 1.
    """
    last = "s" if kind == types.float32 else "d"
    move, fill, add = (word + last for word in ("vmovup", "vbroadcasts", "vfnmadd213p"))
    steps = ORDERS[name].split()
    constants = BLOCK if "C0" in steps else 0
    lines = [".p2align 6", "1:"]
    for step in steps:
        number = int(step[1])
        y, constant, place = f"%zmm{number}", f"%zmm{number + constants}", number * REGISTER
        lines += {
            "L": [f"{move} {place}($0), {y}"],
            "C": [f"{fill} ($3), {constant}"],
            "A": [f"{add} {constant}, {y}, {y}"],
            "S": [f"{move} {y}, {place}($1)"],
        }[step[0]]
    size = _registers(name) * REGISTER
    lines += [f"addq $${size}, $0", f"addq $${size}, $1", "decq $2", "jnz 1b"]
    return "\n".join(lines)


def _registers(name: str) -> int:
    """Return how many registers an iteration has."""
    return ORDERS[name].count("L")


@extending.intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba is untyped
def apply(_context: Any, name, out, y):
    """Apply the function of this name to every element.

    What follows the last whole block comes first: to restore a register that it needed, or to read an argument, a
    call would wait for the stores of the loop (in 4096 elements 20 % of its time).
    """

    def generate(context, builder, signature, args):
        called, kind, _ = signature.args
        name, block, index = called.literal_value, RegisterBlocks(BLOCK), ir.IntType(64)
        result, operand = args[1:]
        blocks = block.count(context, builder, kind, result)
        rest = builder.urem(size_of(context, builder, kind, result), block.lanes(kind))
        with builder.if_then(builder.icmp_unsigned("!=", rest, index(0))):
            _rest(
                builder, name, rest, *(block.address(context, builder, kind, one, blocks) for one in (operand, result))
            )
        count = builder.mul(blocks, index(BLOCK // _registers(name)))
        one = cgutils.global_constant(builder, "one", context.get_constant(kind.dtype, 1))
        starts = [block.address(context, builder, kind, array, index(0)) for array in (operand, result)]
        with builder.if_then(builder.icmp_unsigned("!=", count, index(0))):
            _loop(builder, instructions(name, kind.dtype), [one, *starts, count])
        return context.get_dummy_value()

    return types.void(name, out, y), generate


def _rest(builder: ir.IRBuilder, name: str, count: ir.Value, operand: ir.Value, result: ir.Value) -> None:
    """Apply the function to the first elements of a block, which are so many."""
    vector = operand.type.pointee
    align, within = ir.IntType(32)(BLOCK * REGISTER // vector.count), below(builder, count, vector)
    y = masked(builder, "llvm.masked.load", vector, vector, [operand, align, within, ir.Constant(vector, None)])
    term = y if name == "times_complement" else ir.Constant(vector, [1.0] * vector.count)
    done = multiply_add(builder, builder.fneg(y), y, term)
    masked(builder, "llvm.masked.store", ir.VoidType(), vector, [done, result, align, within])


def _loop(builder: ir.IRBuilder, text: str, values: list[ir.Value]) -> None:
    """Emit the loop: it overwrites all operands but the first, and LLVM must expect anything of registers."""
    binding.initialize_native_asmparser()
    one, *changed = (value.type for value in values)
    kind = ir.FunctionType(ir.LiteralStructType(changed), [one, *changed])
    overwritten = [f"zmm{number}" for number in range(32)]
    constraints = ["=&r,=&r,=&r", "r,0,1,2", *(f"~{{{name}}}" for name in (*overwritten, "memory", "flags"))]
    builder.asm(kind, text, ",".join(constraints), values, side_effect=True)
