"""Structures made from others: supercells, defects, and simple samples with known truth.

Every random step takes an explicit seed: the same seed gives the same structure
on every machine, whatever ran before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell
from ase.spacegroup import crystal
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from arise_lib.errors import InputError
from arise_lib.scaling import overall_nearest_neighbour_distance

#: Clusters have at least this many atoms (paper, Methods, "Dataset").
MIN_ATOMS = 100

Seed = int | Sequence[int]


def replication(n_atoms: int, periodic: Sequence[bool], at_least: int = MIN_ATOMS) -> int:
    """Return the smallest isotropic replication that reaches a number of atoms.

    Parameters
    ----------
    n_atoms : int
        Atoms in the cell.
    periodic : sequence of bool, length 3
        Directions to replicate: three for a crystal, the two in the plane for a
        sheet.
    at_least : int
        Number of atoms to reach.

    Returns
    -------
    int
        Smallest n with ``n_atoms * n**sum(periodic) >= at_least``.
    """
    n = 1
    while n_atoms * n ** int(sum(periodic)) < at_least:
        n += 1
    return n


def supercell(cell: Atoms, n: int, *, periodic: bool) -> Atoms:
    """Repeat a cell n times along each of its periodic directions.

    Parameters
    ----------
    cell : ase.Atoms
        Periodic in two or three directions.
    n : int
        Repetitions, the same along each periodic direction.
    periodic : bool
        Whether the result keeps the periodicity, or is a free cluster.

    Returns
    -------
    ase.Atoms
        A new structure of ``len(cell) * n**d`` atoms, d periodic directions.

    Raises
    ------
    InputError
        If n is not positive.
    """
    if n < 1:
        raise InputError(f"A supercell of {n} repetitions is empty; give at least 1.")
    result = cell.repeat([n if direction else 1 for direction in cell.pbc])
    if not periodic:
        result.pbc = False
        result.cell = None
    return result


def supercell_series(cell: Atoms, *, periodic: bool, count: int = 3) -> list[Atoms]:
    """Return the smallest supercell of at least 100 atoms and the next larger ones.

    Parameters
    ----------
    cell : ase.Atoms
        Periodic cell.
    periodic : bool
        Whether the supercells stay periodic.
    count : int
        How many sizes (three in the paper).

    Returns
    -------
    list of ase.Atoms
        Isotropic supercells, n, n + 1, ... along each periodic direction.
    """
    smallest = replication(len(cell), cell.pbc)
    return [supercell(cell, smallest + k, periodic=periodic) for k in range(count)]


def displace(atoms: Atoms, ratio: float, seed: Seed) -> Atoms:
    """Displace every atom at random.

    Each coordinate is shifted by a number drawn uniformly from
    ``[-ratio * dNN, ratio * dNN]``, dNN taken over all atoms (paper, Methods,
    "Dataset").

    Parameters
    ----------
    atoms : ase.Atoms
        Structure of at least two atoms.
    ratio : float
        Largest shift in units of dNN (0.01 is "1 %").
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    ase.Atoms
        A new structure.

    Raises
    ------
    InputError
        If the ratio is negative.
    """
    if ratio < 0:
        raise InputError(f"A displacement of {ratio} dNN is negative; give 0 or more.")
    amplitude = ratio * overall_nearest_neighbour_distance(atoms)
    shift = np.random.default_rng(seed).uniform(-amplitude, amplitude, size=(len(atoms), 3))
    result = atoms.copy()
    result.positions += shift
    return result


def remove_atoms(atoms: Atoms, ratio: float, seed: Seed) -> Atoms:
    """Remove ``int(len(atoms) * ratio)`` atoms, drawn uniformly over all of them.

    Parameters
    ----------
    atoms : ase.Atoms
        Any structure.
    ratio : float
        Share of atoms to remove, from 0 to below 1.
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    ase.Atoms
        A new structure, the order of the remaining atoms unchanged.

    Raises
    ------
    InputError
        If the ratio is not in [0, 1).
    """
    if not 0 <= ratio < 1:
        raise InputError(f"The share of missing atoms is {ratio}; it must be in [0, 1).")
    # 100 * 0.29 is 28.999...: the share is meant as written, so rounding comes first.
    n_missing = int(round(len(atoms) * ratio, 9))
    missing = np.random.default_rng(seed).choice(len(atoms), size=n_missing, replace=False)
    keep = np.ones(len(atoms), dtype=bool)
    keep[missing] = False
    return atoms[keep]


def cut_sphere(atoms: Atoms, centre: Sequence[float], radius: float) -> Atoms:
    """Cut the atoms within `radius` of a point out of a structure, as a free cluster.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure; periodicity is ignored.
    centre : sequence of float, length 3
        In the unit of the positions.
    radius : float
        In the unit of the positions.

    Returns
    -------
    ase.Atoms
        A new structure without cell.
    """
    distance = np.linalg.norm(atoms.positions - np.asarray(centre, dtype=float), axis=1)
    result = atoms[distance <= radius]
    result.pbc = False
    result.cell = None
    return result


def cut_box(cell: Atoms, edge: float, generator: np.random.Generator) -> Atoms:
    """Cut a cube of random place and orientation out of a crystal, a square out of a sheet.

    Parameters
    ----------
    cell : ase.Atoms
        Crystal, or sheet in the xy plane.
    edge : float
        In the unit of the positions.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ase.Atoms
        A free cluster, the box centred on the origin; of a sheet, in full
        thickness.
    """
    d = int(cell.pbc.sum())
    lattice = complete_cell(cell.cell)
    # A ball around the box must fit into the block, wherever in its middle cell the box lies.
    heights = 1.0 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    n = np.where(cell.pbc, np.ceil(np.sqrt(d) * edge / heights) + 2, 1).astype(int)
    block = cell.repeat(n)
    block.pbc, block.cell = False, None
    shift = (generator.uniform(-0.5, 0.5, 3) * cell.pbc) @ cell.cell.array
    if d == 2:
        turn = Rotation.from_rotvec([0.0, 0.0, generator.uniform(0.0, 2.0 * np.pi)])
    else:
        turn = Rotation.random(rng=generator)
    block.positions = (block.positions - block.positions.mean(axis=0) - shift) @ (
        turn.as_matrix().T
    )
    return block[np.all(np.abs(block.positions[:, :d]) <= 0.5 * edge, axis=1)]


def round_cluster(cell: Atoms, n_atoms: int) -> Atoms:
    """Cut the `n_atoms` atoms nearest to the middle out of a large supercell.

    Of a sheet, in the xy plane, a round flake of full thickness is cut.

    Parameters
    ----------
    cell : ase.Atoms
        Crystal or sheet; a structure without periodicity is returned as it is.
    n_atoms : int
        Size of the cluster.

    Returns
    -------
    ase.Atoms
        A free, roughly round cluster, centred on the origin.
    """
    cluster = cell.copy()
    if cell.pbc.any():
        n = 2 * replication(len(cell), cell.pbc, at_least=n_atoms) + 1
        cluster = supercell(cell, n, periodic=False)
        cluster.positions -= cluster.positions.mean(axis=0)
        directions = slice(0, 2) if cell.pbc.sum() == 2 else slice(0, 3)
        distance = np.linalg.norm(cluster.positions[:, directions], axis=1)
        cluster = cluster[np.sort(np.argsort(distance.round(6), kind="stable")[:n_atoms])]
    cluster.positions -= cluster.positions.mean(axis=0)
    return cluster


def noisy_sheet(cell: Atoms, n_atoms: int, error: float, seed: Seed) -> Atoms:
    """Simulate a flat monolayer as it is reconstructed from a microscope image.

    A round flake of `n_atoms` atoms, turned at random in its plane, each atom
    misplaced in the plane by a Gaussian error, and all heights set to zero.

    Parameters
    ----------
    cell : ase.Atoms
        Sheet, periodic in its plane (the first two cell vectors).
    n_atoms : int
        Size of the flake.
    error : float
        Standard deviation of the error per coordinate, in units of dNN.
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    ase.Atoms
        A free cluster with z = 0.
    """
    generator = np.random.default_rng(seed)
    flake = round_cluster(cell, n_atoms)
    scale = overall_nearest_neighbour_distance(flake)
    flake.rotate(generator.uniform(0.0, 360.0), "z")
    flake.positions[:, :2] += generator.normal(0.0, error * scale, size=(len(flake), 2))
    flake.positions[:, 2] = 0.0
    return flake


def ordered_core_particle(
    ordered: Atoms,
    radius: float,
    core_radius: float,
    error: float,
    seed: Seed,
) -> tuple[Atoms, NDArray[np.bool_]]:
    """Simulate a particle with an ordered core in a shell of random occupation.

    Core and shell share one lattice and one composition: `ordered` fills the
    sphere, and outside the core the species are shuffled among the sites.
    Positions get a Gaussian error, as tomography leaves it.

    Parameters
    ----------
    ordered : ase.Atoms
        Cubic or tetragonal cell of the ordered phase.
    radius, core_radius : float
        Radii in Å.
    error : float
        Standard deviation of the positional error per coordinate in Å.
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    atoms : ase.Atoms
        A free cluster around the origin.
    in_core : ndarray of bool, shape (n_atoms,)
        The truth: which atoms belong to the ordered core.
    """
    generator = np.random.default_rng(seed)
    edge = np.linalg.norm(ordered.cell.array, axis=1).min()
    block = supercell(ordered, int(np.ceil(2.0 * radius / edge)) + 1, periodic=False)
    block.positions -= block.positions.mean(axis=0)
    particle = cut_sphere(block, (0.0, 0.0, 0.0), radius)
    in_core = np.linalg.norm(particle.positions, axis=1) <= core_radius
    numbers = particle.numbers
    numbers[~in_core] = generator.permutation(numbers[~in_core])
    particle.numbers = numbers
    particle.positions += generator.normal(0.0, error, size=particle.positions.shape)
    return particle, in_core


def bicrystal(
    left: Atoms, right: Atoms, edge: float, seed: Seed
) -> tuple[Atoms, NDArray[np.bool_]]:
    """Join two crystals of random orientation at the plane x = 0.

    Parameters
    ----------
    left, right : ase.Atoms
        Cells of the two crystals.
    edge : float
        Edge of the cube that is filled, in Å.
    seed : int or sequence of int
        Seed of the orientations.

    Returns
    -------
    atoms : ase.Atoms
        A free cluster centred on the origin. At the boundary, atoms of `right`
        that come nearer than 0.8 dNN to one of `left` are left out.
    on_the_right : ndarray of bool, shape (n_atoms,)
        The truth: which atoms belong to `right`.
    """
    generator = np.random.default_rng(seed)
    grains = []
    for cell, side in ((left, -1.0), (right, 1.0)):
        # A sphere of this radius holds the cube in any orientation.
        radius = 0.5 * np.sqrt(3.0) * edge
        volume = cell.get_volume() / len(cell)
        grain = round_cluster(cell, int(np.ceil(4.19 * (1.02 * radius) ** 3 / volume)))
        grain.positions = grain.positions @ Rotation.random(rng=generator).as_matrix().T
        inside = np.all(np.abs(grain.positions) <= 0.5 * edge, axis=1)
        grains.append(grain[inside & (side * grain.positions[:, 0] >= 0.0)])
    first, second = grains
    spacing = cKDTree(first.positions).query(second.positions)[0]
    second = second[spacing >= 0.8 * overall_nearest_neighbour_distance(first)]
    on_the_right = np.arange(len(first) + len(second)) >= len(first)
    return first + second, on_the_right


def unseen_crystals() -> dict[str, Atoms]:
    """Build common crystals that are none of the 108 classes.

    Returns
    -------
    dict of str to ase.Atoms
        Periodic supercells of at least 100 atoms by name: A15, fluorite, rutile,
        pyrite and Heusler structures, from their space groups and the textbook
        positions of Cr3Si, CaF2, TiO2, FeS2 and Cu2MnAl (lengths in Å).
    """
    origin, quarter = (0, 0, 0), (0.25, 0.25, 0.25)
    facts: dict[str, tuple[list[str], list[tuple[float, float, float]], int, float, float]] = {
        "A15": (["Si", "Cr"], [origin, (0.25, 0, 0.5)], 223, 4.56, 4.56),
        "fluorite": (["Ca", "F"], [origin, quarter], 225, 5.463, 5.463),
        "rutile": (["Ti", "O"], [origin, (0.305, 0.305, 0)], 136, 4.594, 2.959),
        "pyrite": (["Fe", "S"], [origin, (0.385, 0.385, 0.385)], 205, 5.418, 5.418),
        "Heusler": (["Al", "Mn", "Cu"], [origin, (0.5, 0, 0), quarter], 225, 5.95, 5.95),
    }
    cells = {
        name: crystal(species, basis, spacegroup=group, cellpar=[a, a, c, 90, 90, 90])
        for name, (species, basis, group, a, c) in facts.items()
    }
    return {name: supercell_series(cell, periodic=True, count=1)[0] for name, cell in cells.items()}
