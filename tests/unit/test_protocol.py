"""Requests and answers: every request is answered, and both come over the wire as they were."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

import msgspec
import numpy as np
import pytest

from actbench.engine import wire
from actbench.engine.client import _encoded
from actbench.engine.protocol import (
    Compare,
    Described,
    Evaluate,
    LocateDevice,
    Offer,
    Prepare,
    Slice,
    Start,
    Sweep,
    Time,
)
from actbench.engine.protocol_limits import MeasureLimits
from actbench.engine.wire import REQUESTS, PackedArray, Request
from actbench.engine.working.worker import HANDLERS, Server
from actbench.model.inputs import Inputs
from actbench.planning.selection import CaseQuery, Room

ARRAY = PackedArray.pack(np.array([1.0, -0.0, np.nan]))


def test_every_request_has_one_handler_which_takes_it_and_gives_its_answer() -> None:
    assert set(HANDLERS) == {*REQUESTS.values()}
    for request, handler in HANDLERS.items():
        *parameter, answer = get_type_hints(handler).values()
        assert parameter == [request]
        assert answer is request.answer_type


@pytest.mark.parametrize(
    "request_",
    [
        Start(3, 2),
        Start(None, 1),
        Compare(),
        Offer(CaseQuery("check", {"sizes": (10, 20), "ops": ("step",)}, "*/cached/*", Room(1 << 33, max_call=0.5))),
        Evaluate("tanh/cached/numpy/derivative/float64/3", ARRAY, ARRAY, {"y": ARRAY}),
        Prepare(("a", "b"), seed=7, whole=True),
        Prepare(("a",), seed=7, inputs=Inputs.parse("uniform:-8,8")),
        Time((Sweep(1, (Slice(0, 5, 3), Slice(1, 2)), move=True), Sweep(2, ()))),
        MeasureLimits((1, 2), 3),
    ],
    ids=lambda request: request.name,
)
def test_a_worker_reads_a_request_as_it_was_made(request_: Request[Any]) -> None:
    assert wire.decoded_request(_encoded(request_).decode()) == request_


def test_names_in_json_are_words_with_hyphens() -> None:
    assert LocateDevice.name == "locate-device"
    assert not {field.name for request in REQUESTS.values() for field in fields(request)} & {"request"}


def test_an_answer_is_a_line_that_has_its_type() -> None:
    answer = Described(5, {"python": "3.11"})
    line = wire.encoded_answer(answer)
    assert line.endswith("\n")
    assert msgspec.convert(msgspec.json.decode(line)["answer"], Described) == answer


def test_a_request_that_a_worker_does_not_know_is_an_error_with_its_name() -> None:
    with pytest.raises(KeyError, match="sing"):
        wire.decoded_request('{"request": "sing"}')


def test_a_worker_without_a_block_says_so() -> None:
    with pytest.raises(RuntimeError, match="no block is prepared"):
        Server().answer(Compare())
