"""Geometry files of further programs: GROMACS, DL_POLY, CASTEP, SHELX, XCrySDen.

Each of these is short, and states a count or an end by which a cut file is seen.
"""

from __future__ import annotations

import re
from functools import partial

import numpy as np
from ase.geometry import cellpar_to_cell
from ase.units import Bohr
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.structures.reading.files import Content
from arise_lib.structures.reading.frames import Choices, Frame, Reading, refusal
from arise_lib.structures.reading.words import (
    COUNT,
    coordinates,
    element,
    is_number,
    number,
    numbers,
    shown,
)


def cell_of_lengths(place: str, values: list[float]) -> NDArray[np.float64]:
    """Return cell vectors (3, 3) from three lengths and three angles in degrees."""
    angles = np.cos(np.radians(values[3:]))
    volume = 1 + 2 * angles.prod() - (angles**2).sum()
    if min(values[:3]) <= 0 or min(values[3:]) <= 0 or max(values[3:]) >= 180 or volume <= 1e-9:
        raise InputError(f"{place}: lengths and angles {values} span no cell")
    return np.asarray(cellpar_to_cell(values), dtype=float)


def _too_few(place: str, line: int, declared: int, found: int) -> InputError:
    return InputError(
        f"{place}, line {line}: {declared} atoms are declared, {found} whole rows follow; the file "
        "is truncated, or the count is wrong"
    )


# --- GROMACS -----------------------------------------------------------------------------------


def read_gro(content: Content, choices: Choices) -> list[Reading]:
    """Find the frames of a .gro file; lengths in nm become Å."""
    place, lines = content.place, content.lines
    readings: list[Reading] = []
    at = 0
    while at < len(lines) and any(line.strip() for line in lines[at:]):
        count = lines[at + 1] if at + 1 < len(lines) else ""
        if not COUNT.fullmatch(count) or int(count) == 0:
            readings.append(
                refusal(f"{place}, line {at + 2}: {shown(count.strip())} is no count of atoms")
            )
            break
        readings.append(partial(_gro, content, choices, at))
        at += 3 + int(count)
    if not readings:
        raise InputError(f"{place} holds blank lines only; a structure file is needed")
    return readings


def _gro(content: Content, choices: Choices, start: int, notes: list[str]) -> Frame:
    place, lines = content.place, content.lines
    n_atoms = int(lines[start + 1])
    if len(lines) < start + 3 + n_atoms or not lines[start + 2 + n_atoms].strip():
        found = sum(bool(line.strip()) for line in lines[start + 2 : start + 2 + n_atoms])
        raise _too_few(place, start + 2, n_atoms, min(found, n_atoms - 1))
    rows = lines[start + 2 : start + 2 + n_atoms]
    # Columns are fixed, their width follows from the distance of the decimal points.
    points = [m.start() for m in re.finditer(r"\.", rows[0][20:])]
    width = points[1] - points[0] if len(points) >= 3 else 8
    words = [[row[20 + i * width : 20 + (i + 1) * width].strip() for i in range(3)] for row in rows]
    positions = 10 * coordinates(place, start + 3, words)
    labels = [row[10:15].strip() for row in rows]
    known = {}
    for i, label in enumerate(labels):
        if label not in known:
            known[label] = choices.number(f"{place}, line {start + 3 + i}", label)
    at = start + 2 + n_atoms
    box = 10 * np.array(numbers(place, at + 1, lines[at].split()))
    if box.size not in (3, 9):
        raise InputError(f"{place}, line {at + 1}: a box of 3 or 9 numbers is needed")
    cell = np.diag(box[:3])
    if box.size == 9:
        cell[0, 1], cell[0, 2], cell[1, 0], cell[1, 2], cell[2, 0], cell[2, 1] = box[3:]
    periodic = bool(box[:3].any())
    return Frame(
        labels,
        [known[label] for label in labels],
        positions,
        cell if periodic else None,
        [periodic] * 3,
    )


# --- DL_POLY -----------------------------------------------------------------------------------


def read_config(content: Content, choices: Choices) -> list[Reading]:
    """Return the one frame of a DL_POLY CONFIG or REVCON."""

    def reading(notes: list[str]) -> Frame:
        place, lines = content.place, content.lines
        second = lines[1].split() if len(lines) > 1 else []
        if len(second) < 2 or not all(map(COUNT.fullmatch, second[:2])):
            raise InputError(f"{place}, line 2: levcfg and imcon of a DL_POLY CONFIG are needed")
        level, kind = int(second[0]), int(second[1])
        if level > 2 or kind > 7:
            raise InputError(f"{place}, line 2: levcfg is 0 to 2, imcon 0 to 7")
        at = 2
        cell = None
        if kind:
            rows = [
                numbers(place, i + 1, lines[i].split()[:3]) for i in range(2, min(5, len(lines)))
            ]
            if [len(row) for row in rows] != [3, 3, 3]:
                raise InputError(f"{place}: three cell vectors of three numbers are needed")
            cell, at = np.array(rows), 5
        labels, rows = [], []
        while at < len(lines) and lines[at].strip():
            if at + level + 1 >= len(lines) or len(lines[at + level + 1].split()) < 3:
                raise InputError(
                    f"{place}, line {at + 1}: this atom has no {level + 1} line(s) of three "
                    "numbers; the file is truncated"
                )
            labels.append(lines[at].split()[0])
            rows.append(numbers(place, at + 2, lines[at + 1].split()[:3]))
            at += level + 2
        if len(second) > 2 and COUNT.fullmatch(second[2]) and int(second[2]) not in (0, len(rows)):
            raise _too_few(place, 2, int(second[2]), len(rows))
        known = {label: choices.number(place, label) for label in dict.fromkeys(labels)}
        pbc = [bool(kind), bool(kind), bool(kind) and kind != 6]
        return Frame(labels, [known[label] for label in labels], rows, cell, pbc)

    return [reading]


# --- CASTEP ------------------------------------------------------------------------------------


def read_castep_cell(content: Content, choices: Choices) -> list[Reading]:
    """Return the one frame of a CASTEP .cell file; no program is started for it."""

    def reading(notes: list[str]) -> Frame:
        place = content.place
        blocks: dict[str, list[tuple[int, list[str]]]] = {}
        name = ""
        for at, line in enumerate(content.lines, start=1):
            words = re.split("[#!;]", line)[0].split()
            key = words[0].lower() if words else ""
            if key == "%block" and len(words) > 1:
                name = words[1].lower()
                blocks[name] = []
            elif key == "%endblock":
                name = ""
            elif words and name:
                blocks[name].append((at, words))
        if name:
            raise InputError(f"{place}: the block {shown(name)} has no end; the file is truncated")
        cell = _castep_lattice(place, blocks)
        fractional = "positions_frac" in blocks
        rows = blocks.get("positions_frac", blocks.get("positions_abs", []))
        unit, rows = _castep_unit(rows)
        short = next((at for at, words in rows if len(words) < 4), None)
        if short is not None or not rows:
            raise InputError(f"{place}, line {short or 1}: rows of 'species x y z' are needed")
        values = np.array([numbers(place, at, words[1:4]) for at, words in rows])
        labels = [words[0].partition(":")[0] for _, words in rows]
        known = {label: choices.number(place, label) for label in dict.fromkeys(labels)}
        if "symmetry_ops" in blocks and len(blocks["symmetry_ops"]) > 4:
            notes.append(f"{place}: symmetry operations are not applied; all atoms must be listed")
        positions = values @ cell if fractional else values * unit
        return Frame(labels, [known[label] for label in labels], positions, cell, [True] * 3)

    return [reading]


def _castep_unit(
    rows: list[tuple[int, list[str]]],
) -> tuple[float, list[tuple[int, list[str]]]]:
    """Return the unit in Å that a block may begin with, and its further rows."""
    units = {"ang": 1.0, "bohr": Bohr, "a0": Bohr, "nm": 10.0, "pm": 0.01, "m": 1e10, "cm": 1e8}
    if rows and len(rows[0][1]) == 1 and rows[0][1][0].lower() in units:
        return units[rows[0][1][0].lower()], rows[1:]
    return 1.0, rows


def _castep_lattice(
    place: str, blocks: dict[str, list[tuple[int, list[str]]]]
) -> NDArray[np.float64]:
    """Return the cell vectors (3, 3) in Å."""
    name = "lattice_cart" if "lattice_cart" in blocks else "lattice_abc"
    unit, rows = _castep_unit(blocks.get(name, []))
    values = [numbers(place, at, words[:3]) for at, words in rows]
    if [len(row) for row in values] != [3] * (3 if name == "lattice_cart" else 2):
        raise InputError(f"{place} has no whole block LATTICE_CART or LATTICE_ABC")
    if name == "lattice_cart":
        return np.array(values) * unit
    lengths = [length * unit for length in values[0]]
    return cell_of_lengths(place, lengths + values[1])


# --- SHELX -------------------------------------------------------------------------------------


def read_res(content: Content, choices: Choices) -> list[Reading]:
    """Return the one frame of a .res file that lists every atom, as structure searches write it."""

    def reading(notes: list[str]) -> Frame:
        place = content.place
        cell, species, labels, rows, ended = None, [], [], [], False
        for at, line in enumerate(content.lines, start=1):
            words = line.split("!")[0].split()
            key = words[0].upper() if words else ""
            if key == "CELL":
                values = numbers(place, at, words[2:8])
                if len(values) != 6:
                    raise InputError(f"{place}, line {at}: CELL needs a wavelength and 6 numbers")
                cell = cell_of_lengths(place, values)
            elif key == "SYMM" or (key == "LATT" and words[1:2] != ["-1"]):
                raise InputError(
                    f"{place}, line {at}: symmetry ({shown(line.strip())}) is not applied to .res "
                    "files; save the structure as CIF"
                )
            elif key == "SFAC":
                species += words[1:]
            elif key in ("END", "HKLF"):
                ended = True
                break
            elif species and len(words) >= 5 and COUNT.fullmatch(words[1]) and is_number(words[2]):
                kind = int(words[1])
                if not 1 <= kind <= len(species):
                    raise InputError(f"{place}, line {at}: SFAC names {len(species)} species only")
                labels.append(species[kind - 1])
                rows.append(numbers(place, at, words[2:5]))
        if not ended:
            raise InputError(f"{place} has no line END; the file is truncated")
        if cell is None or not rows:
            raise InputError(f"{place} has no CELL or no atoms")
        positions = np.array(rows)
        # Ten is added to what a refinement keeps fixed.
        positions = np.where(np.abs(positions) > 5, positions - 10 * np.sign(positions), positions)
        known = {label: choices.number(place, label) for label in dict.fromkeys(labels)}
        atomic = [known[label] for label in labels]
        return Frame(labels, atomic, positions @ cell, cell, [True] * 3)

    return [reading]


# --- XCrySDen ----------------------------------------------------------------------------------

_PERIODIC = {"CRYSTAL": 3, "SLAB": 2, "POLYMER": 1, "MOLECULE": 0}


def read_xsf(content: Content, choices: Choices) -> list[Reading]:
    """Find the frames of an XSF or AXSF file."""
    place = content.place
    rows = [
        (at, words)
        for at, line in enumerate(content.lines, start=1)
        if (words := line.partition("#")[0].split())
    ]
    kind, cell, readings = 0, None, []
    i = 0
    while i < len(rows):
        at, words = rows[i]
        key = words[0].upper()
        i += 1
        if key in _PERIODIC:
            kind = _PERIODIC[key]
        elif key == "PRIMVEC":
            vectors = [numbers(place, line, w[:3]) for line, w in rows[i : i + 3]]
            if [len(v) for v in vectors] != [3, 3, 3]:
                raise InputError(f"{place}, line {at}: three cell vectors are needed")
            cell = np.array(vectors)
            i += 3
        elif key == "PRIMCOORD":
            count = rows[i][1][0] if i < len(rows) else ""
            if not COUNT.fullmatch(count):
                raise InputError(f"{place}, line {at}: the number of atoms is needed here")
            found = _atom_rows(rows, i + 1)
            if len(found) != int(count):
                readings.append(refusal(str(_too_few(place, at + 1, int(count), len(found)))))
                break
            readings.append(partial(_xsf, place, choices, found, cell, kind))
            i += 1 + len(found)
        elif key == "ATOMS":
            found = _atom_rows(rows, i)
            readings.append(partial(_xsf, place, choices, found, None, 0))
            i += len(found)
        elif key.startswith("BEGIN_"):
            break
    steps = next((w[1] for _, w in rows if w[0].upper() == "ANIMSTEPS" and len(w) > 1), "")
    if COUNT.fullmatch(steps) and 0 < len(readings) < int(steps):
        readings.append(
            refusal(f"{place} declares {steps} frames and has {len(readings)}; is it cut?")
        )
    if not readings:
        raise InputError(f"{place} holds neither PRIMCOORD nor ATOMS; it is cut, or no XSF file")
    return readings


def _atom_rows(rows: list[tuple[int, list[str]]], first: int) -> list[tuple[int, list[str]]]:
    """Return the rows of atoms from `first` on."""
    end = first
    while (
        end < len(rows)
        and len(rows[end][1]) >= 4
        and (element(rows[end][1][0]) or COUNT.fullmatch(rows[end][1][0]))
        and np.isfinite([number(word) for word in rows[end][1][1:4]]).all()
    ):
        end += 1
    return rows[first:end]


def _xsf(
    place: str,
    choices: Choices,
    rows: list[tuple[int, list[str]]],
    cell: NDArray[np.float64] | None,
    kind: int,
    notes: list[str],
) -> Frame:
    labels = [words[0] for _, words in rows]
    atomic = [choices.number(f"{place}, line {at}", words[0]) for at, words in rows]
    positions = [numbers(place, at, words[1:4]) for at, words in rows]
    if kind and cell is None:
        raise InputError(f"{place}: a periodic structure needs PRIMVEC")
    return Frame(labels, atomic, positions, cell, [axis < kind for axis in range(3)])
