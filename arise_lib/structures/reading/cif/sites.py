"""Cell and sites of the asymmetric unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from ase.geometry import cellpar_to_cell
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.structures.reading.cif.tags import Tags, first, formula, some, value
from arise_lib.structures.reading.frames import Choices
from arise_lib.structures.reading.words import shown

_VACANCY = re.compile(r"(va|vac|vc|vacancy|x|xx|\[\]|□)[0-9]*", re.IGNORECASE)
_WATER = re.compile(r"(wat|water|ow|hoh)[0-9]*", re.IGNORECASE)


@dataclass
class Site:
    """A site of the asymmetric unit."""

    label: str
    number: int
    position: NDArray[np.float64]
    occupancy: float
    multiplicity: int | None


def cell_of(place: str, tags: Tags) -> NDArray[np.float64] | None:
    """Return the cell vectors (3, 3), None where the file states none."""
    names = [f"_cell_length_{x}" for x in "abc"] + [
        f"_cell_angle_{x}" for x in ("alpha", "beta", "gamma")
    ]
    words = [first(tags, (name,)) for name in names]
    if not any(words[:3]):
        if "_atom_site_fract_x" in tags:
            raise InputError(f"{place} has fractional coordinates, but no cell")
        return None
    values = [value(word) if word else (np.nan if i < 3 else 90.0) for i, word in enumerate(words)]
    bad = [i for i, value in enumerate(values) if not 0 < value < (np.inf if i < 3 else 180)]
    if bad:
        raise InputError(f"{place}: {names[bad[0]]} is {shown(words[bad[0]])}; correct the cell")
    a, b, c = np.cos(np.radians(values[3:]))
    if 1 + 2 * a * b * c - a * a - b * b - c * c <= 1e-9:
        raise InputError(f"{place}: the angles {values[3:]} span no cell")
    return np.asarray(cellpar_to_cell(values), dtype=float)


def sites_of(
    place: str,
    tags: Tags,
    cell: NDArray[np.float64] | None,
    choices: Choices,
    notes: list[str],
) -> list[Site]:
    """Return the sites that are atoms with a position."""
    fractional = "_atom_site_fract_x" in tags
    axes = [f"_atom_site_{'fract' if fractional else 'cartn'}_{x}" for x in "xyz"]
    n = len(tags[axes[0]])
    if any(len(tags.get(axis, [])) != n for axis in axes):
        raise InputError(f"{place} lacks one of {', '.join(axes)}")
    if len(set(tags.get("_atom_site_pdbx_pdb_model_num", []))) > 1:
        raise InputError(f"{place} holds several models of one molecule; keep one of them")

    def column(name: str) -> list[str]:
        found = tags.get(f"_atom_site_{name}", [])
        return found if len(found) == n else [""] * n

    labels, symbols = column("label"), column("type_symbol")
    occupancies, kinds = column("occupancy"), column("calc_flag")
    multiplicities = column("symmetry_multiplicity")
    declared = formula(tags)
    sites, without, vacant = [], [], []
    capitals: dict[str, int] = {}
    for i in range(n):
        symbol = symbols[i] if symbols[i] not in ("", "?", ".") else labels[i]
        words = [tags[axis][i] for axis in axes]
        if kinds[i] == "dum" or (_VACANCY.fullmatch(symbol) and symbol not in choices.types):
            vacant.append(labels[i] or symbol)
            continue
        position = np.array([value(word) for word in words])
        if not np.isfinite(position).all() or (np.abs(position) > 1e6).any():
            if all(word in ("", "?", ".") for word in words):  # the parser gives none for "?"
                without.append(labels[i] or symbol)
                continue
            raise InputError(f"{place}: site {shown(labels[i])} has coordinates {shown(words)}")
        atomic = _number(place, labels[i], symbol, declared, choices)
        if symbol is labels[i] and symbol[:2].isalpha() and symbol[:2].isupper():
            capitals[labels[i]] = atomic
        if cell is not None and not fractional:
            position = np.linalg.solve(cell.T, position)
        occupancy = value(occupancies[i]) if occupancies[i] not in ("", "?", ".") else 1.0
        multiplicity = multiplicities[i]
        sites.append(
            Site(
                labels[i] or symbol,
                atomic,
                position,
                min(occupancy, 1.0) if occupancy >= 0 else 1.0,
                int(multiplicity) if multiplicity.isdecimal() and len(multiplicity) < 6 else None,
            )
        )
    for names, reason in ((without, "have no position"), (vacant, "are vacancies")):
        if names:
            notes.append(f"{place}: sites without atoms left out, as they {reason}: {some(names)}")
    if capitals and not declared:
        read = [f"{label} as {chemical_symbols[number]}" for label, number in capitals.items()]
        notes.append(f"{place} has no column of symbols; labels were read: {some(read)}")
    if not sites:
        raise InputError(f"{place} holds no atom with a position; at least one is needed")
    return sites


def _number(
    place: str, label: str, symbol: str, declared: dict[int, float], choices: Choices
) -> int:
    """Return the atomic number of a site; 0 for what is to be ignored."""
    for word in (label, symbol):
        if word in choices.types or word in choices.ignore:
            return choices.chosen(0, word)
    found = _element(label, symbol, declared)
    return choices.chosen(found) or choices.number(f"{place}, site {shown(label)}", symbol)


def _element(label: str, symbol: str, declared: dict[int, float]) -> int:
    """Return the atomic number of the element that a site names; 0 if that takes more thought."""
    if _WATER.fullmatch(symbol):
        return 8
    letters = re.match("[A-Za-z]*", symbol)
    text = letters[0] if letters else ""
    # "CD1" of an organic compound is carbon: the formula knows.
    options = [text[:2].capitalize(), text[:1].upper()]
    if symbol is label and declared:
        known = [o for o in options if o and atomic_numbers.get(o, 0) in declared]
        if known:
            return int(atomic_numbers[known[0]])
    if text == "D" or symbol == "T":
        return 1
    for option in options:
        if atomic_numbers.get(option, 0) > 0:
            return int(atomic_numbers[option])
    return 0
