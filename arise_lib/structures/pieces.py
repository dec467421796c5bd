"""Free pieces of a sample: boxes for so many atoms, the atoms around one, which of them count."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from numbers import Integral

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell, minkowski_reduce
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.structures.neighbours import periodic_images

#: A species with fewer atoms than this in a free piece is left out of it: its scale would be taken
#: from a distance or two.
MIN_ATOMS_OF_SPECIES = 3

#: Atoms whose distances agree to this relative accuracy are of one shell: which of them came first
#: would be a matter of rounding.
SAME_SHELL = 1e-6

_LOT = 1000  # centres whose neighbours are listed together
_MARGIN = 1.2  # of the radius that would hold the atoms if they stood everywhere alike


def of_common_species(
    numbers: NDArray[np.integer], at_least: int = MIN_ATOMS_OF_SPECIES
) -> NDArray[np.bool_]:
    """Tell which atoms of a piece are of a species that has enough atoms in it.

    Parameters
    ----------
    numbers : ndarray of int, shape (n_atoms,)
        Atomic numbers.
    at_least : int
        Atoms of a species that are enough.

    Returns
    -------
    ndarray of bool, shape (n_atoms,)
        True where the species has at least `at_least` atoms.

    Examples
    --------
    >>> import numpy as np
    >>> of_common_species(np.array([26, 26, 26, 78])).tolist()
    [True, True, True, False]
    """
    counts = np.bincount(numbers)
    return counts[numbers] >= at_least


def box_edge(cell: Atoms, n_atoms: float) -> float:
    """Return the edge of a box that holds a number of atoms on average.

    Parameters
    ----------
    cell : ase.Atoms
        Crystal, or sheet whose first two cell vectors span its plane.
    n_atoms : float
        Atoms in the box.

    Returns
    -------
    float
        Edge of a cube in a crystal, of a square in a sheet, in the unit of the cell.

    Examples
    --------
    >>> from ase.build import bulk
    >>> round(box_edge(bulk("Cu", a=3.6), 4 * 10**3), 6)
    36.0
    """
    if cell.pbc.sum() == 3:
        return float((n_atoms * cell.get_volume() / len(cell)) ** (1 / 3))
    area = np.linalg.norm(np.cross(*cell.cell.array[:2]))
    return float(np.sqrt(n_atoms * area / len(cell)))


def neighbourhood(atoms: Atoms, centre: int, n_atoms: int) -> Atoms:
    """Cut out the atoms nearest to one of a sample, itself included.

    Parameters
    ----------
    atoms : ase.Atoms
        A sample that `check_atoms` accepts; periodic where its `pbc` says so.
    centre : int
        Index of the atom, negative from the end.
    n_atoms : int
        How many atoms. All of the last shell are taken, whose distances agree to `SAME_SHELL`: it
        may be more, and which ones does not depend on the order of the atoms.

    Returns
    -------
    ase.Atoms
        A free cluster with the centre, at the origin, first, then by distance.

    Raises
    ------
    InputError
        If there is no such atom, if fewer than one is asked for, or if a sample without periodicity
        holds fewer.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import neighbourhood
    >>> piece = neighbourhood(bulk("Cu", a=3.6), 0, 14)
    >>> len(piece), piece.pbc.any().item()  # 1 + 12 neighbours, and all 6 next ones
    (19, False)
    """
    (piece,) = neighbourhoods(atoms, n_atoms, [centre])
    return piece


def neighbourhoods(
    atoms: Atoms, n_atoms: int, centres: Sequence[int] | NDArray[np.integer] | None = None
) -> Iterator[Atoms]:
    """Cut out the atoms nearest to each of many: one tree serves all of them.

    Parameters
    ----------
    atoms : ase.Atoms
        As for `neighbourhood`.
    n_atoms : int
        As for `neighbourhood`.
    centres : sequence of int, optional
        Indices of the atoms; all of them by default.

    Returns
    -------
    iterator of ase.Atoms
        A free cluster for each centre, in their order; made when it is asked for.

    Raises
    ------
    InputError
        As by `neighbourhood`, at once.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures.pieces import neighbourhoods
    >>> salt = bulk("NaCl", "rocksalt", a=5.6)
    >>> [piece.get_chemical_formula() for piece in neighbourhoods(salt, 7)]
    ['Cl6Na', 'ClNa6']
    """
    chosen = _centres(len(atoms), centres)
    if isinstance(n_atoms, bool) or not isinstance(n_atoms, Integral) or n_atoms < 1:
        raise InputError(f"n_atoms={n_atoms}: a whole number from 1 up is needed, 100 say")
    if not atoms.pbc.any():
        if n_atoms > len(atoms):
            raise InputError(
                f"{n_atoms} atoms are asked for, the sample, which is not periodic, has "
                f"{len(atoms)}: take a smaller number (or is atoms.pbc wrong?)"
            )
        tree = cKDTree(atoms.positions)
        points = atoms.positions[chosen]
        return _pieces(tree, atoms.numbers, points, _reaches(tree, points, n_atoms))
    compact = _compact(atoms)
    points = compact.positions[chosen]
    everyone = np.ones(len(atoms), dtype=bool)
    radius = _MARGIN * _radius(compact, n_atoms)
    while True:
        # Within `radius` of every atom the images are complete.
        images, owner, _ = periodic_images(compact, everyone, radius)
        tree = cKDTree(images)
        reaches = _reaches(tree, points, n_atoms)
        if (reaches <= radius).all():
            return _pieces(tree, atoms.numbers[owner], points, reaches)
        radius = 2.0 * radius if np.isinf(reaches).any() else float(reaches.max())


def nearest_centre(atoms: Atoms, centres: Sequence[int] | NDArray[np.integer]) -> NDArray[np.intp]:
    """Find which of some atoms is nearest to each atom of a sample.

    Parameters
    ----------
    atoms : ase.Atoms
        As for `neighbourhood`.
    centres : sequence of int
        Indices of the atoms among which the nearest one is looked for.

    Returns
    -------
    ndarray of int, shape (n_atoms,)
        Place in `centres`; of several at one distance, any.

    Raises
    ------
    InputError
        If there is no centre, or one of them is no atom.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures.pieces import nearest_centre
    >>> nearest_centre(bulk("Po", "sc", a=3.0) * (1, 1, 6), [0, 3]).tolist()
    [0, 0, 1, 1, 1, 0]
    """
    chosen = _centres(len(atoms), centres)
    if chosen.size == 0:
        raise InputError("there is no centre among which the nearest one could be found")
    target = np.zeros(len(atoms), dtype=bool)
    target[chosen] = True
    place = np.empty(len(atoms), dtype=np.intp)
    place[chosen] = np.arange(len(chosen))
    compact = _compact(atoms)
    radius = 0.0
    while True:
        images, owner, _ = periodic_images(compact, target, radius)
        distances, found = cKDTree(images).query(compact.positions)
        # With no images, that of atoms as they stand: an upper bound, within which all count.
        if distances.max() <= radius or not atoms.pbc.any():
            return place[owner[found]]
        radius = float(distances.max())


def _centres(n: int, centres: Sequence[int] | NDArray[np.integer] | None) -> NDArray[np.intp]:
    """Return indices from 0 up."""
    if centres is None:
        return np.arange(n)
    chosen = np.asarray(centres)
    if chosen.ndim != 1 or (chosen.size and not np.issubdtype(chosen.dtype, np.integer)):
        raise InputError(f"centres: a list of indices of atoms is needed, not {centres!r:.80}")
    wrong = chosen[(chosen < -n) | (chosen >= n)]
    if wrong.size:
        raise InputError(f"there is no atom {wrong[0]}: the sample has {n}, counted from 0")
    return chosen.astype(np.intp) % max(n, 1)


def _compact(atoms: Atoms) -> Atoms:
    """Return the same atoms within the most compact cell of the lattice: it needs fewest images."""
    if not atoms.pbc.any():
        return atoms
    cell, _ = minkowski_reduce(np.where(atoms.pbc[:, None], atoms.cell.array, 0.0), atoms.pbc)
    compact = Atoms(atoms.numbers, atoms.positions, cell=complete_cell(cell), pbc=atoms.pbc)
    compact.wrap(eps=0.0)
    return compact


def _radius(atoms: Atoms, n_atoms: int) -> float:
    """Return the radius of a ball, disc or rod of so many atoms of the mean density."""
    vectors = atoms.cell.array[atoms.pbc]
    of_one = math.sqrt(np.linalg.det(vectors @ vectors.T)) / len(atoms)
    dimension = len(vectors)
    unit_ball = {1: 2.0, 2: math.pi, 3: 4.0 / 3.0 * math.pi}[dimension]
    return (n_atoms * of_one / unit_ball) ** (1.0 / dimension)


def _reaches(tree: cKDTree, points: NDArray[np.float64], n_atoms: int) -> NDArray[np.float64]:
    """Return how far the atoms of each point reach; infinite where there are too few."""
    distances, _ = tree.query(points, k=[n_atoms])
    return distances[:, 0] * (1.0 + SAME_SHELL)


def _pieces(
    tree: cKDTree,
    numbers: NDArray[np.integer],
    points: NDArray[np.float64],
    reaches: NDArray[np.float64],
) -> Iterator[Atoms]:
    """Cut the atoms around each point out."""
    for start in range(0, len(points), _LOT):
        lot = slice(start, start + _LOT)
        found = tree.query_ball_point(points[lot], reaches[lot], return_sorted=True)
        for point, members in zip(points[lot], found, strict=True):
            offsets = tree.data[members] - point
            order = np.argsort(np.linalg.norm(offsets, axis=1), kind="stable")
            # By name: what stands in the place of symbols is looked at atom by atom.
            yield Atoms(numbers=numbers[members][order], positions=offsets[order])
