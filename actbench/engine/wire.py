"""The encoding of requests and answers: one JSON object per line; the worker's side uses the standard library only.

A request is ``{"request": name, field: value, ...}``; the reply is ``{"answer": {field: value, ...}}`` or ``{"error":
sentence}``.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from enum import EnumType
from functools import cache, partial
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin, get_type_hints

A = TypeVar("A")

REQUESTS: dict[str, type[Request[Any]]] = {}
"""The types of requests, by their names in JSON."""


@dataclass(frozen=True)
class Request(Generic[A]):
    """A request of the conductor to a worker: a frozen dataclass ``class Evaluate(Request[Evaluated])``.

    Fields are plain values, enumerations, dataclasses, named tuples of plain values, and tuples and dicts of these.
    """

    __slots__ = ()

    name: ClassVar[str]
    """Its name in JSON: ``LocateDevice`` is ``locate-device``."""

    answer_type: ClassVar[type[Any]]
    """The dataclass of its answer."""

    def __init_subclass__(cls) -> None:
        """Register the request by its name, with the type of its answer."""
        (base,) = vars(cls)["__orig_bases__"]
        (cls.answer_type,) = get_args(base)
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        REQUESTS[cls.name] = cls


@dataclass(frozen=True, slots=True)
class PackedArray:
    """An array in transit: dtype, shape and raw bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: str

    @classmethod
    def pack(cls, array: Any) -> PackedArray:
        """Wrap a numpy array."""
        return cls(str(array.dtype), array.shape, b64encode(array.tobytes()).decode())

    def unpack(self) -> Any:
        """Return the numpy array."""
        import numpy as np

        from actbench.model.number_formats import numpy_dtype

        return np.frombuffer(b64decode(self.data), dtype=numpy_dtype(self.dtype)).reshape(self.shape)


def decoded_request(line: str) -> Request[Any]:
    """Return the request of a line; `KeyError` or `TypeError` where this version has none like it."""
    fields = json.loads(line)
    kind: Any = REQUESTS[fields.pop("request")]
    request: Request[Any] = _decoder(kind)(fields)
    return request


def encoded_answer(answer: Any) -> str:
    """Return the line that represents an answer."""
    return json.dumps({"answer": asdict(answer)}) + "\n"


def encoded_error(sentence: str, *, refused: bool) -> str:
    """Return the line that represents an error; `refused` is whether it is a sentence of actbench about its input."""
    sentence = sentence.encode(errors="backslashreplace").decode()  # lone surrogates are no JSON
    return json.dumps({"error": sentence} | ({"refused": True} if refused else {})) + "\n"


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    """Return a function that converts a value from JSON to a type."""
    if isinstance(kind, EnumType):
        return kind
    if isinstance(kind, type) and is_dataclass(kind):
        return partial(_dataclass, kind, get_type_hints(kind))
    if hasattr(kind, "_make"):  # a named tuple of plain values
        return partial(tuple.__new__, kind)
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        return lambda items: tuple(map(_decoder(arguments[0]), items))
    if get_origin(kind) is dict:
        return lambda items: {key: _decoder(arguments[1])(item) for key, item in items.items()}
    return lambda plain: plain


def _dataclass(kind: Callable[..., Any], hints: dict[str, Any], values: dict[str, Any]) -> Any:
    return kind(**{name: _decoder(hints[name])(value) for name, value in values.items()})
