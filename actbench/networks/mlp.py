"""A multilayer perceptron.

D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating errors", Nature 323,
1986.
"""

from __future__ import annotations

from itertools import pairwise

from actbench.model.networks import Activate, Layer, Linear, network


@network
def mlp(inputs: int, hidden: int, outputs: int, *further: int) -> list[Layer]:
    """Linear layers with the activation between them; the last one is linear."""
    first, *others = (Linear(*widths) for widths in pairwise((inputs, hidden, outputs, *further)))
    return [first, *(layer for linear in others for layer in (Activate(), linear))]
