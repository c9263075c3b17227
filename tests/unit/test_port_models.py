"""The port models of processors: where they do what, and how long they divide."""

from __future__ import annotations

import pytest

from actbench.backends._limits.port_model import GOLDEN_COVE, ZEN_3, ZEN_4, ZEN_5, PipeBound
from tests.unit.test_pipe_bound import bound


def test_sums_and_products_have_pipes_of_their_own_on_zen() -> None:
    both = ["vmulps\t%zmm1, %zmm2, %zmm3", "vaddps\t%zmm1, %zmm2, %zmm3"] * 4
    assert (bound(ZEN_5, *both).cycles, bound(GOLDEN_COVE, *both).cycles) == (2, 4)
    assert bound(ZEN_4, *both).cycles == 4, "512 bits take two slots"


def test_zen_3_compares_where_it_adds_and_blends_where_it_multiplies() -> None:
    product, total, largest = (f"{name}\t%ymm1, %ymm2, %ymm3" for name in ("vmulps", "vaddps", "vmaxps"))
    blended = "vblendvps\t%ymm1, %ymm2, %ymm3, %ymm4"
    assert [bound(ZEN_3, *[largest, one] * 4).cycles for one in (product, total)] == [2, 4]
    assert [bound(ZEN_3, *[blended, one] * 4).cycles for one in (product, total)] == [4, 2]


def test_zen_4_shifts_and_takes_maxima_where_it_adds_and_looks_up_in_registers_beside_both() -> None:
    product, total, largest = (f"{name}\t%zmm1, %zmm2, %zmm3" for name in ("vmulps", "vaddps", "vmaxps"))
    shift, permuted = "vpslld\t$19, %zmm1, %zmm2", "vpermps\t%zmm1, %zmm2, %zmm3"
    for one in (shift, largest):
        assert [bound(ZEN_4, *[one, other] * 6).cycles for other in (product, total, permuted)] == [6, 12, 8]
    assert [bound(ZEN_4, *[permuted, other] * 6).cycles for other in (product, total)] == [8, 8]


def test_zen_4_takes_several_slots_to_divide_and_to_scale() -> None:
    product, total = (f"{name}\t%zmm1, %zmm2, %zmm3" for name in ("vmulps", "vaddps"))
    divided = ("vdivps\t%zmm1, %zmm2, %zmm3", "vdivpd\t%zmm1, %zmm2, %zmm3", "vdivps\t%ymm1, %ymm2, %ymm3")
    assert [bound(ZEN_4, one, *[product] * 9).cycles for one in divided] == [11, 12, 10]
    scaled = "vscalefps\t%zmm1, %zmm2, %zmm3"
    assert [bound(ZEN_4, *[scaled, other] * 2).cycles for other in (product, total)] == [4, 6]


def test_zen_5_divides_all_widths_alike_and_faster_than_it_multiplies_meanwhile() -> None:
    product, total = (f"{name}\t%zmm1, %zmm2, %zmm3" for name in ("vmulps", "vaddps"))
    for width in "xyz":
        divided = [f"vdivp{kind}\t%{width}mm1, %{width}mm2, %{width}mm3" for kind in "sd"]
        assert [bound(ZEN_5, *[one] * 2).cycles for one in divided] == [5, 8]
        assert [bound(ZEN_5, one, *[product] * 12).cycles for one in divided] == [pytest.approx(7.2)] * 2
    scaled, compared = "vscalefpd\t%zmm1, %zmm2, %zmm3", "vcmpltps\t%zmm1, %zmm2, %k1"
    assert [bound(ZEN_5, *[scaled, other] * 2).cycles for other in (product, total)] == [2, 3]
    assert [bound(ZEN_5, *[compared] * 4, *[other] * 8).cycles for other in (product, total)] == [4, 4]


def test_golden_cove_takes_two_slots_of_one_pipe_for_reciprocals_and_narrower_integers() -> None:
    product, shift, permuted = "vmulps\t%zmm1, %zmm2, %zmm3", "vpslld\t$3, %zmm1, %zmm3", "vpermps\t%zmm1, %zmm2, %zmm3"
    for one, cycles in (("vrcp14pd\t%zmm1, %zmm2", [8, 12, 8]), ("vpmovdw\t%zmm1, %ymm2", [8, 8, 12])):
        assert [bound(GOLDEN_COVE, *[one, other] * 4).cycles for other in (product, shift, permuted)] == cycles
    assert bound(GOLDEN_COVE, *["vcvtps2pd\t%ymm1, %zmm2"] * 4).cycles == 4


def test_golden_cove_compares_where_it_shuffles_and_makes_masks_of_signs_where_it_shifts() -> None:
    shift, permuted = "vpslld\t$3, %zmm1, %zmm3", "vpermps\t%zmm1, %zmm2, %zmm3"
    for one, cycles in (("vcmpltps\t%zmm1, %zmm2, %k1", [4, 8]), ("vpmovd2m\t%zmm1, %k1", [8, 4])):
        assert [bound(GOLDEN_COVE, *[one, other] * 4).cycles for other in (shift, permuted)] == cycles


def test_zen_4_makes_a_mask_of_signs_where_it_multiplies() -> None:
    product, total = (f"{name}\t%zmm1, %zmm2, %zmm3" for name in ("vmulps", "vaddps"))
    assert [bound(ZEN_4, *["vpmovd2m\t%zmm1, %k1", other] * 4).cycles for other in (product, total)] == [8, 4]


def test_a_store_of_zen_4_takes_two_cycles_and_delays_multiply_adds() -> None:
    store, product, fused = (
        "vmovups\t%zmm1, (%rax,%rbx,4)",
        "vmulps\t%zmm1, %zmm2, %zmm3",
        "vfmadd213ps\t%zmm1, %zmm2, %zmm3",
    )
    assert bound(ZEN_4, store, product) == PipeBound(2, "stores", 2)
    assert bound(ZEN_4, store, *[product] * 7).cycles == 7
    assert bound(ZEN_4, store, *[fused] * 7) == PipeBound(7.5, "third operands of multiply-adds and stores", 14)
    assert bound(ZEN_4, store.replace("zmm", "ymm"), *[fused] * 7).cycles == 7
