"""Free pieces of a sample: how large a box is for so many atoms, and which atoms count."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

#: A species with fewer atoms than this in a free piece is left out of it: its scale would be taken
#: from a distance or two.
MIN_ATOMS_OF_SPECIES = 3


def of_common_species(numbers: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Tell which atoms of a piece are of a species that has enough atoms in it.

    Parameters
    ----------
    numbers : ndarray of int, shape (n_atoms,)
        Atomic numbers.

    Returns
    -------
    ndarray of bool, shape (n_atoms,)
        True where the species has at least `MIN_ATOMS_OF_SPECIES` atoms.

    Examples
    --------
    >>> import numpy as np
    >>> of_common_species(np.array([26, 26, 26, 78])).tolist()
    [True, True, True, False]
    """
    counts = np.bincount(numbers)
    return counts[numbers] >= MIN_ATOMS_OF_SPECIES


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
