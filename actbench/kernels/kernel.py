"""Bind a formula, an op, a backend and a dtype to something that can be called on arrays.

`prepare` is the one way from a case to a call: workers time what it returns, the oracle checks it, and
``actbench show`` prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from actbench import backends, registry
from actbench.backends import Backend, Bound, narrowed, numpy_dtype
from actbench.errors import InputError, unknown
from actbench.kernels import overhead
from actbench.model.cases import OVERHEAD, Case, Kernel
from actbench.model.checks import Compiled
from actbench.model.names import Dtype, Op
from actbench.model.residuals import split
from actbench.model.rule import Dialect, Rule, names_used
from actbench.plugins import with_room
from actbench.plugins.by_name import by_name

Array = NDArray[Any]

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector register."""

PAGE = 4096
"""Bytes: a memory page, and the distance at which addresses alias."""

PHASES = 4
"""Where in a cache line an allocated array may start: allocators give multiples of 16 bytes."""

PHASED = 1 << 20
"""Bytes of the largest array whose phase is controlled: above, memory limits a kernel, not its alignment."""

CHUNK_HEADER = 8
"""Bytes that glibc's malloc puts before an array."""

SHIFTS = 8
"""How often a result is moved at most, until it starts in the phase that was asked for."""

PIECE = 1 << 14
"""Elements: a piece with its temporaries fits an L2 cache."""

SPAN = 1 << 20
"""Bytes over which the start of an array is spread: 256 pages, more than the page colours of an L2 cache."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """``function(*arguments)`` is one call of a case; it writes `outputs`, or returns them where that is None."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    outputs: tuple[Array, ...] | None = None
    release: Callable[[Any], Array] = np.asarray
    """Makes a numpy array of a returned output."""

    def results(self) -> list[Array]:
        """Call once and return the outputs as arrays: the derivative, or dz, or (y, ..., dz) of a step.

        What was written before is overwritten by NaN, so that a call which writes nothing cannot pass as right.
        """
        for output in self.outputs or ():
            output.fill(np.nan)
        returned = self.function(*self.arguments)
        if returned is None:
            return list(self.outputs or ())
        return [self.release(output) for output in (returned if isinstance(returned, tuple) else (returned,))]

    def result_address(self) -> int | None:
        """Call once and return where the last output starts, and will start again; None if the call allocates none."""
        returned = self.function(*self.arguments)
        last = returned[-1] if isinstance(returned, tuple) else returned
        return last.ctypes.data if isinstance(last, np.ndarray) else None


def rule(kernel: Kernel) -> Rule:
    """Return the kernel's formulas as its backend executes them; `InputError` for unknown names."""
    activation = registry.activation(kernel.activation)
    backend = registry.backend(kernel.backend)
    strategy, storage = split(kernel.strategy)
    if strategy not in activation.strategies:
        raise unknown(f"strategy of {activation.name}", strategy, activation.strategies)
    reason = refusal(kernel)
    if reason:
        raise InputError(f"{kernel.id} does not exist: {reason}")
    found = activation.rule(strategy, backend.dialect, backend.namespace())
    found = replace(found, library_gradient=backend.library_gradient(activation.name, strategy))
    return narrowed(found, backend.conversion(storage, kernel.dtype)) if storage else found


@by_name
@cache
def is_built_in(kernel: Kernel) -> bool:
    """Say whether a kernel is actbench's own code alone, and not a formula or a backend of the user's."""
    strategy, _ = split(kernel.strategy)
    formula = registry.activation(kernel.activation).rule(strategy, Dialect.ARRAY, None).derivative
    modules = (
        getattr(formula, "__module__", ""),
        type(registry.backend(kernel.backend)).__module__,
    )
    return all(module.startswith("actbench.") for module in modules)


def refusal(kernel: Kernel) -> str | None:
    """Why a strategy that the activation has does not exist on its backend, or None where it does."""
    backend = registry.backends()[kernel.backend]
    strategy, storage = split(kernel.strategy)
    reason = backend.refusal(kernel.dtype) or (storage and backend.storage_refusal(storage, kernel.dtype))
    if reason or not backend.lacks:
        return reason or None
    found = registry.activation(kernel.activation).rule(strategy, backend.dialect, None)
    executed = [found.save or found.forward, found.derivative] if kernel.op is Op.STEP else [found.derivative]
    missing = {*backend.lacks} & {name for formula in executed for name in names_used(formula)}
    if not missing:
        return None
    because = f": {backend.lacks_because}" if backend.lacks_because else ""
    return f"{backend.name} has no {' and no '.join(sorted(missing))}{because}"


@by_name
@cache
def bind(kernel: Kernel) -> Bound:
    """Return the kernel's callable, compiled once a process."""
    if kernel.is_rung:
        return overhead.bind(kernel)
    return registry.backend(kernel.backend).bind(kernel.op, rule(kernel), kernel.dtype)


def compiled(kernel: Kernel) -> Compiled | None:
    """Return what the compiler made of a kernel; None where nothing is compiled, or there is no formula."""
    chosen = overhead.step(kernel) if kernel.is_rung else rule(kernel)
    if not isinstance(chosen, Rule):
        return None
    return registry.backend(kernel.backend).compiled(bind(kernel), kernel.op, chosen, kernel.dtype)


def bind_at(case: Case) -> Bound:
    """Return the kernel's callable for arrays of one size, compiled for it where its backend does that."""
    bound = bind(case.kernel)
    return bound if bound.specialise is None else _specialised(bound.specialise, case)


@by_name
@cache
def _specialised(specialise: Callable[[tuple[Any, ...]], Bound], case: Case) -> Bound:
    """Compile with operands of the size, each of its own, once a process."""
    backend = registry.backend(case.backend)
    names = inputs(case.op, rule(case.kernel).residuals)
    return specialise(tuple(backend.adopt(np.ones(case.size, dtype_of(name, case.dtype))) for name in names))


@by_name
@cache
def takes_read_only(kernel: Kernel) -> bool:
    """Say whether a kernel can be called on operands that it cannot write to, so that it spoils them for no other."""
    backend = registry.backend(kernel.backend)
    if not backend.protects:
        return False
    chosen = rule(kernel)
    operands = Operands(kernel.activation, np.linspace(-1.0, 1.0, 8, dtype=kernel.dtype))
    arrays = [with_room(operands.array(kernel.strategy, name)) for name in inputs(kernel.op, chosen.residuals)]
    for array in arrays:
        array.flags.writeable = False
    written = [np.empty(8, dtype_of(name, kernel.dtype)) for name in outputs(kernel.op, chosen.saved)]
    try:
        with np.errstate(all="ignore"):
            bind(kernel).function(*(written if backend.preallocates else ()), *map(backend.adopt, arrays))
    except Exception:  # noqa: BLE001  # a user's own code may raise anything; if it is wrong, the oracle says so
        return False
    return True


def inputs(op: Op, residuals: tuple[str, ...]) -> tuple[str, ...]:
    """Name the arrays that a call reads."""
    match op:
        case Op.DERIVATIVE:
            return residuals
        case Op.BACKWARD:
            return ("dy", *residuals)
        case Op.STEP:
            return ("z", "dy")


def outputs(op: Op, saved: tuple[str, ...]) -> tuple[str, ...]:
    """Name the arrays that a call writes: the derivative, or dz, or y, the saved residuals and dz."""
    return ("y", *saved, "dz") if op is Op.STEP else ("dz",)


def dtype_of(name: str, dtype: Dtype) -> np.dtype[Any]:
    """Return the type of an operand's elements, where arithmetic is in `dtype`: residuals may be kept in another."""
    _, storage = split(name)
    return numpy_dtype(storage or dtype)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a kernel must move, by its definition: temporaries not counted. Units: arrays of its size."""

    residuals: int
    """Arrays that the forward pass keeps."""
    streams: int
    """Arrays of the arithmetic's dtype read or written by one call, each pass over an array counted once."""
    narrow: int = 0
    """The same of narrower residuals."""


@by_name
@cache
def traffic(activation: str, strategy: str, op: Op) -> Traffic:
    """Count the arrays; the same on every backend. A step reads z and writes y, and then does its backward."""
    if activation == OVERHEAD:
        return Traffic(0, overhead.STREAMS.get(strategy, 0))
    plain, storage = split(strategy)
    chosen = registry.activation(activation).rule(plain, Dialect.SCALAR, None)
    kept = len(chosen.residuals)
    if storage:
        own, passes = {Op.DERIVATIVE: (1, 1), Op.BACKWARD: (2, 1), Op.STEP: (4, 2)}[op]
        return Traffic(kept, own, passes * kept)
    streams = {
        Op.DERIVATIVE: kept + 1,
        Op.BACKWARD: kept + 2,
        Op.STEP: 2 + len(chosen.saved) + kept + 2,
    }[op]
    return Traffic(kept, streams)


class Operands:
    """The inputs of one block and the residuals that its arms read, each made once and shared."""

    def __init__(
        self, activation: str, z: Array, dy: Array | None = None, residuals: Mapping[str, Array] | None = None
    ) -> None:
        """Take the inputs: one-dimensional, of one dtype. Without dy, it is z in another order.

        `residuals` are those of one strategy, by name, in place of what the forward pass gives.
        """
        self._activation = activation
        self._arrays = {"z": z} if dy is None else {"z": z, "dy": dy}
        self._given = residuals or {}
        self.nbytes = z.nbytes
        self._adopted: dict[tuple[str, str], Any] = {}

    @classmethod
    def drawn(cls, activation: str, dtype: Dtype, size: int, seed: int) -> Operands:
        """Draw z, and with it dy, from N(0, 1)."""
        return cls(activation, np.random.default_rng(seed).standard_normal(size, dtype=np.dtype(dtype).type))

    def array(self, strategy: str, name: str) -> Array:
        """Return z, dy or a residual.

        Residuals are what was given, or what numpy's forward pass gives for z, rounded to the type they are kept in.
        """
        if name in self._given:
            return self._given[name]
        key = operand_key(strategy, name)
        if key not in self._arrays:
            plain, storage = split(name)
            if storage:
                with np.errstate(all="ignore"):
                    made = {key: self.array(strategy, plain).astype(numpy_dtype(storage))}
            else:
                made = {"dy": np.roll(self._arrays["z"], 1)} if name == "dy" else self._forward(strategy)
            self._arrays = made | self._arrays
        return self._arrays[key]

    def _forward(self, strategy: str) -> dict[str, Array]:
        """Return y, and what the strategy saves beside it; piece by piece, which spares the memory bus."""
        plain, _ = split(strategy)
        chosen = registry.current().activation(self._activation).rule(plain, Dialect.ARRAY, backends.namespace("numpy"))
        names = ("y", *(operand_key(strategy, name) for name in chosen.saved))
        z = self._arrays["z"]
        kept = {name: np.empty_like(z) for name in names}
        for start in range(0, z.size, PIECE):
            piece = slice(start, start + PIECE)
            with np.errstate(all="ignore"):
                results = chosen.save(z[piece]) if chosen.save else (chosen.forward(z[piece]),)
            for name, result in zip(names, results, strict=True):
                kept[name][piece] = result
        return kept

    def adopted(self, backend: Backend, strategy: str, name: str) -> Any:
        """Return an operand as the backend's own kind of array, for one whose operands are not placed."""
        key = (backend.name, operand_key(strategy, name))
        if key not in self._adopted:
            self._adopted[key] = backend.adopt(self.array(strategy, name))
        return self._adopted[key]


class Placement:
    """Operands and outputs at addresses of their own, shared by the arms of a block.

    Every array starts at a random multiple of 64 bytes inside a span of 1 MiB. A random number of spacers, of about an
    array's size, occupy what the allocator would hand out next, so that temporaries move as well. Cache sets, page
    colours and 4 KiB aliasing thus change from one placement to the next, instead of favouring one arm for as long as
    the process lives.
    """

    def __init__(self, operands: Operands, rng: np.random.Generator) -> None:
        """Place nothing yet; `rng` chooses the addresses."""
        self._operands = operands
        self._rng = rng
        self._placed: dict[str, Array] = {}
        self._originals: dict[str, Array] = {}
        self._adopted: dict[tuple[str, str, bool], Any] = {}
        self._outputs: dict[tuple[int, np.dtype[Any]], Array] = {}
        self._spacers: list[Array] = []
        for _ in range(rng.integers(1, 7)):
            self._occupy(operands.nbytes + ALIGNMENT * int(rng.integers(PAGE // ALIGNMENT)))

    def operand(self, backend: Backend, strategy: str, name: str, *, writable: bool = True) -> Any:
        """Return an operand for a backend, placed where it is a numpy array or a view of one.

        All arms share it, so it is read-only unless `writable` is asked for.
        """
        if not backend.places:
            return self._operands.adopted(backend, strategy, name)
        key = (backend.name, operand_key(strategy, name), writable)
        if key not in self._adopted:
            array = self._place(strategy, name).view()
            array.flags.writeable = writable
            self._adopted[key] = backend.adopt(array)
        return self._adopted[key]

    def changed(self, windows: Sequence[slice]) -> Iterator[str]:
        """Yield the names of operands that are not what they were any more, as far as windows of them tell."""
        for key, array in self._placed.items():
            original = self._originals[key]
            if any(array[window].tobytes() != original[window].tobytes() for window in windows):
                yield key.rpartition(".")[2].partition(":")[0]

    def output(self, position: int, dtype: np.dtype[Any] | None = None) -> Array:
        """Return an array to write to, of the inputs' dtype or another.

        All arms, and the yardstick, write their k-th output to the k-th of these.
        """
        z = self._operands.array("", "z")
        key = position, dtype or z.dtype
        if key not in self._outputs:
            self._outputs[key] = self._empty(z.size, key[1])
        return self._outputs[key]

    def warm(self, invocation: Invocation, phase: int) -> None:
        """Call once or more, so that what follows is warm and the result starts at 16 x `phase` bytes in a cache line.

        Aligned stores can be a third faster: numpy's logistic from y at n = 10 000 in float64 takes 5.9 microseconds in
        phase 0 and 7.9 in the other three. A process's allocator keeps giving the same phase, so that it must be
        chosen, not left to luck. A spacer in the result's own place moves it by the missing bytes; where the allocator
        then finds a different place for it, once more. Results that a call does not allocate, and large ones, stay.
        """
        for _ in range(SHIFTS):
            address = invocation.result_address()
            if address is None or self._operands.nbytes > PHASED:
                return
            missing = (phase * ALIGNMENT // PHASES - address) % ALIGNMENT
            if not missing:
                return
            self._occupy(-(-self._operands.nbytes // ALIGNMENT) * ALIGNMENT + missing - CHUNK_HEADER)

    def _place(self, strategy: str, name: str) -> Array:
        key = operand_key(strategy, name)
        if key not in self._placed:
            array = self._originals[key] = self._operands.array(strategy, name)
            self._placed[key] = self._empty(array.size, array.dtype)
            np.copyto(self._placed[key], array)
        return self._placed[key]

    def _occupy(self, nbytes: int) -> None:
        self._spacers.append(np.empty(nbytes, dtype=np.uint8))

    def _empty(self, size: int, dtype: np.dtype[Any]) -> Array:
        nbytes = size * dtype.itemsize
        room = np.empty(nbytes + SPAN + ALIGNMENT, dtype=np.uint8)
        start = -room.ctypes.data % ALIGNMENT + ALIGNMENT * int(self._rng.integers(SPAN // ALIGNMENT))
        return room[start : start + nbytes].view(dtype)


class Memory(Protocol):
    """Where the operands and outputs of a call are."""

    def operand(self, backend: Backend, strategy: str, name: str, *, writable: bool = True) -> Any:
        """Return an operand for a backend."""

    def output(self, position: int, dtype: np.dtype[Any] | None = None) -> Array:
        """Return an array to write to, of the inputs' dtype or another."""


def prepare(case: Case, placement: Memory) -> Invocation:
    """Return the call that a case stands for; of a yardstick, the plain copy of one array to another."""
    if case.is_yardstick:
        backend = registry.backend(case.backend)
        z = placement.operand(backend, "", "z")
        return Invocation(backend.copy(case.dtype), (backend.adopt(placement.output(0)), z))
    if case.is_rung:
        return _rung(case, placement)
    chosen = rule(case.kernel)
    backend = registry.backend(case.backend)
    function = bind_at(case).function
    writable = not takes_read_only(case.kernel)
    arguments = tuple(
        placement.operand(backend, case.strategy, name, writable=writable) for name in inputs(case.op, chosen.residuals)
    )
    if not backend.preallocates:
        return Invocation(function, arguments, release=backend.release)
    written = tuple(
        placement.output(position, dtype_of(name, case.dtype))
        for position, name in enumerate(outputs(case.op, chosen.saved))
    )
    return Invocation(function, (*map(backend.adopt, written), *arguments), written)


def _rung(case: Case, placement: Memory) -> Invocation:
    y, out = placement.operand(registry.backend(case.backend), "", "z"), placement.output(0)
    arrays = {"y": y, "y0": y[:1], "out": out, "out0": out[:1]}
    names = overhead.operands(case.kernel)
    written = tuple(arrays[name] for name in names if name in {"out", "out0"})
    return Invocation(bind(case.kernel).function, tuple(arrays[name] for name in names), written or None)


def operand_key(strategy: str, name: str) -> str:
    """Return what tells an operand from the others of a block: all strategies share z, dy and y."""
    shared = name.partition(":")[0] in {"z", "dy", "y"}
    return name if shared else f"{split(strategy)[0]}.{name}"
