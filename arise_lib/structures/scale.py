r"""The scale of a structure: nearest-neighbour distance of each species pair.

ARISE is made independent of the lattice constant by dividing a structure by
its nearest-neighbour distance dNN, found anew for every ordered pair of species
(paper, Methods, "Isotropic scaling").
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.storage.compiled import compiled
from arise_lib.structures.checks import ROUNDING
from arise_lib.structures.neighbours import (
    gather,
    nearest_distances,
    periodic_cell,
    periodic_images,
)

#: Number of bins of the histogram whose mode is dNN.
N_BINS = 100

#: Distances that agree to this relative accuracy are one distance: a perfect
#: crystal, where they differ by rounding only and a histogram is meaningless.
SAME_DISTANCE = 1e-7


def species_pairs(atoms: Atoms) -> list[tuple[str, str]]:
    """Return all ordered pairs of the species present, alphabetically.

    Parameters
    ----------
    atoms : ase.Atoms
        Any structure.

    Returns
    -------
    list of tuple of str
        K**2 pairs for K species.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import species_pairs
    >>> species_pairs(bulk("NaCl", "rocksalt", a=5.6))
    [('Cl', 'Cl'), ('Cl', 'Na'), ('Na', 'Cl'), ('Na', 'Na')]
    """
    return list(product(sorted(chemical_symbols[z] for z in _kinds(atoms)), repeat=2))


def _kinds(atoms: Atoms) -> NDArray[np.int64]:
    """Atomic numbers present, ascending; many times faster than numpy's `unique`."""
    return np.flatnonzero(np.bincount(atoms.numbers))


def mode_of_distances(distances: NDArray[np.float64]) -> float:
    """Return the most frequent distance, as density over spherical shells.

    A histogram of 100 bins between the smallest and the largest distance is
    divided by the square of each bin's left edge; the centre of the fullest bin
    is returned, the first one where several are equally full. Where all
    distances agree to 1e-7 (a perfect crystal), their mean is returned.

    Parameters
    ----------
    distances : ndarray of shape (n,)
        Nearest-neighbour distances, in any unit.

    Returns
    -------
    float
        The mode, in the unit of `distances`; NaN if there is no distance, or one is not finite.

    Raises
    ------
    InputError
        If a distance is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.structures import mode_of_distances
    >>> round(mode_of_distances(np.array([2.4, 2.5, 2.5, 2.5, 2.6])), 3)
    2.501

    Notes
    -----
    A distance that falls on the edge of two bins is counted in the upper one
    also if rounding left it 1e-9 bins below: otherwise a mere rotation of a
    crystal could move its scale by a bin.
    """
    if distances.size == 0:
        return float("nan")
    if (distances <= 0.0).any():
        raise InputError(
            f"{np.count_nonzero(distances <= 0.0)} of {distances.size} distances are not positive, "
            f"the least is {distances.min():.3g}; do two atoms stand at the same place?"
        )
    return float(_mode(np.ascontiguousarray(distances, dtype=float)))


@compiled
def _mode(distances: NDArray[np.float64]) -> float:
    """Return the centre of the densest bin, or the mean where all distances are one."""
    low, high, total = np.inf, -np.inf, 0.0
    for distance in distances:
        if not np.isfinite(distance):
            return np.nan
        low, high = min(low, distance), max(high, distance)
        total += distance
    if high - low <= SAME_DISTANCE * high:
        return total / len(distances)
    width = (high - low) / N_BINS
    density = np.zeros(N_BINS)
    for distance in distances:
        position = int(np.floor((distance - low) / width + 1e-9))
        density[min(position, N_BINS - 1)] += 1.0
    for position in range(N_BINS):
        density[position] /= (low + width * position) ** 2
    # Same counts at the same edge are the same density; rounding must not decide.
    threshold = density.max() * (1.0 - 1e-12)
    fullest = 0
    while density[fullest] < threshold:
        fullest += 1
    return low + (fullest + 0.5) * width


def nearest_neighbour_distances(atoms: Atoms) -> dict[tuple[str, str], float]:
    """Find dNN for every ordered pair of species.

    For each atom of species a the distance to its nearest atom of species b is
    found; dNN(a -> b) is the mode of these distances. Periodic directions are
    wrapped, the others are not.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure with at least one atom, no two of them on top of each other.

    Returns
    -------
    dict of tuple of str to float
        dNN for each ordered pair (a, b), in the unit of the positions; NaN where
        an atom has no neighbour at all: the only atom of its species in a
        structure that is not periodic.

    Raises
    ------
    InputError
        If the structure is empty, if two atoms coincide, or if cell and positions are such that
        more than `arise_lib.structures.neighbours.MAX_IMAGES` images are needed.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import nearest_neighbour_distances
    >>> scales = nearest_neighbour_distances(bulk("NaCl", "rocksalt", a=5.6))
    >>> {pair: round(scale, 3) for pair, scale in scales.items()}
    {('Cl', 'Cl'): 3.96, ('Cl', 'Na'): 2.8, ('Na', 'Cl'): 2.8, ('Na', 'Na'): 3.96}
    """
    if len(atoms) == 0:
        raise InputError("The structure has no atoms; at least two are needed.")
    atoms = gather(atoms)
    kinds = _kinds(atoms)
    kind = np.searchsorted(kinds, atoms.numbers)
    found = np.stack([_distances_to(atoms, kind == k) for k in range(len(kinds))])
    rounding = ROUNDING * max(np.abs(atoms.positions).max(), np.abs(atoms.cell.array).max())
    modes, nearest = _modes(found, kind, len(kinds), rounding)
    symbols = {chemical_symbols[z]: k for k, z in enumerate(kinds)}
    pairs = {(a, b): (symbols[a], symbols[b]) for a, b in species_pairs(atoms)}
    if nearest.min() <= rounding:
        a, b = next(pair for pair, index in pairs.items() if nearest[index] <= rounding)
        raise InputError(
            f"Two atoms ({a}, {b}) stand at the same place; remove one of each such pair."
        )
    return {pair: float(modes[index]) for pair, index in pairs.items()}


@compiled
def _modes(
    found: NDArray[np.float64], kind: NDArray[np.int64], n_kinds: int, rounding: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mode and minimum of the finite distances for each pair of kinds: NaN and inf where none.

    `found`, shape (n_kinds, n_atoms), is the distance of each atom to its nearest of a kind.
    There is no mode where the minimum is not above `rounding`.
    """
    modes = np.full((n_kinds, n_kinds), np.nan)
    nearest = np.full((n_kinds, n_kinds), np.inf)
    for a in range(n_kinds):
        for b in range(n_kinds):
            distances = found[b][(kind == a) & np.isfinite(found[b])]
            if len(distances) > 0:
                nearest[a, b] = distances.min()
                if nearest[a, b] > rounding:
                    modes[a, b] = _mode(distances)
    return modes, nearest


def overall_nearest_neighbour_distance(atoms: Atoms) -> float:
    """Find dNN over all atoms, species ignored and nothing wrapped.

    This is the length in which random displacements are measured (paper,
    Methods, "Dataset", and `arise_lib.structures.displace`).

    Parameters
    ----------
    atoms : ase.Atoms
        Structure of at least two atoms.

    Returns
    -------
    float
        The mode of all nearest-neighbour distances.

    Raises
    ------
    InputError
        If there are fewer than two atoms, or if two coincide.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import overall_nearest_neighbour_distance, supercell
    >>> cluster = supercell(bulk("Cu", a=3.6), 3, periodic=False)
    >>> round(overall_nearest_neighbour_distance(cluster), 3)
    2.546
    """
    if len(atoms) < 2:
        raise InputError(f"{len(atoms)} atoms have no nearest-neighbour distance; give at least 2.")
    distances = cKDTree(atoms.positions).query(atoms.positions, k=2)[0][:, 1]
    return mode_of_distances(distances)


def _distances_to(atoms: Atoms, target: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance of every atom to its nearest *other* atom among `target`, inf where none."""
    if not atoms.pbc.any():
        return _nearest(atoms.positions, *periodic_images(atoms, target, 0.0))
    cell = periodic_cell(atoms)
    with np.errstate(over="ignore", under="ignore"):
        volume = abs(np.linalg.det(cell)) / np.count_nonzero(target)
    shortest = min(math.hypot(*vector) for vector in cell[atoms.pbc].tolist())
    # Close packing has dNN = 1.12 (volume per atom)^(1/3): one pass is enough for a crystal. In a
    # long cell images of the atom itself may be nearer, and a volume may be too small for a number.
    radius = 1.2 * (min(volume ** (1.0 / 3.0), shortest) if volume > 0.0 else shortest)
    distances = np.empty(0)
    while True:
        # Within `radius` the cloud of images is complete, so nearer ones are the nearest.
        try:
            images = periodic_images(atoms, target, radius)
        except InputError as error:
            if not np.isfinite(distances).any():
                raise
            i = int(distances.argmax())
            raise InputError(
                f"atom {i} is {distances[i]:.3g} from the next one; {error}"
            ) from error
        distances = _nearest(atoms.positions, *images)
        if np.all(distances <= radius):
            return distances
        radius = 2.0 * radius if np.isinf(distances).any() else 1.001 * distances.max()


def _nearest(
    points: NDArray[np.float64],
    images: NDArray[np.float64],
    owner: NDArray[np.int64],
    home: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Distance of each point to its nearest image, its own home image left out."""
    distances, found = nearest_distances(points, images, owner, home)
    if found:
        return distances
    two, index = cKDTree(images).query(points, k=[1, 2])
    # Where atoms coincide, any of them may come first; the other one is then as near.
    is_self = home[index[:, 0]] & (owner[index[:, 0]] == np.arange(len(points)))
    return np.where(is_self, two[:, 1], two[:, 0])
