"""Supercells of crystals and sheets, and the pieces that are cut out of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell
from scipy.spatial.transform import Rotation

from arise_lib.errors import InputError

#: Clusters have at least this many atoms (paper, Methods, "Dataset").
MIN_ATOMS = 100


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

    Raises
    ------
    InputError
        If the cell is empty, or has no periodic direction and too few atoms.

    Examples
    --------
    >>> from arise_lib.structures import replication
    >>> replication(4, (True, True, True))  # 4 x 3 x 3 x 3 = 108
    3
    >>> replication(2, (True, True, False))  # 2 x 8 x 8 = 128
    8
    """
    if n_atoms < 1 or (n_atoms < at_least and not any(periodic)):
        raise InputError(
            f"A cell of {n_atoms} atoms, periodic in {int(sum(periodic))} directions, reaches no "
            f"{at_least} atoms; give one atom at least, and directions in which it repeats (pbc)."
        )
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

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import supercell
    >>> cluster = supercell(bulk("Cu", a=3.6), 5, periodic=False)
    >>> len(cluster), bool(cluster.pbc.any())
    (125, False)
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

    Raises
    ------
    InputError
        If the cell is empty or has no periodic direction.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import supercell_series
    >>> [len(atoms) for atoms in supercell_series(bulk("Cu", a=3.6), periodic=True)]
    [125, 216, 343]
    """
    if not cell.pbc.any():
        raise InputError("A cell without a periodic direction has no supercells; set its pbc.")
    smallest = replication(len(cell), cell.pbc)
    return [supercell(cell, smallest + k, periodic=periodic) for k in range(count)]


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

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import cut_sphere, supercell
    >>> block = supercell(bulk("Po", "sc", a=1.0), 7, periodic=True)
    >>> len(cut_sphere(block, (3, 3, 3), 2.0))  # 1 + 6 + 12 + 8 + 6
    33
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

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib.structures import cut_box
    >>> box = cut_box(bulk("Cu", a=3.6), 12.0, np.random.default_rng(1))
    >>> bool(abs(box.positions).max() <= 6.0), bool(box.pbc.any())
    (True, False)
    """
    d = int(cell.pbc.sum())
    lattice = complete_cell(cell.cell)
    # A ball around the box must fit into the block, wherever in its middle cell the box lies.
    heights = 1.0 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    n = np.where(cell.pbc, np.ceil(np.sqrt(d) * edge / heights) + 2, 1).astype(int)
    # What `Atoms.repeat` does in a loop over the cells, which takes longer than all the rest.
    cells = np.indices(tuple(n)).reshape(3, -1).T @ cell.cell.array
    positions = (cells[:, None, :] + cell.positions).reshape(-1, 3)
    block = Atoms(np.tile(cell.numbers, len(cells)), positions)
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

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import round_cluster
    >>> len(round_cluster(bulk("Cu", a=3.6), 55))
    55
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
