"""Show that right kernels in other styles than actbench's are accepted, and cheats refused.

    python -m benchmarks.judge [-s NAME] [--as-kernels]

The files of `judged/` are a user's, as they are given to ``--load``. Every kernel that they declare is judged as in a
run: checked by the oracle, compared on the operands that are timed, timed, and looked at after the timed values. With
``--as-kernels``, their formulas are judged as callables over arrays, as ``@kernel`` declares them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from actbench import plugins, registry
from actbench.backends import namespace
from actbench.model.cases import Arm, Block
from actbench.model.names import WIDE, Op
from actbench.model.rule import Dialect
from actbench.model.variants import Variant
from tests.support.judged import refusal, with_kernel

JUDGED_FILES = Path(__file__).with_name("judged")
"""What is judged; a file's name begins with the verdict that its kernels should get."""

WRONG_KERNEL = 4
"""The exit code of a run that refuses a kernel."""

JUDGED_SIZES = (1000, 10_000)

OPS = {"right": tuple(Op), "right_printed": (Op.DERIVATIVE, Op.BACKWARD), "wrong": (Op.DERIVATIVE,)}
"""By file, or the first word of its name, the ops that are judged: y as it is printed is not right."""

OTHERWISE = {
    "forgets-dy": (Op.BACKWARD,),
    "reverses-dy": (Op.BACKWARD,),
    "swaps-dy": (Op.BACKWARD,),
    "saves-another-y": (Op.STEP,),
    "saves-another-y-when-large": (Op.STEP,),
}
"""The op in which a mistake shows, where that is not the derivative."""

BY_COMMAND = (
    "right_ways/logistic/by-njit",
    "right_printed/log-cosh/recompute",
    "wrong_behaviour/logistic/in-place",
    "wrong_numbers/logistic/large-n",
)
"""What goes through the command line as well."""


@dataclass(frozen=True, slots=True)
class Item:
    """A kernel that a user's file declares."""

    file: str
    activation: str
    strategy: str
    backend: str

    @property
    def id(self) -> str:
        """Say which one it is."""
        return f"{self.file}/{self.activation}/{self.name}"

    @property
    def name(self) -> str:
        """Return the name of what is the user's."""
        return self.strategy if self.backend == "numpy" else self.backend

    @property
    def is_formula(self) -> bool:
        """Say whether it is a formula of what the forward pass gives anyway."""
        rule = registry.activation(self.activation).rule(self.strategy, Dialect.ARRAY, namespace("numpy"))
        return self.backend == "numpy" and rule.save is None

    def as_kernel(self) -> Item:
        """Return its formula as a callable over arrays, after declaring that."""
        activation, name = registry.activation(self.activation), f"{self.strategy}.kernel"
        function = activation.rule(self.strategy, Dialect.ARRAY, namespace("numpy")).derivative
        weaknesses = activation.formulas.strategies[self.strategy].weaknesses
        registry.use(registry.current().with_activation(with_kernel(activation, name, function, weaknesses)))
        return replace(self, strategy=name)

    @property
    def right(self) -> bool:
        """Say whether it should pass."""
        return self.file.startswith("right")

    @property
    def ops(self) -> tuple[Op, ...]:
        """Return the ops in which it is judged."""
        if self.strategy.endswith(".kernel"):
            return (Op.DERIVATIVE,)
        if self.name in OTHERWISE:
            return OTHERWISE[self.name]
        return OPS[self.file.partition("_")[0] if self.file not in OPS else self.file]

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Yield, of every op and dtype, what actbench says; nothing where it accepts the kernel."""
        for op in self.ops:
            for dtype in WIDE:
                arms = (Arm(Variant(self.strategy), self.backend),)
                blocks = (Block(self.activation, op, dtype, size, arms) for size in JUDGED_SIZES)
                yield f"{op}/{dtype}", refusal(*blocks)


def items(file: Path) -> list[Item]:
    """Load a file, and return what it declares."""
    before = {(name, known) for name, activation in registry.activations().items() for known in activation.strategies}
    known_backends = set(registry.backends())
    plugins.load(str(file))
    after = [(name, known) for name, activation in registry.activations().items() for known in activation.strategies]
    more = [Item(file.stem, *pair, "numpy") for pair in after if pair not in before]
    return more + [
        Item(file.stem, "logistic", "recompute", backend)
        for backend in registry.backends()
        if backend not in known_backends
    ]


def judged(directory: Path, chosen: str, *, as_kernels: bool) -> Iterator[tuple[Item, str]]:
    """Yield every item, and what is wrong with the verdict on it."""
    for source in sorted(JUDGED_FILES.glob("*.py.txt")):
        file = directory / source.name.removesuffix(".txt")
        shutil.copy(source, file)
        loaded = items(file)
        if as_kernels:
            loaded = [item.as_kernel() for item in loaded if item.is_formula]
        for item in loaded:
            if chosen not in item.id:
                continue
            start = time.process_time()
            refusals = dict(item.refusals())
            first = next(filter(None, refusals.values()), "")
            missed = [place for place, words in refusals.items() if bool(words) == item.right]
            seconds = time.process_time() - start
            print(f"{item.id:<48} {'refused: ' + first if first else 'accepted'} ({seconds:.1f} s)", flush=True)
            yield item, f"{item.id}: {'refused' if item.right else 'accepted'} as {', '.join(missed)}" if missed else ""
        plugins.unload()


def refused_by_command(directory: Path, item: Item) -> bool:
    """Say whether `actbench run` refuses a kernel; `RuntimeError` where it ends in another way."""
    load = ("--load", str(directory / f"{item.file}.py"), "-o", str(directory / item.id.replace("/", "-")))
    which = ("-a", item.activation, "-s", item.strategy, "-b", item.backend, "-d", "float64", "-n", "1000,10000")
    command = [sys.executable, "-m", "actbench", "run", *load, *which, "--rounds", "2", "--op", "derivative"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in {0, WRONG_KERNEL}:
        raise RuntimeError(f"{item.id}: exit code {done.returncode}: {done.stderr}")
    return done.returncode == WRONG_KERNEL


def main() -> None:
    """Print a line an item; exit code 1 unless all right kernels are accepted, and all cheats refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-s", "--select", default="", help="part of a name: judge what has it")
    parser.add_argument("--as-kernels", action="store_true", help="judge formulas as what @kernel declares")
    arguments = parser.parse_args()
    counts, mistakes, begun = Counter[tuple[bool, bool]](), [], time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for item, mistake in judged(directory, arguments.select, as_kernels=arguments.as_kernels):
            counts[item.right, bool(mistake)] += 1
            mistakes += [mistake] if mistake else []
            if item.id in BY_COMMAND and refused_by_command(directory, item) == item.right:
                mistakes.append(f"{item.id}: {'refused' if item.right else 'accepted'} by the command line")
    print(*mistakes, sep="\n")
    print(f"{counts[True, False] + counts[True, True]} right kernels, {counts[True, True]} refused")
    print(f"{counts[False, False] + counts[False, True]} cheats, {counts[False, False]} refused")
    print(f"{time.monotonic() - begun:.0f} s")
    sys.exit(1 if mistakes else 0)


if __name__ == "__main__":
    main()
