"""Order around each atom of a particle, without classes: bond order.

References
----------
P. J. Steinhardt, D. R. Nelson, M. Ronchetti, Phys. Rev. B 28, 784 (1983).
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.baselines.base import get, require
from arise_lib.errors import InputError

#: Nearest neighbours in fcc and hcp.
NEIGHBOURS = 12


def particle_bond_order(
    atoms: Atoms, order: int = 6, neighbours: int = NEIGHBOURS
) -> NDArray[np.float64]:
    """Steinhardt's bond order of each atom of a free particle, over its nearest neighbours.

    Parameters
    ----------
    atoms : ase.Atoms
        Without periodicity.
    order : int
        l of q_l.
    neighbours : int
        How many nearest atoms count.

    Returns
    -------
    ndarray of shape (n_atoms,)
        q_l, from 0 to 1; 0.575 for q_6 in perfect fcc, less where neighbours are out of place.
        Atoms at the surface have some of their neighbours in the second shell.

    Raises
    ------
    InputError
        If the sample is periodic, has too few atoms, or freud is not installed.

    Examples
    --------
    >>> from ase.build import bulk
    >>> sample = bulk("Pt", cubic=True) * 5
    >>> sample.pbc = False
    >>> float(particle_bond_order(sample).max().round(3)) >= 0.575
    True
    """
    require(get("steinhardt"))
    import freud

    if atoms.pbc.any() or len(atoms) <= neighbours:
        raise InputError(
            f"{len(atoms)} atoms, periodic along {int(atoms.pbc.sum())} directions: a free "
            f"particle of more than {neighbours} atoms is needed."
        )
    points = atoms.positions - atoms.positions.mean(axis=0)
    # So wide that no atom is nearer to an image than to any atom of the particle.
    edge = 4.0 * float(np.linalg.norm(points, axis=1).max()) + 1.0
    found = freud.order.Steinhardt(order).compute(
        (freud.box.Box.cube(edge), points), {"num_neighbors": neighbours, "exclude_ii": True}
    )
    return np.asarray(found.particle_order, dtype=np.float64)
