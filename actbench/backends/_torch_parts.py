"""Where the time of an eager step in torch goes: the clock between layers, and hooks on the nodes of autograd's graph.

The bias counts with the products of its linear layer, forward and backward: ``addmm`` adds it, and the node of addmm
sums its gradient. Only a checkpoint's own backward pass does that by a call of its own. The hooks themselves, and
what autograd does between nodes, count as the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actbench.backends._torch_layers import Stage
from actbench.model.training import StepPart


class Stopwatch:
    """The seconds of every part of one step: each moment belongs to the part that ends next."""

    def __init__(self, wait: Callable[[], object]) -> None:
        """Take what returns once all that was begun has been computed."""
        self._wait = wait
        self._nodes: dict[Any, StepPart] = {}

    def start(self, clock: Callable[[], float]) -> None:
        """Start a step by a clock, which returns seconds: nothing has been timed."""
        self._wait()
        self._clock = clock
        self._seconds = dict.fromkeys(StepPart, 0.0)
        self._nodes.clear()
        self._last = clock()

    def note(self, part: StepPart) -> None:
        """Add the time since the last note to a part."""
        self._wait()
        now = self._clock()
        self._seconds[part] += now - self._last
        self._last = now

    def run(self, stages: Sequence[Stage], h: Any) -> Any:
        """Return what stages make of h, and time them."""
        for stage in stages:
            h = stage.call(h)
            self.note(stage.forward)
            self.watch(h, stage.backward)
        return h

    def watch(self, result: Any, part: StepPart) -> None:
        """Let the nodes that a result has, and what was watched before has not, belong to a part when they run."""
        nodes = [result.grad_fn]
        while nodes:
            node = nodes.pop()
            if node is None or node in self._nodes:
                continue
            self._nodes[node] = part
            node.register_prehook(lambda _: self.note(StepPart.REST))
            node.register_hook(lambda _, __, part=part: self.note(part))
            nodes += [before for before, _ in node.next_functions if not hasattr(before, "variable")]
        self.note(StepPart.REST)

    def stop(self) -> Mapping[StepPart, float]:
        """End the step, and return the seconds of its parts."""
        self.note(StepPart.REST)
        self._nodes.clear()
        return self._seconds
