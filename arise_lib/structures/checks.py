"""What a structure must be before anything is computed from it."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell, minkowski_reduce
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.structures.neighbours import periodic_images

#: Atoms closer than this fraction of the median nearest-neighbour distance are one atom twice.
SAME_SITE = 1e-3

#: Smallest singular value of the periodic cell vectors, each divided by its length, at which they
#: still span their space; vectors 0.01 degrees apart have 1e-4.
SINGULAR = 1e-6


#: Relative error of positions: an atom and the image of its duplicate agree no better.
ROUNDING = 1e-14


def check_geometry(atoms: Atoms) -> None:
    """Refuse positions and cells that are no geometry at all; cheap enough for every call.

    Parameters
    ----------
    atoms : ase.Atoms
        Any structure; it is not changed.

    Raises
    ------
    InputError
        If there is no atom; if a position or the cell is not finite; if the cell vectors of the
        periodic directions are zero, no longer than a rounding error, or linearly dependent.
    """
    if len(atoms) == 0:
        raise InputError("the structure holds no atom; at least one is needed")
    if not np.isfinite(atoms.positions).all():
        bad = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
        raise InputError(
            f"the positions of {bad.size} atom(s) are not finite, first of atom {bad[0]}: "
            f"{atoms.positions[bad[0]]}; correct or remove them"
        )
    if not np.isfinite(atoms.cell.array).all():
        raise InputError("the cell is not finite; correct it, or set atoms.pbc = False and no cell")
    if not atoms.pbc.any():
        return
    periodic = atoms.cell.array[atoms.pbc]
    lengths = np.linalg.norm(periodic, axis=1, keepdims=True)
    if (lengths == 0).any() or (
        np.linalg.svd(periodic / lengths, compute_uv=False).min() < SINGULAR
    ):
        raise InputError(
            f"the cell vectors of the periodic directions {np.flatnonzero(atoms.pbc).tolist()} are "
            f"zero or linearly dependent: {periodic.tolist()}; correct the cell or atoms.pbc"
        )
    largest = max(np.abs(atoms.positions).max(), np.abs(atoms.cell.array).max())
    if lengths.min() <= ROUNDING * largest:
        short = np.flatnonzero(atoms.pbc)[lengths.argmin()]
        raise InputError(
            f"cell vector {short}, {atoms.cell.array[short].tolist()}, is as short as a rounding "
            f"error of the largest length, {largest:.3g}; correct the cell (are all lengths in "
            "one unit?) or atoms.pbc"
        )


def check_atoms(atoms: Atoms) -> None:
    """Refuse a structure that cannot be described.

    No length is assumed: positions may be in ångström, pixels or any other unit.

    Parameters
    ----------
    atoms : ase.Atoms
        Any structure; it is not changed.

    Raises
    ------
    InputError
        If `check_geometry` does; if two atoms, periodic images included, are closer than 0.001 of
        the median nearest-neighbour distance (in which an atom that is there twice counts as one).
    """
    check_geometry(atoms)
    distances, partners = _neighbours(atoms)
    nearest, typical = distances[:, 0], _spacing(distances)
    same = np.flatnonzero(nearest <= SAME_SITE * typical)
    # A single atom has no neighbour.
    if same.size and np.isfinite(typical):
        i, j = int(same[0]), int(partners[same[0]])
        pair = f"atoms {i} and {j}" if i != j else f"atom {i} and its own image"
        advice = "keep one of each" if i != j else "correct the cell"
        raise InputError(
            f"{pair} are on top of each other: {nearest[i]:.3g} apart, "
            f"the median nearest-neighbour distance being {typical:.3g}; {same.size} atoms have "
            f"such a partner; {advice}"
        )


def _spacing(distances: NDArray[np.float64]) -> float:
    """Return the median distance of neighbouring sites from each atom's three nearest atoms.

    A distance that is nothing beside the next one leads to the same site, so the next one counts:
    in a small cell, one atom given twice would otherwise decide the median.
    """
    # Infinite where a structure has no second or third neighbour: nothing to compare with.
    first, second, third = distances.T
    site = np.where(np.isfinite(second) & (first <= SAME_SITE * second), second, first)
    site = np.where(np.isfinite(third) & (second <= SAME_SITE * third), third, site)
    return float(np.median(site))


def _neighbours(atoms: Atoms) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return each atom's distances to its three nearest atoms, and the index of the first.

    Periodic images within three times the spacing count, or within the shortest cell vector, where
    that is less (each atom then has its own image). Beyond, distances may come out too large.
    """
    points, owner = atoms.positions, np.arange(len(atoms))
    if not atoms.pbc.any():
        return _three_nearest(points, owner, points)
    # Of all cells of the lattice the most compact one needs the fewest images.
    cell, _ = minkowski_reduce(np.where(atoms.pbc[:, None], atoms.cell.array, 0.0), atoms.pbc)
    compact = Atoms(atoms.numbers, points, cell=complete_cell(cell), pbc=atoms.pbc)
    compact.wrap(eps=0.0)
    sample = cKDTree(points).query(points[:: len(points) // 1000 + 1], k=4)[0]
    bound = 3 * _spacing(sample[:, 1:]) if np.isfinite(sample).all() else np.inf
    bound = min(bound, *np.linalg.norm(cell[atoms.pbc], axis=1))
    images, owner, home = periodic_images(compact, np.ones(len(atoms), dtype=bool), bound)
    order = np.argsort(~home, kind="stable")
    return _three_nearest(images[order], owner[order], compact.positions)


def _three_nearest(
    points: NDArray[np.float64], owners: NDArray[np.intp], centres: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Find the nearest of `points` to each of `centres`, which are the first of them."""
    distances, found = cKDTree(points).query(centres, k=4)
    # Where points coincide, any may come first; where there is none, scipy says len(points).
    other = np.where(found[:, 1] == np.arange(len(centres)), found[:, 0], found[:, 1])
    return distances[:, 1:], owners[np.minimum(other, len(points) - 1)]
