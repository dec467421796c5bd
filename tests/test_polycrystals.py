"""Polycrystals, precipitates and boundaries: their truth is true."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from arise_lib import samples
from arise_lib.errors import InputError
from arise_lib.samples.boundaries import AXES
from arise_lib.samples.grains import BICRYSTAL_GAP
from arise_lib.samples.polycrystals import ALUMINIUM, SPACING, Cuboid, Grains
from arise_lib.structures import displace, prototypes, remove_atoms
from arise_lib.structures.filling import fill_box

PHASES = ("fcc", "bcc", "hcp", "diamond")


@pytest.fixture(scope="module")
def slab() -> tuple[Atoms, Grains]:
    return samples.polycrystal(PHASES, (60.0, 60.0, 15.0), seed=1)


# --- filling -----------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [bulk("Cu"), bulk("Mg"), prototypes.build("alpha-Sm")])
@pytest.mark.parametrize("turned", [False, True])
def test_a_filled_box_holds_what_a_large_supercell_has_there(cell: Atoms, turned: bool) -> None:
    turn = Rotation.random(rng=np.random.default_rng(3)).as_matrix() if turned else np.eye(3)
    low, high, origin = np.array([-7.0, -3.0, 1.0]), np.array([6.0, 5.5, 4.0]), [0.4, 0.7, 0.1]
    block = cell * 25
    block.positions -= 12 * cell.cell.array.sum(axis=0)
    block.positions = block.positions @ turn.T + origin
    expected = block.positions[np.all((block.positions >= low) & (block.positions <= high), axis=1)]
    found = fill_box(cell, low, high, turn, origin)
    # The sparsest of these crystals has 8 atoms in the box.
    assert len(found) == len(expected) >= 8 and not found.pbc.any()
    assert cKDTree(expected).query(found.positions)[0].max() < 1e-9


def test_a_box_is_closed_on_all_sides() -> None:
    found = fill_box(bulk("Po", "sc", a=0.1), [0.0] * 3, [0.3, 0.3, 0.1])
    assert len(found) == 4 * 4 * 2


@pytest.mark.parametrize("high", [[1.0, 1.0, 0.0], [1.0, np.nan, 1.0], [np.inf, 1.0, 1.0]])
def test_a_box_without_volume_is_refused(high: list[float]) -> None:
    with pytest.raises(InputError, match="has a volume"):
        fill_box(bulk("Cu"), [0.0] * 3, high)
    with pytest.raises(InputError, match=r"periodic in\s+three"):
        fill_box(prototypes.build("graphene"), [0.0] * 3, [1.0] * 3)


# --- polycrystals ------------------------------------------------------------------------------


def test_every_atom_carries_the_grain_in_whose_region_it_is(slab: tuple[Atoms, Grains]) -> None:
    atoms, truth = slab
    distance = np.linalg.norm(atoms.positions[:, None] - truth.centres, axis=2)
    np.testing.assert_array_equal(atoms.arrays["grain"], distance.argmin(axis=1))
    np.testing.assert_array_equal(atoms.arrays["phase"], np.array(PHASES)[atoms.arrays["grain"]])
    assert set(atoms.arrays["phase"]) == set(PHASES)
    assert atoms.positions.min() >= -1e-6
    assert (atoms.positions.max(axis=0) <= np.array([60, 60, 15]) + 1e-6).all()


def test_inside_a_grain_is_its_crystal_with_the_common_spacing(slab: tuple[Atoms, Grains]) -> None:
    atoms, truth = slab
    bonds = {"fcc": 12, "bcc": 8, "hcp": 12, "diamond": 4}
    inside = (truth.distance(atoms.positions) > 2 * SPACING) & np.all(
        (atoms.positions > 1.1 * SPACING) & (atoms.positions < [57.2, 57.2, 12.2]), axis=1
    )
    tree = cKDTree(atoms.positions)
    count = tree.query_ball_point(atoms.positions[inside], 1.05 * SPACING, return_length=True) - 1
    for phase, number in bonds.items():
        here = count[atoms.arrays["phase"][inside] == phase]
        assert len(here) > 10 and (here == number).all()
    assert tree.query(atoms.positions, k=2)[0][:, 1].min() >= BICRYSTAL_GAP * SPACING


def test_distance_to_a_boundary_is_that_to_the_nearest_other_grain(
    slab: tuple[Atoms, Grains],
) -> None:
    truth, generator = slab[1], np.random.default_rng(0)
    points = generator.uniform(0, 60, (20, 3))
    for point, distance in zip(points, truth.distance(points), strict=True):
        directions = generator.normal(size=(4000, 3))
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        own = truth.grain(point[None])
        assert (truth.grain(point + 0.999 * distance * directions) == own).all()
        assert (truth.grain(point + 1.2 * distance * directions) != own).any()


def test_defects_leave_the_truth_with_the_atoms(slab: tuple[Atoms, Grains]) -> None:
    atoms, truth = slab
    harmed = displace(remove_atoms(atoms, 0.2, seed=3), 0.01, seed=4)
    assert len(harmed) == len(atoms) - int(0.2 * len(atoms))
    away = truth.distance(harmed.positions) > 0.1
    np.testing.assert_array_equal(harmed.arrays["phase"][away], truth.phase(harmed.positions)[away])


def test_samples_follow_from_their_seed() -> None:
    first, again, other = (
        samples.polycrystal(["fcc", "bcc"], (30.0, 30.0, 15.0), seed)[0] for seed in (5, 5, 6)
    )
    assert first == again and first != other


def test_a_grain_is_an_elemental_solid() -> None:
    with pytest.raises(InputError, match="'NaCl' is no elemental solid"):
        samples.polycrystal(["fcc", "NaCl"], (30.0, 30.0, 15.0), seed=0)


# --- superalloy --------------------------------------------------------------------------------


def test_a_precipitate_is_ordered_and_its_matrix_is_not() -> None:
    atoms, truth = samples.superalloy(45.0, 20.0, seed=0)
    ordered = truth.holds(atoms.positions)
    np.testing.assert_array_equal(atoms.arrays["phase"] == "L1_2", ordered)
    aluminium = atoms.symbols == "Al"
    tree = cKDTree(atoms.positions)
    # In L1_2 no aluminium has an aluminium neighbour; at random a quarter of the twelve are.
    around = tree.query_ball_point(atoms.positions, 1.05 * 3.74 / np.sqrt(2))
    like = np.array([aluminium[near].sum() for near in around]) - aluminium
    deep = truth.distance(atoms.positions) > 3.0
    rim = np.any((atoms.positions < 3.0) | (atoms.positions > 42.0), axis=1)
    assert like[aluminium & ordered & deep].max() == 0
    assert like[aluminium & ~ordered & deep & ~rim].mean() == pytest.approx(3.0, abs=0.2)
    assert aluminium[~ordered].mean() == pytest.approx(ALUMINIUM, abs=0.02)


def test_the_papers_superalloy_has_about_as_many_atoms_as_the_papers() -> None:
    atoms, _ = samples.superalloy(120.0, 60.0, seed=0)
    assert len(atoms) == pytest.approx(132_127, rel=0.05)


def test_distance_to_a_cuboid() -> None:
    truth = Cuboid((0.0, 0.0, 0.0), (2.0, 4.0, 6.0), "L1_2", "fcc")
    points = np.array([[1.0, 2.0, 3.0], [0.5, 2.0, 3.0], [2.0, 2.0, 3.0], [5.0, 8.0, 3.0]])
    np.testing.assert_allclose(truth.distance(points), [1.0, 0.5, 0.0, 5.0])
    assert truth.phase(points).tolist() == ["L1_2"] * 3 + ["fcc"]


@pytest.mark.parametrize(("edge", "precipitate"), [(10.0, 10.0), (10.0, 0.0), (np.nan, 5.0)])
def test_a_precipitate_must_fit(edge: float, precipitate: float) -> None:
    with pytest.raises(InputError, match="precipitate"):
        samples.superalloy(edge, precipitate, seed=0)


# --- boundaries --------------------------------------------------------------------------------


@pytest.mark.parametrize("label", AXES)
@pytest.mark.parametrize("tilt", [False, True])
def test_grains_are_turned_against_each_other(label: str, tilt: bool) -> None:
    angle = 20.0
    atoms, on_the_right = samples.grain_boundary(label, angle, 24.0, tilt=tilt)
    assert (atoms.positions[on_the_right, 0] >= 0).all()
    assert (atoms.positions[~on_the_right, 0] <= 0).all()
    # Turned back, the bonds of one grain are those of the other.
    about = np.array([0.0, 0.0, 1.0] if tilt else [1.0, 0.0, 0.0])
    turn = Rotation.from_rotvec(about * np.radians(angle)).as_matrix()
    bonds = [directions(atoms.positions[side]) for side in (~on_the_right, on_the_right)]
    away = cKDTree(bonds[0]).query(bonds[1] @ turn.T)[0]
    assert np.median(away) < 1e-6
    assert np.median(cKDTree(bonds[0]).query(bonds[1])[0]) > 0.1


def directions(positions: np.ndarray) -> np.ndarray:
    """Vectors to the neighbours of the atoms of one grain."""
    tree = cKDTree(positions)
    shortest = np.median(tree.query(positions, k=2)[0][:, 1])
    pairs = tree.query_pairs(1.02 * shortest, output_type="ndarray")
    steps = positions[pairs[:, 1]] - positions[pairs[:, 0]]
    return np.concatenate([steps, -steps])


def test_no_boundary_of_other_crystals() -> None:
    with pytest.raises(InputError, match="choose one of fcc, bcc"):
        samples.grain_boundary("diamond", 10.0, 20.0)


def test_all_boundaries_have_one_spacing_and_their_truth() -> None:
    built = samples.boundary_samples(edge=16.0, spacing=3.0)
    assert list(built) == [(label, kind) for label in AXES for kind in ("twist", "tilt")]
    for (label, _), (atoms, truth) in built.items():
        inside = np.all(np.abs(atoms.positions) <= 8.0 + 1e-6, axis=1)
        assert inside.all() and np.ptp(atoms.positions[:, 0]) > 12.0
        away = truth.distance(atoms.positions) > 3.0
        nearest = cKDTree(atoms.positions).query(atoms.positions, k=2)[0][:, 1]
        # At the free faces an atom may have lost its nearest neighbour.
        assert np.median(nearest[away]) == pytest.approx(3.0, rel=0.02)
        assert set(truth.phase(atoms.positions)) == {label}
