"""What a structure must be before anything is computed from it."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell, minkowski_reduce
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib.errors import InputError

#: Atoms closer than this fraction of the median nearest-neighbour distance are one atom twice.
SAME_SITE = 1e-3

#: Smallest singular value of the periodic cell vectors, each divided by its length, at which they
#: still span their space; vectors 0.01 degrees apart have 1e-4.
SINGULAR = 1e-6


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
        periodic directions are zero or linearly dependent.
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
        i = int(same[0])
        raise InputError(
            f"atoms {i} and {partners[i]} are on top of each other: {nearest[i]:.3g} apart, "
            f"the median nearest-neighbour distance being {typical:.3g}; {same.size} atoms have "
            "such a partner; keep one of each"
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
    points, owners = atoms.positions, np.arange(len(atoms))
    if not atoms.pbc.any():
        return _three_nearest(points, owners, points)
    cell, _ = minkowski_reduce(np.where(atoms.pbc[:, None], atoms.cell.array, 0.0), atoms.pbc)
    sample = cKDTree(points).query(points[:: len(points) // 1000 + 1], k=4)[0]
    bound = 3 * _spacing(sample[:, 1:]) if np.isfinite(sample).all() else np.inf
    bound = min(bound, *np.linalg.norm(cell[atoms.pbc], axis=1))
    full = complete_cell(cell)
    inverse = np.linalg.inv(full)
    scaled = points @ inverse
    scaled[:, atoms.pbc] %= 1.0
    centres = scaled @ full
    for axis in np.flatnonzero(atoms.pbc):
        # In units of the height of the cell along this axis; a little more against rounding.
        reach = bound * np.linalg.norm(inverse[:, axis]) * (1 + 1e-6)
        images, image_owners = [scaled], [owners]
        for shift in range(1, int(np.ceil(reach)) + 1):
            for moved in (scaled[:, axis] - shift, scaled[:, axis] + shift):
                inside = (moved >= -reach) & (moved <= 1 + reach)
                images.append(scaled[inside])
                images[-1][:, axis] = moved[inside]
                image_owners.append(owners[inside])
        scaled, owners = np.concatenate(images), np.concatenate(image_owners)
    return _three_nearest(scaled @ full, owners, centres)


def _three_nearest(
    points: NDArray[np.float64], owners: NDArray[np.intp], centres: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Find the nearest of `points` to each of `centres`, which are the first of them."""
    distances, found = cKDTree(points).query(centres, k=4)
    # Where points coincide, any may come first; where there is none, scipy says len(points).
    other = np.where(found[:, 1] == np.arange(len(centres)), found[:, 0], found[:, 1])
    return distances[:, 1:], owners[np.minimum(other, len(points) - 1)]
