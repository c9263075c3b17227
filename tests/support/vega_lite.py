"""Vega-Lite's schema, of which altair has a copy."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema


@cache
def _validator() -> Any:
    """Return what validates by the schema; importing altair itself would take longer than a chart's validation."""
    spec = importlib.util.find_spec("altair")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (path,) = Path(spec.submodule_search_locations[0]).glob("vegalite/v*/schema/vega-lite-schema.json")
    return jsonschema.Draft7Validator(json.loads(path.read_text(encoding="utf-8")))


def forbidden(chart: Mapping[str, Any]) -> list[str]:
    """Return what the schema does not allow in a specification, in its words: nothing where it allows all of it.

    The words are those of every alternative of what does not fit.
    """
    todo, messages = [*_validator().iter_errors(chart)], list[str]()
    while todo:
        error = todo.pop()
        messages.append(error.message)
        todo += error.context
    return messages
