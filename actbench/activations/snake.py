"""Snake, y = z + sin(a z)^2 / a, a wave about the identity; g' = 1 + sin(2 a z), from 0 to 2."""

from __future__ import annotations

from math import frexp
from typing import Any

from actbench.activations._waves import waves
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, magnitude

CANCELS = Weakness(
    Flaw.CANCELS,
    "1 + sin(2 a z) is 0 once a period, and has what rounding the sine has left of it",
    lambda z, _: abs(z) >= 0.0,
)
CROSSES = Weakness(Flaw.CANCELS, "the cosine is 0 twice a period", lambda z, _: abs(z) >= 0.0)
NEGATIVE = Weakness(Flaw.AMPLIFIES, "z and sin(a z)^2 / a partly cancel", lambda z, _: 2.0 * (z < 0))


@activation
def snake(m: Any, a: float = 1.0) -> Formulas:
    """z + sin(a z)^2 / a

    L. Ziyin, T. Hartwig and M. Ueda, "Neural Networks Fail to Learn Periodic Functions and How to Fix It", 2020.
    """
    magnitude("a", a, positive=True)
    twice, per_a = 2.0 * a, 1.0 / a
    sin, cos = waves(m)
    exact = frexp(a)[0] == 0.5  # a power of two
    phase = Weakness(Flaw.AMPLIFIES, "a z is rounded, and moves the phase by that", lambda z, _: twice * abs(z))
    steep = Weakness(Flaw.AMPLIFIES, "g'' is up to 2 a", lambda z, _: twice + 0.0 * abs(z))
    far = Weakness(Flaw.OVERFLOWS, "2 a z overflows", lambda z, fmt: abs(z) > float(fmt.max) / twice)
    overflows = (far,) if twice > 1.0 else ()
    beyond = Weakness(Flaw.OVERFLOWS, "a z overflows", lambda z, fmt: abs(z) > float(fmt.max) / a)

    def definition(z):
        s = m.sin(a * z)
        return z + s * s / a

    def forward(z):
        s = sin(a * z)
        return z + per_a * (s * s)

    def forward_array(z):
        s = m.sin(a * z)
        return z + per_a * (s * s)

    def recompute(z):
        return 1.0 + sin(twice * z)

    def recompute_array(z):
        return 1.0 + m.sin(twice * z)

    def second(z):
        return twice * cos(twice * z)

    def second_array(z):
        return twice * m.cos(twice * z)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        weaknesses=(NEGATIVE, *((beyond,) if a > 1.0 else ())),
        uncached="z is no closed form of y",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_array),
            weaknesses=(CANCELS, *overflows, *(() if exact else (phase,))),
            second=Strategy(
                Piecewise(scalar=second, array=second_array),
                weaknesses=(*overflows, *(() if exact else (CROSSES, steep, phase))),
            ),
        ),
    )
