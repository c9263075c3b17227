"""Which networks are a series along widths."""

from __future__ import annotations

from collections.abc import Iterable

from actbench.analysis.training_widths import series_names
from actbench.model.names import Op
from actbench.model.training import Along
from actbench.planning.training import TrainingSelection

SHALLOW = ("mlp:784-64-10", "mlp:784-128-10", "mlp:784-256-10", "mlp:784-512-10")


def names(networks: Iterable[str]) -> dict[str, str]:
    """Return the series of networks that have an activation after all layers but the first and the last."""
    return series_names({network: Op(network).widths[1:-1] for network in networks})


def test_networks_of_which_one_width_differs_are_a_series() -> None:
    assert names(SHALLOW) == dict.fromkeys(SHALLOW, "mlp:784-64..512-10")


def test_a_network_with_more_layers_is_in_no_series_of_shallow_ones() -> None:
    assert names([*SHALLOW, "mlp:784-512-512-10"])["mlp:784-512-512-10"] == "mlp:784-512-512-10"


def test_a_width_that_neither_stays_nor_grows_in_proportion_sets_a_network_apart() -> None:
    assert {*names([*SHALLOW, "mlp:784-1024-500"]).values()} == {"mlp:784-64..512-10", "mlp:784-1024-500"}
    assert {*names([*SHALLOW, "mlp:784-512-20"]).values()} == {"mlp:784-64..512-10", "mlp:784-512-20"}


def test_networks_all_of_whose_widths_are_multiplied_are_a_series_each() -> None:
    bases = ("mlp:784-512-10", "mlp:784-256-10", "mlp:784-256-256-10")
    swept = TrainingSelection(bases).swept(Along.WIDTH).networks
    series = names(swept)
    assert [{series[network] for network in swept[first : first + 6]} for first in (0, 6, 12)] == [
        {"mlp:49..1568-32..1024-1..20"},
        {"mlp:49..1568-16..512-1..20"},
        {"mlp:49..1568-16..512-16..512-1..20"},
    ]


def test_the_order_of_networks_does_not_divide_a_series() -> None:
    swept = TrainingSelection(("mlp:784-512-10", "mlp:784-256-10")).swept(Along.WIDTH).networks
    assert names(sorted(swept, key=lambda network: Op(network).widths[1])) == names(swept)
