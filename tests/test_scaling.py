from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from ase.neighborlist import neighbor_list
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from strategies import clusters, periodic_structures, rotations, structures

from arise_lib.errors import InputError
from arise_lib.structures.neighbours import nearest_distances, periodic_images
from arise_lib.structures.scale import (
    mode_of_distances,
    nearest_neighbour_distances,
    overall_nearest_neighbour_distance,
    species_pairs,
)


def published_recipe(distances: np.ndarray) -> float:
    """Mode of the distances as the published scripts take it."""
    counts, edges = np.histogram(distances, bins=100)
    fullest = np.argmax(counts / edges[:-1] ** 2)
    return float((edges[fullest] + edges[fullest + 1]) / 2)


def scales_close(first: dict, second: dict, factor: float = 1.0) -> bool:
    assert first.keys() == second.keys()
    return all(
        np.isclose(first[pair], factor * second[pair], rtol=1e-9, atol=0, equal_nan=True)
        for pair in first
    )


# --- the mode --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(50))
def test_mode_equals_numpy_for_generic_distances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances = rng.normal(2.5, 0.3, size=rng.integers(2, 2000)).clip(1.0)
    assert mode_of_distances(distances) == pytest.approx(published_recipe(distances), rel=1e-12)


def test_density_not_count_decides() -> None:
    # Two at 1.0 against seven at 3.0: 2/1 > 7/9 (but 7 > 2).
    distances = np.array([1.0] * 2 + [3.0] * 7 + [4.0])
    assert mode_of_distances(distances) == pytest.approx(1.0 + 0.5 * 3.0 / 100)
    # Two at 1.0 against nineteen in the bin that begins at 2.98: 19/2.98**2 > 2.
    distances = np.array([1.0] * 2 + [2.995] * 19 + [4.0])
    assert mode_of_distances(distances) == pytest.approx(1.0 + 66.5 * 3.0 / 100)


def test_first_of_equally_full_bins() -> None:
    # 1/1^2 = 4/2^2: numpy's argmax takes the first, too.
    distances = np.array([1.0] + [2.0] * 4 + [101.0])
    assert mode_of_distances(distances) == pytest.approx(1.5)


def test_bit_identical_distances() -> None:
    # numpy's default range of +-0.5 would give 2.505.
    assert mode_of_distances(np.full(7, 2.5)) == 2.5


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_distances_that_differ_in_the_last_bit(unit: float) -> None:
    distances = unit * np.array([2.5, np.nextafter(2.5, 3.0), np.nextafter(2.5, 2.0)] * 5)
    with pytest.raises(ValueError, match="Too many bins"):
        np.histogram(distances, bins=100)  # why the recipe is not used as it stands
    assert mode_of_distances(distances) == pytest.approx(2.5 * unit, rel=1e-15)


def test_distance_on_the_edge_of_two_bins_counts_in_the_upper_one() -> None:
    # 1.5 is the edge of bins 49 and 50; what rounding leaves below it must not change the mode.
    exact = np.array([1.0, 2.0] + [1.5] * 20)
    below = np.array([1.0, 2.0] + [np.nextafter(1.5, 1.0)] * 20)
    assert mode_of_distances(exact) == mode_of_distances(below) == pytest.approx(1.505)


@pytest.mark.parametrize("distances", [[], [1.0, np.nan], [np.nan], [1.0, np.inf], [np.inf]])
def test_undefined_is_nan(distances: list[float]) -> None:
    assert np.isnan(mode_of_distances(np.array(distances)))


# --- structures ------------------------------------------------------------------------------


def test_pairs_are_ordered_and_alphabetical() -> None:
    atoms = Atoms("ZrOZrCa", positions=np.arange(12.0).reshape(4, 3))
    assert species_pairs(atoms) == [(a, b) for a in ("Ca", "O", "Zr") for b in ("Ca", "O", "Zr")]


@pytest.mark.parametrize(
    ("atoms", "expected"),
    [
        (bulk("Cu", "fcc", a=3.6), {("Cu", "Cu"): 3.6 / sqrt(2)}),
        (bulk("Fe", "bcc", a=2.8), {("Fe", "Fe"): 2.8 * sqrt(3) / 2}),
        (bulk("Po", "sc", a=3.3), {("Po", "Po"): 3.3}),
        (
            bulk("NaCl", "rocksalt", a=5.6),
            {
                ("Cl", "Cl"): 5.6 / sqrt(2),
                ("Cl", "Na"): 2.8,
                ("Na", "Cl"): 2.8,
                ("Na", "Na"): 5.6 / sqrt(2),
            },
        ),
        (graphene(a=2.46, vacuum=5.0), {("C", "C"): 2.46 / sqrt(3)}),
    ],
)
def test_perfect_crystals(atoms: Atoms, expected: dict[tuple[str, str], float]) -> None:
    assert nearest_neighbour_distances(atoms) == pytest.approx(expected, rel=1e-12)
    rotated = atoms.copy()
    rotated.rotate(37.0, (1, 2, 3), rotate_cell=True)  # distances now differ in their last bits
    assert nearest_neighbour_distances(rotated) == pytest.approx(expected, rel=1e-12)


def test_a_pair_need_not_be_symmetric() -> None:
    # Each O has its H at 1.0; the H at 4.0 is the nearest one of no O and counts for H -> O only.
    positions = [[0, 0, 0], [0, 0, 1.0], [9, 0, 0], [9, 0, 1.0], [9, 0, 4.0], [0, 0, 4.0]]
    scales = nearest_neighbour_distances(Atoms("OHOHHH", positions))
    assert scales["O", "H"] == pytest.approx(1.0, rel=1e-12)
    assert scales["H", "O"] == pytest.approx(1.0 + 0.5 * 3.0 / 100, rel=1e-12)


def test_direction_that_is_not_periodic_is_not_wrapped() -> None:
    atoms = Atoms("Cu2", [[0, 0, 0.1], [0, 0, 4.9]], cell=[3.0, 3.0, 5.0], pbc=True)
    assert nearest_neighbour_distances(atoms)["Cu", "Cu"] == pytest.approx(0.2)
    atoms.pbc = (True, True, False)
    assert nearest_neighbour_distances(atoms)["Cu", "Cu"] == pytest.approx(3.0)
    atoms.cell[2, 2] = 1.0  # shorter than the sheet is thick: it means nothing
    assert nearest_neighbour_distances(atoms)["Cu", "Cu"] == pytest.approx(3.0)
    atoms.pbc = False
    assert nearest_neighbour_distances(atoms)["Cu", "Cu"] == pytest.approx(4.8)


def test_single_atom_of_a_species() -> None:
    atoms = Atoms("OCO", [[-1.16, 0, 0], [0, 0, 0], [1.16, 0, 0]])
    scales = nearest_neighbour_distances(atoms)
    assert np.isnan(scales["C", "C"])
    assert scales["O", "O"] == pytest.approx(2.32)
    atoms.cell, atoms.pbc = [9.0, 7.0, 8.0], True
    assert nearest_neighbour_distances(atoms)["C", "C"] == pytest.approx(7.0)


def test_one_atom() -> None:
    assert np.isnan(nearest_neighbour_distances(Atoms("Cu"))["Cu", "Cu"])
    assert nearest_neighbour_distances(Atoms("Cu", cell=[3, 2, 4], pbc=True)) == {
        ("Cu", "Cu"): pytest.approx(2.0)
    }


def test_empty_structure() -> None:
    with pytest.raises(InputError, match="no atoms; at least two"):
        nearest_neighbour_distances(Atoms())


@pytest.mark.parametrize("symbols", ["Cu3", "CuNiCu"])
def test_coincident_atoms(symbols: str) -> None:
    atoms = Atoms(symbols, [[0.1, 0.2, 0.3], [1, 1, 1], [1, 1, 1]])
    with pytest.raises(InputError, match=r"Two atoms \(\w+, \w+\) stand at the same place"):
        nearest_neighbour_distances(atoms)


@pytest.mark.parametrize("angle", range(0, 180, 12))
def test_duplicate_by_a_lattice_vector(angle: int) -> None:
    # As in files that list both x = 0 and x = 1; after a rotation they agree up to rounding only.
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
    atoms.rotate(angle, (1, 2, 3), rotate_cell=True)
    atoms += Atoms("Na", [atoms.positions[0] + atoms.cell[0] - 2 * atoms.cell[2]])
    with pytest.raises(InputError, match=r"Two atoms \(Na, Na\) stand at the same place"):
        nearest_neighbour_distances(atoms)


def test_overall_distance_ignores_species_and_periodicity() -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True).repeat(2)
    assert overall_nearest_neighbour_distance(atoms) == pytest.approx(2.8)
    atoms = Atoms("CuNi", [[0, 0, 0], [0, 0, 2.5]], cell=[1.0, 1.0, 9.0], pbc=True)
    assert overall_nearest_neighbour_distance(atoms) == pytest.approx(2.5)


@pytest.mark.parametrize("n", [0, 1])
def test_overall_distance_needs_two_atoms(n: int) -> None:
    with pytest.raises(InputError, match=f"{n} atoms have no nearest-neighbour distance"):
        overall_nearest_neighbour_distance(Atoms(f"Cu{n}" if n else ""))


# --- properties ------------------------------------------------------------------------------


def nearest_by_ase(atoms: Atoms, a: str, b: str) -> np.ndarray:
    """Distances of the atoms of a to the nearest b from ASE's neighbour list."""
    cutoff = 60.0 if not atoms.pbc.any() else 16.0
    i, j, d = neighbor_list("ijd", atoms, cutoff)
    symbols = np.array(atoms.get_chemical_symbols())
    taken = (symbols[i] == a) & (symbols[j] == b)
    found = [d[taken & (i == k)] for k in np.flatnonzero(symbols == a)]
    return np.array([x.min() for x in found if x.size])


@given(structures())
def test_distances_equal_those_of_a_neighbour_list(atoms: Atoms) -> None:
    for (a, b), scale in nearest_neighbour_distances(atoms).items():
        expected = mode_of_distances(nearest_by_ase(atoms, a, b))
        assert scale == pytest.approx(expected, rel=1e-9, nan_ok=True)


@given(structures(), rotations(), st.floats(1e-3, 1e3), st.randoms())
def test_scale_follows_the_structure(
    atoms: Atoms, rotation: Rotation, factor: float, random: object
) -> None:
    before = nearest_neighbour_distances(atoms)
    changed = atoms.copy()
    changed.positions = factor * rotation.apply(atoms.positions + np.array([3.0, -1.0, 7.0]))
    changed.cell = factor * rotation.apply(atoms.cell.array)
    order = list(range(len(atoms)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert scales_close(nearest_neighbour_distances(changed[order]), before, factor)


@given(periodic_structures())
def test_supercell_has_the_scale_of_its_cell(atoms: Atoms) -> None:
    repeated = atoms.repeat([2 if periodic else 1 for periodic in atoms.pbc])
    assert scales_close(nearest_neighbour_distances(repeated), nearest_neighbour_distances(atoms))


@given(clusters(species=("Cu",)))
def test_overall_distance_equals_that_of_the_only_species(atoms: Atoms) -> None:
    expected = nearest_neighbour_distances(atoms)["Cu", "Cu"]
    assert overall_nearest_neighbour_distance(atoms) == pytest.approx(expected, rel=1e-9)


@given(structures(), st.floats(1.0, 9.0))
def test_images_are_all_that_lie_within_the_radius(atoms: Atoms, radius: float) -> None:
    target = np.arange(len(atoms)) % 2 == 0
    positions, owner, home = periodic_images(atoms, target, radius)
    assert np.array_equal(positions[home], atoms.positions[target])
    assert set(owner) == set(np.flatnonzero(target))
    j, shifts = neighbor_list("jS", atoms, radius)
    expected = {(int(b), *map(int, s)) for b, s in zip(j, shifts, strict=True) if target[b]}
    steps = positions - atoms.positions[owner]
    if atoms.pbc.any():
        steps = np.linalg.solve(atoms.cell.array.T, steps.T).T
    listed = {(int(b), *map(int, s)) for b, s in zip(owner, np.rint(steps), strict=True)}
    assert len(listed) == len(owner)  # none twice
    assert expected <= listed


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 0), (1, 0, 0), (5, 1, 0.01)])
@pytest.mark.parametrize(("n_points", "n_images"), [(1, 1), (2, 2), (5, 40), (300, 300), (500, 9)])
def test_nearest_distances_equal_those_of_a_tree(
    shape: tuple[float, float, float], n_points: int, n_images: int
) -> None:
    rng = np.random.default_rng(n_points)
    same = n_points == n_images
    images = rng.random((n_images, 3)) * shape
    points = images if same else rng.random((n_points, 3)) * shape + [0.3, -2.0, 0.1]
    found, even = nearest_distances(points, images, np.arange(n_images), np.full(n_images, same))
    expected = cKDTree(images).query(points, k=[1, 2])[0][:, int(same)]
    assert even and found == pytest.approx(expected, rel=1e-14)


def test_uneven_clouds_have_their_scale_too() -> None:
    # All but one of the atoms are in one cell of the list: a tree is asked instead.
    crowd = bulk("Cu", "fcc", a=3.6, cubic=True) * (5, 5, 5)
    crowd.pbc = False
    stray = crowd + Atoms("Cu", [[1e7, 0, 0]])
    positions, owner = stray.positions, np.arange(len(stray))
    assert not nearest_distances(positions, positions, owner, np.ones(len(stray), dtype=bool))[1]
    # The stray atom is a class of its own in the histogram: the mode lies in the first bin.
    scale = nearest_neighbour_distances(stray)["Cu", "Cu"]
    assert scale == pytest.approx(3.6 / np.sqrt(2) + 0.005 * 1e7, rel=1e-4)
    far = stray.copy()
    far.symbols[-1] = "Ni"
    far.positions[-1] = [1e12, 0, 0]
    assert nearest_neighbour_distances(far)["Ni", "Cu"] == pytest.approx(1e12, rel=1e-6)
    assert nearest_neighbour_distances(far)["Cu", "Cu"] == pytest.approx(3.6 / np.sqrt(2))
