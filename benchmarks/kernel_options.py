"""Options of the scripts that time kernels of numba-simd: which derivatives, and of how many elements."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from actbench import registry
from actbench.model.names import Dtype


class Derivative(NamedTuple):
    """A derivative, from what a strategy keeps."""

    activation: str
    strategy: str
    dtype: Dtype


def add(parser: argparse.ArgumentParser, activations: str) -> None:
    """Add -a, with this default, -s, -n and -d: names and numbers with commas between."""
    parser.add_argument("-a", default=activations)
    parser.add_argument("-s", default="recompute")
    parser.add_argument("-n", default="4096,100000")
    parser.add_argument("-d", default="float32,float64")


def derivatives(options: argparse.Namespace) -> Iterator[Derivative]:
    """Yield those that the options name, where an activation has the strategy."""
    names = registry.elementwise() if options.a == "*" else options.a.split(",")
    for name, strategy, dtype in product(names, options.s.split(","), options.d.split(",")):
        if strategy in registry.activation(name).strategies:
            yield Derivative(name, strategy, Dtype(dtype))


def sizes(options: argparse.Namespace) -> list[int]:
    """Return the numbers of elements."""
    return [int(size) for size in options.n.split(",")]
