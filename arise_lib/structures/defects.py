"""Point defects: displaced and missing atoms, drawn from an explicit seed."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from arise_lib.errors import InputError
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.typing import Seed


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

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import displace, supercell
    >>> crystal = supercell(bulk("Cu", a=3.6), 5, periodic=True)
    >>> moved = displace(crystal, 0.04, seed=1)
    >>> bool(abs(moved.positions - crystal.positions).max() <= 0.04 * 2.546)
    True
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

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import remove_atoms, supercell
    >>> crystal = supercell(bulk("Cu", a=3.6), 5, periodic=True)
    >>> len(crystal), len(remove_atoms(crystal, 0.1, seed=1))
    (125, 113)
    """
    if not 0 <= ratio < 1:
        raise InputError(f"The share of missing atoms is {ratio}; it must be in [0, 1).")
    # 100 * 0.29 is 28.999...: the share is meant as written, so rounding comes first.
    n_missing = int(round(len(atoms) * ratio, 9))
    missing = np.random.default_rng(seed).choice(len(atoms), size=n_missing, replace=False)
    keep = np.ones(len(atoms), dtype=bool)
    keep[missing] = False
    return atoms[keep]
