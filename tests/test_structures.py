from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.build import bulk, graphene
from hypothesis import given
from hypothesis import strategies as st
from strategies import clusters, periodic_structures, structures

from arise_lib.errors import InputError
from arise_lib.samples.alloys import ordered_core_particle
from arise_lib.samples.grains import bicrystal
from arise_lib.samples.sheets import noisy_sheet
from arise_lib.samples.unknown import unseen_crystals
from arise_lib.structures import prototypes
from arise_lib.structures.defects import displace, remove_atoms
from arise_lib.structures.scale import (
    nearest_neighbour_distances,
    overall_nearest_neighbour_distance,
)
from arise_lib.structures.supercells import (
    cut_sphere,
    replication,
    round_cluster,
    supercell,
    supercell_series,
)

ROCK_SALT = bulk("NaCl", "rocksalt", a=5.64, cubic=True)  # 8 atoms
GRAPHENE = graphene(a=2.46, vacuum=7.0)  # 2 atoms, bond 1.42 Å
SEEDS = st.one_of(st.integers(0, 2**32), st.tuples(st.integers(0, 99), st.integers(0, 99)))


# --- supercells ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_atoms", "periodic", "expected"),
    [
        (1, (True, True, True), 5),  # 4^3 = 64 < 100 <= 125
        (2, (True, True, True), 4),  # 2 * 27 = 54 < 100 <= 128
        (4, (True, True, True), 3),
        (100, (True, True, True), 1),
        (99, (True, True, True), 2),
        (2, (True, True, False), 8),  # 2 * 49 = 98 < 100 <= 128
        (25, (True, True, False), 2),  # exactly 100
        (25, (True, False, False), 4),
    ],
)
def test_replication(n_atoms: int, periodic: tuple[bool, bool, bool], expected: int) -> None:
    assert replication(n_atoms, periodic) == expected


@pytest.mark.parametrize(
    ("n_atoms", "periodic"), [(0, (True,) * 3), (-1, (True,) * 3), (4, (False,) * 3)]
)
def test_replication_refuses_what_never_gets_there(
    n_atoms: int, periodic: tuple[bool, bool, bool]
) -> None:
    with pytest.raises(InputError, match=f"A cell of {n_atoms} atoms, .*reaches no 100"):
        replication(n_atoms, periodic)
    assert replication(120, (False,) * 3) == 1


def test_supercell_keeps_the_density_and_is_isotropic() -> None:
    cell = supercell(ROCK_SALT, 3, periodic=True)
    assert len(cell) == 27 * 8 and cell.pbc.all()
    assert cell.cell.lengths() == pytest.approx(3 * ROCK_SALT.cell.lengths())
    assert nearest_neighbour_distances(cell) == pytest.approx(
        nearest_neighbour_distances(ROCK_SALT), rel=1e-12
    )


def test_supercell_of_a_sheet_grows_in_the_plane_only() -> None:
    sheet = supercell(GRAPHENE, 4, periodic=True)
    assert len(sheet) == 16 * 2
    assert sheet.pbc.tolist() == [True, True, False]
    assert sheet.cell.lengths() == pytest.approx([4 * 2.46, 4 * 2.46, GRAPHENE.cell[2, 2]])


def test_free_cluster_has_no_cell() -> None:
    cluster = supercell(ROCK_SALT, 2, periodic=False)
    assert not cluster.pbc.any() and not cluster.cell.any()
    kept = supercell(ROCK_SALT, 2, periodic=True)
    assert np.array_equal(cluster.positions, kept.positions)


@pytest.mark.parametrize("n", [0, -2])
def test_supercell_refuses_nothing(n: int) -> None:
    with pytest.raises(InputError, match=f"supercell of {n} repetitions is empty"):
        supercell(ROCK_SALT, n, periodic=True)


def test_series_is_the_smallest_of_at_least_100_atoms_and_the_next_two() -> None:
    series = supercell_series(ROCK_SALT, periodic=False)
    assert [len(atoms) for atoms in series] == [8 * 27, 8 * 64, 8 * 125]
    assert [len(atoms) for atoms in supercell_series(GRAPHENE, periodic=True, count=2)] == [
        128,
        162,
    ]


@pytest.mark.parametrize("n_atoms", [4, 200])
def test_what_is_not_periodic_has_no_series(n_atoms: int) -> None:
    with pytest.raises(InputError, match="without a periodic direction"):
        supercell_series(Atoms(f"Cu{n_atoms}"), periodic=False)
    with pytest.raises(InputError, match="A cell of 0 atoms"):
        supercell_series(Atoms(pbc=True), periodic=False)


@given(periodic_structures())
def test_supercell_leaves_its_input_alone(atoms: Atoms) -> None:
    before = atoms.copy()
    supercell(atoms, 2, periodic=False)
    assert atoms == before


# --- displacements ---------------------------------------------------------------------------


@given(clusters(), st.floats(1e-3, 0.2), SEEDS)
def test_displacement_is_bounded_per_coordinate(atoms: Atoms, ratio: float, seed: object) -> None:
    before = atoms.copy()
    moved = displace(atoms, ratio, seed)  # type: ignore[arg-type]
    bound = ratio * overall_nearest_neighbour_distance(atoms)
    shift = moved.positions - atoms.positions
    assert np.abs(shift).max() <= bound * (1 + 1e-9)
    assert np.all(shift != 0)
    assert atoms == before and np.array_equal(moved.numbers, atoms.numbers)


def test_displacements_are_uniform() -> None:
    atoms = supercell(ROCK_SALT, 6, periodic=True)
    shift = (displace(atoms, 0.02, 7).positions - atoms.positions).ravel() / (0.02 * 2.82)
    assert len(shift) == 5184
    # Uniform in [-1, 1]: mean 0 with standard error 1/sqrt(3 n), quartiles at -0.5, 0 and 0.5.
    assert abs(shift.mean()) < 3 / sqrt(3 * len(shift))
    assert np.quantile(shift, [0.25, 0.5, 0.75]) == pytest.approx([-0.5, 0.0, 0.5], abs=0.04)
    assert np.abs(shift).max() == pytest.approx(1.0, abs=2e-3)


def test_amplitude_ignores_species_and_periodicity() -> None:
    # Paper, Methods: dNN over all atoms, not wrapped. The nearest image is at 1.5 only.
    atoms = Atoms("CuNi", [[0, 0, 0], [0, 0, 4.0]], cell=[9, 9, 5.5], pbc=True)
    shift = np.concatenate(
        [displace(atoms, 0.1, k).positions - atoms.positions for k in range(200)]
    )
    assert 0.39 < np.abs(shift).max() <= 0.4


def test_no_displacement_changes_nothing() -> None:
    assert np.array_equal(displace(ROCK_SALT, 0.0, 3).positions, ROCK_SALT.positions)


def test_displacement_refuses() -> None:
    with pytest.raises(InputError, match=r"displacement of -0.1 dNN is negative"):
        displace(ROCK_SALT, -0.1, 0)
    with pytest.raises(InputError, match="1 atoms have no nearest-neighbour distance"):
        displace(Atoms("Cu"), 0.1, 0)


# --- missing atoms ---------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [0.01, 0.02, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30])
def test_exactly_the_integer_part_is_missing(ratio: float) -> None:
    for n in (1, 2, 3, 7, 20, 99, 100, 108, 125, 128, 300, 1000, 2048):
        atoms = Atoms("Cu" * n, np.arange(3.0 * n).reshape(n, 3))
        percent = round(100 * ratio)
        assert len(remove_atoms(atoms, ratio, 0)) == n - n * percent // 100


def test_ratio_is_meant_as_written() -> None:
    # In double precision 100 * 0.29 is 28.999999999999996.
    atoms = Atoms("Cu100", np.arange(300.0).reshape(100, 3))
    assert len(remove_atoms(atoms, 0.29, 0)) == 71


@given(structures(), st.floats(0, 0.99), SEEDS)
def test_what_remains_stands_where_it_stood(atoms: Atoms, ratio: float, seed: object) -> None:
    before = atoms.copy()
    rest = remove_atoms(atoms, ratio, seed)  # type: ignore[arg-type]
    # Positions are all different: they name the atoms.
    names = {tuple(p): i for i, p in enumerate(atoms.positions)}
    kept = [names[tuple(p)] for p in rest.positions]
    assert kept == sorted(set(kept))
    assert np.array_equal(rest.numbers, atoms.numbers[kept])
    assert np.array_equal(rest.pbc, atoms.pbc) and np.array_equal(rest.cell, atoms.cell)
    assert atoms == before


def test_atoms_are_removed_uniformly() -> None:
    # 2,000 draws of 2 of 8: each atom 500 times, standard deviation sqrt(2000 * 0.25 * 0.75) = 19.
    gone = np.zeros(8)
    for seed in range(2000):
        rest = {tuple(p) for p in remove_atoms(ROCK_SALT, 0.25, seed).positions}
        gone += [tuple(p) not in rest for p in ROCK_SALT.positions]
    assert gone.sum() == 4000
    assert np.abs(gone - 500).max() < 4 * 19.4


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 1.5, float("nan")])
def test_share_of_missing_atoms_refused(ratio: float) -> None:
    with pytest.raises(InputError, match=r"must be in \[0, 1\)"):
        remove_atoms(ROCK_SALT, ratio, 0)


# --- seeds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: displace(ROCK_SALT, 0.05, seed),
        lambda seed: remove_atoms(supercell(ROCK_SALT, 2, periodic=False), 0.2, seed),
        lambda seed: noisy_sheet(GRAPHENE, 60, 0.05, seed),
        lambda seed: ordered_core_particle(bulk("CsCl", "cesiumchloride", a=3.0), 9, 5, 0.1, seed)[
            0
        ],
        lambda seed: bicrystal(bulk("Cu"), bulk("Fe"), 12.0, seed)[0],
    ],
    ids=["displace", "remove", "sheet", "particle", "bicrystal"],
)
def test_same_seed_same_structure(make) -> None:  # type: ignore[no-untyped-def]
    first = make(5)
    np.random.seed(0)  # noqa: NPY002 - the global generator must not matter
    again = make(5)
    assert np.array_equal(first.positions, again.positions)
    assert np.array_equal(first.numbers, again.numbers)
    for other in (make(6), make((5, 1))):
        assert other.positions.shape != first.positions.shape or not np.array_equal(
            other.positions, first.positions
        )


# --- cut-outs --------------------------------------------------------------------------------


def test_sphere() -> None:
    block = supercell(bulk("Po", "sc", a=1.0), 7, periodic=True)
    # Points of the cubic lattice within 2 of a point: 1 + 6 + 12 + 8 + 6.
    ball = cut_sphere(block, (3, 3, 3), 2.0)
    assert len(ball) == 33
    assert not ball.pbc.any() and not ball.cell.any()
    assert len(cut_sphere(block, (-9, 0, 0), 2.0)) == 0


@pytest.mark.parametrize("n", [1, 13, 55, 147])
def test_round_cluster_of_a_crystal(n: int) -> None:
    cluster = round_cluster(bulk("Cu", "fcc", a=3.6), n)
    assert len(cluster) == n
    assert not cluster.pbc.any() and not cluster.cell.any()
    assert np.abs(cluster.positions.mean(axis=0)).max() < 1e-9
    if n > 1:
        # Of all shapes a ball has the least moment of inertia: 3/5 R^2 with 4/3 pi R^3 = n V.
        radius = (3 * n * 3.6**3 / 4 / (4 * np.pi)) ** (1 / 3)
        moment = (cluster.positions**2).sum(axis=1).mean()
        assert moment == pytest.approx(0.6 * radius**2, rel=0.15)


def test_round_flake_keeps_its_thickness() -> None:
    cell = prototypes.build("MoS2")
    flake = round_cluster(cell, 90)
    assert len(flake) == 90
    heights = np.unique((flake.positions[:, 2] - flake.positions[:, 2].min()).round(3))
    assert len(heights) == 3  # S, Mo, S
    assert np.ptp(flake.positions[:, 2]) == pytest.approx(np.ptp(cell.positions[:, 2]))


def test_round_cluster_leaves_a_nanotube_whole() -> None:
    tube = prototypes.build("nanotube (3,3)")
    cluster = round_cluster(tube, 10)
    assert len(cluster) == len(tube)
    assert np.abs(cluster.positions.mean(axis=0)).max() < 1e-12


# --- samples with known truth ----------------------------------------------------------------


def test_noisy_sheet_is_flat_and_noisy_as_stated() -> None:
    sheet = noisy_sheet(prototypes.build("MoS2"), 300, 0.0, 1)
    assert len(sheet) == 300 and np.all(sheet.positions[:, 2] == 0)
    clean = noisy_sheet(GRAPHENE, 2000, 0.0, 3)
    noisy = noisy_sheet(GRAPHENE, 2000, 0.05, 3)  # the same angle is drawn first
    error = (noisy.positions - clean.positions)[:, :2].ravel()
    # Standard error of a standard deviation: sigma / sqrt(2 n).
    sigma = 0.05 * 2.46 / sqrt(3)
    assert error.std() == pytest.approx(sigma, abs=4 * sigma / sqrt(2 * len(error)))


def test_noisy_sheet_is_turned() -> None:
    first, second = (noisy_sheet(GRAPHENE, 60, 0.0, seed) for seed in (1, 2))
    assert overall_nearest_neighbour_distance(first) == pytest.approx(2.46 / sqrt(3), rel=1e-3)
    assert not np.allclose(first.positions, second.positions, atol=0.1)


def test_ordered_core_particle() -> None:
    cell = prototypes.build("L1_0")
    particle, in_core = ordered_core_particle(cell, 16.0, 9.0, 0.0, 0)
    distance = np.linalg.norm(particle.positions, axis=1)
    assert np.array_equal(in_core, distance <= 9.0)
    assert distance.max() <= 16.0
    volume = cell.get_volume() / len(cell)
    assert len(particle) == pytest.approx(4 / 3 * np.pi * 16.0**3 / volume, rel=0.05)
    perfect, _ = ordered_core_particle(cell, 16.0, 16.0, 0.0, 0)
    assert np.array_equal(particle.positions, perfect.positions)
    assert np.array_equal(particle.numbers[in_core], perfect.numbers[in_core])
    shell = ~in_core
    assert sorted(particle.numbers[shell]) == sorted(perfect.numbers[shell])
    # Random occupation: about half of the shell's sites hold the other species.
    changed = np.mean(particle.numbers[shell] != perfect.numbers[shell])
    assert changed == pytest.approx(0.5, abs=4 * 0.5 / sqrt(shell.sum()))


def test_particle_has_the_stated_error() -> None:
    cell = bulk("CsCl", "cesiumchloride", a=3.0)
    exact, _ = ordered_core_particle(cell, 15.0, 8.0, 0.0, 4)
    noisy, _ = ordered_core_particle(cell, 15.0, 8.0, 0.2, 4)
    error = (noisy.positions - exact.positions).ravel()
    assert error.std() == pytest.approx(0.2, abs=4 * 0.2 / sqrt(2 * len(error)))


def test_bicrystal() -> None:
    left, right = bulk("Cu", "fcc", a=3.6), bulk("Fe", "bcc", a=2.87)
    atoms, on_the_right = bicrystal(left, right, 24.0, 0)
    assert np.array_equal(on_the_right, np.array(atoms.get_chemical_symbols()) == "Fe")
    assert (atoms.positions[on_the_right, 0] >= 0).all()
    assert (atoms.positions[~on_the_right, 0] <= 0).all()
    assert np.abs(atoms.positions).max() <= 12.0
    # Both halves are full, but for the atoms left out at the boundary.
    inside = np.abs(atoms.positions[:, 0]) > 2.0
    half = 24.0**2 * 10.0
    assert (inside & ~on_the_right).sum() == pytest.approx(half / (3.6**3 / 4), rel=0.07)
    assert (inside & on_the_right).sum() == pytest.approx(half / (2.87**3 / 2), rel=0.07)
    assert not atoms.pbc.any()
    across = np.linalg.norm(
        atoms.positions[on_the_right][:, None] - atoms.positions[~on_the_right][None], axis=2
    )
    assert across.min() >= 0.8 * 3.6 / sqrt(2)


@pytest.mark.parametrize("corner", [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
def test_bicrystal_fills_its_corners(corner: tuple[int, int, int]) -> None:
    atoms, _ = bicrystal(bulk("Cu", "fcc", a=3.6), bulk("Cu", "fcc", a=3.6), 24.0, 3)
    distance = np.linalg.norm(atoms.positions - 12.0 * np.array(corner), axis=1)
    # Any ball of radius a/2 holds an atom of an fcc crystal; one fits into the corner.
    assert distance.min() <= 1.8 * (sqrt(3) + 1)


@pytest.mark.parametrize(
    ("name", "space_group", "formula", "distance"),
    [
        # Shortest distances by geometry from the stated lattice constants.
        ("A15", 223, {"Cr": 3, "Si": 1}, 4.56 / 2),  # along the chains of Cr
        ("fluorite", 225, {"Ca": 1, "F": 2}, 5.463 * sqrt(3) / 4),
        ("rutile", 136, {"Ti": 1, "O": 2}, sqrt(2 * (0.195 * 4.594) ** 2 + 2.959**2 / 4)),
        ("pyrite", 205, {"Fe": 1, "S": 2}, 2 * sqrt(3) * 0.115 * 5.418),  # the S2 pair
        ("Heusler", 225, {"Cu": 2, "Mn": 1, "Al": 1}, 5.95 * sqrt(3) / 4),
    ],
)
def test_unseen_crystals(
    name: str, space_group: int, formula: dict[str, int], distance: float
) -> None:
    atoms = unseen_crystals()[name]
    assert len(atoms) >= 100 and atoms.pbc.all()
    data = spglib.get_symmetry_dataset(
        (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), symprec=1e-3
    )
    assert data.number == space_group
    assert atoms.symbols.formula.reduce()[0].count() == formula
    assert min(nearest_neighbour_distances(atoms).values()) == pytest.approx(distance, rel=1e-6)


def test_no_unseen_crystal_is_a_class() -> None:
    known = {(prototypes.get(x).space_group, prototypes.get(x).pearson) for x in prototypes.LABELS}
    unseen = [(223, "cP8"), (225, "cF12"), (136, "tP6"), (205, "cP12"), (225, "cF16")]
    assert len(unseen_crystals()) == len(unseen)
    assert not known & set(unseen)
