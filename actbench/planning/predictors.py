"""What the gains of training steps are predicted from: the passes of their activations alone.

What an arm saves of a pass is measured in a pair with its reference. Backward passes are measured of every strategy,
and both passes together where a forward pass stores something: of the arms that do, and of ``recompute`` beside them.
Where there is no ``recompute``, which stores nothing, both are measured of all arms of the backend, since the reference
may be one that stores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, product

from actbench.kernels.subject import Subject
from actbench.kernels.training import NetworkStep
from actbench.model.cases import Case
from actbench.model.names import OperandState
from actbench.model.training import RECOMPUTE
from actbench.model.variants import Variant
from actbench.planning import suite
from actbench.planning.selection import Room


def alone(steps: Mapping[Case, NetworkStep], states: Sequence[OperandState], room: Room) -> dict[Case, str | None]:
    """Return the passes that are measured alone, in these states of operands, each with the reason where it cannot be.

    The steps of one backend in a block follow each other.
    """
    passes: dict[Case, Subject] = {}
    for _, of_backend in groupby(steps.items(), lambda item: (item[0].empty_block, item[0].backend)):
        arms = dict(of_backend)
        forward = _with_forward_pass([*arms.values()])
        for case, step in arms.items():
            kernels = step.alone(forward=step.variant in forward)
            for kernel, width, state in product(kernels, dict.fromkeys(step.network.activated), states):
                passes[kernel.identity.at(case.size * width, state)] = kernel
    return suite.unmeasurable(passes.items(), room)


def _with_forward_pass(arms: Sequence[NetworkStep]) -> list[Variant]:
    """Return the arms of a backend whose forward passes are measured though they may store nothing."""
    if not any(arm.stores and arm.alone() for arm in arms):
        return []
    variants = [arm.variant for arm in arms]
    return [RECOMPUTE] if RECOMPUTE in variants else variants
