"""spglib: the space group of the whole cell, at the paper's loose and tight setting.

References
----------
A. Togo, K. Shinohara, I. Tanaka, Sci. Technol. Adv. Mater. Methods 4, 2384822 (2024).
"""

from __future__ import annotations

import os
import warnings
from functools import partial

from ase import Atoms

from arise_lib.baselines.base import register
from arise_lib.baselines.symmetry import LOOSE, TIGHT, by_space_group, cell_of


def space_group(atoms: Atoms, symprec: float, angle_tolerance: float) -> int | None:
    """Space group of a cell by spglib.

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
        Number of the space group (1 to 230), None where spglib finds none.

    Raises
    ------
    InputError
        If the structure cannot be used or has no cell.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.baselines import spglib
    >>> spglib.space_group(bulk("Cu"), symprec=0.1, angle_tolerance=5.0)
    225
    """
    # Set before the import: the C library writes to the process's stderr at every reduction of
    # its tolerance, thousands of times on disturbed structures.
    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    import spglib

    cell = cell_of(atoms)
    with warnings.catch_warnings():
        # spglib announces that failures will raise instead of giving None.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            data = spglib.get_symmetry_dataset(
                cell, symprec=symprec, angle_tolerance=angle_tolerance
            )
        except spglib.SpglibError:
            return None
    return None if data is None else int(data.number)


def loose(atoms: Atoms) -> int | None:
    """Space group of a cell at a tolerance of 0.1 Å and 5°, see `space_group`."""
    return space_group(atoms, *LOOSE)


def tight(atoms: Atoms) -> int | None:
    """Space group of a cell at a tolerance of 1e-4 Å and 1°, see `space_group`."""
    return space_group(atoms, *TIGHT)


_method = partial(by_space_group, module=__name__, package="spglib")
register(_method("spglib_loose", "spglib (0.1 Å / 5°)", group=loose, row=1))
register(_method("spglib_tight", "spglib (1e-4 Å / 1°)", group=tight, row=2))
