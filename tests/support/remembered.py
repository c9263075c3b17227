"""What hundreds of tests in a process have alike, once.

These are checks of built-in kernels by fake workers, plain tables, and the digits of built-in definitions.
Only what is as it was when this module was imported is remembered: not a check by a worker or an oracle that a test
changes, not a rung of the overhead ladder, and not a table on a terminal.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from actbench.engine.launch import Worker
from actbench.engine.protocol import Inspect
from actbench.engine.working import checking
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.kernels.subject import Subject
from actbench.model.cases import KernelId
from actbench.model.checks import Check
from actbench.report import terminal
from actbench.report.table import Table
from actbench.verification import oracle
from actbench.verification.truth.exact import Exact
from actbench.verification.truth.points import Point
from tests.support import fake

CHECK = checking._check  # the whole of it is replaced
SHOW_TABLE = terminal.show_table

CHECKS: dict[KernelId, Check] = {}
TABLES: dict[tuple[Table, int, bool], str] = {}
POINTS: dict[object, dict[float, Point]] = {}


def _usual() -> tuple[Callable[..., object], ...]:
    """Return what decides a check, as far as tests replace it."""
    return fake.FakeWorker.ask, fake.FakeWorker._answer, fake.real_answer, oracle.check, oracle.check_calls


USUAL = _usual()


def check(subject: Subject, worker: Worker) -> Check:
    """Check a kernel, a built-in one as it was checked before; what the worker reads from its code is asked again."""
    if not (
        type(worker) is fake.FakeWorker and isinstance(subject, Kernel) and subject.is_built_in and _usual() == USUAL
    ):
        return CHECK(subject, worker)
    if subject.identity not in CHECKS:
        CHECKS[subject.identity] = CHECK(subject, worker)
        return CHECKS[subject.identity]
    code = worker.ask(Inspect(subject.identity.at(1).id)).code
    return replace(CHECKS[subject.identity], code=code)


def show_table(table: Table, console: Console | None = None) -> None:
    """Print a table, plain text as it was laid out before."""
    console = console or terminal._console()
    if console.is_terminal or console.color_system:
        SHOW_TABLE(table, console)
        return
    key = table, console.width, console.soft_wrap
    if key not in TABLES:
        file = io.StringIO()
        alike = Console(file=file, width=console.width, highlight=False, color_system=None, soft_wrap=console.soft_wrap)
        SHOW_TABLE(table, alike)
        TABLES[key] = file.getvalue()
    console.file.write(TABLES[key])


def remember(patch: pytest.MonkeyPatch) -> None:
    """Replace the check and the layout of tables by these."""
    patch.setattr(checking, "_check", check)
    patch.setattr(terminal, "show_table", show_table)


def remember_truths(patch: pytest.MonkeyPatch) -> None:
    """Let activations that share a built-in definition, as those with a strategy of a test's do, share its points."""
    begin, evaluate = Exact.__init__, Exact._at

    def begin_with_points(exact: Exact, activation: Activation) -> None:
        begin(exact, activation)
        vars(exact)["evaluated"] = _points(activation)

    def at(exact: Exact, z: float) -> Point:
        evaluated: dict[float, Point] = vars(exact)["evaluated"]
        if z not in evaluated:
            evaluated[z] = evaluate(exact, z)
        return evaluated[z]

    patch.setattr(Exact, "__init__", begin_with_points)
    patch.setattr(Exact, "_at", at)


def _points(activation: Activation) -> dict[float, Point]:
    """Return what was evaluated of the definition of an activation: of a built-in one, all that was in this process."""
    definition = activation.formulas.definition
    if not (getattr(definition, "__module__", None) or "").startswith("actbench.activations."):
        return {}
    decisive = (activation.name, definition.__code__, (*activation.formulas.kinks.items(),), activation.first is None)
    return POINTS.setdefault(decisive, {})
