"""How many sets of operands a cold block needs, and the memory that they take.

A set is touched again only after others of `TIMES_CACHE` times the capacity of the last-level cache, counting for each
call the bytes of the kernel that touches the fewest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DA, DB, DY, RESULT, Operand
from actbench.kernels.placement import PAGE
from actbench.kernels.subject import Subject
from actbench.model.names import Op, OperandState

TIMES_CACHE = 2
"""A set is touched again only after others of so many times the capacity of the last-level cache."""

MOST_SETS = 8192
"""With more, the Python objects around the arrays would come from memory too, and take as long as small arrays do."""

PARTS_OF_STEP = 2
"""Passes of a step over every set; each comes at least a cache's passing after the other."""

STAYING = frozenset(operand.name for operand in (DY, RESULT, DA, DB))
"""What residuals-cold operands leave in cache: the upstream gradient, and the gradients that are computed from it."""

CALL_BYTES = 1024
"""About what the Python objects of a call take, which are made once a set."""


def sharing(subjects: Iterable[Subject]) -> Mapping[str, Sequence[Subject]]:
    """Return the subjects that share their sets: those on numpy's arrays, and those of every other backend."""
    shared: dict[str, list[Subject]] = {}
    for subject in subjects:
        shared.setdefault(memory_of(subject), []).append(subject)
    return shared


def memory_of(subject: Subject) -> str:
    """Return what tells the memory of a subject's operands: nothing where it is numpy's, else its backend."""
    return "" if subject.backend.places else subject.backend.name


def count(subjects: Sequence[Subject], state: OperandState, size: int, cache: int, rows: int = 1) -> int:
    """Return how many sets subjects that share them need, so that they pass the cache in front of their memory.

    `cache` are the bytes of the processor's. The subject whose calls touch the fewest bytes decides.
    """
    passed = cache_in_front(subjects, cache)
    touched = [touched_bytes(subject, state, size, rows) for subject in subjects]
    return needed(passed, min(filter(None, touched), default=passed), subjects[0].op)


def cache_in_front(subjects: Sequence[Subject], cache: int) -> int:
    """Return the bytes of the last cache in front of the memory of these subjects, which share it.

    `cache` are those of the processor's. A device has another one.
    """
    return subjects[0].backend.cache_bytes() or cache


def needed(cache: int, touched: int, op: Op) -> int:
    """Return how many sets there must be where a call touches so many bytes of one, and the cache has `cache` bytes."""
    sets = 1 + -(-TIMES_CACHE * cache // touched)
    return PARTS_OF_STEP * sets if op is Op.STEP else sets


def rotating(subject: Subject, state: OperandState) -> tuple[Operand, ...]:
    """Return the operands and outputs of a subject that are of another set in every call."""
    if state is OperandState.COLD:
        return subject.touches
    return tuple(operand for operand in subject.touches if operand.name not in STAYING)


def touched_bytes(subject: Subject, state: OperandState, size: int, rows: int = 1) -> int:
    """Return the bytes that a call of a subject touches of a set of `size` elements in so many rows."""
    return _bytes(subject, rotating(subject, state), size, rows)


def set_bytes(subjects: Sequence[Subject], state: OperandState, size: int, rows: int = 1) -> int:
    """Return the bytes of one set of `size` elements in so many rows, of subjects that share it.

    What the forward pass of a step keeps is part of it, once a kernel. So is the distance between arrays (`Rotation`).
    """
    kernels = [subject for subject in subjects if isinstance(subject, Kernel)]
    stored = {(kernel, operand) for kernel in kernels for operand in kernel.stores}
    shared = {
        operand: subject
        for subject in subjects
        for operand in rotating(subject, state)
        if (subject, operand) not in stored
    }
    arrays = sum(_bytes(subject, [operand], size, rows) for operand, subject in shared.items())
    kept = sum(_bytes(kernel, kernel.writes[: -len(kernel.gradients)], size, rows) for kernel in kernels)
    calls = sum(PARTS_OF_STEP if subject.op is Op.STEP else 1 for subject in subjects)
    return arrays + kept + (len(shared) + len(stored)) * PAGE // 2 + calls * CALL_BYTES


def _bytes(subject: Subject, operands: Iterable[Operand], size: int, rows: int) -> int:
    bytes_of = subject.backend.operand_bytes
    return sum(operand.elements(size, rows) * bytes_of(operand.dtype(subject.dtype)) for operand in operands)
