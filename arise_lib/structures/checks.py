"""Checks of structures: what is refused, and what makes an answer doubtful."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.data.vdw_alvarez import vdw_radii
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.structures.neighbours import periodic_images
from arise_lib.structures.pieces import MIN_ATOMS_OF_SPECIES, _compact

#: Atoms closer than this fraction of the median nearest-neighbour distance are one atom twice.
SAME_SITE = 1e-3

#: Free structures of fewer atoms get arbitrary answers: the networks know clusters of 100 and more.
FEW_ATOMS = 50

#: A species with a smaller share of the atoms is an impurity; in the classes the least share is
#: 0.026, of germanium in PbA2I4.
RARE_SPECIES = 0.02

#: Atoms closer than this fraction of the spacing of their species are probably one atom that was
#: detected twice. In hot liquids and at interstitials the shortest distances are 0.6 and more, and
#: a rare hydroxyl group in an oxide (0.97 Å beside 1.95 Å) has 0.5.
TWIN = 0.4

#: Atoms farther than this multiple of the spacing from any other belong to nothing; in the classes
#: no atom is farther than 2.6.
STRAY = 5.0

#: Reach of the descriptor in spacings, and the mean number of atoms within it below which there is
#: no crystal; in the classes they are 15 and more, also with 30 % of the atoms missing 9.7, in a
#: chain 8.
REACH = 4.0
FEW_NEIGHBOURS = 9.0

#: Multiple of two van der Waals radii beyond which atoms do not touch.
APART = 1.5

#: Smallest singular value of the periodic cell vectors, each divided by its length, at which they
#: still span their space; vectors 0.01 degrees apart have 1e-4.
SINGULAR = 1e-6


#: Largest coordinate in any unit: from 1e154 on the squares of distances overflow.
FARTHEST = 1e150

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
        If there is no atom; if a position or the cell is not finite, or reaches farther than
        `FARTHEST`; if the cell vectors of the periodic directions are zero, no longer than a
        rounding error, or linearly dependent.

    Examples
    --------
    >>> from ase import Atoms
    >>> from arise_lib.structures import check_geometry
    >>> check_geometry(Atoms("Cu", cell=[2, 2, 0], pbc=(True, True, False)))
    >>> check_geometry(Atoms("Cu", cell=[2, 2, 0], pbc=True))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    arise_lib.errors.InputError: the cell vectors of the periodic directions [0, 1, 2] are zero ...
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
    largest = max(np.abs(atoms.positions).max(), np.abs(atoms.cell.array).max())
    if largest > FARTHEST:
        raise InputError(
            f"coordinates reach {largest:.3g} Å, at most {FARTHEST:g} are allowed; correct the "
            "positions or the cell"
        )
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

    Examples
    --------
    >>> from ase import Atoms
    >>> from arise_lib.structures import check_atoms
    >>> check_atoms(Atoms("Cu3", [[0, 0, 0], [0, 0, 2.5], [0, 2.5, 0]]))
    >>> check_atoms(Atoms("Cu2", [[0, 0, 0], [0, 0, 0]], cell=[3, 3, 3], pbc=True))
    ... # doctest: +ELLIPSIS
    Traceback (most recent call last):
    arise_lib.errors.InputError: atoms 0 and 1 are on top of each other: 0 apart, ...
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


def doubts(atoms: Atoms) -> list[str]:
    """Say why the recognition of a structure would mean little, whatever its certainty.

    A network answers anything, and what it never saw in training often with certainty. Here are
    reasons that can be seen in the structure itself; that there is none does not vouch for it.

    Parameters
    ----------
    atoms : ase.Atoms
        A structure that `check_atoms` accepts.

    Returns
    -------
    list of str
        A sentence for each reason, with the atoms or species and with advice; none in general.

    Examples
    --------
    >>> from ase import Atoms
    >>> from ase.build import bulk
    >>> from arise_lib.structures import doubts
    >>> doubts(bulk("NaCl", "rocksalt", a=5.6))
    []
    >>> doubts(Atoms("C3", [[0, 0, 0], [0, 0, 1.3], [0, 0, 2.6]]))
    ['3 atoms without periodicity: below 50 the answer is arbitrary; give a larger piece']
    """
    found = []
    n, free = len(atoms), not atoms.pbc.any()
    if free and n < FEW_ATOMS:
        found.append(
            f"{n} atoms without periodicity: below {FEW_ATOMS} the answer is arbitrary; give a "
            "larger piece"
        )
    counts = np.bincount(atoms.numbers)
    least = max(RARE_SPECIES * n, MIN_ATOMS_OF_SPECIES if free else 0)
    rare = np.flatnonzero((counts > 0) & (counts < least))
    if rare.size:
        names = [f"{chemical_symbols[z]} ({counts[z]})" for z in rare]
        found.append(
            f"species with hardly any atoms, {_some(names)}: each pair of species has the same "
            "weight, so that these few decide as much as all others"
        )
    distances, partners = _neighbours(atoms)
    nearest = distances[:, 0]
    typical = float(np.median(nearest))
    if not np.isfinite(typical):
        return found
    lone = n == 1 and vdw_radii[atoms.numbers[0]] * 2.0 * APART < typical
    if lone:
        found.append(
            f"the neighbours of the only atom are its own images, {typical:.3g} away; if that is "
            "in Å no bond is so long, and the answer tells the lattice of an empty box"
        )
    stray = np.flatnonzero(nearest > STRAY * typical)
    if stray.size:
        found.append(
            f"atoms far from all others, {_some(stray)}: {nearest[stray].max():.3g} instead of "
            f"{typical:.3g}; the scale is taken from a histogram over all distances, which they "
            "stretch: remove them"
        )
    of_species = np.zeros(len(counts))
    for z in np.flatnonzero(counts):
        of_species[z] = np.median(nearest[atoms.numbers == z])
    own = of_species[atoms.numbers]
    twins = np.flatnonzero(nearest < TWIN * np.maximum(own, own[partners]))
    if twins.size:
        i = int(twins[nearest[twins].argmin()])
        found.append(
            f"atoms too close to another one, {_some(twins)}: {i} and {partners[i]} are "
            f"{nearest[i]:.3g} apart instead of {typical:.3g}; if one atom was detected twice keep "
            "one of each, since the shortest distances can decide the scale"
        )
    if (n >= FEW_ATOMS or not free) and not lone:
        within = _mean_number_within(atoms, REACH * typical)
        if within < FEW_NEIGHBOURS:
            found.append(
                f"an atom has {within:.1f} others within {REACH:g} spacings of {typical:.3g} on "
                "average: these are molecules, a chain or a gas rather than a crystal"
            )
    return found


def _some(names: Sequence[object] | NDArray[np.intp]) -> str:
    """List the first few of many."""
    text = ", ".join(map(str, names[:4]))
    return text if len(names) <= 4 else f"{text} and {len(names) - 4} more"


def _mean_number_within(atoms: Atoms, radius: float) -> float:
    """Return how many atoms are within a radius of one, averaged over a thousand of them."""
    compact = _compact(atoms)
    images, _, _ = periodic_images(compact, np.ones(len(atoms), dtype=bool), radius)
    centres = compact.positions[:: len(atoms) // 1000 + 1]
    return float(cKDTree(images).query_ball_point(centres, radius, return_length=True).mean()) - 1.0


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
    points = atoms.positions
    if not atoms.pbc.any():
        return _three_nearest(points, np.arange(len(atoms)), points)
    compact = _compact(atoms)
    sample = cKDTree(points).query(points[:: len(points) // 1000 + 1], k=4)[0]
    bound = 3 * _spacing(sample[:, 1:]) if np.isfinite(sample).all() else np.inf
    bound = min(bound, *compact.cell.lengths()[atoms.pbc])
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
