"""oneDNN's C API by ctypes: what elementwise primitives on the processor need of it, and no more.

Sources: ``dnnl.h`` and ``dnnl_types.h`` of oneDNN 3. All arrays are of float32 and have one dimension. Primitives and
memory objects are made once and destroyed with the Python objects that hold them; a call only executes.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from ctypes import CDLL, POINTER, Array, Structure, byref, c_float, c_int, c_int64, c_size_t, c_void_p
from enum import IntEnum
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np

from actbench.errors import BenchmarkError

FILE = "libdnnl.so.3"
"""The name of the library with the API of oneDNN 3."""

PROCESSOR, IN_ORDER, FLOAT32, ONE_DIMENSION, TRAINING = 1, 1, 3, 2, 64
"""dnnl_cpu, dnnl_stream_in_order, dnnl_f32, dnnl_a and dnnl_forward_training."""

ERRORS = {1: "out of memory", 2: "invalid arguments", 3: "unimplemented", 5: "runtime error"}
"""What dnnl_status_t says."""


class Role(IntEnum):
    """What an array is for a primitive: DNNL_ARG_SRC and so on."""

    SRC = 1
    DST = 17
    DIFF_SRC = 129
    DIFF_DST = 145


class EltwiseKind(IntEnum):
    """The algorithms, dnnl_alg_kind_t, under their names in dnnl::algorithm."""

    eltwise_relu = 0x20
    eltwise_tanh = 0x21
    eltwise_elu = 0x22
    eltwise_linear = 0x26
    eltwise_soft_relu = 0x27
    eltwise_hardsigmoid = 0x28
    eltwise_logistic = 0x29
    eltwise_exp = 0x2A
    eltwise_gelu_tanh = 0x2B
    eltwise_swish = 0x2C
    eltwise_clip_v2 = 0x2F
    eltwise_gelu_erf = 0x31
    eltwise_mish = 0x33
    eltwise_hardswish = 0x34
    eltwise_relu_use_dst_for_bwd = 0x100
    eltwise_tanh_use_dst_for_bwd = 0x101
    eltwise_elu_use_dst_for_bwd = 0x102
    eltwise_logistic_use_dst_for_bwd = 0x104
    eltwise_exp_use_dst_for_bwd = 0x105
    eltwise_clip_v2_use_dst_for_bwd = 0x106

    @property
    def kept(self) -> Role:
        """What the backward pass reads beside the upstream gradient: z, or y."""
        return Role.DST if self.name.endswith("_use_dst_for_bwd") else Role.SRC


class ExecArgument(Structure):
    """dnnl_exec_arg_t."""

    _fields_ = (("role", c_int), ("memory", c_void_p))


class DnnlMemory:
    """A numpy array as a memory object, over the same memory."""

    def __init__(self, array: np.ndarray[Any, Any], handle: int) -> None:
        """Take the array, which must live as long, and the object's address."""
        self.array = array
        self.handle = handle


def path(distribution: str) -> Path | None:
    """Return the file of the library that an installed distribution has; None where there is none."""
    try:
        installed = files(distribution) or ()
    except PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in installed if file.name == FILE), None)


class Dnnl:
    """The library, with an engine and a stream of the processor."""

    def __init__(self, file: Path, threads: int) -> None:
        """Load a file; its primitives are executed by so many threads, which OpenMP has."""
        self._functions = CDLL(str(file))
        self._functions.omp_set_num_threads(c_int(threads))
        self._engine = self._made("engine", c_int(PROCESSOR), c_size_t(0))
        self._stream = self._made("stream", self._engine, c_int(IN_ORDER))
        self._functions.dnnl_primitive_execute.argtypes = (c_void_p, c_void_p, c_int, POINTER(ExecArgument))

    def memory(self, array: np.ndarray[Any, Any]) -> DnnlMemory:
        """Return an array as a memory object."""
        shape = self._shape(array.size)
        made = self._made("memory", shape, self._engine, c_void_p(array.ctypes.data))
        memory = DnnlMemory(array, made.value or 0)
        weakref.finalize(memory, self._functions.dnnl_memory_destroy, made)
        self._functions.dnnl_memory_desc_destroy(shape)
        return memory

    def forward(self, kind: EltwiseKind, alpha: float, beta: float, size: int) -> Callable[..., None]:
        """Make the forward primitive of an algorithm for arrays of a size: ``call(y, z)``."""
        shape = self._shape(size)
        described = self._forward(kind, alpha, beta, shape)
        primitive = self._primitive(described, (Role.DST, Role.SRC))
        self._functions.dnnl_primitive_desc_destroy(described)
        self._functions.dnnl_memory_desc_destroy(shape)
        return primitive

    def backward(self, kind: EltwiseKind, alpha: float, beta: float, size: int) -> Callable[..., None]:
        """Make the backward primitive: ``call(dz, dy, kept)``, where `kept` is z, or y (`EltwiseKind.kept`)."""
        shape = self._shape(size)
        forward, numbers = self._forward(kind, alpha, beta, shape), (c_float(alpha), c_float(beta))
        three = (shape, shape, shape)
        described = self._made(
            "eltwise_backward_primitive_desc", self._engine, c_int(kind), *three, *numbers, forward, None
        )
        primitive = self._primitive(described, (Role.DIFF_SRC, Role.DIFF_DST, kind.kept))
        for one in (described, forward):
            self._functions.dnnl_primitive_desc_destroy(one)
        self._functions.dnnl_memory_desc_destroy(shape)
        return primitive

    def _shape(self, size: int) -> c_void_p:
        dimensions: Array[c_int64] = (c_int64 * 1)(size)
        return self._made("memory_desc", c_int(1), dimensions, c_int(FLOAT32), c_int(ONE_DIMENSION), by="_with_tag")

    def _forward(self, kind: EltwiseKind, alpha: float, beta: float, shape: c_void_p) -> c_void_p:
        numbers = (c_float(alpha), c_float(beta))
        what = (c_int(TRAINING), c_int(kind))
        return self._made("eltwise_forward_primitive_desc", self._engine, *what, shape, shape, *numbers, None)

    def _primitive(self, described: c_void_p, roles: Sequence[Role]) -> Callable[..., None]:
        """Make a primitive, and return the call that executes it on memory objects in these roles."""
        primitive = self._made("primitive", described)
        arguments = (ExecArgument * len(roles))(*(ExecArgument(role, None) for role in roles))
        execute, wait = self._functions.dnnl_primitive_execute, self._functions.dnnl_stream_wait
        stream, places = self._stream, tuple(arguments)
        placed = [0] * len(roles)

        def call(*memories: DnnlMemory) -> None:
            handles = [memory.handle for memory in memories]
            if handles != placed:  # setting one takes as long as comparing all
                placed[:] = handles
                for place, handle in zip(places, handles, strict=True):
                    place.memory = handle
            status = execute(primitive, stream, len(places), arguments) or wait(stream)
            if status:
                raise BenchmarkError(f"oneDNN: execution: {ERRORS.get(status, status)}")

        weakref.finalize(call, self._functions.dnnl_primitive_destroy, primitive)
        return call

    def _made(self, what: str, *arguments: Any, by: str = "") -> c_void_p:
        """Return the object that a function creates; `BenchmarkError` where it refuses."""
        made = c_void_p()
        status = getattr(self._functions, f"dnnl_{what}_create{by}")(byref(made), *arguments)
        if status:
            raise BenchmarkError(f"oneDNN: dnnl_{what}_create: {ERRORS.get(status, status)}")
        return made
