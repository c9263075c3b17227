"""A case in full: its code, what it keeps and moves, its weaknesses, and what the compiler made of it."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator
from dataclasses import replace

from actbench import registry
from actbench.backends import helpers, source, sources
from actbench.kernels import kernel, overhead
from actbench.model import residuals
from actbench.model.cases import RUNGS, Case
from actbench.model.checks import Compiled
from actbench.model.rule import Formula, Rule
from actbench.planning.costs import bytes_moved, residual_bytes
from actbench.planning.suite import canonical
from actbench.report import mathematics


def listing(case: Case) -> str:
    """Return the text; `InputError` for names that are not known or not available."""
    case = replace(case, activation=canonical(case.activation))
    facts = kernel.compiled(case.kernel)
    compiled = [] if facts is None else [_section("compiled", _facts(facts))]
    return "\n\n".join([*(_rung(case) if case.is_rung else _parts(case)), *compiled])


def _parts(case: Case) -> Iterator[str]:
    chosen = kernel.rule(case.kernel)
    activation = registry.activation(case.activation)
    backend = registry.backend(case.backend)
    yield f"{case.id}\n{activation.name}: {activation.summary}\n{case.op}: {case.op.meaning}"
    yield "\n".join([activation.reference, *mathematics.facts(activation)])
    yield (
        f"keeps {', '.join(chosen.residuals)}: {residual_bytes(case)} bytes per element; "
        f"one call moves {bytes_moved(case)} bytes, temporaries not counted"
    )
    of = chosen.conversion
    apart = (of.narrow, of.widen) if of else ()
    yield _section("forward", _code(chosen.save or chosen.forward, apart))
    yield _section(f"derivative, from {', '.join(chosen.residuals)}", _code(chosen.derivative, apart))
    if of:
        yield _section(f"kept in {of.kept_in}: every residual narrowed by", sources([of.narrow]))
        yield _section(f"and widened to {case.dtype}, in which the derivative is computed, by", sources([of.widen]))
    yield _section(f"executed by {backend.name}: {backend.summary}", backend.execution(case.op, chosen))
    strategy, storage = residuals.split(case.strategy)
    for weakness in activation.strategies[strategy].weaknesses:
        yield f"known weakness: {weakness.flaw}: {weakness.why}"
    if storage:
        yield f"known weakness: {storage.rounds}"
    if backend.flushes:
        yield f"known weakness: flushes: {backend.flushes}"


def _rung(case: Case) -> Iterator[str]:
    found = overhead.step(case.kernel)
    backend = registry.backend(case.backend)
    yield f"{case.id}\na rung of the overhead ladder: {RUNGS[case.strategy]}"
    yield f"keeps nothing; one call moves {bytes_moved(case)} bytes, temporaries not counted"
    title = f"executed by {backend.name}: {backend.summary}"
    if isinstance(found, Rule):
        yield _section("of every element", source(found.derivative))
        yield _section(title, backend.execution(case.op, found))
    else:
        yield _section(title, sources([found]))


def _code(formula: Formula, apart: Collection[Formula]) -> str:
    """Return a formula's source, and that of the functions around it that it calls, without those shown apart."""
    called = [helper for helper in helpers(formula) if helper not in apart]
    return "\n\n".join(dict.fromkeys(map(source, (formula, *called))))


def _section(title: str, body: str) -> str:
    return f"{title}\n{textwrap.indent(body, '    ')}"


def _facts(compiled: Compiled) -> str:
    vectors = f"{compiled.vector_bits} bits" if compiled.vector_bits else "scalar"
    return "\n".join(
        (
            f"signature             {compiled.signature}",
            f"vector arithmetic     {vectors}",
            f"library calls         {', '.join(compiled.library_calls) or 'none'}",
            f"float32 to float64    {compiled.double_conversions or 'none'}",
        )
    )
