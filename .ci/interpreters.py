"""Check actbench on every Python that it supports and this machine has: lint, types and a sample of the tests.

``make test`` comes first: it has checked the Python of .venv with its newest libraries, more than is done here. Each of
the others gets an environment of its own with its newest libraries, and the oldest Python one more with the oldest
versions that pyproject.toml allows. Of a Python that is missing, types alone are checked. Environments are kept.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

PREFIX = "Programming Language :: Python :: 3."
"""Of the classifiers in pyproject.toml that name the supported versions."""

PROBE = """
import ensurepip, sys, sysconfig, venv
print("%d.%d" % sys.version_info[:2], "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "")
"""
"""What an interpreter must be able to do: make environments, and run what is published for its version."""

AT_A_TIME = 2
"""Environments that are made and checked at once: installing and mypy use one processor each."""


@dataclass(frozen=True)
class Job:
    """One call of make, with a title for people."""

    title: str
    arguments: tuple[str, ...]


def supported(classifiers: list[str]) -> list[str]:
    """Return the versions of Python that the classifiers name, ``3.11`` and so on, the oldest first."""
    minors = sorted(int(classifier.removeprefix(PREFIX)) for classifier in classifiers if classifier.startswith(PREFIX))
    return [f"3.{minor}" for minor in minors]


def interpreter(version: str) -> Path | None:
    """Return a Python of that version that runs: from the path, else from pyenv."""
    return next((path for path in _candidates(version) if _runs(path, version)), None)


def _candidates(version: str) -> Iterator[Path]:
    name = f"python{version}"
    directories = [*map(Path, os.get_exec_path()), *sorted(_pyenv().glob(f"versions/{version}*/bin"), reverse=True)]
    yield from (path for directory in directories if os.access(path := directory / name, os.X_OK))


def _pyenv() -> Path:
    """Return the directory in which pyenv keeps its interpreters, whether or not there is one."""
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")


def _runs(path: Path, version: str) -> bool:
    """Tell whether this is an interpreter of that version; pyenv puts scripts of the same name on the path."""
    try:
        done = subprocess.run([path, "-c", PROBE], check=False, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def jobs(versions: list[str], checked: str) -> list[Job]:
    """Return what is to be done, and print a line for every version that is left out or not there."""
    planned = []
    for version in versions:
        path = interpreter(version)
        if version == checked:
            print(f"Python {version}, newest libraries: make test has checked them", flush=True)
        elif path:
            planned.append(Job(f"Python {version}, newest libraries", ("portable", f"PYTHON={path}")))
        else:
            print(f"Python {version}: skipped, it is not on this machine; types alone are checked", flush=True)
            planned.append(Job(f"Python {version}, types alone", ("types", f"TARGET={version}")))
        if version == versions[0] and path:
            planned.append(Job(f"Python {version}, oldest libraries", ("oldest", f"PYTHON={path}")))
        elif version == versions[0]:
            print(f"Python {version}, oldest libraries: skipped, it is not on this machine", flush=True)
    return planned


def run(job: Job) -> bool:
    """Do it, print all that it printed in one piece, and tell whether it succeeded."""
    start = time.monotonic()
    make = shutil.which("make") or "make"
    done = subprocess.run(
        [make, "--no-print-directory", *job.arguments],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    end = "passed" if done.returncode == 0 else f"FAILED with status {done.returncode}"
    print(f"== {job.title}\n{done.stdout}== {job.title}: {end} after {time.monotonic() - start:.0f} s", flush=True)
    return done.returncode == 0


def main() -> int:
    """Run all jobs; return 1 where one of them failed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    planned = jobs(supported(project["classifiers"]), checked="{}.{}".format(*sys.version_info))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        succeeded = [done.result() for done in as_completed([pool.submit(run, job) for job in planned])]
    return 0 if all(succeeded) else 1


if __name__ == "__main__":
    sys.exit(main())
