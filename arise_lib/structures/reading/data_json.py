"""JSON of ASE and of pymatgen; plain data is read, no object is made from its name."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.structures.reading.files import Content
from arise_lib.structures.reading.frames import Choices, Frame, Reading


def read_json(content: Content, choices: Choices) -> list[Reading]:
    """Find the structures of a JSON file."""
    place = content.place
    try:
        data = json.loads(content.text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} is no whole JSON file ({error})") from error
    if isinstance(data, dict) and isinstance(data.get("sites"), list) and "lattice" in data:
        return [partial(_pymatgen, place, choices, data)]
    rows = data if isinstance(data, dict) else {}
    ids = rows.get("ids", list(rows))
    ids = ids if isinstance(ids, list) else []
    found = [rows[str(key)] for key in ids if isinstance(rows.get(str(key)), dict)]
    found = [row for row in found if "numbers" in row and "positions" in row]
    if not found:
        raise InputError(
            f"{place} is JSON of another kind; a structure of ASE or pymatgen is needed"
        )
    return [partial(_ase, place, choices, row) for row in found]


def _array(place: str, value: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return an array of a shape, in which -1 is any length."""
    if isinstance(value, dict):
        value = value.get("array", value)
    if isinstance(value, dict):
        packed = value.get("__ndarray__")
        value = packed[2] if isinstance(packed, list) and len(packed) == 3 else None
    try:
        return np.array(value, dtype=float).reshape(shape)
    except (TypeError, ValueError) as error:
        raise InputError(f"{place}: an array of shape {shape} is needed ({error})") from error


def _ase(place: str, choices: Choices, row: dict[str, Any], notes: list[str]) -> Frame:
    numbers = _array(place, row["numbers"], (-1,))
    positions = _array(place, row["positions"], (-1, 3))
    if len(numbers) != len(positions) or not np.isin(numbers, range(1, 119)).all():
        raise InputError(
            f"{place} has {len(numbers)} atomic numbers, 1 to 118 being allowed, for "
            f"{len(positions)} positions"
        )
    cell = _array(place, row["cell"], (3, 3)) if row.get("cell") is not None else None
    pbc = _array(place, row.get("pbc", [False] * 3), (3,)).astype(bool).tolist()
    labels = [str(n) for n in numbers.astype(int)]
    known = {label: choices.number(place, label) for label in dict.fromkeys(labels)}
    return Frame(labels, [known[label] for label in labels], positions, cell, pbc)


def _pymatgen(place: str, choices: Choices, data: dict[str, Any], notes: list[str]) -> Frame:
    lattice = data["lattice"] if isinstance(data["lattice"], dict) else {}
    cell = _array(place, lattice.get("matrix"), (3, 3))
    labels, fractional, mixed = [], [], 0
    for site in data["sites"]:
        species = site.get("species") if isinstance(site, dict) else None
        if not isinstance(species, list) or not all(isinstance(s, dict) for s in species):
            raise InputError(f"{place}: a site without a list of species")
        shares = [s.get("occu", 1.0) for s in species]
        if not shares or not all(isinstance(s, int | float) for s in shares):
            raise InputError(f"{place}: a site without an occupancy")
        mixed += len(shares) > 1 or min(shares) < 1
        main = species[int(np.argmax(shares))]
        labels.append(str(main.get("element")))
        fractional.append(_array(place, site.get("abc"), (3,)))
    if mixed and choices.occupancy == "refuse":
        raise InputError(
            f"{place} has {mixed} partly occupied sites; say with occupancy= what to do"
        )
    if mixed:
        notes.append(
            f"{place} has {mixed} partly occupied sites: each is an atom of its main species"
        )
    if not labels:
        raise InputError(f"{place} holds no atom; at least one is needed")
    known = {label: choices.number(place, label) for label in dict.fromkeys(labels)}
    atomic = [known[label] for label in labels]
    return Frame(labels, atomic, np.array(fractional) @ cell, cell, [True] * 3)
