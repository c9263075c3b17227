"""How long a new user waits for a first answer: `python -m benchmarks.first_answer`, on a quiet host with a network.

A fresh virtual environment gets this checkout, and measures with the preset smoke. The times go to
results/reference/outputs, and from there into the tutorial.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.pages.outputs import FIRST_ANSWER, ROOT


def main() -> None:
    """Write the seconds of each step."""
    lines = []
    with TemporaryDirectory() as place:
        binaries = Path(place, "venv", "bin")
        steps: dict[str, list[str | Path]] = {
            "a virtual environment": [sys.executable, "-m", "venv", "venv"],
            "python -m pip install .": [binaries / "python", "-m", "pip", "install", "--quiet", ROOT],
            "actbench run --preset smoke": [binaries / "actbench", "run", "--preset", "smoke", "--quiet"],
        }
        for name, words in steps.items():
            started = time.perf_counter()
            subprocess.run(words, cwd=place, check=True, stdout=subprocess.DEVNULL)
            lines.append(f"{time.perf_counter() - started:.0f} s  {name}\n")
    FIRST_ANSWER.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
