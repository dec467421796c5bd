"""LAMMPS: data files of any atom style, and text dumps.

LAMMPS numbers its types and need not name them. Elements come from labels, from the ``element``
column or from masses; without any, each type is a species of its own, and the user is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

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
from arise_lib.structures.reading.words import (
    COUNT,
    coordinates,
    element,
    is_number,
    number,
    numbers,
    shown,
)

# Columns before x in a data file, after the atom's number: where the type stands (from 0).
_STYLES = {
    "atomic": (2, 1),
    "angle": (3, 2),
    "bond": (3, 2),
    "molecular": (3, 2),
    "charge": (3, 1),
    "dipole": (3, 1),
    "dpd": (3, 1),
    "dielectric": (3, 1),
    "electron": (5, 1),
    "ellipsoid": (4, 1),
    "full": (4, 2),
    "hybrid": (2, 1),
    "line": (5, 2),
    "mdpd": (3, 1),
    "meso": (5, 1),
    "peri": (4, 1),
    "body": (4, 1),
    "edpd": (4, 1),
    "tdpd": (2, 1),
    "sph": (5, 1),
    "sphere": (4, 1),
    "spin": (2, 1),
    "template": (5, 1),
    "tri": (5, 2),
    "wavepacket": (8, 1),
}
_SECTION = re.compile(r"[A-Z][A-Za-z/]*(?: [A-Z][A-Za-z]*)*")
_BOX = {"xlo xhi": 0, "ylo yhi": 1, "zlo zhi": 2}
_GENERAL = {"avec": 0, "bvec": 1, "cvec": 2}
# Columns of a dump, best first, and whether they are fractions of the box.
_AXES = [
    (("x", "y", "z"), False),
    (("xu", "yu", "zu"), False),
    (("xs", "ys", "zs"), True),
    (("xsu", "ysu", "zsu"), True),
]


# --- data files --------------------------------------------------------------------------------


def read_lammps_data(content: Content, choices: Choices) -> list[Reading]:
    """Return the one frame of a data file."""
    return [partial(_data, content, choices)]


def _data(content: Content, choices: Choices, notes: list[str]) -> Frame:
    """Read header and the sections that matter."""
    place, lines = content.place, content.lines
    header, sections = _sections(lines)
    n_atoms = _header_count(place, lines, header, "atoms")
    n_types = _header_count(place, lines, header, "atom types")
    cell = _box(place, lines, header)
    if "Atoms" not in sections:
        raise InputError(f"{place} has no section 'Atoms'; it is cut, or no LAMMPS data file")
    first, style = sections["Atoms"]
    rows = _rows(lines, first)
    if len(rows) != n_atoms or n_atoms == 0:
        raise InputError(
            f"{place}: {n_atoms} atoms are declared, {len(rows)} rows follow 'Atoms'; the file is "
            "truncated, or the count is wrong"
        )
    width = min(len(words) for _, words in rows)
    if width != max(len(words) for _, words in rows):
        at, words = next(row for row in rows if len(row[1]) == width)
        raise InputError(
            f"{place}, line {at}: {shown(' '.join(words))} has {width} columns, other rows of "
            "'Atoms' have more; the file is cut or damaged"
        )
    labels_of_types: dict[str, str] = {}
    if "Atom Type Labels" in sections:
        rows_of_labels = _rows(lines, sections["Atom Type Labels"][0])
        labels_of_types = {words[0]: words[1] for _, words in rows_of_labels if len(words) > 1}
    xyz, kind = _layout(place, style, rows, width, n_types, labels_of_types, notes)
    masses, known = _masses(place, lines, sections, n_types)
    known.update({label: label for label in labels_of_types.values()})
    known.update(labels_of_types)
    masses.update({labels_of_types[k]: m for k, m in masses.items() if k in labels_of_types})
    labels = [words[kind] for _, words in rows]
    positions = np.array([numbers(place, at, words[xyz : xyz + 3]) for at, words in rows])
    order = np.argsort([number(words[0]) for _, words in rows], kind="stable")
    labels = [labels[i] for i in order]
    # A type that no atom is of is one of the file all the same; it goes by number or by label.
    choices.used.update(
        word
        for word in choices.types
        if word in labels_of_types.values() or (COUNT.fullmatch(word) and 1 <= int(word) <= n_types)
    )
    same = {name: choices.types[k] for k, name in labels_of_types.items() if k in choices.types}
    choices = replace(choices, types={**same, **choices.types})
    atomic, named = numbers_of_types(place, labels, known, masses, choices, notes)
    return Frame(labels, atomic, positions[order], cell, [True] * 3, named)


def _sections(lines: list[str]) -> tuple[dict[str, int], dict[str, tuple[int, str]]]:
    """Find header lines by what ends them, and sections by their title, with the title's comment.

    Numbers of lines count from 0; a section begins with the line after its title.
    """
    header: dict[str, int] = {}
    sections: dict[str, tuple[int, str]] = {}
    for at, line in enumerate(lines[1:], start=1):
        text, _, comment = line.partition("#")
        text = " ".join(text.split())
        if not text:
            continue
        if text[0].isalpha() and _SECTION.fullmatch(text):
            sections.setdefault(text, (at + 1, comment))
        elif not sections:
            words = text.split()
            key = " ".join(word for word in words if not is_number(word))
            header.setdefault(key, at)
    return header, sections


def _rows(lines: list[str], first: int) -> list[tuple[int, list[str]]]:
    """Return the rows of a section with their line numbers, counted from 1."""
    rows = []
    for at in range(first, len(lines)):
        words = lines[at].partition("#")[0].split()
        if words and not is_number(words[0]):
            break
        if words:
            rows.append((at + 1, words))
    return rows


def _header_count(place: str, lines: list[str], header: dict[str, int], key: str) -> int:
    """Return the count that a header line states."""
    word = lines[header[key]].split()[0] if key in header else ""
    if not COUNT.fullmatch(word):
        raise InputError(f"{place} has no line 'N {key}'; a LAMMPS data file needs it")
    return int(word)


def _box(place: str, lines: list[str], header: dict[str, int]) -> NDArray[np.float64]:
    """Return the cell vectors (3, 3) of a data file."""
    if all(key in header for key in _GENERAL):
        cell = np.zeros((3, 3))
        for key, row in _GENERAL.items():
            cell[row] = _three(place, header[key], lines)
        return cell
    if not all(key in header for key in _BOX):
        missing = ", ".join(key for key in _BOX if key not in header)
        raise InputError(f"{place} has no line(s) {missing}; a LAMMPS data file needs the box")
    bounds = np.array([numbers(place, header[k] + 1, lines[header[k]].split()[:2]) for k in _BOX])
    tilt = _three(place, header["xy xz yz"], lines) if "xy xz yz" in header else [0.0] * 3
    return _cell(bounds, tilt)


def _three(place: str, at: int, lines: list[str]) -> list[float]:
    """Return the three numbers that a line (from 0) begins with."""
    return numbers(place, at + 1, (lines[at].split() + ["''"] * 3)[:3])


def _cell(bounds: NDArray[np.float64], tilt: Sequence[float]) -> NDArray[np.float64]:
    """Return cell vectors from bounds (3, 2) without the tilt's share, and tilt xy, xz, yz."""
    cell = np.diag(bounds[:, 1] - bounds[:, 0])
    cell[1, 0], cell[2, 0], cell[2, 1] = tilt
    return cell


def _masses(
    place: str, lines: list[str], sections: dict[str, tuple[int, str]], n_types: int
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the masses of types, and the elements that comments beside them name."""
    masses: dict[str, float] = {}
    known: dict[str, str] = {}
    if "Masses" not in sections:
        return masses, known
    for at in range(sections["Masses"][0], len(lines)):
        text, _, comment = lines[at].partition("#")
        words = text.split()
        if len(words) == 2 and is_number(words[1]) and len(masses) < n_types:
            masses[words[0]] = numbers(place, at + 1, words[1:])[0]
            label = comment.split()
            if label and element(label[0]) and not COUNT.fullmatch(label[0]):
                known[words[0]] = label[0]
        elif words:
            break
    return masses, known


def _layout(
    place: str,
    style: str,
    rows: list[tuple[int, list[str]]],
    width: int,
    n_types: int,
    labels_of_types: dict[str, str],
    notes: list[str],
) -> tuple[int, int]:
    """Return the columns of x and of the type."""

    def is_type(column: int) -> bool:
        labels = labels_of_types.values()
        return all(
            words[column] in labels
            or (COUNT.fullmatch(words[column]) and 1 <= int(words[column]) <= n_types)
            for _, words in rows
        )

    def is_layout(xyz: int, kind: int) -> bool:
        return width >= xyz + 3 and is_type(kind)

    words = re.findall("[a-z]+", style.lower())
    if words and words[0] in _STYLES:
        if is_layout(*_STYLES[words[0]]):
            return _STYLES[words[0]]
        raise InputError(
            f"{place}: 'Atoms # {words[0]}' does not fit its rows of {width} columns, {n_types} "
            "type(s) being declared; correct the style"
        )
    if width < 5:
        raise InputError(
            f"{place}, line {rows[0][0]}: {shown(' '.join(rows[0][1]))} has {width} columns; "
            "number, type, x, y, z are needed"
        )
    # No hint: three image flags may end the row; the rest tells the style.
    ends = all(re.fullmatch("[+-]?[0-9]+", w) for _, row in rows for w in row[-3:])
    core = width - 3 if width >= 8 and ends else width
    possible = {
        5: ["atomic"],
        6: ["molecular", "charge"],
        7: ["full", "sphere"],
    }.get(core, [])
    fitting = [name for name in possible if is_layout(*_STYLES[name])]
    if not fitting:
        raise InputError(
            f"{place}: rows of {width} columns fit no atom style that can be told without a hint; "
            "write 'Atoms # charge', or the style it is, as the section's title"
        )
    if len({_STYLES[name] for name in fitting}) > 1 and n_types > 1:
        notes.append(
            f"{place}: the atom style is not stated; rows of {width} columns were read as style "
            f"{fitting[0]}; write 'Atoms # {fitting[-1]}' if it is another"
        )
    return _STYLES[fitting[0]]


# --- dumps -------------------------------------------------------------------------------------


def read_lammps_dump(content: Content, choices: Choices) -> list[Reading]:
    """Find the frames of a text dump; one that is cut is the last, and refused."""
    lines = content.lines
    items = [at for at, line in enumerate(lines) if line.startswith("ITEM:")]
    if not items or any(line.strip() for line in lines[: items[0]]):
        raise InputError(f"{content.place} does not begin with 'ITEM:', as a LAMMPS dump does")
    items.append(len(lines))
    readings: list[Reading] = []
    found: dict[str, tuple[int, int]] = {}
    for at, end in pairwise(items):
        title = lines[at][5:].split()
        key = next((k for k in ("ATOMS", "BOX", "NUMBER") if title[:1] == [k]), " ".join(title))
        if key in found:  # the frame before has no atoms
            readings.append(_cut(content, items[0] if not readings else at, found))
            found = {}
        found[key] = (at, end)
        if key == "ATOMS":
            readings.append(partial(_dump, content, choices, found))
            found = {}
    if found:
        readings.append(_cut(content, min(at for at, _ in found.values()), found))
    return readings


def _cut(content: Content, at: int, found: dict[str, tuple[int, int]]) -> Reading:
    """Return a frame that is not whole."""
    return refusal(
        f"{content.place}, line {at + 1}: this frame ends after "
        f"{shown(list(found)[-1])}, before its atoms; the file is truncated"
    )


def _dump(
    content: Content, choices: Choices, found: dict[str, tuple[int, int]], notes: list[str]
) -> Frame:
    """Read one frame; `found` has first line and end (from 0) of each of its items."""
    place, lines = content.place, content.lines
    start = min(at for at, _ in found.values()) + 1
    if "NUMBER" not in found or "BOX" not in found:
        raise InputError(f"{place}, line {start}: this frame states no number of atoms or no box")
    count = lines[found["NUMBER"][0] + 1 : found["NUMBER"][1]]
    if not count or not COUNT.fullmatch(count[0]) or int(count[0]) == 0:
        raise InputError(f"{place}, line {start}: this frame has no count of at least one atom")
    n_atoms = int(count[0])
    at, end = found["ATOMS"]
    rows = [line.split() for line in lines[at + 1 : end]]
    while rows and not rows[-1]:
        rows.pop()
    if len(rows) != n_atoms:
        raise InputError(
            f"{place}, line {start}: {n_atoms} atoms are declared, {len(rows)} rows follow; the "
            "file is truncated, or the count is wrong"
        )
    names = lines[at].split()[2:]
    if not names and len(rows[0]) == 5:
        names = ["id", "type", "xs", "ys", "zs"]  # of old versions, which name no columns
        notes.append(f"{place}: columns without names are read as id, type, xs, ys, zs")
    short = next((i for i, row in enumerate(rows) if len(row) < len(names)), None)
    if short is not None:
        raise InputError(
            f"{place}, line {at + 2 + short}: {shown(' '.join(rows[short]))} has "
            f"{len(rows[short])} columns instead of {len(names)}; the file is cut or damaged"
        )
    if end == len(lines) and not content.ends_whole:
        notes.append(f"{place}: the last line has no end; its last number may be cut")
    column = {name: i for i, name in reversed(list(enumerate(names)))}
    cell, origin, pbc = _dump_box(place, lines, *found["BOX"], notes)
    axes = next((a for a in _AXES if all(name in column for name in a[0])), None)
    if axes is None:
        raise InputError(
            f"{place}, line {at + 1}: the columns {shown(' '.join(names))} hold no positions; "
            "x y z, xu yu zu, xs ys zs or xsu ysu zsu are needed"
        )
    where = [column[name] for name in axes[0]]
    positions = coordinates(place, at + 2, [[row[i] for i in where] for row in rows])
    if axes[1]:
        positions = positions @ cell + origin
    order = np.arange(n_atoms)
    if "id" in column:
        ids = [number(row[column["id"]]) for row in rows]
        if np.unique(ids).size != n_atoms:
            raise InputError(f"{place}, line {start}: atoms of this frame have the same id")
        order = np.argsort(ids, kind="stable")
    rows = [rows[i] for i in order]
    labels, atomic, named = _dump_species(place, rows, column, choices, notes)
    return Frame(labels, atomic, positions[order], cell, pbc, named)


def _dump_species(
    place: str,
    rows: list[list[str]],
    column: dict[str, int],
    choices: Choices,
    notes: list[str],
) -> tuple[list[str], NDArray[np.int_], bool]:
    """Return the label and the atomic number of each atom, and whether elements are named."""
    kind = next((column[name] for name in ("type", "typelabel", "element") if name in column), None)
    if kind is None and "mass" not in column:
        notes.append(f"{place} has no column of types; all atoms are taken as one species")
        atomic = np.full(len(rows), choices.chosen(0, "1") or 1)
        return ["1"] * len(rows), atomic, "1" in choices.types
    labels = [row[column["mass"] if kind is None else kind] for row in rows]
    known: dict[str, str] = {}
    masses: dict[str, float] = {}
    for label, row in zip(labels, rows, strict=True):
        words = [row[column[name]] for name in ("element", "typelabel") if name in column]
        # What the user names comes before what the file does.
        word = next((w for w in words if w in choices.types), "")
        word = word or next((w for w in words if element(w)), "")
        if word and known.setdefault(label, word) != word:
            raise InputError(
                f"{place}: type {shown(label)} is {shown(known[label])} and {shown(word)}; correct "
                "the columns"
            )
        if "mass" in column:
            masses[label] = number(row[column["mass"]])
    return labels, *numbers_of_types(place, labels, known, masses, choices, notes)


def _dump_box(
    place: str, lines: list[str], at: int, end: int, notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[bool]]:
    """Return cell (3, 3), origin (3,) and periodicity of a frame whose box is on line `at`."""
    title = lines[at].split()[3:]
    rows = [line.split() for line in lines[at + 1 : min(end, at + 4)]]
    width = 4 if title[:2] == ["abc", "origin"] else 3 if title[:3] == ["xy", "xz", "yz"] else 2
    if len(rows) < 3 or min(map(len, rows)) < width:
        raise InputError(f"{place}, line {at + 1}: the box needs three lines of {width} numbers")
    values = np.array([numbers(place, at + 2 + i, row[:width]) for i, row in enumerate(rows)])
    flags = title[-3:] if len(title) >= 3 and title[-1] not in ("yz", "origin") else []
    if flags:
        pbc = ["p" in flag for flag in flags]
    else:
        notes.append(f"{place} states no boundaries, as old dumps do; the box is taken as periodic")
        pbc = [True] * 3
    if width == 4:
        return values[:, :3], values[:, 3], pbc
    if width == 2:
        return _cell(values, [0.0] * 3), values[:, 0], pbc
    # The bounds enclose the tilted box.
    xy, xz, yz = values[:, 2]
    bounds = values[:, :2].copy()
    bounds[0] -= min(0.0, xy, xz, xy + xz), max(0.0, xy, xz, xy + xz)
    bounds[1] -= min(0.0, yz), max(0.0, yz)
    return _cell(bounds, [xy, xz, yz]), bounds[:, 0], pbc
