"""The inner loops of a kernel in the assembly that LLVM generated, as AT&T syntax writes it on x86-64."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

LABEL = re.compile(r"^(\.L\w+):")
"""LLVM gives one to numeric labels of inline assembly as well: ``.Ltmp0``."""

INLINE, NOT_INLINE = "#APP", "#NO_APP"
"""Lines around inline assembly."""

OPERANDS = re.compile(r",(?![^(]*\))")
"""Between operands: a comma that is not inside an address."""

REGISTER_BITS = {"%zmm": 512, "%ymm": 256, "%xmm": 128}
STACK = "(%rsp"
NARROWING = re.compile(r"vpmovu?s?([qdw])([dwb])")
WIDTHS = {"q": 8, "d": 4, "w": 2, "b": 1}
ZEROING = re.compile(r"vp?xor(p[sd]|[dq]?)")
SCALAR = re.compile(r"s[sd]$")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: ``vfmadd213ps (%rax), %zmm1, %zmm2``."""

    mnemonic: str
    operands: tuple[str, ...]
    """The last one is written to."""

    @classmethod
    def parse(cls, line: str) -> Instruction:
        """Read a line without its comment."""
        mnemonic, _, rest = line.strip().partition("\t")
        return cls(mnemonic, tuple(operand.strip() for operand in OPERANDS.split(rest) if operand.strip()))

    @property
    def bits(self) -> int:
        """The width of its widest vector register; 0 without any."""
        return max(
            (bits for name, bits in REGISTER_BITS.items() if any(name in one for one in self.operands)), default=0
        )

    @property
    def is_vector(self) -> bool:
        """Whether it works on vector or mask registers."""
        return any(name in one for one in self.operands for name in (*REGISTER_BITS, "%k"))

    @property
    def narrows(self) -> int:
        """How many times narrower its results are than its operands."""
        narrowing = NARROWING.fullmatch(self.mnemonic)
        return WIDTHS[narrowing[1]] // WIDTHS[narrowing[2]] if narrowing else 2 if self.mnemonic == "vcvtps2ph" else 1

    @property
    def reads_memory(self) -> bool:
        """Whether an operand that is read is in memory."""
        return any("(" in one for one in self.operands[:-1])

    @property
    def sets_zero(self) -> bool:
        """Whether it is the exclusive or of a register with itself."""
        return bool(ZEROING.fullmatch(self.mnemonic)) and len({*self.operands}) == 1

    @property
    def writes_memory(self) -> bool:
        """Whether it stores a vector."""
        return self.is_vector and "(" in self.operands[-1]


@dataclass(frozen=True)
class InnerLoop:
    """A loop without jumps inside."""

    label: str
    lines: tuple[str, ...]
    inline: bool = False
    """Whether it is inline assembly, and not of LLVM."""

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """What is executed in an iteration, the jump included."""
        return tuple(map(Instruction.parse, self.lines))

    @cached_property
    def stores(self) -> tuple[Instruction, ...]:
        """Those that store a vector of results, and do not put it on the stack."""
        return tuple(
            one
            for one in self.instructions
            if one.writes_memory and STACK not in one.operands[-1] and not SCALAR.search(one.mnemonic)
        )

    @property
    def stored(self) -> int:
        """Bytes of results that an iteration stores."""
        return sum(one.bits // 8 // one.narrows for one in self.stores)

    @property
    def bits(self) -> int:
        """The width of its widest register."""
        return max((one.bits for one in self.instructions), default=0)

    @property
    def text(self) -> str:
        """The loop as an assembler takes it."""
        return "\n".join([f"{self.label}:", *self.lines]) + "\n"


def vector_loops(assembly: str, *, inline: bool = False) -> list[InnerLoop]:
    """Return the loops that store vectors of the greatest width: the body of a kernel, once a version of its loop.

    They are those that LLVM made, or else those that are inline assembly.
    """
    loops = [loop for loop in _loops(assembly) if loop.stored and loop.inline == inline]
    widest = max((loop.bits for loop in loops), default=0)
    return [loop for loop in loops if loop.bits == widest]


def _loops(assembly: str) -> Iterator[InnerLoop]:
    """Yield what is between a label and the first jump, where that goes back to the label."""
    label, lines, inline = "", list[str](), False
    for written in assembly.splitlines():
        if (mark := written.strip()) in {INLINE, NOT_INLINE}:
            inline = mark == INLINE
        line = written.partition("#")[0].rstrip()
        if match := LABEL.match(line):
            label, lines = match[1], []
        elif line.strip() and not line.strip().startswith("."):
            lines.append(line)
            if line.strip().startswith("j"):
                if label and re.search(rf"\s{re.escape(label)}$", line):
                    yield InnerLoop(label, tuple(lines), inline)
                label = ""
