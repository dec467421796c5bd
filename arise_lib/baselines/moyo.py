"""moyo, the successor of spglib in Rust: the space group of the whole cell.

References
----------
K. Shinohara, A. Togo, I. Tanaka, moyo, https://github.com/spglib/moyo.
"""

from __future__ import annotations

from math import radians

from ase import Atoms

from arise_lib.baselines.base import register
from arise_lib.baselines.symmetry import LOOSE, by_space_group, cell_of


def space_group(atoms: Atoms, symprec: float, angle_tolerance: float) -> int | None:
    """Space group of a cell by moyo.

    Parameters
    ----------
    atoms : ase.Atoms
        Cell with three lattice vectors; treated as periodic along all of them.
    symprec : float
        Distance tolerance in Å.
    angle_tolerance : float
        Angle tolerance in degrees.

    Returns
    -------
    int or None
        Number of the space group (1 to 230), None where moyo finds none.

    Raises
    ------
    InputError
        If the structure cannot be used or has no cell.
    """
    import moyopy

    vectors, positions, numbers = cell_of(atoms)
    cell = moyopy.Cell(
        basis=vectors.tolist(), positions=positions.tolist(), numbers=numbers.tolist()
    )
    try:
        data = moyopy.MoyoDataset(cell, symprec=symprec, angle_tolerance=radians(angle_tolerance))
    except (RuntimeError, ValueError):
        return None
    return int(data.number)


def loose(atoms: Atoms) -> int | None:
    """Space group of a cell at a tolerance of 0.1 Å and 5°, see `space_group`."""
    return space_group(atoms, *LOOSE)


register(
    by_space_group(
        "moyo", "moyo (0.1 Å)", group=loose, module=__name__, package="moyopy", optional=True
    )
)
