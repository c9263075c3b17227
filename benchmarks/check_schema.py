"""Write the JSON Schema of reports of `actbench check`: `python -m benchmarks.check_schema`."""

from __future__ import annotations

from pathlib import Path

from actbench.report import verdict_json
from actbench.report.json_text import json_text

FILE = Path(verdict_json.__file__).with_name("check.schema.json")


def text() -> str:
    """Return the schema as it is written."""
    return json_text(verdict_json.schema()) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
