"""The result of ``actbench check``, and what it comes to: one verdict, its exit code and its reason."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from actbench.analysis.regression import Change, Margins, Verdict, by_severity
from actbench.analysis.rounds_needed import Need
from actbench.errors import ActbenchError, ExitCode, printable
from actbench.model.outcomes import Failure
from actbench.model.sides import Side
from actbench.report.kept import kept
from actbench.report.numbers import change as change_in_percent
from actbench.report.numbers import counted
from actbench.report.open_reasons import reason


class OverallVerdict(StrEnum):
    """The verdict of a whole check; each has an exit code of its own."""

    PASSED = "passed"
    REGRESSED = "regressed"
    REFUSED = "refused"
    """The input cannot be used."""
    INCONCLUSIVE = "inconclusive"
    """None regressed, but a case is inconclusive or missing, or the host is too noisy."""
    FAILED = "failed"
    """A benchmark failed, or a kernel is wrong."""
    NOT_COMPARABLE = "not comparable"
    INTERRUPTED = "interrupted"


VERDICT_OF_CODE = {
    ExitCode.FINE: OverallVerdict.PASSED,
    ExitCode.REGRESSED: OverallVerdict.REGRESSED,
    ExitCode.INCONCLUSIVE: OverallVerdict.INCONCLUSIVE,
    ExitCode.FAILED: OverallVerdict.FAILED,
    ExitCode.NOT_COMPARABLE: OverallVerdict.NOT_COMPARABLE,
    ExitCode.INTERRUPTED: OverallVerdict.INTERRUPTED,
}
"""The verdict of each exit code; of every other one it is `REFUSED`."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a check comes to."""

    exit_code: ExitCode
    """The code that says so, as users read it: see `Report.exit_code`."""
    reason: str
    """A sentence, without a period."""

    @property
    def verdict(self) -> OverallVerdict:
        """The verdict of the whole check."""
        return VERDICT_OF_CODE.get(self.exit_code, OverallVerdict.REFUSED)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a check, with remarks for its reader."""

    changes: tuple[Change, ...]
    margin: float
    """The default margin, relative; `Margins` may have other margins for some cases."""
    sides: tuple[Side, Side]
    """The baseline and the candidate."""
    remarks: tuple[str, ...] = ()
    noise: tuple[Change, ...] = ()
    """Cases in which the baseline differed from itself beyond the margin; if any, the host is too noisy."""
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    """The duration of the check."""
    need: Need | None = None
    """Of a live check: what one takes that decides the cases that are open for too few rounds."""
    error: ActbenchError | None = None
    """What ended the check before there was any verdict."""
    interrupted: bool = False
    """Whether Ctrl-C ended it; the verdicts are those until then."""
    for_bisect: bool = False
    """Whether the exit code is one for ``git bisect run``."""

    def with_unused(self, margins: Margins) -> Report:
        """Return the report with a remark on every margin that matches no case."""
        unused = margins.unused(change.case for change in self.changes)
        return replace(self, remarks=(*self.remarks, *(f"--margins '{glob}' matches no case" for glob in unused)))

    @property
    def counts(self) -> dict[Verdict, int]:
        """The number of cases by verdict, of the verdicts that occur, the most severe first."""
        numbers = Counter(change.verdict for change in self.changes)
        return {verdict: numbers[verdict] for verdict in Verdict if numbers[verdict]}

    @property
    def exit_code(self) -> ExitCode:
        """The code with which the check ends."""
        code = self.conclusion.exit_code
        return code.for_bisect() if self.for_bisect else code

    @property
    def conclusion(self) -> Conclusion:
        """What the check comes to."""
        return next(self._conclusions())

    def _conclusions(self) -> Iterator[Conclusion]:
        """Yield everything that the check could come to, the first of which counts."""
        if self.error is not None:
            yield Conclusion(self.error.exit_code, "\n".join(map(printable, str(self.error).split("\n"))))
        if self.interrupted:
            yield Conclusion(ExitCode.INTERRUPTED, "Ctrl-C ended the check: these are the verdicts so far")
        for verdict in (Verdict.REGRESSED, Verdict.REGRESSED_IN_MEMORY):
            if verdict in self.counts:
                yield Conclusion(ExitCode.REGRESSED, self._of_cases(verdict))
        if self.failures:
            yield Conclusion(ExitCode.FAILED, f"{self.failures[0].block} failed: {self.failures[0].reason}")
        for line in noise_line(self):
            yield Conclusion(ExitCode.INCONCLUSIVE, line)
        for verdict in (Verdict.INCONCLUSIVE, Verdict.MISSING):
            if verdict in self.counts:
                yield Conclusion(ExitCode.INCONCLUSIVE, self._of_cases(verdict))
        yield Conclusion(ExitCode.FINE, "no case regressed" if self.counts else "no case was measured")

    def _of_cases(self, verdict: Verdict) -> str:
        """Return the first of the cases with a verdict, in words, and how many there are."""
        cases = by_severity([change for change in self.changes if change.verdict is verdict])
        why = {
            Verdict.REGRESSED: change_in_percent(cases[0].ratio),
            Verdict.REGRESSED_IN_MEMORY: kept(cases[0]),
            Verdict.INCONCLUSIVE: reason(cases[0]),
        }.get(verdict, "the baseline has it, the candidate does not")
        first = cases[0].case.id
        many = f"{len(cases)} cases {verdict}, e.g. {first}"
        return f"{many if len(cases) > 1 else f'{first} {verdict}'}: {why}"


def noise_line(report: Report) -> Sequence[str]:
    """Return the remark that the host is too noisy, with the control that shows it; none where it is not."""
    if not report.noise:
        return []
    worst = max(report.noise, key=lambda change: abs(math.log(change.ratio.value)))
    line = (
        "the host is too noisy for a verdict: the baseline differed from itself beyond the margin in "
        f"{counted(len(report.noise), 'case')}, e.g. {worst.case.id} {change_in_percent(worst.ratio)}"
    )
    return [line]
