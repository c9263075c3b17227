"""The predicted duration of a run, in words."""

from __future__ import annotations

from math import inf

from actbench.planning.prediction import Prediction, StockPrediction
from actbench.report.numbers import duration


def sentence(prediction: Prediction | StockPrediction) -> str:
    """Return how long the run would take, in words."""
    if isinstance(prediction, StockPrediction):
        return f"{prediction.processes} processes a case and yardstick: about {duration(prediction.seconds)}"
    before = f"about {duration(prediction.preparation)} before the first round"
    a_round = f"{before}, {duration(prediction.round_seconds)} a round"
    budget = inf if prediction.budget is None else prediction.budget
    if prediction.rounds:
        total = prediction.of_rounds(prediction.rounds)
        how_long = duration(total) if total <= budget else f"as many as fit into {duration(budget)}"
        return f"{a_round}, {prediction.rounds} rounds: {how_long}"
    least = prediction.of_rounds(prediction.fewest)
    most = max(budget, least)
    plural = "round" if prediction.fewest == 1 else "rounds"
    span = " to ".join(dict.fromkeys((duration(least), duration(most))))
    text = f"{a_round}, {prediction.fewest} {plural} or more: {span}"
    if most < prediction.seconds_for_interval:
        needed = duration(prediction.seconds_for_interval)
        text += f"; an interval takes {prediction.for_interval} rounds, {needed}"
    return text


def warning(prediction: Prediction | StockPrediction) -> str:
    """Return a warning about a budget that is hardly enough for intervals; "" where it is enough."""
    if isinstance(prediction, StockPrediction) or prediction.budget is None:
        return ""
    if prediction.seconds_for_interval <= prediction.budget:
        return ""
    return (
        f"--budget {duration(prediction.budget)} may be too short: an interval takes {prediction.for_interval} rounds, "
        f"{duration(prediction.seconds_for_interval)} or so (--dry-run); until then no answer is given"
    )
