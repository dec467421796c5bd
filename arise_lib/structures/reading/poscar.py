"""VASP: POSCAR and CONTCAR of version 4 and 5, XDATCAR."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

import numpy as np
from ase.data import atomic_numbers
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
from arise_lib.structures.reading.words import COUNT, coordinates, is_number, numbers

_CONFIGURATION = re.compile(r"\s*(?:direct|cartesian)?\s*(?:configuration|konfig)\s*=", re.I)


@dataclass
class _Head:
    """Cell, scale and species of a POSCAR, and the line (from 0) after the atom counts."""

    cell: NDArray[np.float64]
    scale: NDArray[np.float64]
    species: list[str] | None
    counts: list[int]
    end: int


def is_poscar(lines: list[str]) -> bool:
    """Tell whether lines begin like a POSCAR: comment, scale, three vectors, counts."""
    if len(lines) < 7 or len(lines[1].split("!")[0].split()) not in (1, 3):
        return False
    rows = [line.split()[:3] for line in lines[2:5]]
    rows.append(lines[1].split("!")[0].split())
    counts = [line.split("!")[0].split() for line in lines[5:7]]
    return (
        all(row and all(map(is_number, row)) for row in rows)
        and all(len(row) == 3 for row in rows[:3])
        and any(words and all(map(COUNT.fullmatch, words)) for words in counts)
    )


def is_xdatcar(lines: list[str]) -> bool:
    """Tell whether lines begin like a POSCAR and go on with a numbered configuration."""
    return is_poscar(lines) and any(_CONFIGURATION.match(line) for line in lines[6:9])


def read_poscar(content: Content, choices: Choices) -> list[Reading]:
    """Return the one frame of a POSCAR."""
    return [partial(_poscar, content, choices)]


def _poscar(content: Content, choices: Choices, notes: list[str]) -> Frame:
    place, lines = content.place, content.lines
    head = _head(place, lines, 0)
    at = head.end
    selective = _first_letter(lines, at) == "s"
    at += selective
    if not _first_letter(lines, at).isalpha():
        raise InputError(f"{place}, line {at + 1}: 'Direct' or 'Cartesian' is needed here")
    direct = _first_letter(lines, at) not in "ck"
    n_atoms = sum(head.counts)
    rows = _rows(place, lines, at + 1, n_atoms)
    after = _words(lines, at + 1 + n_atoms)
    if len(after) >= 3 and all(map(is_number, after[:3])):
        raise InputError(
            f"{place}, line {at + 2 + n_atoms}: {n_atoms} atoms are declared, more rows follow; "
            "correct the counts"
        )
    positions = coordinates(place, at + 2, [row[:3] for row in rows])
    positions = positions @ head.cell if direct else positions * head.scale
    labels, atomic, named = _species(place, head, lines, 0, rows, selective, choices, notes)
    return Frame(labels, atomic, positions, head.cell, [True] * 3, named)


def read_xdatcar(content: Content, choices: Choices) -> list[Reading]:
    """Find the frames of an XDATCAR; one that is cut is the last, and refused."""
    place, lines = content.place, content.lines
    readings: list[Reading] = []
    at, start, head = 0, 0, _head(place, lines, 0)
    at = head.end
    while at < len(lines):
        if not lines[at].strip():
            at += 1
        elif _CONFIGURATION.match(lines[at]):
            n_atoms = sum(head.counts)
            readings.append(partial(_configuration, content, choices, head, start, at))
            at += 1 + n_atoms
        else:
            # The head is repeated where the cell changes.
            start = at
            try:
                head = _head(place, lines, at)
            except InputError as error:
                readings.append(refusal(str(error)))
                break
            at = head.end
    if not readings:
        raise InputError(f"{place} holds no 'Direct configuration='; it is cut, or no XDATCAR")
    return readings


def _configuration(
    content: Content, choices: Choices, head: _Head, start: int, at: int, notes: list[str]
) -> Frame:
    place, lines = content.place, content.lines
    rows = _rows(place, lines, at + 1, sum(head.counts))
    positions = coordinates(place, at + 2, [row[:3] for row in rows])
    direct = _first_letter(lines, at) not in "c" or lines[at].split()[0].lower()[:2] == "co"
    positions = positions @ head.cell if direct else positions * head.scale
    labels, atomic, named = _species(place, head, lines, start, rows, False, choices, notes)
    return Frame(labels, atomic, positions, head.cell, [True] * 3, named)


def _words(lines: list[str], at: int) -> list[str]:
    """Return the words of a line (from 0), none beyond the end."""
    return re.split("[!#]", lines[at])[0].split() if at < len(lines) else []


def _first_letter(lines: list[str], at: int) -> str:
    """Return the first letter of a line in lower case; a space where there is none."""
    return (lines[at].strip().lower() + " ")[0] if at < len(lines) else " "


def _head(place: str, lines: list[str], start: int) -> _Head:
    """Read comment to counts from line `start` (from 0) on."""
    scale = numbers(place, start + 2, _words(lines, start + 1))
    if len(scale) not in (1, 3) or (len(scale) == 3 and min(scale) <= 0) or 0 in scale:
        raise InputError(
            f"{place}, line {start + 2}: one scale, negative for the volume, or three positive "
            "ones are needed"
        )
    vectors = []
    for at in range(start + 2, start + 5):
        vectors.append(numbers(place, at + 1, _words(lines, at)[:3]))
        if len(vectors[-1]) != 3:
            raise InputError(f"{place}, line {at + 1}: a cell vector has three numbers")
    cell = np.array(vectors)
    factor = np.array(scale) if len(scale) == 3 else np.full(3, scale[0])
    if scale[0] < 0:
        volume = abs(np.linalg.det(cell))
        if volume == 0:
            raise InputError(f"{place}: the cell has no volume, so its scale {scale[0]} is none")
        factor = np.full(3, (-scale[0] / volume) ** (1 / 3))
    at = start + 5
    species = None
    words = _words_of_species(lines, at)
    if words and not all(map(COUNT.fullmatch, words)):
        species = [re.split("[/_]", word)[0] for word in words]
        at += 1
    counts = _words(lines, at)
    if not counts or not all(map(COUNT.fullmatch, counts)) or sum(map(int, counts)) == 0:
        raise InputError(f"{place}, line {at + 1}: the number of atoms of each species is needed")
    if species is not None and len(species) != len(counts):
        raise InputError(
            f"{place}, line {at + 1}: {len(counts)} count(s) for {len(species)} symbol(s) on the "
            "line before; correct one of them"
        )
    return _Head(cell * factor, factor, species, [int(count) for count in counts], at + 1)


def _words_of_species(lines: list[str], at: int) -> list[str]:
    """Return the words of a line of symbols, in which '#' begins no comment."""
    return lines[at].split("!")[0].split() if at < len(lines) else []


def _rows(place: str, lines: list[str], first: int, n_atoms: int) -> list[list[str]]:
    """Return the words of `n_atoms` lines from `first` (from 0) on, three at least in each."""
    rows = [_words(lines, at) for at in range(first, min(first + n_atoms, len(lines)))]
    found = next((i for i, row in enumerate(rows) if len(row) < 3), len(rows))
    if found < n_atoms:
        raise InputError(
            f"{place}, line {first + found + 1}: {n_atoms} atoms are declared, {found} whole rows "
            "follow; the file is truncated, or the counts are wrong"
        )
    return rows


def _species(
    place: str,
    head: _Head,
    lines: list[str],
    start: int,
    rows: list[list[str]],
    selective: bool,
    choices: Choices,
    notes: list[str],
) -> tuple[list[str], list[int], bool]:
    """Return label and atomic number of each atom, and whether elements are named."""
    species = head.species
    n_species = len(head.counts)
    if species is None:
        # Version 4 names no species; many write them into the comment, some behind the rows.
        comment = lines[start].replace("#", " ").split()
        if len(comment) >= n_species and all(w in atomic_numbers for w in comment[:n_species]):
            species = comment[:n_species]
        elif not selective and all(len(row) > 3 and row[3] in atomic_numbers for row in rows):
            labels = [row[3] for row in rows]
            return labels, [choices.number(place, label) for label in labels], True
    if species is None:
        words = [str(i + 1) for i in range(n_species)]
        labels = np.repeat(words, head.counts).tolist()
        numbered, named = numbers_of_types(place, labels, {}, {}, choices, notes)
        return labels, numbered.tolist(), named
    labels = np.repeat(species, head.counts).tolist()
    atomic = [choices.number(f"{place}, line {head.end - 1}", word) for word in species]
    return labels, np.repeat(atomic, head.counts).tolist(), True
