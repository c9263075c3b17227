"""Requirements of a user's row activations: what their strategies keep, and that they return a gradient."""

from __future__ import annotations

from actbench.formula import Activation, Strategy
from actbench.model.row_graph import REDUCTIONS, TRACING, per_row, traced
from actbench.model.rule import UPSTREAM, Dialect, Rule, names_used

ALLOWED = "dy and then (z), (y), (z, y), or what save returns beside y, alone or behind z"


def reduces_rows(activation: Activation) -> bool:
    """Return whether the forward function itself calls a reduction."""
    forward = activation.forward(Dialect.ARRAY, None)
    return hasattr(forward, "__code__") and bool(names_used(forward) & {*REDUCTIONS})


def unsupported_along_rows(activation: Activation, name: str, strategy: Strategy) -> str | None:
    """Return why a strategy of a row activation cannot be executed, or None where it can."""
    rule, function = activation.rule(name, Dialect.ARRAY, TRACING), name.replace("-", "_")
    if not rule.is_row:
        return (
            f"works along rows, by m.{' or m.'.join(REDUCTIONS)}, where every z of a row has a part in every y: let it "
            f"take {UPSTREAM} first and return the gradient of z, as in def {function}({UPSTREAM}, z)"
        )
    computed = tuple(residual for residual in rule.residuals if residual not in {"z", "y"})
    before = rule.residuals[: len(rule.residuals) - len(computed)]
    if before not in {(), ("z",), ("y",), ("z", "y")} or (*before, *computed) != rule.residuals or not rule.residuals:
        return f"keeps ({', '.join(rule.residuals)}): it can keep {ALLOWED}"
    return _unsaved(rule, computed, strategy, function) or _no_gradient(rule)


def _unsaved(rule: Rule, computed: tuple[str, ...], strategy: Strategy, function: str) -> str | None:
    """Return why residuals of a strategy's own are not those that it saves, or None where they are."""
    names = ", ".join(computed)
    if computed and ("y" in rule.residuals or strategy.save is None):
        return f"keeps {names}, which nothing saves: return Strategy({function}, save=...), save(z) giving y, {names}"
    if strategy.save is not None and not computed:
        return "saves what it does not keep: let it take what is saved"
    _, saved = traced(rule.save or rule.forward)
    if len(saved) != 1 + len(computed):
        return f"has a save that returns {len(saved)} arrays: return y, {names}"
    return None


def _no_gradient(rule: Rule) -> str | None:
    """Return why a strategy returns no gradient, or None where it does."""
    _, gradients = traced(rule.derivative, per_row(rule))
    right = len(gradients) == 1 and not gradients[0].per_row
    return None if right else "returns no gradient: return one array, of as many elements as z"
