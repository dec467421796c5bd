"""How far apart atoms of one species stand in a box (paper, Fig. 4b)."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.structures.scale import mode_of_distances


def spacing_difference(
    atoms: Atoms, members: csr_array, first: str = "Fe", second: str = "Pt"
) -> NDArray[np.float64]:
    """Nearest-neighbour distance of one species less that of another, box by box.

    The distance of a species is the mode over its atoms of the distance to the nearest atom of
    the same species, as in the scale of a structure. It is positive where atoms of the
    first species stand farther apart: because they are stretched, or because they are rare.

    Parameters
    ----------
    atoms : ase.Atoms
        A sample without periodicity.
    members : scipy.sparse.csr_array of shape (n_boxes, n_atoms)
        1 where the box holds the atom, see `arise_lib.tomography.members`.
    first, second : str
        Symbols of the species.

    Returns
    -------
    ndarray of shape (n_boxes,)
        In the unit of the positions; NaN where a species has fewer than two atoms.

    Raises
    ------
    InputError
        If the sample does not hold both species.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from scipy.sparse import csr_array
    >>> pairs = Atoms("Fe2Pt2", [[0, 0, 0], [0, 0, 3], [9, 0, 0], [9, 0, 2.5]])
    >>> spacing_difference(pairs, csr_array(np.ones((1, 4)))).tolist()
    [0.5]
    """
    missing = sorted({first, second} - set(atoms.symbols))
    if missing:
        present = ", ".join(sorted(set(atoms.symbols)))
        raise InputError(f"The sample has no {' and no '.join(missing)}; it has {present}.")
    of_species = [np.asarray(atoms.symbols == name) for name in (first, second)]
    found = np.full((members.shape[0], 2), np.nan)
    for row in range(members.shape[0]):
        held = members.indices[members.indptr[row] : members.indptr[row + 1]]
        for column, counted in enumerate(of_species):
            places = atoms.positions[held[counted[held]]]
            if len(places) > 1:
                nearest = cKDTree(places).query(places, k=2)[0][:, 1]
                found[row, column] = mode_of_distances(nearest)
    return found[:, 0] - found[:, 1]
