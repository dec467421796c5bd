"""The space group of the whole cell as an answer: what spglib and moyo have in common.

Both look for the symmetry operations of the *given* cell within a distance tolerance. A single
missing atom breaks all translations of a supercell, so these are methods for perfect crystals; the
benchmark has them because they are what most people reach for.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.baselines.base import Method
from arise_lib.errors import InputError
from arise_lib.structures import prototypes
from arise_lib.structures.checks import check_atoms

#: Distance tolerance in Å and angle tolerance in degrees, the paper's two settings.
LOOSE = (0.1, 5.0)
TIGHT = (1e-4, 1.0)

#: Elemental and binary: their space groups are the same at the loose and at the tight setting.
SYMMETRIC = tuple(
    x for x in prototypes.LABELS if prototypes.get(x).family in ("elemental", "binary")
)

#: A method by space group: key, name, `group` and `package` are to be given.
by_space_group = partial(
    Method,
    treats=SYMMETRIC,
    rule="space group of the whole cell equal to that of the perfect supercell at the same setting",
    periodic_only=True,
)


def cell_of(
    atoms: Atoms,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.integer]]:
    """Return what has a space group.

    Parameters
    ----------
    atoms : ase.Atoms
        Cell with three lattice vectors; treated as periodic along all of them.

    Returns
    -------
    vectors : ndarray of shape (3, 3)
        Lattice vectors as rows, Å.
    positions : ndarray of shape (n_atoms, 3)
        Fractional coordinates.
    numbers : ndarray of int, shape (n_atoms,)
        Atomic numbers.

    Raises
    ------
    InputError
        If the structure cannot be used or has no cell.
    """
    check_atoms(atoms)
    if np.linalg.matrix_rank(atoms.cell.array) < 3:
        raise InputError(
            f"A space group needs a cell with three lattice vectors, this one has rank "
            f"{np.linalg.matrix_rank(atoms.cell.array)}: give the periodic structure."
        )
    return atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers
