"""The space group of the whole cell: spglib, and its successor moyo.

Both look for the symmetry operations of the *given* cell within a distance tolerance. A single
missing atom breaks all translations of a supercell, so these are methods for perfect crystals; the
benchmark has them because they are what most people reach for.

References
----------
A. Togo, K. Shinohara, I. Tanaka, Sci. Technol. Adv. Mater. Methods 4, 2384822 (2024);
K. Shinohara, A. Togo, I. Tanaka, moyo, https://github.com/spglib/moyo.
"""

from __future__ import annotations

import os
import warnings
from math import radians

import numpy as np
from ase import Atoms

from arise_lib.errors import InputError
from arise_lib.structures.checks import check_atoms

#: Distance tolerance in Å and angle tolerance in degrees, the paper's two settings.
LOOSE = (0.1, 5.0)
TIGHT = (1e-4, 1.0)


def spglib_group(atoms: Atoms, symprec: float, angle_tolerance: float) -> int | None:
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
    """
    # Set before the import: the C library writes to the process's stderr at every reduction of
    # its tolerance, thousands of times on disturbed structures.
    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    import spglib

    _check_cell(atoms)
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
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


def moyo_group(atoms: Atoms, symprec: float, angle_tolerance: float) -> int | None:
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

    _check_cell(atoms)
    cell = moyopy.Cell(
        basis=atoms.cell.array.tolist(),
        positions=atoms.get_scaled_positions().tolist(),
        numbers=atoms.numbers.tolist(),
    )
    try:
        data = moyopy.MoyoDataset(cell, symprec=symprec, angle_tolerance=radians(angle_tolerance))
    except (RuntimeError, ValueError):
        return None
    return int(data.number)


def _check_cell(atoms: Atoms) -> None:
    """Refuse what has no space group."""
    check_atoms(atoms)
    if np.linalg.matrix_rank(atoms.cell.array) < 3:
        raise InputError(
            f"A space group needs a cell with three lattice vectors, this one has rank "
            f"{np.linalg.matrix_rank(atoms.cell.array)}: give the periodic structure."
        )
