"""What keeping y is worth, from a hot loop to a training step, and where the time of a step goes."""

from __future__ import annotations

from collections.abc import Iterator

from actbench.analysis.interval import Interval
from actbench.model.names import Dtype, OperandState
from actbench.model.training import StepPart
from actbench.report.numbers import count, joined, percent, ratio, significant
from benchmarks.pages.keeping import HEADS, SIZE, Key, beside_shipped, interval, kept, on_shipped, read, shown, spread


def steps() -> dict[str, Interval]:
    """Return what keeping y is worth in a training step with the logistic function, by backend."""
    return {key[1]: worth for key, worth in kept("train").items() if (key[0], key[2]) == ("logistic", Dtype.FLOAT32)}


def alone(backend: str, state: OperandState) -> Key:
    """Return the key of the activation of a step's backend, measured by itself."""
    return ("logistic", backend.rpartition("+")[2], Dtype.FLOAT32, str(SIZE), state)


def answer() -> Iterator[str]:
    """Yield a table: a row a backend, from a hot loop to a training step, and beside the framework's function."""
    heads = (
        *HEADS.values(),
        "in a training step",
        "times as fast as the framework's own, in cache",
        "the same, in a step",
        "KiB kept with z",
        "with y",
    )
    yield f"| backend | {' | '.join(heads)} |"
    yield f"|---|{'---:|' * len(heads)}"
    nbytes = {
        (row["strategy"], row["backend"]): int(row["kept_bytes"])
        for row in read("train", "memory.csv")
        if row["activation"] == "logistic"
    }
    for backend, in_step in steps().items():
        cells = [shown("peers", alone(backend, state)) for state in OperandState]
        beside = [beside_shipped(run, backend, Dtype.FLOAT32) for run in ("peers", "train")]
        kibibytes = [count(round(nbytes[strategy, backend] / 1024)) for strategy in ("recompute", "cached")]
        yield f"| {backend} | {' | '.join([*cells, ratio(in_step), *beside, *kibibytes])} |"


def answer_in_brief() -> Iterator[str]:
    """Yield a table: a row a backend, with a hot loop and a training step alone."""
    yield f"| backend | {HEADS[OperandState.WARM]} | in a training step | there, times as fast as the framework's own |"
    yield "|---|---:|---:|---:|"
    for backend, in_step in steps().items():
        cells = (shown("peers", alone(backend, OperandState.WARM)), ratio(in_step))
        yield f"| {backend} | {' | '.join(cells)} | {beside_shipped('train', backend, Dtype.FLOAT32)} |"


def first_ratio() -> Iterator[str]:
    """Yield a sentence: what the first ratio of the table says."""
    yield (
        "**Every ratio has a 95 % confidence interval.** "
        f"`{shown('peers', alone(next(iter(steps())), OperandState.WARM))}`, the first, is the estimate and the longer "
        "side of its interval."
    )


def answer_in_words() -> Iterator[str]:
    """Yield sentences: the spread of columns, of estimates, what is saved of a step, and of what frameworks ship."""
    hot, cold = (
        {backend: kept("peers")[alone(backend, state)] for backend in steps()}
        for state in (OperandState.WARM, OperandState.COLD)
    )
    yield (
        f"Computing g' from y is {spread(hot)} as fast as from z in a hot loop, and {spread(cold)} with all operands "
        f"from memory. {saved_of_steps()} All this is beside actbench's `recompute`, which in torch is a chain of "
        "separate tensor operations. Users of torch and jax run the framework's own sigmoid, which in torch keeps y "
        f"already: beside it, {gain_on_shipped()}."
    )


def gain_on_shipped() -> str:
    """Return clauses: where keeping y is shown to be faster than what a framework ships, and where to be slower."""
    ratios = {
        f"with {backend} {where}": of
        for run, where in (("peers", "in cache"), ("train", "in a step"))
        for backend in steps()
        if (of := on_shipped(run, backend, Dtype.FLOAT32))
    }
    faster = [where for where, of in ratios.items() if of.low > 1.0]
    slower = [where for where, of in ratios.items() if of.high < 1.0]
    gains = f"a gain is shown {joined(faster)} only" if faster else "no gain is shown"
    return f"{gains}; keeping y is slower {joined(slower)}" if slower else gains


def saved_of_steps() -> str:
    """Return a sentence: what keeping y saves of a step with the logistic function, where a difference is shown."""
    saved = {backend: gain("logistic", "cached", backend) for backend in steps()}
    shown = [f"{percent(share)} with {backend}" for backend, share in saved.items() if share.excludes(0.0)]
    undecided = [backend for backend, share in saved.items() if share.contains(0.0)]
    rest = f"; with {joined(undecided)} no difference is shown" if undecided else ""
    return f"Of the time of a training step it saves {joined(shown) or 'nothing'}{rest}."


def products_in_words() -> Iterator[str]:
    """Yield sentences: how much of a step products of matrices are, and where an activation is as much."""
    logistic = sorted(100 * products("logistic", backend) for backend in ("numpy", "numpy+numba-simd", "torch"))
    saved = gain("gelu", "intermediate", "numpy")
    yield (
        f"Products of matrices are {significant(logistic[0], 2)} to {significant(logistic[-1], 2)} % of a step with "
        f"the logistic function. With GELU in numpy they are {significant(100 * products('gelu', 'numpy'), 2)} %, and "
        f"`intermediate`, which keeps what the forward pass computed on the way, saves {percent(saved)} of the step."
    )


def products(activation: str, backend: str) -> float:
    """Return the share of products in an instrumented step of recompute."""
    return sum(
        float(row["share"])
        for row in read("train", "parts.csv")
        if (row["activation"], row["strategy"], row["backend"]) == (activation, "recompute", backend)
        and row["part"] in {StepPart.PRODUCTS_FORWARD, StepPart.PRODUCTS_BACKWARD}
    )


def gain(activation: str, strategy: str, backend: str) -> Interval:
    """Return what a strategy saves of a step."""
    rows = (
        row
        for row in read("train", "gains.csv")
        if (row["activation"], row["strategy"], row["backend"]) == (activation, strategy, backend)
    )
    return interval(next(rows), "gain", "low", "high")
