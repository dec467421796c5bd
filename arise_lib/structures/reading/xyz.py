"""XYZ, plain and extended: the rows count, not the header.

Files that only nearly follow the format are common and must neither stop the reader nor be
misread. Columns or periodicity that a comment line declares and the file does not have are ignored
with a note.
"""

from __future__ import annotations

import re
from functools import partial

import numpy as np
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.structures.reading.files import Content
from arise_lib.structures.reading.frames import (
    Choices,
    Frame,
    Reading,
    numbers_of_types,
    refusal,
)
from arise_lib.structures.reading.words import COUNT, coordinates, is_number, numbers, shown

# key=value of a comment line in extended XYZ; the value is quoted, in brackets or one word.
_FIELD = r"""\b{}\s*=\s*("[^"]*"|'[^']*'|\{{[^}}]*\}}|\[\[.*?\]\s*\]|\[[^\]]*\]|\S+)"""
# Cells that other programs write into the comment; not read, and therefore named.
_OTHER_CELL = re.compile(
    r"\bcell\s*=|CELL\((?:abcABC|H|GENH)\)|\bunitcell\b|\bVEC[123]\s*=|my_lattice\s*=",
    re.IGNORECASE,
)


def read_xyz(content: Content, choices: Choices) -> list[Reading]:
    """Find the frames of an XYZ file; one that is cut or too long is the last, and refused."""
    readings: list[Reading] = []
    at = start = 0
    place, lines = content.place, content.lines
    while True:
        while at < len(lines) and not lines[at].strip():
            at += 1
        if at == len(lines):
            break
        if not COUNT.fullmatch(lines[at]):
            if not readings:
                raise InputError(
                    f"{place}, line {at + 1}: {shown(lines[at].strip())} is no atom count; an XYZ "
                    "file begins with it"
                )
            end = at
            if _is_tail(lines, start, at):
                at += 3
                continue
            while end < len(lines) and lines[end].strip() and not COUNT.fullmatch(lines[end]):
                end += 1
            n_atoms = int(lines[start])
            readings[-1] = refusal(
                f"{place}, line {start + 1}: {n_atoms} atoms are declared, "
                f"{n_atoms + end - at} rows follow; correct the count or the rows"
            )
            break
        start, n_atoms = at, int(lines[at])
        rows = lines[at + 2 : at + 2 + n_atoms]
        found = 0
        while found < len(rows) and len(rows[found].split()) > 1:
            found += 1
        if n_atoms == 0:
            problem = "0 atoms are declared; at least 1 is needed"
        elif found < n_atoms:
            problem = (
                f"{n_atoms} atoms are declared, {found} rows follow; the file is truncated, or the "
                "count is wrong (a comment line stands between)"
            )
        else:
            readings.append(partial(_frame, content, choices, at))
            at += 2 + n_atoms
            continue
        readings.append(refusal(f"{place}, line {at + 1}: {problem}"))
        break
    if not readings:
        raise InputError(f"{place} holds blank lines only; a structure file is needed")
    return readings


def _is_tail(lines: list[str], start: int, at: int) -> bool:
    """Tell whether three lines are what the QM9 set appends to a frame."""
    tail = lines[at : at + 3]
    return (
        len(tail) == 3
        and lines[start + 1].lower().startswith("gdb")
        and all(is_number(word) for word in tail[0].split())
        and tail[2].startswith("InChI=")
    )


def _frame(content: Content, choices: Choices, start: int, notes: list[str]) -> Frame:
    """Read the frame whose count is on line `start` (from 0)."""
    place, lines = content.place, content.lines
    n_atoms, comment = int(lines[start]), lines[start + 1]
    first = start + 3  # number of the first row, counted from 1
    rows = [line.split() for line in lines[start + 2 : start + 2 + n_atoms]]
    widths = np.array([len(row) for row in rows])
    if widths.min() < 4:
        bad = int(np.argmax(widths < 4))
        raise InputError(
            f"{place}, line {first + bad}: {shown(' '.join(rows[bad]))} has {widths[bad]} "
            "column(s); a species and three coordinates are needed"
        )
    species, xyz = _columns(place, comment, rows, int(widths.min()), notes)
    labels, named = [row[species] for row in rows], True
    if comment.startswith("Atoms. Timestep") and all(map(COUNT.fullmatch, labels)):
        # As LAMMPS writes it: these are types, not atomic numbers.
        numbered, named = numbers_of_types(place, labels, {}, {}, choices, notes)
        atomic = numbered.tolist()
    else:
        known: dict[str, int] = {}
        for i, label in enumerate(labels):
            if label not in known:
                known[label] = choices.number(f"{place}, line {first + i}", label)
        atomic = [known[label] for label in labels]
    positions = coordinates(place, first, [row[xyz : xyz + 3] for row in rows])
    cell, pbc = _cell(place, start + 2, comment, notes)
    return Frame(labels, atomic, positions, cell, pbc, named)


def _field(comment: str, key: str) -> list[str] | None:
    """Return the words of a value in the comment line, None if the key is not there."""
    match = re.search(_FIELD.format(key), comment, re.IGNORECASE)
    return re.findall(r"[^\s,\"'{}\[\]]+", match[1]) if match else None


def _columns(
    place: str, comment: str, rows: list[list[str]], width: int, notes: list[str]
) -> tuple[int, int]:
    """Return the columns of the species and of the first coordinate.

    They are 0 and 1, unless the comment line declares others and the rows bear it out.
    """
    field = _field(comment, "properties")
    if not field:
        return 0, 1
    parts = field[0].split(":")
    sizes = [int(part) if COUNT.fullmatch(part) else 0 for part in parts[2::3]]
    ends = np.cumsum(sizes).tolist()
    columns = {
        name: end - size
        for name, size, end in zip(parts[0::3], sizes, ends, strict=False)
        if end <= width
    }
    species, xyz = columns.get("species", columns.get("Z", width)), columns.get("pos", width)
    row = rows[0]
    fits = species < width and xyz + 3 <= width
    fits = fits and all(is_number(word) for word in row[xyz : xyz + 3])
    fits = fits and (bool(COUNT.fullmatch(row[species])) or not is_number(row[species]))
    if ends[-1:] != [width] or not fits:
        absent = ", ".join(name for name in parts[0::3] if name not in columns)
        note = f"ignored, since not there: {absent}" if absent else "further columns are ignored"
        notes.append(
            f"{place}: the comment line declares {field[0]}, the rows have {width} columns; "
            + (note if fits else "they are read as species, x, y, z")
        )
    return (species, xyz) if fits else (0, 1)


def _cell(
    place: str, line: int, comment: str, notes: list[str]
) -> tuple[NDArray[np.float64] | None, list[bool]]:
    """Return cell and periodicity that the comment line (number `line`) states."""
    lattice, flags = _field(comment, "lattice"), _field(comment, "pbc") or []
    if len(flags) == 1 and re.fullmatch("[TtFf01]{3}", flags[0]):
        flags = list(flags[0])
    periodic = [flag[0] in "Tt1" for flag in flags]
    problem = ""
    if lattice is None:
        if any(periodic):
            problem = "pbc is ignored, since there is no Lattice"
        elif _OTHER_CELL.search(comment):
            problem = 'the cell in the comment is ignored; write it as Lattice="ax ay az bx ... cz"'
    elif len(lattice) != 9:
        problem = f"Lattice is ignored, since it has {len(lattice)} numbers instead of 9"
        lattice = None
    elif len(flags) not in (0, 1, 3) or any(flag[0] not in "TtFf01" for flag in flags):
        problem = f"pbc {shown(' '.join(flags))} is ignored; T T T is taken"
        periodic = []
    if problem:
        notes.append(f"{place}, line {line}: {problem}")
    if lattice is None:
        return None, [False] * 3
    cell = np.reshape(numbers(place, line, lattice), (3, 3))
    return cell, (periodic or [True]) * (3 // max(1, len(periodic)))
