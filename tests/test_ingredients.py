"""What can be added to noisy structures: chemistry, geometry, and what is no crystal."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial import cKDTree

from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.samples import disorder, no_crystal
from arise_lib.structures import prototypes
from arise_lib.training import chemistry, geometry, kin
from arise_lib.training.noise import INGREDIENTS, NoisyUnit, noisy_set, noisy_units
from arise_lib.training.units import pristine_units
from arise_lib.training.vectors import describe_units


def generator(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- chemistry ---------------------------------------------------------------------------------


def test_impurities_keep_to_their_share_and_are_foreign() -> None:
    copper = bulk("Cu") * 10
    shares = []
    for seed in range(60):
        doped = chemistry.impure(copper, 0.10, generator(seed))
        assert doped.positions == pytest.approx(copper.positions, abs=0)
        shares.append(np.mean(doped.numbers != 29))
        assert len(set(doped.symbols)) in (2, 3)
    assert 0 < min(shares) < 0.01 and 0.05 < max(shares) < 0.14
    assert set(copper.symbols) == {"Cu"}  # the input is left alone


def test_one_impurity_at_least() -> None:
    small = bulk("Cu") * (2, 1, 1)
    for seed in range(20):
        assert set(chemistry.impure(small, 0.004, generator(seed)).symbols) != {"Cu"}


@pytest.mark.parametrize("order", chemistry.ORDERS)
def test_order_parameter_is_what_was_asked_for(order: str) -> None:
    """S is the share of right atoms on both kinds of sites together, minus one."""
    perfect = chemistry.order_cell(order, generator(0)) * 14
    for s in (0.0, 0.4, 0.8):
        found = []
        for seed in range(6):
            mixed = chemistry.partly_ordered(perfect, order, (s, s), generator(seed))
            right = mixed.numbers == perfect.numbers
            on_a = perfect.numbers == perfect.numbers[0]
            found.append(right[on_a].mean() + right[~on_a].mean() - 1.0)
        # At S = 0.8 some compositions cannot be reached, and order is cut off there.
        assert np.mean(found) == pytest.approx(s, abs=0.04)


def test_perfect_order_is_that_of_the_class() -> None:
    for order, (sites, _) in chemistry.ORDERS.items():
        counts = sorted(Counter(sites).values())
        own = Counter(prototypes.build(order).numbers.tolist())
        assert np.divide(*counts) == pytest.approx(np.divide(*sorted(own.values())))


def test_limits_of_near_kin() -> None:
    assert chemistry.limits("NaCl") == chemistry.limits("dhcp") == (0.10, 0.10)
    assert chemistry.limits("MoS2") == (0.03, 0.05)


def test_near_kin_are_those_that_are_measured() -> None:
    units = pristine_units()
    vectors = describe_units(units, [SoapSettings(pair_weights="abundance")])[:, 0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = np.array([unit.label for unit in units])
    first, second = cKDTree(vectors).query_pairs(kin.NEAREST, output_type="ndarray").T
    related = labels[first] != labels[second]
    pairs = {(a, b) for a, b in zip(labels[first[related]], labels[second[related]], strict=True)}
    assert sorted({label for pair in pairs for label in pair}) == list(kin.NEAR_KIN)
    n = {label: len(set(prototypes.build(label).numbers.tolist())) for label in kin.NEAR_KIN}
    alike = {label for pair in pairs if n[pair[0]] == n[pair[1]] for label in pair}
    assert sorted(alike) == list(kin.ALIKE_IN_SPECIES)


# --- geometry ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("label", "most"), [("NaCl", 0.04), ("dhcp", 0.012), ("In", 0.012)])
def test_strain_keeps_to_its_limit(label: str, most: float) -> None:
    perfect = prototypes.build(label).cell.array
    largest = 0.0
    for seed in range(40):
        cell = geometry.strained(label, generator(seed)).cell.array
        strain = np.linalg.solve(perfect, cell) - np.eye(3)
        assert strain == pytest.approx(strain.T, abs=1e-12)
        largest = max(largest, np.abs(strain).max())
    assert 0.7 * most < largest <= most * (1 + 1e-9)


def test_strain_of_sheets_and_tubes() -> None:
    sheet = geometry.strained("graphene", generator(1))
    assert sheet.positions[:, 2] == pytest.approx(prototypes.build("graphene").positions[:, 2])
    tube, perfect = geometry.strained("nanotube (4,4)", generator(1)), "nanotube (4,4)"
    across = prototypes.build(perfect).positions[:, :2]
    assert tube.positions[:, :2] == pytest.approx(across, abs=1e-12)


def test_hcp_gets_every_ratio() -> None:
    ratios = []
    for seed in range(60):
        a, _, c = geometry.strained("hcp", generator(seed)).cell.lengths()
        ratios.append(c / a)
    assert 1.48 < min(ratios) < 1.62 and 1.84 < max(ratios) < 1.98


def test_slabs_are_as_thick_as_their_layers() -> None:
    copper = bulk("Cu")
    spacing = copper.get_volume() ** (1 / 3) * 2 ** (1 / 6)
    thick = geometry.LAYER * spacing * np.array(geometry.LAYERS)
    for seed in range(20):
        slab = geometry.periodic_slab(copper, 200, generator(seed))
        free = np.flatnonzero(~slab.pbc)
        assert len(free) == 1
        height = 1.0 / np.linalg.norm(np.linalg.inv(slab.cell.array)[:, free[0]])
        assert thick[0] - 1e-9 <= height <= thick[1] + 1e-9
        block = geometry.free_slab(copper, 200, generator(seed))
        assert np.ptp(block.positions[:, 2]) <= thick[1]


def test_particles_are_round() -> None:
    ball = geometry.particle(bulk("Cu"), 300, generator(0))
    farthest = np.linalg.norm(ball.positions, axis=1).max()
    assert len(ball) / (4 / 3 * np.pi * farthest**3) == pytest.approx(4 / 3.61**3, rel=0.15)
    flake = geometry.particle(prototypes.build("graphene"), 200, generator(0))
    assert len(flake) == pytest.approx(200, abs=25)


def test_second_grain_stays_the_smaller_one() -> None:
    for seed in range(15):
        piece = geometry.particle(bulk("Cu"), 300, generator(seed, 0))
        both = geometry.with_second_grain(piece, bulk("Fe"), generator(seed, 1))
        assert np.mean(both.symbols == "Fe") < 0.4


# --- no crystal --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", disorder.KINDS)
def test_every_kind_is_drawn_and_finite(kind: str) -> None:
    for seed in range(4):
        atoms = no_crystal(generator(seed), kind, pool=9)
        assert len(atoms) >= 2 and np.isfinite(atoms.positions).all()
        assert atoms == no_crystal(generator(seed), kind, pool=9)


def test_packings_keep_their_spheres_apart() -> None:
    points = disorder.packing(300, 0.8, 300, generator(0))
    edge = (300 / 0.8) ** (1 / 3)
    distances, _ = cKDTree(points % edge, boxsize=edge).query(points % edge, k=2)
    assert distances[:, 1].min() > 0.97


def test_pools_have_nothing_in_common() -> None:
    first, second = (no_crystal(generator(0), "packing", pool=pool) for pool in (0, 1))
    assert len(first) != len(second) or first.positions != pytest.approx(second.positions)


def test_atoms_of_a_destroyed_crystal_do_not_meet() -> None:
    for seed in range(5):
        atoms = no_crystal(generator(seed), "destroyed")
        nearest = cKDTree(atoms.positions).query(atoms.positions, k=2)[0][:, 1]
        assert nearest.min() > 0.3 * np.median(nearest)


# --- the whole ---------------------------------------------------------------------------------


def test_units_of_all_ingredients() -> None:
    units = noisy_units(1080, 3, INGREDIENTS)
    counts = Counter(unit.label for unit in units)
    assert counts.pop(prototypes.OTHER) == 108
    assert set(counts) == set(prototypes.LABELS) and set(counts.values()) == {9}
    assert noisy_units(50, 3, INGREDIENTS) == units[:50]
    for unit in units[::45]:
        atoms = unit.build()
        assert atoms == unit.build() and np.isfinite(atoms.positions).all()


def test_more_species_come_in_by_chemistry_only() -> None:
    def species(ingredients: tuple[str, ...]) -> list[int]:
        return [
            len(set(NoisyUnit("fcc", (4, k), ingredients).build().numbers.tolist()))
            for k in range(60)
        ]

    assert max(species(())) == 2 and max(species(("chemistry",))) >= 4


def test_unknown_ingredient() -> None:
    with pytest.raises(InputError, match=r"no ingredients \['salt'\]; there are \('chemistry'"):
        noisy_units(3, 0, ("salt",))


def test_labels_of_the_set() -> None:
    few = noisy_set(10, 7, SoapSettings(pair_weights="abundance"), ingredients=("other",))
    assert few.labels == (*prototypes.LABELS, prototypes.OTHER)
    assert few.units["label"].tolist()[-1] == prototypes.OTHER
    assert isinstance(NoisyUnit(prototypes.OTHER, (1, 2)).build(), Atoms)
