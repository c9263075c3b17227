"""One name, one thing: no two classes of the package have the same name, private ones included."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.support.sources import FILES, PACKAGE, statements


def test_no_two_classes_have_the_same_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in FILES:
        for node in statements(path):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert len(places) > 100
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
