"""Requirements of a user's row activations: what their strategies keep, and that they return a gradient."""

from __future__ import annotations

from actbench.formula import Activation, Strategy
from actbench.model.row_graph import REDUCTIONS, TRACING, per_row, traced
from actbench.model.rule import TARGET, TARGETED, UPSTREAM, Dialect, Rule, inputs_of, names_used

ALLOWED = (
    "dy and then (z), (y), (z, y), or what save returns beside y, alone or behind z; target behind z where it has one"
)


def reduces_rows(activation: Activation) -> bool:
    """Return whether the forward function itself calls a reduction, or takes a target."""
    forward = activation.forward(Dialect.ARRAY, None)
    return hasattr(forward, "__code__") and (
        activation.formulas.inputs == TARGETED or bool(names_used(forward) & {*REDUCTIONS})
    )


def unsupported_along_rows(activation: Activation, name: str, strategy: Strategy) -> str | None:
    """Return why a strategy of a row activation cannot be executed, or None where it can."""
    rule, function = activation.rule(name, Dialect.ARRAY, TRACING), name.replace("-", "_")
    if not rule.is_row:
        return (
            f"works along rows, by m.{' or m.'.join(REDUCTIONS)}, where every z of a row has a part in every y: let it "
            f"take {UPSTREAM} first and return the gradient of z, as in def {function}({UPSTREAM}, z)"
        )
    known = (*rule.inputs, "y")
    computed = tuple(residual for residual in rule.residuals if residual not in known)
    if (*(name for name in known if name in rule.residuals), *computed) != rule.residuals or not rule.residuals:
        return f"keeps ({', '.join(rule.residuals)}): it can keep {ALLOWED}"
    if TARGET in computed:
        return f"keeps {TARGET}, which its forward does not take: let forward take ({', '.join(TARGETED)})"
    return _unsaved(rule, computed, strategy, function) or _no_gradient(rule)


def _unsaved(rule: Rule, computed: tuple[str, ...], strategy: Strategy, function: str) -> str | None:
    """Return why residuals of a strategy's own are not those that it saves, or None where they are."""
    names, inputs = ", ".join(computed), ", ".join(rule.inputs)
    if computed and ("y" in rule.residuals or strategy.save is None):
        returned = f"return Strategy({function}, save=...), save({inputs}) giving y, {names}"
        return f"keeps {names}, which nothing saves: {returned}"
    if strategy.save is not None and not computed:
        return "saves what it does not keep: let it take what is saved"
    if rule.save is not None and inputs_of(rule.save) != rule.inputs:
        return f"has a save that does not take ({inputs}), as forward does"
    _, saved = traced(rule.save or rule.forward)
    if len(saved) != 1 + len(computed):
        return f"has a save that returns {len(saved)} arrays: return y, {names}"
    return None


def _no_gradient(rule: Rule) -> str | None:
    """Return why a strategy returns no gradient, or None where it does."""
    _, gradients = traced(rule.derivative, per_row(rule))
    right = len(gradients) == 1 and not gradients[0].per_row
    return None if right else "returns no gradient: return one array, of as many elements as z"
