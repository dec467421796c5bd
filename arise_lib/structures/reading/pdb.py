"""Protein Data Bank files, as molecular programs write them also for crystals."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.structures.reading.files import Content
from arise_lib.structures.reading.frames import Choices, Frame, Reading, refusal
from arise_lib.structures.reading.programs import cell_of_lengths
from arise_lib.structures.reading.words import coordinates, element, numbers, shown

# A cell with less room for an atom than this (Å^3) is a filler, such as 1 x 1 x 1.
_LEAST_VOLUME = 1.0
_FIELDS = [(6, 15), (15, 24), (24, 33), (33, 40), (40, 47), (47, 54)]


def read_pdb(content: Content, choices: Choices) -> list[Reading]:
    """Find the models of a PDB file; one without its end is refused."""
    place = content.place
    readings: list[Reading] = []
    cell: NDArray[np.float64] | None = None
    rows: list[tuple[int, str]] = []
    model, ended = 0, False
    for at, line in enumerate(content.lines, start=1):
        record = line[:6].strip()
        if record == "CRYST1":
            cell = _cell(place, at, line)
        elif record in ("ATOM", "HETATM"):
            rows.append((at, line))
        elif record == "MODEL":
            model = at
        elif record == "ENDMDL" or (record == "END" and rows):
            if rows:
                readings.append(partial(_model, place, choices, rows, cell))
            rows, model = [], 0
        ended = ended or record == "END"
    if rows and model:
        readings.append(
            refusal(f"{place}, line {model}: this MODEL has no ENDMDL; the file is cut")
        )
    elif rows:
        readings.append(partial(_model, place, choices, rows, cell, unended=True))
    if not readings:
        raise InputError(f"{place} holds no record ATOM or HETATM; a PDB file needs them")
    return readings


def _cell(place: str, at: int, line: str) -> NDArray[np.float64] | None:
    """Return the cell of CRYST1; None for zeros, which mean that there is none."""
    words = [line[a:b].strip() for a, b in _FIELDS]
    if not all(words):
        words = line.split()[1:7]
    values = numbers(place, at, words)
    if len(values) != 6:
        raise InputError(f"{place}, line {at}: CRYST1 needs three lengths and three angles")
    return cell_of_lengths(place, values) if any(values[:3]) else None


def _model(
    place: str,
    choices: Choices,
    rows: list[tuple[int, str]],
    cell: NDArray[np.float64] | None,
    notes: list[str],
    unended: bool = False,
) -> Frame:
    """Read the atoms of one model."""
    if unended:
        notes.append(f"{place} has no record END; if the file is cut, atoms are missing")
    first = [(at, line) for at, line in rows if line[16:17] in (" ", "", "A", "1")]
    if len(first) < len(rows):
        notes.append(
            f"{place}: of alternative positions the first was taken, {len(rows) - len(first)} "
            "atom(s) left out"
        )
    if not first:
        raise InputError(f"{place} holds alternative positions only; correct column 17")
    labels, atomic = [], []
    for at, line in first:
        label = line[76:78].strip() or _of_name(line[12:16])
        labels.append(label)
        atomic.append(choices.number(f"{place}, line {at}", label))
    words = [[line[30:38].strip(), line[38:46].strip(), line[46:54].strip()] for _, line in first]
    for (at, line), row in zip(first, words, strict=True):
        if not all(row):
            raise InputError(
                f"{place}, line {at}: {shown(line.strip())} has no three coordinates in columns 31 "
                "to 54; the file is cut or not in columns"
            )
    positions = coordinates(place, first[0][0], words)
    if cell is not None and abs(np.linalg.det(cell)) < _LEAST_VOLUME * len(first):
        notes.append(
            f"{place}: the cell has {abs(np.linalg.det(cell)):.3g} Å^3 for {len(first)} atoms, a "
            "filler; the structure is taken as not periodic"
        )
        cell = None
    return Frame(labels, atomic, positions, cell, [cell is not None] * 3)


def _of_name(name: str) -> str:
    """Return the symbol in columns 13 and 14 of the name of an atom."""
    symbol = re.sub("[^A-Za-z]", "", name[:2])
    # "CA  " is calcium, " CA " a carbon; names moved to the left begin with their element.
    return symbol if element(symbol) else re.sub("[^A-Za-z]", "", name)[:1] or name.strip()
