"""Whatever the user's own code does where it is loaded and evaluated: one line, exit code 2, nothing left behind."""

from __future__ import annotations

import ast
import builtins
import decimal
import gc
import locale
import math
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

from actbench import plugins
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerOptions
from actbench.engine.protocol import Evaluate, Source
from actbench.errors import BenchmarkError
from actbench.host import variables
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.plugins import _limit
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.unit.test_loading import HEAD, refused, write

LINE = (
    HEAD
    + """import os, sys
@activation
def line(m):
    def forward(z):
        {}
        return z + 0.0
    def recompute(z):
        {}
        return z * 0.0 + 1.0
    return Formulas(forward=forward, recompute=recompute)
"""
)

SELECTED = ("--load", "mine.py", "-a", "line", "-b", "numpy", "-d", "float64", "-n", "10", "-q", "-o", "here")


@pytest.fixture(autouse=True)
def unloaded() -> Iterator[None]:
    """Leave nothing loaded."""
    yield
    plugins.unload()


def loaded_with(text: str) -> None:
    """Load a file that does this first."""
    write(text + "\n" + LINE.format("pass", "pass"))
    plugins.load("mine.py")


# What it raises


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise GeneratorExit", "line 1 raised GeneratorExit: correct that line"),
        ("raise KeyboardInterrupt", "line 1 raised KeyboardInterrupt: correct that line"),
        ("raise SystemExit(1)", "line 1 raised SystemExit: 1: correct that line"),
        ("import os\nos._exit(1)", "line 2 raised SystemExit: os._exit(1): correct that line"),
        ("def f(): f()\nf()", "line 1 raised RecursionError: maximum recursion depth exceeded: correct that line"),
        ("raise type('Odd', (BaseException,), {})('a\\nb')", "line 1 raised Odd: a: correct that line"),
        ("raise type('E', (Exception,), {'__str__': lambda e: 1 / 0})", "line 1 raised E: correct that line"),
        ("input()", "line 1 raised EOFError: EOF when reading a line: correct that line"),
        ("x = " + "-" * 100_000 + "1", "it is not Python "),
        (
            "import os\nos.environ['MY_ALPHA']",
            "line 2 reads the environment variable MY_ALPHA, which workers do not get, so that it is hidden here, too",
        ),
    ],
)
def test_whatever_a_file_raises_is_one_line(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setenv("MY_ALPHA", "0.5")
    write(text)
    assert refused(actbench, "list", "--load", "mine.py").startswith(f"--load mine.py: {said}")


@pytest.mark.parametrize(
    "text", ["raise KeyboardInterrupt", "raise GeneratorExit", "sys.exit(1)", "os._exit(1)", "while True: pass"]
)
def test_whatever_a_definition_does_is_one_line_and_its_directory_gives_way(
    actbench: Actbench, bench: FakeBench, text: str
) -> None:
    write(LINE.format(text, "pass"))
    said = refused(actbench, "run", *SELECTED, "--timeout", "500ms")
    assert said.startswith("--load mine.py: line 6 ")
    assert bench.workers_started == 1


def test_a_definition_that_sets_mpmath_s_precision_is_refused(actbench: Actbench) -> None:
    write("import mpmath\n" + LINE.format("mpmath.mp.dps = 3", "pass"))
    assert refused(actbench, "run", *SELECTED) == (
        "--load mine.py: the definition of line sets mpmath's precision: leave it unchanged, or use 'with "
        "mpmath.workdps(...)'"
    )


def test_what_a_backend_of_the_user_s_raises_later_is_reported_with_its_line(actbench: Actbench) -> None:
    head = "from actbench.backends.numpy import Numpy\nclass Mine(Numpy):\n    name, rank = 'mine', 99\n"
    write(head + "    def unsupported(self, dtype): raise KeyError('no')\n")
    said = refused(actbench, "list", "cases", "--load", "mine.py", "-b", "mine")
    assert said == "--load mine.py: line 4 raised KeyError: 'no': correct that line"


# How long it takes


@pytest.mark.parametrize("text", ["while True: pass", "import time\ntime.sleep(1e6)"])
def test_a_file_that_does_not_end_is_reported_with_its_line(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(_limit, "SECONDS", 0.2)
    write(text)
    line = text.count("\n") + 1
    assert refused(actbench, "list", "--load", "mine.py") == (
        f"--load mine.py: line {line} was still running after 0.2 s: does a loop end? (run, train and check take "
        "--timeout)"
    )
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_one_that_catches_everything_ends_the_process(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(code: int) -> None:
        raise ValueError(code)

    monkeypatch.setattr(os, "_exit", ended)
    alarm = _limit._Alarm(lambda: "it does not end")
    for _ in range(_limit.MOST_ALARMS):
        with pytest.raises(_limit.TimeUpError):
            alarm(signal.SIGALRM, None)
    with pytest.raises(ValueError, match="2"):
        alarm(signal.SIGALRM, None)
    assert capfd.readouterr().err == "actbench: it does not end\n"


# What it leaves behind


def umask() -> int:
    """Return the umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


STATES: dict[str, tuple[Callable[[], Any], str]] = {
    "numpy's error handling": (np.geterr, "import numpy as np\nnp.seterr(all='raise')"),
    "the recursion limit": (sys.getrecursionlimit, "import sys\nsys.setrecursionlimit(150)"),
    "stdout": (lambda: (sys.stdout, sys.stdout.closed), "import sys\nsys.stdout.close()\nsys.stdout = None"),
    "descriptors": (lambda: [os.fstat(number).st_ino for number in range(3)], "import os\nos.closerange(0, 3)"),
    "the directory": (os.getcwd, "import os\nos.chdir('/')"),
    "the environment": (lambda: dict(os.environ), "import os\nos.environ['X'] = 'y'\ndel os.environ['PATH']"),
    "signals": (lambda: signal.getsignal(signal.SIGINT), "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)"),
    "the mask": (lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()), "import signal\nsignal.pthread_sigmask(0, {2})"),
    "warnings": (lambda: [*warnings.filters], "import warnings\nwarnings.simplefilter('ignore')"),
    "builtins": (lambda: builtins.sum, "import builtins\nbuiltins.sum = None"),
    "math": (lambda: math.exp, "import math\nmath.exp = None"),
    "modules": (lambda: sys.modules["click"], "import sys\nsys.modules['click'] = None"),
    "paths": (lambda: (id(sys.path), [*sys.path]), "import sys\nsys.path = []"),
    "finders": (lambda: [*sys.meta_path], "import sys\nsys.meta_path.clear()"),
    "hooks": (lambda: (sys.excepthook, threading.excepthook), "import sys, threading\nsys.excepthook = threading.excepthook = None"),  # noqa: E501
    "arguments": (lambda: [*sys.argv], "import sys\nsys.argv.clear()"),
    "random numbers": (random.getstate, "import random\nrandom.seed(1)"),
    "decimals": (lambda: decimal.getcontext().prec, "import decimal\ndecimal.getcontext().prec = 3"),
    "mpmath's precision": (lambda: mpmath.mp.prec, "import mpmath\nmpmath.mp.dps = 3"),
    "the collector": (lambda: (gc.isenabled(), gc.get_threshold()), "import gc\ngc.disable()\ngc.set_threshold(1)"),
    "the locale": (lambda: locale.setlocale(locale.LC_ALL), "import locale\nlocale.setlocale(locale.LC_ALL, 'C')"),
    "the umask": (umask, "import os\nos.umask(0o777)"),
    "limits": (lambda: resource.getrlimit(resource.RLIMIT_NOFILE), "import resource as r\nr.setrlimit(r.RLIMIT_NOFILE, (9, r.getrlimit(r.RLIMIT_NOFILE)[1]))"),  # noqa: E501
    "os._exit": (lambda: os._exit, "import os\nos._exit = None"),
}  # fmt: skip
"""What is put back: how to look at it, and code that changes it."""


@pytest.mark.parametrize("name", STATES)
@pytest.mark.usefixtures("actbench")
def test_the_state_that_a_file_changes_is_put_back(name: str) -> None:
    look, change = STATES[name]
    before = look()
    loaded_with(change)
    assert look() == before


@pytest.mark.usefixtures("actbench")
def test_a_file_sees_the_variables_that_workers_get_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_ALPHA", "0.5")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    loaded_with("import os, pathlib\npathlib.Path('seen').write_text(repr(dict(os.environ)))")
    assert ast.literal_eval(Path("seen").read_text()) == variables.worker_environment(os.environ)
    assert os.environ["MY_ALPHA"] == "0.5"


def test_the_child_of_a_fork_goes_no_further(actbench: Actbench) -> None:
    write("import os\nos.fork()\n" + LINE.format("pass", "pass"))
    assert actbench("list", "activations", "--load", "mine.py", "-a", "line").exit_code == 0
    _, status = os.wait()
    assert os.waitstatus_to_exitcode(status) == 0


# In a worker


@pytest.mark.usefixtures("actbench")
def test_whatever_a_kernel_raises_in_a_worker_is_its_answer_and_requests_are_not_its_to_read() -> None:
    write(LINE.format("pass", "if z.size == 1: sys.exit(1)\n        if sys.stdin.read(): raise ValueError"))
    source = Source("mine.py", plugins.load("mine.py").sha256)
    kernel = KernelId("line", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    worker = WorkerProcess(WorkerOptions(None, 60.0), here())
    try:
        worker.load([source])
        with pytest.raises(BenchmarkError, match=r"^the worker raised SystemExit: 1$"):
            worker.ask(Evaluate.of(kernel, np.ones(1), np.ones(1)))
        assert worker.ask(Evaluate.of(kernel, np.ones(2), np.ones(2))).raised is None
    finally:
        worker.close()


@pytest.mark.usefixtures("actbench")
def test_a_backend_is_loaded_before_anything_has_looked_for_the_built_in_ones() -> None:
    write("from actbench.backends.numpy import Numpy\nclass Mine(Numpy):\n    name, rank = 'mine', 99\n")
    code = (
        "from actbench import plugins, registry; plugins.load('mine.py'); print(*registry.current().additions.backends)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "mine\n"
