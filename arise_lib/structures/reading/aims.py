"""FHI-aims geometry files; coordinates may be Cartesian, fractional or both."""

from __future__ import annotations

import re

import numpy as np

from arise_lib.errors import InputError
from arise_lib.structures.reading.files import Content
from arise_lib.structures.reading.frames import Choices, Frame, Reading
from arise_lib.structures.reading.words import numbers, shown

#: Keywords of a geometry file (its manual) that are read here.
AIMS_KEYWORDS = ("atom", "atom_frac", "lattice_vector")
# Those that move no atom.
_IGNORED = re.compile(
    "calculate_friction|constrain_relaxation|empty|external_force|hessian_.+|homogeneous_field|"
    "initial_.+|isotope|magnetic_.+|multipole|nuclear_spin|pseudocore|set_vacuum_level|"
    "symmetry_.+|trust_radius|velocity|verbatim_writeout"
)


def read_aims(content: Content, choices: Choices) -> list[Reading]:
    """Return the one frame of a geometry file."""

    def reading(notes: list[str]) -> Frame:
        return _read(content, choices, notes)

    return [reading]


def _read(content: Content, choices: Choices, notes: list[str]) -> Frame:
    place = content.place
    cell: list[list[float]] = []
    labels: list[str] = []
    atomic: list[int] = []
    coordinates: list[list[float]] = []
    fractional: list[bool] = []
    for at, text in enumerate(content.lines, start=1):
        words = text.partition("#")[0].split()
        keyword = words[0].lower() if words else ""
        if keyword in ("atom", "atom_frac"):
            if len(words) < 5:
                raise InputError(
                    f"{place}, line {at}: {shown(text.strip())} is incomplete; "
                    f"'{keyword} x y z species' is needed"
                )
            coordinates.append(numbers(place, at, words[1:4]))
            labels.append(words[4])
            atomic.append(choices.number(f"{place}, line {at}", words[4]))
            fractional.append(keyword == "atom_frac")
        elif keyword == "lattice_vector":
            cell.append(numbers(place, at, words[1:4]))
            if len(cell[-1]) != 3:
                raise InputError(f"{place}, line {at}: a lattice vector has three numbers")
        elif keyword and not _IGNORED.fullmatch(keyword):
            raise InputError(
                f"{place}, line {at}: {shown(words[0])} is no keyword of an FHI-aims geometry "
                "file, such as atom, atom_frac, lattice_vector; another format needs its own file "
                "ending"
            )
    if not labels:
        raise InputError(f"{place} holds no line 'atom x y z species'; at least one is needed")
    if len(cell) not in (0, 3):
        raise InputError(f"{place} has {len(cell)} lattice vectors; 0 or 3 are allowed")
    if any(fractional) and not cell:
        raise InputError(f"{place} has fractional coordinates (atom_frac), but no lattice vectors")
    if not content.ends_whole:
        notes.append(f"{place}: the last line has no end; if the file is cut, atoms are missing")
    positions = np.array(coordinates)
    if cell:
        positions[fractional] = positions[fractional] @ np.array(cell)
    return Frame(labels, atomic, positions, cell or None, [bool(cell)] * 3)
