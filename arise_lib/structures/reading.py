"""Structures from files, read as what they are.

XYZ and FHI-aims geometry files are read here, because files that only nearly follow these formats
are common and must neither stop the reader nor be misread: the rows count, not the header. Every
other format is left to ASE.
"""

from __future__ import annotations

import lzma
import os
import re
import warnings
import zlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.io import read
from ase.io.formats import (
    UnknownFileTypeError,
    filetype,
    get_compression,
    ioformats,
    open_with_compression,
)
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.structures.checks import check_atoms

# Keywords of an FHI-aims geometry file (its manual): those read here, those that move no atom.
_AIMS_READ = ("atom", "atom_frac", "lattice_vector")
_AIMS_IGNORED = re.compile(
    "calculate_friction|constrain_relaxation|empty|external_force|hessian_.+|homogeneous_field|"
    "initial_.+|isotope|magnetic_.+|multipole|nuclear_spin|pseudocore|set_vacuum_level|"
    "symmetry_.+|trust_radius|velocity|verbatim_writeout"
)
# key=value of a comment line in extended XYZ; the value is quoted, in brackets or one word.
_FIELD = r"""\b{}\s*=\s*("[^"]*"|'[^']*'|\{{[^}}]*\}}|\[\[.*?\]\s*\]|\[[^\]]*\]|\S+)"""
_COUNT = re.compile(r"\s*[0-9]{1,12}\s*")

#: Bytes that a packed file may always unpack to: some million atoms; reading takes 50 times that
#: where lines are shortest.
MAX_UNPACKED = 50_000_000

#: How many times its own size a packed file may unpack to beyond that. Coordinates shrink to a
#: fifth; two kilobytes that unpack to gigabytes hold nothing but repetitions.
MAX_RATIO = 20

_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError)


def read_structure(path: str | os.PathLike[str], index: int = -1) -> Atoms:
    r"""Read a structure from any file that ASE reads, or that nearly is such a file.

    XYZ files (plain or extended) and FHI-aims geometry files are taken at their content: columns
    or periodicity that a comment line declares and the file does not have are ignored with a
    warning. From these two formats species, positions, cell and periodicity are kept. Nothing is
    written; call `check_atoms` before computing with the result.

    Parameters
    ----------
    path : path-like
        The file, also compressed (``.gz``, ``.bz2``, ``.xz``; at most `MAX_UNPACKED` bytes
        unpacked, or `MAX_RATIO` times its size).
    index : int, default -1
        Which structure of a file that holds several, counted from 0; negative from the end. As
        with ASE, the default is the last one.

    Returns
    -------
    ase.Atoms
        At least one atom; species are elements, positions are finite, in the unit of the file.

    Raises
    ------
    InputError
        If there is no such file, structure or format; if the file is empty, binary, truncated,
        longer than its atom count states, or too large; if a species is no element or a
        coordinate no finite number. The message names the file and, for text, the line.

    Warns
    -----
    UserWarning
        If a comment line declares what the file does not have.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from arise_lib.structures import read_structure
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "carbon.xyz")
    ...     _ = file.write_text("2\nany comment\nC 0 0 0\nC 0 0 1.42\n")
    ...     atoms = read_structure(file)
    >>> atoms
    Atoms(symbols='C2', pbc=False)
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file; check the name")
    if not path.is_file():
        raise InputError(f"{path} is a folder or a device; a structure file is needed")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; a structure file is needed")
    if not isinstance(index, int | np.integer):
        raise InputError(f"index {index!r}: one integer is allowed, -1 for the last structure")
    _check_unpacked(path)
    kind = _kind(path)
    if kind == "xyz":
        return _read_xyz(path, _lines(path), int(index))
    if kind != "aims":
        return _read_with_ase(path, kind, int(index))
    if index not in (0, -1):
        raise InputError(f"{path} holds 1 structure; index {index} is not there")
    return _read_aims(path, _lines(path))


def _check_unpacked(path: Path) -> None:
    """Refuse a packed file that would fill the memory; it is unpacked piece by piece."""
    if get_compression(str(path))[1] is None:
        return
    allowed, found = max(MAX_UNPACKED, MAX_RATIO * path.stat().st_size), 0
    try:
        with open_with_compression(str(path), "rb") as stream:
            while piece := stream.read(1 << 20):
                found += len(piece)
                if found > allowed:
                    raise InputError(
                        f"{path}, {path.stat().st_size:,} bytes, unpacks to more than {allowed:,}; "
                        "unpack it yourself if it is what you expect"
                    )
    except _DAMAGED as error:
        raise InputError(f"{path} cannot be read ({error}); check that it is whole") from error


def _kind(path: Path) -> str:
    """Name the format by content, then by name: "xyz", "aims" or one of ASE's."""
    if Path(get_compression(str(path))[0]).suffix.lower() in (".xyz", ".extxyz"):
        return "xyz"
    try:
        with open_with_compression(str(path), "rb") as stream:
            head = stream.read(1 << 16).decode("latin-1").splitlines()
        kind = filetype(str(path))
    except UnknownFileTypeError:
        kind = ""
    except _DAMAGED as error:
        raise InputError(f"{path} cannot be read ({error}); check that it is whole") from error
    first = (words[0] for line in head if (words := line.partition("#")[0].split()))
    if next(first, "") in _AIMS_READ:
        return "aims"
    row = head[2].split()[1:4] if len(head) > 2 and _COUNT.fullmatch(head[0]) else []
    if kind in ("xyz", "extxyz") or (len(row) == 3 and all(map(_is_number, row))):
        return "xyz"
    if kind not in ioformats:
        raise InputError(
            f"{path}: neither its content nor its name tells the format; use the usual ending, "
            "such as .xyz, .cif, .vasp or .in (FHI-aims)"
        )
    return kind


def _read_with_ase(path: Path, kind: str, index: int) -> Atoms:
    """Read one of ASE's other formats; its readers fail in ways of their own."""
    try:
        atoms = read(str(path), index=index, format=kind, do_not_split_by_at_sign=True)
    except MemoryError as error:
        raise InputError(_too_large(path)) from error
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as {kind}, structure {index} "
            f"({type(error).__name__}: {error}); check that the file is whole"
        ) from error
    if not isinstance(atoms, Atoms) or len(atoms) == 0:
        raise InputError(f"{path} ({kind}) holds no atom; a structure needs at least one")
    bad = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if bad.size:
        raise InputError(f"{path}: the position of atom {bad[0]} is not finite; correct the file")
    return atoms


def _too_large(path: Path) -> str:
    return (
        f"{path}, {path.stat().st_size:,} bytes, does not fit into the memory; keep the structure "
        "that you need in a file of its own"
    )


def _lines(path: Path) -> list[str]:
    """Return the lines of a text file, whatever their ends."""
    try:
        with open_with_compression(str(path), "rb") as stream:
            raw = stream.read()
    except MemoryError as error:
        raise InputError(_too_large(path)) from error
    except _DAMAGED as error:
        raise InputError(f"{path} cannot be read ({error}); check that it is whole") from error
    # NUL occurs in no text but UTF-16, and in nearly every binary file.
    where = raw.find(b"\0")
    if where >= 0:
        line = raw.count(b"\n", 0, where) + 1
        raise InputError(
            f"{path}, line {line}: binary data (a zero byte), where text is needed; if it is "
            "text, save it as UTF-8"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Latin-1 takes every byte: comments may hold any, the rest is checked word by word.
        text = raw.decode("latin-1")
    # Not str.splitlines, which also breaks at characters that editors do not count as line ends.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _is_number(word: str) -> bool:
    """Tell whether a word can be read as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def _numbers(path: Path, line: int, words: Sequence[str]) -> list[float]:
    """Convert words of one line to finite numbers."""
    values = []
    for word in words:
        try:
            values.append(float(word))
        except ValueError as error:
            raise InputError(f"{path}, line {line}: {word!r} is not a number") from error
        if not np.isfinite(values[-1]):
            raise InputError(f"{path}, line {line}: {word!r} is not a finite number")
    return values


def _element(path: Path, line: int, word: str) -> int:
    """Convert a symbol in any case, or an atomic number, to the atomic number."""
    number = int(word) if _COUNT.fullmatch(word) else atomic_numbers.get(word.capitalize(), 0)
    if number not in range(1, len(atomic_numbers)):
        raise InputError(
            f"{path}, line {line}: unknown species {word!r}; chemical symbols and atomic numbers "
            "are allowed, and any element may stand for a label of your own"
        )
    return number


# --- XYZ ---------------------------------------------------------------------------------------


def _read_xyz(path: Path, lines: list[str], index: int) -> Atoms:
    """Read structure `index` of an XYZ file, after all were checked for their length."""
    starts = _xyz_frames(path, lines)
    if not -len(starts) <= index < len(starts):
        raise InputError(f"{path} holds {len(starts)} structure(s); index {index} is not there")
    start = starts[index]
    n_atoms, comment = int(lines[start]), lines[start + 1]
    first = start + 3  # number of the first row, counted from 1
    rows = [line.split() for line in lines[start + 2 : start + 2 + n_atoms]]
    widths = np.array([len(row) for row in rows])
    if widths.min() < 4:
        bad = int(np.argmax(widths < 4))
        raise InputError(
            f"{path}, line {first + bad}: {rows[bad]} has {widths[bad]} column(s); "
            "a species and three coordinates are needed"
        )
    species, xyz = _xyz_columns(path, comment, rows, int(widths.min()))
    known: dict[str, int] = {}
    for i, row in enumerate(rows):
        if row[species] not in known:
            known[row[species]] = _element(path, first + i, row[species])
    words = [row[xyz : xyz + 3] for row in rows]
    try:
        positions = np.array(words, dtype=float)
    except ValueError:
        positions = np.full((n_atoms, 3), np.nan)
    if not np.isfinite(positions).all():
        # Row by row, to name the first bad one.
        positions = np.array([_numbers(path, first + i, row) for i, row in enumerate(words)])
    cell, pbc = _xyz_cell(path, start + 2, comment)
    return Atoms([known[row[species]] for row in rows], positions=positions, cell=cell, pbc=pbc)


def _xyz_frames(path: Path, lines: list[str]) -> list[int]:
    """Find the line (from 0) of each atom count; refuse a file that is too short or too long."""
    starts: list[int] = []
    at = 0
    while True:
        while at < len(lines) and not lines[at].strip():
            at += 1
        if at == len(lines):
            break
        if not _COUNT.fullmatch(lines[at]):
            if not starts:
                raise InputError(
                    f"{path}, line {at + 1}: {lines[at].strip()[:40]!r} is no atom count; an XYZ "
                    "file begins with it"
                )
            end = at
            while end < len(lines) and lines[end].strip() and not _COUNT.fullmatch(lines[end]):
                end += 1
            n_atoms = int(lines[starts[-1]])
            raise InputError(
                f"{path}, line {starts[-1] + 1}: {n_atoms} atoms are declared, "
                f"{n_atoms + end - at} rows follow; correct the count or the rows"
            )
        n_atoms = int(lines[at])
        if n_atoms == 0:
            raise InputError(f"{path}, line {at + 1}: 0 atoms are declared; at least 1 is needed")
        rows = lines[at + 2 : at + 2 + n_atoms]
        found = 0
        while found < len(rows) and len(rows[found].split()) > 1:
            found += 1
        if found < n_atoms:
            raise InputError(
                f"{path}, line {at + 1}: {n_atoms} atoms are declared, {found} rows follow; "
                "the file is truncated, or the count is wrong (a comment line stands between)"
            )
        starts.append(at)
        at += 2 + n_atoms
    if not starts:
        raise InputError(f"{path} holds blank lines only; a structure file is needed")
    return starts


def _xyz_field(comment: str, key: str) -> list[str] | None:
    """Return the words of a value in the comment line, None if the key is not there."""
    match = re.search(_FIELD.format(key), comment, re.IGNORECASE)
    return re.findall(r"[^\s,\"'{}\[\]]+", match[1]) if match else None


def _xyz_columns(path: Path, comment: str, rows: list[list[str]], width: int) -> tuple[int, int]:
    """Return the columns of the species and of the first coordinate.

    They are 0 and 1, unless the comment line declares others and the rows bear it out.
    """
    field = _xyz_field(comment, "properties")
    if not field:
        return 0, 1
    parts = field[0].split(":")
    sizes = [int(part) if part.isdecimal() else 0 for part in parts[2::3]]
    ends = np.cumsum(sizes).tolist()
    columns = {
        name: end - size
        for name, size, end in zip(parts[0::3], sizes, ends, strict=False)
        if end <= width
    }
    species, xyz = columns.get("species", columns.get("Z", width)), columns.get("pos", width)
    row = rows[0]
    fits = species < width and xyz + 3 <= width
    fits = fits and all(_is_number(word) for word in row[xyz : xyz + 3])
    fits = fits and (bool(_COUNT.fullmatch(row[species])) or not _is_number(row[species]))
    if ends[-1:] != [width] or not fits:
        absent = ", ".join(name for name in parts[0::3] if name not in columns)
        note = f"ignored, since not there: {absent}" if absent else "further columns are ignored"
        warnings.warn(
            f"{path}: the comment line declares {field[0]}, the rows have {width} columns; "
            + (note if fits else "they are read as species, x, y, z"),
            stacklevel=4,
        )
    return (species, xyz) if fits else (0, 1)


def _xyz_cell(path: Path, line: int, comment: str) -> tuple[NDArray[np.float64] | None, list[bool]]:
    """Return cell and periodicity that the comment line (number `line`) states."""
    lattice, flags = _xyz_field(comment, "lattice"), _xyz_field(comment, "pbc") or []
    periodic = [flag[0] in "Tt1" for flag in flags]
    problem = ""
    if lattice is None:
        if any(periodic):
            problem = "pbc is ignored, since there is no Lattice"
    elif len(lattice) != 9:
        problem = f"Lattice is ignored, since it has {len(lattice)} numbers instead of 9"
        lattice = None
    elif len(flags) not in (0, 1, 3) or any(flag[0] not in "TtFf01" for flag in flags):
        problem = f"pbc {' '.join(flags)!r} is ignored; T T T is taken"
        periodic = []
    if problem:
        warnings.warn(f"{path}, line {line}: {problem}", stacklevel=4)
    if lattice is None:
        return None, [False] * 3
    cell = np.reshape(_numbers(path, line, lattice), (3, 3))
    return cell, (periodic or [True]) * (3 // max(1, len(periodic)))


# --- FHI-aims ----------------------------------------------------------------------------------


def _read_aims(path: Path, lines: list[str]) -> Atoms:
    """Read an FHI-aims geometry file; coordinates may be Cartesian, fractional or both."""
    cell: list[list[float]] = []
    numbers: list[int] = []
    coordinates: list[list[float]] = []
    fractional: list[bool] = []
    for at, text in enumerate(lines, start=1):
        words = text.partition("#")[0].split()
        keyword = words[0] if words else ""
        if keyword in ("atom", "atom_frac"):
            if len(words) < 5:
                raise InputError(
                    f"{path}, line {at}: {text.strip()!r} is incomplete; "
                    f"'{keyword} x y z species' is needed"
                )
            coordinates.append(_numbers(path, at, words[1:4]))
            numbers.append(_element(path, at, words[4]))
            fractional.append(keyword == "atom_frac")
        elif keyword == "lattice_vector":
            cell.append(_numbers(path, at, words[1:4]))
            if len(cell[-1]) != 3:
                raise InputError(f"{path}, line {at}: a lattice vector has three numbers")
        elif keyword and not _AIMS_IGNORED.fullmatch(keyword):
            raise InputError(
                f"{path}, line {at}: {keyword!r} is no keyword of an FHI-aims geometry file, such "
                "as atom, atom_frac, lattice_vector; another format needs its own file ending"
            )
    if not numbers:
        raise InputError(f"{path} holds no line 'atom x y z species'; at least one is needed")
    if len(cell) not in (0, 3):
        raise InputError(f"{path} has {len(cell)} lattice vectors; 0 or 3 are allowed")
    if any(fractional) and not cell:
        raise InputError(f"{path} has fractional coordinates (atom_frac), but no lattice vectors")
    positions = np.array(coordinates)
    if cell:
        positions[fractional] = positions[fractional] @ np.array(cell)
    return Atoms(numbers, positions=positions, cell=cell or None, pbc=bool(cell))


def load_structure(source: Atoms | str | PathLike[str]) -> Atoms:
    """Return checked atoms, read from a file where a path is given.

    Parameters
    ----------
    source : ase.Atoms or path
        A structure, or a file that ASE reads.

    Returns
    -------
    ase.Atoms
        The structure itself; it is not copied and never changed.

    Raises
    ------
    InputError
        If the file or the structure cannot be used.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import load_structure
    >>> copper = bulk("Cu")
    >>> load_structure(copper) is copper
    True
    """
    atoms = source if isinstance(source, Atoms) else read_structure(Path(source))
    check_atoms(atoms)
    return atoms
