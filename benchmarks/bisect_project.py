"""A repository of a small package with native work, in one commit of which, or in none, that work takes longer."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CASE = "logistic/native/numpy/backward/float64/30000"

NATIVE = """\
/* commit {number} */
#include <math.h>

__attribute__((noinline)) static void pass(double *out, const double *dy, const double *y, long size)
{{
    for (long i = 0; i < size; i++) {{
        double root = sqrt(y[i] * (1.0 - y[i]));
        out[i] = dy[i] * root * root;
    }}
}}

void backward(double *out, const double *dy, const double *y, long size)
{{
    pass(out, dy, y, size);
    pass(out, dy, y, (long)(size * {share}));
}}
"""

KERNELS = '''\
"""The package's kernel."""

import ctypes

import native_work

from actbench import Flaw, Weakness, kernel

backward = ctypes.CDLL(native_work.LIBRARY).backward
backward.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long)

SATURATED = Weakness(Flaw.CANCELS, "1 - y loses the bits of the small side", lambda z, _: z > 1)


@kernel("logistic", "native", keeps=("y",), backends=("numpy",), dtypes=("float64",), weaknesses=(SATURATED,))
def logistic(dy, y, out):
    """keep y; C through ctypes"""
    backward(out.ctypes.data, dy.ctypes.data, y.ctypes.data, y.size)
'''

PACKAGE = """\
from pathlib import Path

LIBRARY = str(Path(__file__).with_name("work.so"))
"""

PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

BACKEND = '''\
"""Compiles the package, and builds a wheel by hand, which shows the numpy that is here: no index is needed."""

import pathlib
import subprocess
import tempfile
import zipfile

NUMPY = {numpy!r}


def compile_into(directory):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "__init__.py").write_text(pathlib.Path("package.py").read_text())
    library = str(directory / "work.so")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, "native.c", "-lm"], check=True)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name, info = "native_work-1.0-py3-none-any.whl", "native_work-1.0.dist-info"
    texts = {{
        "project.pth": NUMPY + "\\n",
        f"{{info}}/METADATA": "Metadata-Version: 2.1\\nName: native-work\\nVersion: 1.0\\n",
        f"{{info}}/WHEEL": "Wheel-Version: 1.0\\nGenerator: here\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(f"{{wheel_directory}}/{{name}}", "w") as wheel:
        package = pathlib.Path(place, "native_work")
        compile_into(package)
        for file in sorted(package.iterdir()):
            wheel.write(file, f"native_work/{{file.name}}")
        names = [*wheel.namelist(), *texts, f"{{info}}/RECORD"]
        texts[f"{{info}}/RECORD"] = "".join(f"{{file}},,\\n" for file in names)
        for file, text in texts.items():
            wheel.writestr(file, text)
    return name


if __name__ == "__main__":
    compile_into(pathlib.Path("..", "installed", "native_work"))
'''


@dataclass(frozen=True)
class Project:
    """A repository, and the place where its package is installed for the environment here."""

    directory: Path
    commits: tuple[str, ...]
    """Hashes, the oldest first."""

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables for commands in it: its package here, and caches of its own."""
        place = self.directory.parent
        return os.environ | {
            "PYTHONPATH": str(place / "installed"),
            "XDG_CACHE_HOME": str(place / "caches"),
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it."""
        return subprocess.run(
            command, cwd=self.directory, env=self.variables, capture_output=True, text=True, check=False
        )


def project(place: Path, commits: int, culprit: int | None, share: float) -> Project:
    """Make a repository in an empty directory, whose native work takes `share` longer from commit `culprit` on."""
    numpy = place / "numpy"
    numpy.mkdir()
    for entry in Path(np.__file__).parents[1].glob("numpy*"):
        (numpy / entry.name).symlink_to(entry)
    made = Project(place / "project", ())
    made.directory.mkdir()
    texts = {"pyproject.toml": PROJECT, "package.py": PACKAGE, "kernels.py": KERNELS}
    texts["backend.py"] = BACKEND.format(numpy=str(numpy))
    for name, text in texts.items():
        (made.directory / name).write_text(text)
    made.run("git", "init", "--quiet", "--initial-branch=main")
    hashes = []
    for number in range(commits + 1):
        slower = culprit is not None and number >= culprit
        text = NATIVE.format(number=number, share=share if slower else 0.0)
        (made.directory / "native.c").write_text(text)
        made.run("git", "add", ".")
        who = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org")
        made.run("git", *who, "commit", "--quiet", "--message", f"change {number}")
        hashes.append(made.run("git", "rev-parse", "HEAD").stdout.strip())
    made.run(sys.executable, "backend.py")
    return Project(made.directory, tuple(hashes))
