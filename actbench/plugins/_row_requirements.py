"""Requirements of a user's row activations: what their strategies keep, and that they return a gradient."""

from __future__ import annotations

from actbench.formula import Activation, Formulas, Piecewise, Strategy
from actbench.model.row_graph import PICK, REDUCTIONS, REPLACE, TRACING, in_order, per_row, traced
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
    if reason := _only_of_elements(activation.formulas, strategy):
        return reason
    known = (*rule.inputs, "y")
    computed = tuple(residual for residual in rule.residuals if residual not in known)
    if (*(name for name in known if name in rule.residuals), *computed) != rule.residuals or not rule.residuals:
        return f"keeps ({', '.join(rule.residuals)}): it can keep {ALLOWED}"
    if TARGET in computed:
        return f"keeps {TARGET}, which its forward does not take: let forward take ({', '.join(TARGETED)})"
    if not _works_along_rows(rule):
        return (
            f"takes {UPSTREAM}, as those of row activations do, but its forward function reduces no row, by "
            f"m.{' or m.'.join(REDUCTIONS)}: let it take what it keeps alone, and return g', as in def {function}(z)"
        )
    return _unsaved(rule, computed, strategy, function) or _no_gradient(rule)


def _only_of_elements(formulas: Formulas, strategy: Strategy) -> str | None:
    """Return what a strategy, or its activation, has that is of one element alone; None where it is nothing."""
    if strategy.second is not None:
        return "has a second, and there is no g'' along rows: leave it out"
    if any(isinstance(form, Piecewise) for form in (formulas.forward, strategy.derivative, strategy.save)):
        return "has a Piecewise, and there are no branches along rows: write one function, with m.where"
    declared = [name for name in ("kinks", "second_kinks") if getattr(formulas, name)]
    declared += [] if formulas.at_nan is None else ["at_nan"]
    return f"works along rows, where there is no g' of one z: leave out {' and '.join(declared)}" if declared else None


def _works_along_rows(rule: Rule) -> bool:
    """Return whether an element of y is of more than its own z."""
    return any(term.operation in {*REDUCTIONS, PICK, REPLACE} for term in in_order(traced(rule.forward)[1]))


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
