"""Structures from files and streams, read as what they are, or refused."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from typing import Any, BinaryIO

import numpy as np
from ase import Atoms
from ase.io.formats import string2index

from arise_lib.errors import InputError
from arise_lib.structures.checks import check_atoms
from arise_lib.structures.reading.files import Content, load
from arise_lib.structures.reading.formats import detect, format_named
from arise_lib.structures.reading.frames import Choices, Reading, structure
from arise_lib.structures.reading.words import clean, shown


@dataclass(frozen=True)
class Source:
    """A structure with what is known of its reading.

    Attributes
    ----------
    atoms : ase.Atoms
        The structure.
    place : str
        File name, or what a stream is called.
    format : str
        Format that the file was read as, a key of `FORMATS`.
    frame : int
        Which frame of the file this is, counted from 0.
    n_frames : int
        How many frames the file holds, a cut last one included.
    named : bool
        Whether elements are named; else the formula is of types that stand in for them.
    notes : tuple of str
        What the reader had to decide: types taken as species, sites left out, and the like.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures.reading import Source
    >>> print(Source(bulk("Cu", cubic=True), "a.xyz", "xyz", 2, 3, True, ()))
    a.xyz (xyz, frame 2 of 0 to 2): Cu4, 4 atoms; cell 3.61 3.61 3.61, 90 90 90; periodic xyz
    """

    atoms: Atoms
    place: str
    format: str
    frame: int
    n_frames: int
    named: bool
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """Return one line: formula, atoms, cell, periodicity, frame."""
        which = f", frame {self.frame} of 0 to {self.n_frames - 1}" if self.n_frames > 1 else ""
        return clean(f"{self.place} ({self.format}{which}): {described(self.atoms, self.named)}")


def described(atoms: Atoms, named: bool = True) -> str:
    """Say what a structure is: formula, atoms, cell, periodicity.

    Parameters
    ----------
    atoms : ase.Atoms
        Any structure.
    named : bool
        Whether its elements are named; else types stand in for them.

    Returns
    -------
    str
        A line.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures.reading import described
    >>> described(bulk("Cu", cubic=True))
    'Cu4, 4 atoms; cell 3.61 3.61 3.61, 90 90 90; periodic xyz'
    """
    axes = "".join(axis for axis, flag in zip("xyz", atoms.pbc, strict=True) if flag)
    periodic = f"periodic {axes}" if axes else "not periodic"
    cell = "no cell"
    if atoms.cell.array.any():
        values = [f"{value:.4g}" for value in atoms.cell.cellpar()]
        cell = f"cell {' '.join(values[:3])}, {' '.join(values[3:])}"
    formula = atoms.symbols.get_chemical_formula("metal")
    if not named:
        formula += " (types, elements not stated)"
    n = len(atoms)
    return f"{formula}, {n} atom{'s' * (n != 1)}; {cell}; {periodic}"


def read_structure(
    path: str | PathLike[str] | BinaryIO,
    index: int = -1,
    *,
    format: str | None = None,
    types: Mapping[int | float | str, str] | None = None,
    one_species: bool = False,
    ignore: Sequence[str] = (),
    occupancy: str = "major",
) -> Atoms:
    r"""Read one structure from a file of any of the formats listed in `FORMATS`.

    The file is taken at its content, not at its name or header. Species, positions, cell and
    periodicity are kept. Nothing is written; call `check_atoms` before computing with the result.

    Parameters
    ----------
    path : path-like or binary stream
        The file, also packed (``.gz``, ``.bz2``, ``.xz``, or ``.zip`` with one file in it).
    index : int, default -1
        Which structure of a file that holds several, counted from 0; negative from the end. As
        with ASE, the default is the last one.
    format : str, optional
        Name of the format, a key of `FORMATS`; told by content and name where it is None.
    types : mapping, optional
        Elements that types, labels or elements of the file stand for, ``{1: "Fe", 2: "Fe"}``.
        Simulation programs number types and may give one element several of them. A label
        (``"Fe1"``) comes before the element that it names (``"Fe"``).
    one_species : bool, default False
        Whether all atoms are taken as of one species, the most frequent one.
    ignore : sequence of str, optional
        Symbols or labels of atoms to leave out, such as ``["Ag", "O"]``.
    occupancy : {"major", "all", "full", "refuse"}
        What becomes of partly occupied sites. "major": a position shared by several goes to the
        species with most of it, one that is less than half occupied is left out, others count as
        full. "all": every site is an atom. "full": only full sites are. "refuse": an error.

    Returns
    -------
    ase.Atoms
        At least one atom; species are elements, positions are finite, in the unit of the file.

    Raises
    ------
    InputError
        If there is no such file, structure or format; if the file is empty, binary, truncated or
        longer than its atom count states; if a species is no element or a coordinate no finite
        number; if symmetry, cell and formula of a CIF contradict each other; if the file has
        nothing that `types` names, or lacks some of it and has types without an element. The
        message names the file and, for text, the line.

    Warns
    -----
    UserWarning
        If something had to be decided that the file does not say, or if it lacks some of what
        `types` names, as one of many files may; see `Source.notes`.

    Examples
    --------
    >>> import io
    >>> from arise_lib.structures import read_structure
    >>> read_structure(io.BytesIO(b"2\n\nFe1 0 0 0\nFe2 0 0 2.5\n")).get_chemical_formula()
    'Fe2'
    """
    choices = Choices.of(types, one_species, ignore, occupancy)
    source = _guarded(_read_one, path, index, format, choices)
    for note in source.notes:
        warnings.warn(note, stacklevel=2)
    return source.atoms


def read_source(
    path: str | PathLike[str] | BinaryIO,
    index: int = -1,
    *,
    format: str | None = None,
    types: Mapping[int | float | str, str] | None = None,
    one_species: bool = False,
    ignore: Sequence[str] = (),
    occupancy: str = "major",
) -> Source:
    r"""Read one structure, and tell how it was read.

    Parameters
    ----------
    path, index, format, types, one_species, ignore, occupancy
        As of `read_structure`.

    Returns
    -------
    Source
        The atoms with format, frame, number of frames and notes; no warning is issued.

    Raises
    ------
    InputError
        As by `read_structure`.

    Examples
    --------
    >>> import io
    >>> from arise_lib.structures.reading import read_source
    >>> print(read_source(io.BytesIO(b"1\n\nFe 0 0 0\n")))
    the stream (xyz): Fe, 1 atom; no cell; not periodic
    """
    choices = Choices.of(types, one_species, ignore, occupancy)
    return _guarded(_read_one, path, index, format, choices)


def read_frames(
    path: str | PathLike[str] | BinaryIO,
    index: int | slice | str = ":",
    *,
    format: str | None = None,
    types: Mapping[int | float | str, str] | None = None,
    one_species: bool = False,
    ignore: Sequence[str] = (),
    occupancy: str = "major",
) -> Iterator[tuple[int, Atoms]]:
    r"""Read the structures of a trajectory, one after the other.

    Parameters
    ----------
    path, format, types, one_species, ignore, occupancy
        As of `read_structure`.
    index : int, slice or str, default ":"
        Which frames, as ASE takes it: ``3``, ``"-1"``, ``"::10"``, ``slice(5, None)``.

    Returns
    -------
    iterator of (int, ase.Atoms)
        Number of the frame in the file, counted from 0, and its structure.

    Raises
    ------
    InputError
        As by `read_structure`; if `index` selects no frame. A last frame that is cut is refused
        where `index` is an integer; otherwise it is left out with a warning.

    Warns
    -----
    UserWarning
        As by `read_structure`, each note once.

    Examples
    --------
    >>> import io
    >>> from arise_lib.structures.reading import read_frames
    >>> text = b"1\n\nFe 0 0 0\n" * 3
    >>> [(number, len(atoms)) for number, atoms in read_frames(io.BytesIO(text), "::2")]
    [(0, 1), (2, 1)]
    """
    choices = Choices.of(types, one_species, ignore, occupancy)
    wanted = _index(index)
    content, _, readings = _guarded(_open, path, format, choices)
    numbers = list(range(len(readings)))
    if isinstance(wanted, int):
        numbers = [_guarded(_position, content, wanted, len(readings))]
    else:
        numbers = numbers[wanted]
        if not numbers:
            raise InputError(
                clean(
                    f"{content.place} holds {len(readings)} frame(s); {shown(index)} selects none"
                )
            )
    return _frames(content, readings, numbers, isinstance(wanted, int), choices)


def _frames(
    content: Content, readings: list[Reading], numbers: list[int], is_one: bool, choices: Choices
) -> Iterator[tuple[int, Atoms]]:
    """Read frames as they are asked for."""
    told: set[str] = set()
    for at in numbers:
        notes: list[str] = []
        try:
            atoms, _ = _guarded(_frame, content, readings[at], choices, notes, len(numbers) > 1)
        except InputError as error:
            # Only the last frame can be cut, and only where others were asked for is it left out.
            if is_one or at != len(readings) - 1 or len(numbers) == 1:
                raise
            warnings.warn(f"frame {at} is left out: {error}", stacklevel=2)
            continue
        for note in notes:
            if note not in told:
                told.add(note)
                warnings.warn(clean(note), stacklevel=2)
        yield at, atoms


def load_structure(source: Atoms | str | PathLike[str], **options: Any) -> Atoms:
    """Return checked atoms, read from a file where a path is given.

    Parameters
    ----------
    source : ase.Atoms or path
        A structure, or a file that `read_structure` reads.
    **options
        Of `read_structure`; they need a file.

    Returns
    -------
    ase.Atoms
        The structure itself; it is not copied and never changed.

    Raises
    ------
    InputError
        If the file or the structure cannot be used, or options are given for atoms.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import load_structure
    >>> len(load_structure(bulk("Cu", cubic=True)))
    4
    """
    if isinstance(source, Atoms):
        if options:
            raise InputError(f"{', '.join(options)}: options of reading need a file, not atoms")
        atoms = source
    else:
        read = read_source(source, **options)
        for note in read.notes:
            warnings.warn(note, stacklevel=2)
        atoms = read.atoms
    check_atoms(atoms)
    return atoms


def _guarded(call: Any, source: Any, *arguments: Any) -> Any:
    """Call, and clean the message of an error of what the file may have put into it."""
    try:
        return call(source, *arguments)
    except MemoryError as error:
        place = source.place if isinstance(source, Content) else source
        raise InputError(
            clean(
                f"{place} does not fit into the memory; keep the structure that you need in a file "
                "of its own"
            )
        ) from error
    except InputError as error:
        raise InputError(clean(str(error))) from error


def _index(index: int | slice | str) -> int | slice:
    """Convert an index as ASE takes it."""
    if isinstance(index, str):
        with suppress(ValueError):
            index = string2index(index)
    if isinstance(index, np.integer):
        index = int(index)
    if isinstance(index, bool) or not isinstance(index, int | slice):
        raise InputError(f"index {shown(index)}: 3, '-1', '::10' or ':' are allowed, as with ASE")
    return index


def _position(content: Content, index: int, n_frames: int) -> int:
    """Return the number of a frame, counted from 0."""
    if not -n_frames <= index < n_frames:
        raise InputError(
            f"{content.place} holds {n_frames} structure(s); index {index} is not there"
        )
    return index % n_frames


def _open(path: Any, name: str | None, choices: Choices) -> tuple[Content, str, list[Reading]]:
    """Load a file and find its frames."""
    named = format_named(name) if name is not None else None
    content = load(path)
    entry = named or detect(content)
    return content, entry.name, entry.read(content, choices)


def _frame(
    content: Content,
    reading: Reading,
    choices: Choices,
    notes: list[str],
    one_of_many: bool = False,
) -> tuple[Atoms, bool]:
    """Read one frame, and tell whether its elements are named."""
    choices.used.clear()
    frame = reading(notes)
    return structure(content.place, frame, choices, notes, one_of_many), frame.named


def _read_one(path: Any, index: int, name: str | None, choices: Choices) -> Source:
    """Read the frame of an integer index."""
    wanted = _index(index)
    if isinstance(wanted, slice):
        raise InputError(
            f"index {shown(index)}: one integer is allowed, -1 for the last structure; read_frames "
            "reads several"
        )
    content, kind, readings = _open(path, name, choices)
    at = _position(content, wanted, len(readings))
    notes: list[str] = []
    try:
        atoms, named = _frame(content, readings[at], choices, notes)
    except InputError as error:
        if len(readings) == 1 or at != len(readings) - 1:
            raise
        raise InputError(
            f"{error} (frame {at}, the last; the {at} before it can be read: index {at - 1} or "
            "less)"
        ) from error
    told = tuple(clean(note) for note in notes)
    return Source(atoms, content.place, kind, at, len(readings), named, told)
