"""What was supposed of torch 2.13 before the audit, each of which it confirms or refutes."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.audit.findings import Fault, Finding


@dataclass(frozen=True, slots=True)
class Claim:
    """A supposed fault of torch's gradients."""

    words: str
    activation: str
    faults: tuple[Fault, ...]
    tail: str = ""
    """``left`` or ``right``; nothing where either will do."""

    def covers(self, finding: Finding) -> bool:
        """Return whether a finding confirms it."""
        same = (finding.framework, finding.of, finding.activation) == ("torch", "derivative", self.activation)
        return same and finding.fault in self.faults and self.tail in {"", finding.tail}


LOST = (Fault.NAN, Fault.ZERO, Fault.WRONG)

CLAIMS = (
    Claim("hard-sigmoid: 1/6 in float32, in float64 too", "hard-sigmoid", (Fault.IMPRECISE,)),
    Claim("softplus: 1 beyond its threshold of 20", "softplus", (Fault.IMPRECISE,), "right"),
    *(
        Claim(f"{name}: NaN at ±∞", name, (Fault.INFINITY,))
        for name in ("gelu", "gelu-tanh", "silu", "mish", "softsign")
    ),
    Claim("silu: lost far left", "silu", LOST, "left"),
    Claim("mish: lost far left", "mish", LOST, "left"),
    Claim("logistic: lost far right", "logistic", LOST, "right"),
    *(Claim(f"{name}: lost in its tails", name, LOST) for name in ("tanh", "softsign", "arctan")),
)
