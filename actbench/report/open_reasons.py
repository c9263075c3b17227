"""Why a case is inconclusive, in words."""

from __future__ import annotations

from actbench.analysis.clusters import Cluster
from actbench.analysis.regression import Change, OpenReason
from actbench.analysis.statistics import CONFIDENCE
from actbench.report.numbers import change as change_in_percent

SENTENCES = {
    OpenReason.NOT_MEASURED: "it was not measured in any round",
    OpenReason.NOT_REPEATED: "it seems to have regressed, and was not measured again",
    OpenReason.NOT_CONFIRMED: "it seemed to have regressed, and did not when it was measured again",
    OpenReason.NOISY_HOST: "the host is too noisy for a verdict",
    OpenReason.REGROUPED: "its block has other cases in the baseline",
}
"""The reasons that need no figures."""


def reason(change: Change) -> str:
    """Return why a case is inconclusive, and how its rounds lie where they fall into two clusters; "" if it is not."""
    if change.open_reason is None:
        return ""
    why = SENTENCES.get(change.open_reason) or _with_figures(change, change.open_reason)
    return f"{why}; {_of_clusters(change.clusters)}" if change.clusters else why


def _with_figures(change: Change, why: OpenReason) -> str:
    match why:
        case OpenReason.TOO_FEW_ROUNDS:
            return f"{_rounds(change)} too few for an interval"
        case OpenReason.P_VALUE:
            limit = f"{1 - CONFIDENCE:.2g}"
            return f"its p-value, corrected for the number of cases, is {change.p_value:.2g}, above {limit}"
        case OpenReason.YARDSTICK:
            itself = change_in_percent(change.absolute or change.ratio)
            if change.slower_in_itself:
                return f"the time itself is above the margin, {itself}: the yardstick moved as well"
            return f"the time itself does not show it, {itself}: the yardstick moved"
    return f"its interval contains {' and '.join(_bounds(change))}"


def _rounds(change: Change) -> str:
    fewer = min(change.baseline_rounds, change.rounds)
    return "1 round is" if fewer == 1 else f"{fewer} rounds are"


def _bounds(change: Change) -> list[str]:
    """Return the bounds of the margin that the interval contains, in percent."""
    bounds = (1 / (1 + change.margin), 1 + change.margin)
    return [f"{100 * (bound - 1):+.3g} %" for bound in bounds if change.ratio.contains(bound)]


def _of_clusters(pair: tuple[Cluster, Cluster]) -> str:
    fast, slow = (f"{cluster.rounds} at {100 * (cluster.ratio - 1):+.1f} %" for cluster in pair)
    return f"its rounds fall into two clusters, {fast} and {slow}"
