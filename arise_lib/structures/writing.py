"""Structures with columns of numbers into files that OVITO and other programs open."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell
from ase.io.extxyz import write_xyz
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.storage.files import atomic_write

#: Endings of the two formats.
EXTENDED_XYZ = (".xyz", ".extxyz")
DUMP = (".dump", ".lammpstrj")

# Symbols and numbers come as they are; a name of a type must be one word.
_OWN = ("species", "pos", "id", "type", "element", "x", "y", "z")


def write_columns(
    path: str | PathLike[str], atoms: Atoms, columns: Mapping[str, NDArray[np.generic]]
) -> None:
    """Write a structure, each atom with further columns, as extended XYZ or as a LAMMPS dump.

    Parameters
    ----------
    path : path-like
        Ends in one of `EXTENDED_XYZ` or `DUMP`; replaced if it is there.
    atoms : ase.Atoms
        Species, positions, cell and periodicity are written.
    columns : mapping of str to ndarray of shape (n_atoms,)
        Numbers, in extended XYZ also words, by the name of the column. Spaces in words become
        underscores, since columns are separated by spaces.

    Raises
    ------
    InputError
        If the ending is none of these, if a column does not have a value for each atom, has the
        name of one that is written anyway, or if a dump is to hold words.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib.structures import read_structure
    >>> from arise_lib.structures.writing import write_columns
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_columns(f"{folder}/a.dump", bulk("Cu"), {"charge": np.zeros(1)})
    ...     read_structure(f"{folder}/a.dump").get_chemical_formula()
    'Cu'
    """
    suffix = check_ending(path)
    for name, values in columns.items():
        if np.shape(values) != (len(atoms),) or name in _OWN or len(name.split()) != 1:
            raise InputError(
                f"column {name!r} of shape {np.shape(values)}: one value for each of the "
                f"{len(atoms)} atoms is needed, and a name of one word, not {', '.join(_OWN)}"
            )
        if suffix in DUMP and np.asarray(values).dtype.kind not in "iufb":
            raise InputError(f"column {name!r}: a dump holds numbers, words are for extended XYZ")
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        if suffix in DUMP:
            stream.write(_dump(atoms, columns))
        else:
            write_xyz(stream, _with_arrays(atoms, columns))


def check_ending(path: str | PathLike[str]) -> str:
    """Refuse the name of a file whose ending is that of no format that is written.

    Parameters
    ----------
    path : path-like
        The name.

    Returns
    -------
    str
        Its ending, in small letters.

    Raises
    ------
    InputError
        If it is none of `EXTENDED_XYZ` and `DUMP`.

    Examples
    --------
    >>> from arise_lib.structures.writing import check_ending
    >>> check_ending("a.XYZ")
    '.xyz'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in EXTENDED_XYZ + DUMP:
        raise InputError(
            f"{Path(path).name!r}: atoms are written as extended XYZ ({', '.join(EXTENDED_XYZ)}) "
            f"or as LAMMPS dump ({', '.join(DUMP)}); name the file so"
        )
    return suffix


def _with_arrays(atoms: Atoms, columns: Mapping[str, NDArray[np.generic]]) -> Atoms:
    """Return the bare structure with the columns as arrays."""
    bare = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    for name, values in columns.items():
        array = np.asarray(values)
        if array.dtype.kind == "U":
            array = np.array([word.replace(" ", "_") for word in array.tolist()])
        bare.set_array(name, array)
    return bare


def _dump(atoms: Atoms, columns: Mapping[str, NDArray[np.generic]]) -> str:
    """Return the text of one frame of a dump."""
    kinds = np.flatnonzero(np.bincount(atoms.numbers))
    types = np.searchsorted(kinds, atoms.numbers) + 1
    head = " ".join(["ITEM: ATOMS id type element x y z", *columns])
    lines = ["ITEM: TIMESTEP", "0", "ITEM: NUMBER OF ATOMS", str(len(atoms)), *_box(atoms), head]
    # repr keeps every digit of a number.
    texts = [[repr(value) for value in np.asarray(column).tolist()] for column in columns.values()]
    for i, symbol in enumerate(atoms.get_chemical_symbols()):
        place = " ".join(map(repr, atoms.positions[i].tolist()))
        lines.append(" ".join([f"{i + 1} {types[i]} {symbol} {place}", *(t[i] for t in texts)]))
    return "\n".join(lines) + "\n"


def _box(atoms: Atoms) -> list[str]:
    """Return the lines of the box: along the axes where it is, otherwise as general triclinic."""
    flags = " ".join("pp" if flag else "ff" for flag in atoms.pbc)
    if not atoms.pbc.any():
        # A cell that repeats nothing tells nothing: the box is what the atoms extend over.
        bounds = np.transpose([atoms.positions.min(axis=0), atoms.positions.max(axis=0)])
        return [f"ITEM: BOX BOUNDS {flags}", *_rows(bounds)]
    cell = complete_cell(atoms.cell)
    if (np.diag(cell) > 0).all() and not (cell - np.diag(np.diag(cell))).any():
        return [
            f"ITEM: BOX BOUNDS {flags}", *_rows(np.transpose([np.zeros(3), np.diag(cell)]))
        ]  # fmt: skip
    return [
        f"ITEM: BOX BOUNDS abc origin {flags}", *_rows(np.column_stack([cell, np.zeros(3)]))
    ]  # fmt: skip


def _rows(values: NDArray[np.float64]) -> list[str]:
    return [" ".join(map(repr, row)) for row in values.tolist()]
