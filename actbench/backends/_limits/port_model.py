"""The pipe bound of a loop: the fewest cycles of an iteration, if no instruction ever waited for another.

Every instruction takes a slot of one of the execution pipes that can do it. A set of pipes needs at least the slots of
what can go nowhere else, divided by the number of pipes; the bound is the largest of these quotients, over all sets.
Dividers, loads, stores and the slots in which instructions are issued bound a loop likewise.

The pipes are those of Intel's "64 and IA-32 Architectures Optimization Reference Manual" and of AMD's "Software
Optimization Guide" for families 19h and 1Ah; the cycles of divisions are those that A. Abel and J. Reineke measured
("uops.info", ASPLOS 2019) and, for AMD, those of LLVM's scheduling models. What is left out makes the bound too low:
latencies, caches, and the finite number of instructions in flight.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations

from actbench.backends._limits.inner_loop import InnerLoop, Instruction
from actbench.host.processors import Description

FUSED = r"vfn?m(add|sub)\w*p[sd]"
"""Multiply-adds: a product of two operands and an addend."""


class PipeUse(Enum):
    """What instructions do, as far as pipes differ; the patterns of their names, the first that matches counting."""

    DIVISION = r"v(div|sqrt)p[sd]"
    RECIPROCAL = r"vr(cp|sqrt)14p[sd]"
    PRODUCT = r"vfn?m(add|sub)\w*p[sd]|vmulp[sd]|vpmu?ll?u?\w*"
    SUM = r"v(add|sub)p[sd]"
    SIGNS = r"vpmov[bwdq]2m"
    MASK = r"vp?cmp\w+|vfpclass\w+|vptestn?m\w+|k\w+"
    CONVERSION = r"vcvt\w+|vrndscale\w+|vround\w+|vgetexp\w+|vgetmant\w+|vscalef\w+|vreduce\w+"
    EXTREME = r"v(min|max)p[sd]|vrangep[sd]"
    SHIFT = r"vps(ll|rl|ra)\w+|vprol\w+|vpror\w+"
    SHUFFLE = (
        r"vperm\w+|v?shuf\w+|vp?unpck\w+|vpshuf\w+|vinsert\w+|vextract\w+|vpmov\w+|vp?broadcast\w+|vpack\w+|valign\w+"
    )
    BLEND = r"vblendvp[sd]"
    LOGIC = r"v(and|andn|or|xor)p[sd]|vp(add|sub|and|or|xor|ternlog|blend|abs|min|max)\w*|vblend\w+"
    MOVE = r"vmov\w+"


@dataclass(frozen=True, slots=True)
class Family:
    """Processors of one microarchitecture; pipes are digits."""

    name: str
    pipes: Mapping[PipeUse, str]
    """Of vectors of up to 256 bits."""
    wide_pipes: Mapping[PipeUse, str]
    """Of 512 bits; empty where these take two slots of the others."""
    divisions: Mapping[str, tuple[float, float, float]]
    """Cycles between divisions by the last letter of their name, s or d, of 128, 256 and 512 bits."""
    issued: int
    """Instructions a cycle."""
    loads: tuple[float, float]
    """A cycle, of up to 256 bits and of 512."""
    stores: tuple[float, float]
    longer: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Slots, of up to 256 bits and of 512, of what takes more than one of 256 bits, by patterns of names."""
    delay_of_fused: float = 0.0
    """Cycles by which a store of 512 bits delays multiply-adds: it reads what it stores where they read the addend."""

    @property
    def products_a_cycle(self) -> int:
        """Bits of the vectors that are multiplied in a cycle, in the widest registers."""
        narrow, wide = (len(pipes.get(PipeUse.PRODUCT, "")) for pipes in (self.pipes, self.wide_pipes))
        return max(256 * narrow, 512 * wide)

    def pipe_count(self, bits: int) -> int:
        """Return how many pipes there are for vectors of this width, whatever they can do."""
        pipes = self.wide_pipes if bits == 512 and self.wide_pipes else self.pipes
        return len(set("".join(pipes.values())))

    def pipes_of(self, instruction: Instruction, kind: PipeUse) -> tuple[str, float]:
        """Return the pipes that an instruction can go to, and how many slots it takes."""
        wide = instruction.bits == 512
        pipes = self.wide_pipes[kind] if wide and self.wide_pipes else self.pipes[kind]
        usual: tuple[float, float] = (1, 1 if self.wide_pipes else 2)
        slots = next((n for name, n in self.longer.items() if re.fullmatch(name, instruction.mnemonic)), usual)
        return pipes, slots[wide]


def _by_kind(default: str, **pipes: str) -> dict[PipeUse, str]:
    return dict.fromkeys(PipeUse, default) | {PipeUse[name]: where for name, where in pipes.items()}


_INTEL_DIVISIONS = {"s": (3.0, 5.0, 10.0), "d": (4.0, 8.0, 16.0)}
_ON_ONE = {"DIVISION": "0", "RECIPROCAL": "0", "SIGNS": "0", "SHUFFLE": "5"}
_ON_TWO = dict.fromkeys(("PRODUCT", "SUM", "MASK", "CONVERSION", "EXTREME", "SHIFT"), "01")
_INTEL = _by_kind("015", **_ON_ONE, **_ON_TWO)
_INTEL_WIDE = _by_kind("05", **_ON_ONE, MASK="5", SHIFT="0")
_AMD_TWO = dict.fromkeys(("DIVISION", "RECIPROCAL", "PRODUCT", "SIGNS", "MASK"), "01")
_AMD = _by_kind("0123", **_AMD_TWO, SUM="23", CONVERSION="23", SHIFT="12", SHUFFLE="12")
_AMD_DIVISIONS = {"s": (3.0, 3.0, 6.0), "d": (5.0, 5.0, 10.0)}

SKYLAKE = Family("Skylake", _INTEL, {}, _INTEL_DIVISIONS, 4, (2, 2), (1, 1))
SKYLAKE_SERVER = Family("Skylake server", _INTEL, _INTEL_WIDE, _INTEL_DIVISIONS, 4, (2, 2), (1, 1))
SUNNY_COVE = Family("Sunny Cove", _INTEL, _INTEL_WIDE, _INTEL_DIVISIONS, 5, (2, 2), (2, 1))
_GOLDEN_COVE = _INTEL | {PipeUse.SUM: "15"}
_GOLDEN_COVE_LONGER = dict.fromkeys((r"v(div|sqrt|rcp14)p[sd]", r"vcvtps2pd|vcvtpd2ps", r"vpmov[qdw]\w*[dwb]"), (1, 2))
"""What takes two slots of 512 bits: measured by its rate beside multiply-adds, beside shifts and beside shuffles."""

GOLDEN_COVE = Family("Golden Cove", _GOLDEN_COVE, _INTEL_WIDE, _INTEL_DIVISIONS, 6, (3, 2), (2, 1), _GOLDEN_COVE_LONGER)
_ADDS = {PipeUse.MASK: "23", PipeUse.EXTREME: "23", PipeUse.BLEND: "01"}
"""Where Zen 3 compares, takes maxima and blends: measured, by their rates beside products and beside sums."""

ZEN_3 = Family("Zen 3", _AMD | _ADDS, {}, _AMD_DIVISIONS, 6, (2, 1), (1, 1))
_ZEN_4_PIPES = _AMD | {PipeUse.EXTREME: "23", PipeUse.SHIFT: "23"}
_ZEN_4_LONGER = {r"vdivps|vsqrtp[sd]": (2, 4), r"vdivpd": (2, 6), r"vscalefp[sd]": (2, 4)}
_ZEN_4_DELAY = 0.5
"""Where Zen 4 takes maxima and shifts, how long it divides and scales, and the delay of a store: measured likewise.

Stores delay multiply-adds by 0.5 to 1.7 cycles, depending on their order, and products of two operands not at all."""

ZEN_4 = Family("Zen 4", _ZEN_4_PIPES, {}, _AMD_DIVISIONS, 6, (2, 1), (1, 0.5), _ZEN_4_LONGER, _ZEN_4_DELAY)
_ZEN_5_PIPES = _ZEN_4_PIPES | {PipeUse.MASK: "12"}
_ZEN_5_DIVISIONS = {"s": (2.5, 2.5, 2.5), "d": (4.0, 4.0, 4.0)}
_ZEN_5_LONGER = {r"v(div|sqrt)p[sd]": (2.4, 2.4), r"vscalefp[sd]": (2, 2)}
"""Where Zen 5 compares, how long it divides, and the slots that dividing and scaling take: measured likewise.

Its model leaves out that beside 16 multiply-adds in 8 cycles, 4 sums take a further 1.1 and 8 sums 1.7; beside products
of two operands none, nor do maxima beside either."""

ZEN_5 = Family("Zen 5", _ZEN_5_PIPES, _ZEN_5_PIPES, _ZEN_5_DIVISIONS, 8, (2, 2), (1, 1), _ZEN_5_LONGER)

_ICE_LAKE_SERVERS = frozenset({106, 108})
_ZEN_5, _ZEN_3_AND_4 = 26, 25


def family(processor: Description) -> Family | None:
    """Return the family of a processor by its numbers and what it can do; None if not known.

    Virtual machines change its name.
    """
    flags = processor.flags
    if processor.vendor == "AuthenticAMD":
        newer = ZEN_4 if "avx512f" in flags else ZEN_3
        return {_ZEN_5: ZEN_5, _ZEN_3_AND_4: newer}.get(processor.family)
    if processor.vendor != "GenuineIntel":
        return None
    if "avx512_fp16" in flags:
        return GOLDEN_COVE
    if "avx512f" in flags and "gfni" in flags:
        return SUNNY_COVE if processor.model in _ICE_LAKE_SERVERS else None  # others have one pipe of 512 bits
    if "avx512f" in flags:
        return SKYLAKE_SERVER
    return SKYLAKE if "clflushopt" in flags and "avx2" in flags and "avx_vnni" not in flags else None


@dataclass(frozen=True, slots=True)
class PipeBound:
    """The bound of an iteration."""

    cycles: float
    limit: str
    """What bounds it."""
    slots: float
    """Of the execution pipes of vectors."""


def kind_of(instruction: Instruction) -> PipeUse | None:
    """Return what an instruction of vectors does; None where the model does not know it."""
    return next((kind for kind in PipeUse if re.fullmatch(kind.value, instruction.mnemonic)), None)


def pipe_bound(loop: InnerLoop, of: Family) -> PipeBound | str:
    """Return the bound of a loop; or the name of an instruction that the model does not know."""
    slots: defaultdict[frozenset[str], float] = defaultdict(float)
    divided = loading = storing = fused = 0.0
    issued = len(loop.instructions) - 1  # comparing and jumping are issued as one
    for instruction in (one for one in loop.instructions if one.is_vector):
        wide = instruction.bits == 512
        kind = kind_of(instruction)
        if kind is None:
            return instruction.mnemonic
        loading += instruction.reads_memory / of.loads[wide]
        storing += instruction.writes_memory / of.stores[wide]
        fused += of.delay_of_fused * (wide and instruction.writes_memory)
        broadcasts = kind is PipeUse.SHUFFLE and "broadcast" in instruction.mnemonic and instruction.reads_memory
        if kind is PipeUse.MOVE or instruction.sets_zero or broadcasts:
            continue  # registers are renamed, one that is 0 as well, and loads broadcast
        pipes, count = of.pipes_of(instruction, kind)
        slots[frozenset(pipes)] += count
        fused += count / len(pipes) * bool(re.fullmatch(FUSED, instruction.mnemonic))
        if kind is PipeUse.DIVISION:
            divided += of.divisions[instruction.mnemonic[-1]][instruction.bits.bit_length() - 8]
    bounds = {
        "pipes": _pressure(slots),
        "divider": divided,
        "loads": loading,
        "stores": storing,
        "third operands of multiply-adds and stores": fused,
        "issue": issued / of.issued,
    }
    limit = max(bounds, key=bounds.__getitem__)
    return PipeBound(bounds[limit], limit, sum(slots.values()))


def _pressure(slots: Mapping[frozenset[str], float]) -> float:
    """Return the cycles that the pipes need: the most, over all sets of them, of what can go nowhere else."""
    unions = {
        frozenset[str]().union(*some) for count in range(1, len(slots) + 1) for some in combinations(slots, count)
    }
    return max((_confined(slots, union) / len(union) for union in unions), default=0.0)


def _confined(slots: Mapping[frozenset[str], float], pipes: frozenset[str]) -> float:
    return sum(count for where, count in slots.items() if where <= pipes)


def lowest(loops: Iterable[InnerLoop], of: Family) -> tuple[InnerLoop, PipeBound] | str:
    """Return the loop with the lowest bound by byte stored, of several versions of one; or why there is none."""
    bounds = [(loop, pipe_bound(loop, of)) for loop in loops]
    known = [(loop, bound) for loop, bound in bounds if isinstance(bound, PipeBound)]
    if known:
        return min(known, key=lambda pair: pair[1].cycles / pair[0].stored)
    return next(
        (f"the port model does not know {name}" for _, name in bounds if isinstance(name, str)), "no loop of vectors"
    )
