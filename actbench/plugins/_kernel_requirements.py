"""Requirements on the user's kernels; each error says what to write instead."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable

from actbench.errors import InputError, unknown
from actbench.formula import Activation
from actbench.model.names import Op
from actbench.model.rule import Dialect
from actbench.model.training import ARMS
from actbench.model.user_kernels import KernelDeclaration, UserStrategy
from actbench.plugins._declarations import Declarations
from actbench.plugins._requirements import refuse_clash
from actbench.registry import STRATEGIES


def refuse_unusable_kernel(
    declared: Declarations, kernel: KernelDeclaration, activation: Activation, backends: Collection[str]
) -> None:
    """Raise `InputError` for a kernel whose name is used, or that cannot be called with what it keeps."""
    existing = activation.strategies.get(kernel.name)
    formulas = {*STRATEGIES, *ARMS, *activation.formulas.strategies}
    refuse_clash(declared, "strategy", kernel.name, formulas)
    earlier = existing.kernels if isinstance(existing, UserStrategy) else ()
    reasons = (_not_kept(kernel, activation), _not_callable(kernel), _clash(kernel, earlier))
    for reason in filter(None, reasons):
        raise InputError(f"--load {declared.loaded.name}: kernel '{kernel.name}' of {activation.name} {reason}")
    refuse_unknown_backends(declared, f"kernel '{kernel.name}'", kernel.backends, backends)


def refuse_unknown_backends(declared: Declarations, what: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raise `InputError` for a backend that a declaration names and that does not exist."""
    for name in names:
        if name not in known:
            hint = unknown("backend", name, known)
            raise InputError(f"--load {declared.loaded.name}: {what}: {hint}")


def _not_kept(kernel: KernelDeclaration, activation: Activation) -> str | None:
    """Return why a forward pass does not keep what the kernel reads, or None where it does."""
    if activation.is_gated or activation.is_row:
        kind = "is gated" if activation.is_gated else "works along rows"
        return f'is for {activation.name}, which {kind}: write a strategy, @strategy("{activation.name}")'
    if len({*kernel.keeps}) < len(kernel.keeps):
        return f"keeps ({', '.join(kernel.keeps)}): name each residual once"
    if "dy" in kernel.keeps:
        return 'keeps dy, which is the upstream gradient: leave it out of keeps, op="backward" hands it over'
    rest = [name for name in kernel.keeps if name not in {"z", "y"}]
    if not rest or activation.saving(rest):
        return None
    saved = {
        name: strategy
        for strategy in activation.formulas.strategies
        for name in activation.rule(strategy, Dialect.SCALAR, None).saved
    }
    if unsaved := [name for name in rest if name not in saved]:
        has = ", ".join(["z", "y", *(f"{name} (of '{strategy}')" for name, strategy in saved.items())])
        return f"keeps {unsaved[0]}, which no forward pass of {activation.name} saves: it can keep {has}"
    return f"keeps {' and '.join(rest)}, which no single strategy's forward pass saves: keep one of them"


def _not_callable(kernel: KernelDeclaration) -> str | None:
    """Return why the kernel cannot be called with its inputs, or None where it can, or does not say what it takes."""
    try:
        signature = inspect.signature(kernel.function)
    except (TypeError, ValueError):
        return None
    names = (*(("dy",) if kernel.op is Op.BACKWARD else ()), *kernel.keeps)
    form = f"f({', '.join(names)})"
    try:
        if kernel.out_place is None and kernel.fills:
            signature.bind(*names, out=None)
        else:
            signature.bind(*kernel.arguments("out", names))
    except TypeError as error:
        return f"cannot be called as {form} ({error}): take these, in this order, and perhaps out"
    return None


def _clash(kernel: KernelDeclaration, earlier: Iterable[KernelDeclaration]) -> str | None:
    """Return why the kernel cannot share its name with earlier ones, or None where it can."""
    for one in earlier:
        if one.keeps != kernel.keeps:
            kept = f"({', '.join(one.keeps)}) and ({', '.join(kernel.keeps)})"
            return f"keeps {kept}: a strategy keeps the same everywhere, give one of them another name"
        if kernel.clashes(one):
            return f"is declared twice for {kernel.op}, with a backend and a dtype in common: give one another name"
    return None
