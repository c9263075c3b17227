"""Error messages for wrong kernels: everything that is wrong, in one clause for each kind of error.

Results without a number come first, wherever they are. Wrong values of g' follow, named by their pattern if they have
one; then declared weaknesses that are exceeded, with the amount; then errors that rounding explains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from actbench.errors import WrongKernelError
from actbench.formula import Activation, Flaw
from actbench.kernels.kernel import Kernel
from actbench.model.checks import STATED_ULP
from actbench.verification import causes, flaws
from actbench.verification.examination import Examination
from actbench.verification.truth import Array, Truth, sides_at
from actbench.verification.truth.diagnosis import WRONG_INPUT, Evidence, ambiguous, guess, one_sided, simplest_wrong_z
from actbench.verification.wording import distinct, extent, mismatch, place

LAYER_Z = 10.0
"""|z| that layers see: a wrong z within is named first, and a z beyond only where the error is larger there."""

NEAR = 1.0
"""Beyond this |z|, an overflow comes from an exponential or a power of z."""

NEXT_TO = 1e-6
"""Distance from a kink at which the kink may show, where g' is known by differences; relative to |z| above 1."""

LARGER = 2.0
"""The error far out is named as well where it is larger by this factor."""

NEARLY = 1e-2
"""Largest relative error, anywhere, of a result that counts as an approximation."""

FEW_PLACES = 3
"""Largest number of single z that are named."""

MOST = "over 1e308"
"""Number of ULP where it exceeds the range of float64."""

GROSS = 1e-3
"""Relative error from which on rounding is not the cause."""


def check_form(kernel: Kernel, array: Array, z: Array) -> None:
    """Raise `WrongKernelError` for a result whose dtype or shape differs from that of z."""
    if np.iscomplexobj(array):
        complex_ones = np.imag(array) != 0 if array.shape == z.shape else np.zeros(z.shape, dtype=bool)
        where = f" {extent(z, complex_ones)}" if complex_ones.any() else ""
        raise WrongKernelError(f"{kernel.id} is wrong: it returns complex numbers{where}: return {kernel.dtype}")
    if array.dtype != kernel.dtype:
        raise WrongKernelError(f"{kernel.id} is wrong: it returns {array.dtype} where {kernel.dtype} is expected")
    if array.shape != z.shape:
        raise WrongKernelError(f"{kernel.id} is wrong: it returns shape {array.shape} for an input of shape {z.shape}")


def worst_place(error: Array, z: Array) -> int:
    """Return the index of the largest error; of equal errors, that of the z nearest to 0."""
    return int(np.lexsort((np.abs(z), -error))[0])


def wrong_derivative(call: Examination, wrong: Array) -> WrongKernelError:
    """Return the error that states all that is wrong with a derivative."""
    truth = (call.slope.nearest, call.output.nearest)
    evidence = Evidence(call.kernel, call.derivative_at, call.z, call.dy, call.derivative, *truth, wrong)
    refused = _Refusal(
        call.kernel, call.kernel.op.symbol, call.z, call.derivative, call.slope, wrong, call.answer.raised
    )
    return refused.of_slope(evidence)


def wrong_output(call: Examination, y: Array, wrong: Array) -> WrongKernelError:
    """Return the error that states where the y of a step is wrong."""
    return _Refusal(call.kernel, "y", call.z, y, call.output, wrong, call.answer.raised).plain()


def wrong_kept(call: Examination, wrong: Array) -> WrongKernelError:
    """Return the error that states where a derivative does not follow from the narrow residuals."""
    symbol = call.kernel.op.symbol
    what = symbol if call.kernel.is_shipped else f"{symbol} from the residuals"
    return _Refusal(call.kernel, what, call.z, call.derivative, call.expected, wrong, None).plain()


@dataclass(frozen=True, slots=True)
class _Refusal:
    """The results of a kernel at all z, and where they are wrong."""

    kernel: Kernel
    what: str
    """The name of the expected quantity."""
    z: Array
    computed: Array
    expected: Truth
    wrong: Array
    raised: str | None

    def plain(self) -> WrongKernelError:
        """State where the result is no number, and where its value is wrong."""
        off = self._off
        return self._error([*self._no_number(), *([self._inaccurate(off)] if off.any() else [])])

    def of_slope(self, evidence: Evidence) -> WrongKernelError:
        """State also what the derivative looks like."""
        off = self._off
        differing = list(self._differing(evidence, off)) if off.any() else []
        if any(clause.endswith(WRONG_INPUT) for clause in differing):
            return self._error(differing)
        return self._error([*self._no_number(), *differing])

    @property
    def _off(self) -> Array:
        """Where the result is a number, but a wrong one."""
        return np.asarray(self.wrong & np.isfinite(self.computed))

    def _error(self, clauses: list[str]) -> WrongKernelError:
        return WrongKernelError(f"{self.kernel.id} is wrong: {'; '.join(clauses)}")

    def _no_number(self) -> Iterator[str]:
        """State where the result is no number, with the exception, or with what is wrong with g itself there."""
        missing = self.wrong & ~self._off
        if missing.any():
            at = worst_place(np.where(missing, 0.0, -1.0), self.z)
            more = np.unique(self.z[missing]).size > 1
            words = f", and no number {extent(self.z, missing)}".replace("for every", "at any") if more else ""
            in_tail = more and float(np.min(np.abs(self.z[missing]))) > NEAR
            advice = causes.UNDERFLOWS if in_tail and self.what != "y" else ""
            reason = self._sides(at) or (f"it raised {self.raised}" if self.raised else advice)
            yield f"{self._at(at, missing)}{words}{f': {reason}' if reason else ''}"

    def _differing(self, evidence: Evidence, off: Array) -> Iterator[str]:
        worst = worst_place(self._error_at(off), self.z)
        if words := self._sides(worst):
            yield f"{self._at(worst, off)}: {words}"
        elif self._merging(off):
            yield self._inaccurate(off)
        elif words := ambiguous(evidence):
            yield words
        elif words := guess(evidence) or self._one_sided(evidence, off):
            small = simplest_wrong_z(evidence)
            yield f"{self._at(worst if small is None else small, off)}: {words}"
        else:
            yield from self._by_cause(off)

    def _one_sided(self, evidence: Evidence, off: Array) -> str:
        return "" if (off & self._declared).any() or self._rounding(off) else one_sided(evidence)

    @property
    def _declared(self) -> Array:
        """Where a weakness is declared."""
        return flaws.declared(self.kernel.weaknesses, self.z)

    def _by_cause(self, off: Array) -> Iterator[str]:
        """State which declared weaknesses are exceeded, and what is wrong where none is declared."""
        declared = off & self._declared
        slope = self.expected.nearest
        zero = off & ~declared & causes.underflow(self.z, np.where(off & ~declared, self.computed, np.nan), slope)
        elsewhere = off & ~declared & ~zero
        if elsewhere.any() and self._relative(elsewhere) > GROSS:
            declared, elsewhere = np.zeros_like(off), declared | elsewhere
        if declared.any():
            yield from self._exceeded(declared)
        for group in self._groups(elsewhere):
            yield self._inaccurate(group)
        if zero.any():
            at = worst_place(np.where(zero, np.abs(slope), -1.0), self.z)
            more = f", and 0 {extent(self.z, zero)}" if np.unique(self.z[zero]).size > 1 else ""
            yield f"{self._at(at, zero)}{more}: {causes.UNDERFLOWS}"

    def _groups(self, off: Array) -> list[Array]:
        """Return the separate groups of a set, with groups of one cause merged."""
        groups = causes.apart(self.z, off)
        by_words: dict[str, Array] = {}
        for group in groups if len(groups) <= FEW_PLACES else groups[:0]:
            words = self._rounding(group)
            by_words[words] = by_words.get(words, np.zeros_like(off)) | group
        if "" in by_words and causes.LOSSY in by_words:  # one mistake, whose error is small in places
            by_words[""] |= by_words.pop(causes.LOSSY)
        return [*by_words.values()] or ([off] if off.any() else [])

    def _exceeded(self, off: Array) -> Iterator[str]:
        """State by how much each declared weakness is exceeded, at the z where the excess is largest."""
        left = off
        for weakness in self.kernel.weaknesses:
            there = left & flaws.reach(weakness, self.z)
            left = left & ~there
            if there.any():
                yield self._more_than_declared(there, weakness.flaw, weakness.why)

    def _more_than_declared(self, there: Array, flaw: Flaw, why: str) -> str:
        cancels = flaw is Flaw.CANCELS
        error = self.expected.absolute(self.computed) if cancels else self.expected.error(self.computed)
        allowed = STATED_ULP * self._factor if cancels else self._allowed
        at = worst_place(np.where(there, error / allowed, -1.0), self.z)
        much, most = distinct(error[at], allowed[at], 3)
        unit = "eps" if cancels else "ULP"
        return (
            f"{self._at(at, there)}: it is off by {much} {unit} where {most} are allowed, more than the declared "
            f"weakness '{why}' ({flaw})"
        )

    def _inaccurate(self, off: Array) -> str:
        """State the error within the |z| that layers see, if any, and farther out where it is larger."""
        error = self._error_at(off)
        worst = at = worst_place(error, self.z)
        if (in_layers := off & (np.abs(self.z) <= LAYER_Z)).any():
            at = worst_place(np.where(in_layers, error, -1.0), self.z)
        much, most = distinct(error[at], self._allowed[at], 3)
        size = f"{much if np.isfinite(error[at]) else MOST} ULP; {most} are allowed"
        if error[worst] > LARGER * error[at]:
            size += (
                f"; {f'{error[worst]:.3g}' if np.isfinite(error[worst]) else MOST} at z = {place(self.z, worst, off)}"
            )
        size += self._few_places(off)
        words = self._rounding(off)
        return f"{self._at(at, off)} ({size}){f': {words}' if words else ''}"

    def _few_places(self, off: Array) -> str:
        """State that only single z are wrong, or return ""."""
        single = np.unique(self.z[off])
        others = ", ".join(place(self.z, int(np.flatnonzero(self.z == z)[-1]), off) for z in single[:FEW_PLACES])
        if single.size > FEW_PLACES:
            return ""
        if not (self.wrong & ~off).any():
            return f"; wrong at z = {others} alone"
        return f"; so at z = {others}" if single.size > 1 else ""

    def _rounding(self, off: Array) -> str:
        if self.what != self.kernel.op.symbol:
            return ""
        computed, slope, z = self.computed[off], self.expected.nearest[off], self.z[off]
        words = self._merging(off) or causes.rounding(z, computed, slope, self._error_at(off)[off])
        return words or (causes.LOSSY if self._relative(off) <= NEARLY else "")

    def _merging(self, off: Array) -> str:
        kinks = self.kernel.formulas.kinks
        return causes.merging(self.z[off], self.computed[off], kinks)

    def _at(self, at: int, there: Array) -> str:
        """State the computed and the expected value at one z."""
        return mismatch(place(self.z, at, there), self.what, self.computed[at], self.expected.nearest[at])

    def _sides(self, at: int) -> str:
        return _sides(self.kernel.activation, float(self.z[at])) if self.what == self.kernel.op.symbol else ""

    def _error_at(self, there: Array) -> Array:
        return np.where(there, self.expected.error(self.computed), -1.0)

    def _relative(self, there: Array) -> float:
        """Return the largest relative error."""
        with np.errstate(all="ignore"):
            size = np.abs(self.expected.nearest[there].astype(np.float64))
            ratio = np.abs(self.computed[there].astype(np.float64) - self.expected.nearest[there]) / size
        return float(np.nanmax(ratio, initial=0.0))

    @property
    def _factor(self) -> Array:
        return flaws.factor(self._weaknesses, self.z)

    @property
    def _allowed(self) -> Array:
        return flaws.allowed(self._weaknesses, self.z)

    @property
    def _weaknesses(self) -> Any:
        if self.what == "y":
            return self.kernel.forward_weaknesses
        return self.kernel.weaknesses


def _sides(activation: Activation, z: float) -> str:
    """Return what is wrong with g itself at z, which is then not the kernel's fault; or ""."""
    for at in (0.0, z) if abs(z) < NEXT_TO else (z,):
        declared = any(abs(at - kink) <= NEXT_TO * max(1.0, abs(at)) for kink in activation.formulas.kinks)
        if (
            not declared
            and (sides := sides_at(activation, at))
            and (words := sides.words(at, of_second=activation.first is not None))
        ):
            return words
    return ""
