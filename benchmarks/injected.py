"""Other environments for live checks: one that is the same in every byte, and one in which an arm is slower."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import actbench

PACKAGES = Path(np.__file__).parents[1]
"""Where this environment's packages are installed."""

SLOWING_CODE = '''

def _slowed(bind, activation, strategy, dtype, share):
    """Let one arm wait, after every call, for a share of the time that the call took."""
    from dataclasses import replace
    from time import perf_counter

    def slow_bind(self, op, rule, wanted):
        bound = bind(self, op, rule, wanted)
        derivative = rule.derivative
        if (derivative.__module__.split(".")[-1], derivative.__name__, str(wanted)) != (activation, strategy, dtype):
            return bound

        def waiting(function, factor, spared):
            def call(*arguments):
                start = perf_counter()
                result = function(*arguments)
                until = start + factor * (perf_counter() - start) - spared
                while perf_counter() < until:
                    pass
                return result

            return call

        nothing = waiting(lambda *arguments: None, 1.0, 0.0)
        begun = perf_counter()
        for _ in range(10000):
            nothing()
        own = (perf_counter() - begun) / 10000
        return replace(bound, function=waiting(bound.function, 1.0 + share, own))

    return slow_bind


'''


def slowed_environment(place: Path, case: str, share: float) -> Path:
    """Return an interpreter in which the case's kernel takes `share` longer; `place` is an empty directory."""
    activation, strategy, backend, _, dtype, _ = case.split("/")
    copy = place / "altered" / "actbench"
    shutil.copytree(Path(actbench.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    module = copy / "backends" / f"{backend}.py"
    name = backend.capitalize() if backend != "numpy" else "Numpy"
    text = module.read_text() + SLOWING_CODE
    text += f"{name}.bind = _slowed({name}.bind, {activation!r}, {strategy!r}, {dtype!r}, {share!r})\n"
    module.write_text(text)
    return _environment(place, f"{copy.parent}\n{PACKAGES}\n")


def twin_environment(place: Path) -> Path:
    """Return an interpreter with copies of all files that this one has installed; `place` is an empty directory."""
    packages = place / "packages"
    shutil.copytree(PACKAGES, packages, ignore=shutil.ignore_patterns("__editable__*", "*.pth"))
    shutil.copytree(Path(actbench.__file__).parent, packages / "actbench", dirs_exist_ok=True)
    return _environment(place, f"{packages}\n")


def _environment(place: Path, paths: str) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "environment"], check=True)
    (packages,) = (place / "environment").glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(paths)
    return place / "environment" / "bin" / "python"
