"""Do the tests notice? Faults put into statistics, verdicts, oracle, archive and planning, one by one: an hour or two.

    python -m benchmarks.mutants [WORD]...

Each mutant changes one expression in a copy of the project and runs the quick tests of its module and of the modules
that import it. Killed: a test fails. Survived: none does, and one is missing. With words, only the mutants are run
whose file or text contains one of them. Ends with 1 where a mutant survived.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.mutations import MUTANTS, TESTS, Mutant

ROOT = Path(__file__).parents[1]

COPIED = (
    "actbench",
    "benchmarks",
    "docs",
    "tests",
    ".ci",
    ".github",
    "results",
    "pyproject.toml",
    "Makefile",
    "README.md",
)

TEST_TIMEOUT = 1200.0
"""Seconds after which a mutant that hangs counts as killed."""


def main(words: list[str]) -> int:
    """Print one line a mutant; return 1 where one survived."""
    mutants = [mutant for mutant in MUTANTS if not words or any(word in repr(mutant) for word in words)]
    if faults := [fault for mutant in MUTANTS if (fault := problem(mutant))]:
        raise SystemExit("\n".join(faults))
    with TemporaryDirectory() as place:
        copy = Path(place)
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy / name)
        files = dict.fromkeys(test for mutant in mutants for test in TESTS[mutant.file])
        if failed := failing(copy, tuple(files)):
            raise SystemExit(f"tests fail without any mutant: {failed}")
        survived = [mutant for mutant in mutants if not killed(copy, mutant)]
    print(f"{len(mutants)} mutants, {len(mutants) - len(survived)} killed, {len(survived)} survived")
    return 1 if survived else 0


def problem(mutant: Mutant) -> str | None:
    """Return what makes a mutant unusable; None for one that can be made."""
    count = (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.original)
    if count != 1:
        return f"{mutant.file}: {mutant.original!r} is there {count} times, not once"
    missing = [test for test in TESTS[mutant.file] if not (ROOT / test).is_file()]
    return f"{mutant.file}: no such tests: {', '.join(missing)}" if missing else None


def killed(copy: Path, mutant: Mutant) -> bool:
    """Apply a mutant, run its tests, take it back, and tell whether a test failed."""
    path = copy / mutant.file
    text = path.read_text(encoding="utf-8")
    start = time.monotonic()
    path.write_text(text.replace(mutant.original, mutant.mutated), encoding="utf-8")
    try:
        failed = failing(copy, TESTS[mutant.file])
    finally:
        path.write_text(text, encoding="utf-8")
    change = f"{mutant.file}: {mutant.original} -> {mutant.mutated}"
    word = f"killed by {failed}" if failed else "SURVIVED"
    print(f"{change}\n    {word} after {time.monotonic() - start:.0f} s", flush=True)
    return bool(failed)


def failing(copy: Path, tests: tuple[str, ...]) -> str:
    """Return the first test that fails, or nothing."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy)}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, check=False, capture_output=True, text=True, timeout=TEST_TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return "a test that hangs"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0].split(" - ")[0] if lines else f"pytest, which ends with {done.returncode}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
