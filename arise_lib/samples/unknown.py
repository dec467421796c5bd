"""Crystals that are none of the 108 classes."""

from __future__ import annotations

import csv
from collections import defaultdict
from functools import cache

import numpy as np
from ase import Atoms
from ase.build import bulk, nanotube
from ase.cluster import Decahedron, Icosahedron
from ase.geometry import cellpar_to_cell
from ase.spacegroup import crystal

from arise_lib.storage import paths
from arise_lib.storage.checksums import checked
from arise_lib.structures.supercells import supercell_series

#: Tables of the unknown prototypes.
FOLDER = paths.DATA / "unknown"


def unseen_crystals() -> dict[str, Atoms]:
    """Build common crystals that are none of the 108 classes.

    Returns
    -------
    dict of str to ase.Atoms
        Periodic supercells of at least 100 atoms by name: A15, fluorite, rutile,
        pyrite and Heusler structures, from their space groups and the textbook
        positions of Cr3Si, CaF2, TiO2, FeS2 and Cu2MnAl (lengths in Å).

    Examples
    --------
    >>> crystals = unseen_crystals()
    >>> list(crystals), min(len(atoms) for atoms in crystals.values()) >= 100
    (['A15', 'fluorite', 'rutile', 'pyrite', 'Heusler'], True)
    """
    origin, quarter = (0, 0, 0), (0.25, 0.25, 0.25)
    facts: dict[str, tuple[list[str], list[tuple[float, float, float]], int, float, float]] = {
        "A15": (["Si", "Cr"], [origin, (0.25, 0, 0.5)], 223, 4.56, 4.56),
        "fluorite": (["Ca", "F"], [origin, quarter], 225, 5.463, 5.463),
        "rutile": (["Ti", "O"], [origin, (0.305, 0.305, 0)], 136, 4.594, 2.959),
        "pyrite": (["Fe", "S"], [origin, (0.385, 0.385, 0.385)], 205, 5.418, 5.418),
        "Heusler": (["Al", "Mn", "Cu"], [origin, (0.5, 0, 0), quarter], 225, 5.95, 5.95),
    }
    cells = {
        name: crystal(species, basis, spacegroup=group, cellpar=[a, a, c, 90, 90, 90])
        for name, (species, basis, group, a, c) in facts.items()
    }
    return {name: supercell_series(cell, periodic=True, count=1)[0] for name, cell in cells.items()}


def unknown_prototypes() -> dict[str, Atoms]:
    """Build the prototypes of AFLOW's encyclopedia that are none of the 108 classes.

    A test and nothing else: nothing is trained on them or chosen by them. The
    rule by which a prototype counts as a class, and is left out, stands in the
    README of ``data/unknown``.

    Returns
    -------
    dict of str to ase.Atoms
        Primitive cells by name, AFLOW label and formula; lengths in Å.

    Raises
    ------
    DataError
        If a table is missing or is not the one whose checksum is recorded.

    References
    ----------
    M. J. Mehl et al., Comput. Mater. Sci. 136, S1 (2017), doi 10.1016/j.commatsci.2017.01.017.

    Examples
    --------
    >>> cells = unknown_prototypes()
    >>> len(cells), len(cells["A3B_cP8_223_c_a Cr3Si"])
    (220, 8)
    """
    return {name: cell.copy() for name, cell in _cells().items()}


@cache
def _cells() -> dict[str, Atoms]:
    """Read the tables of the unknown prototypes once."""
    species, positions = defaultdict(list), defaultdict(list)
    for row in _rows("sites.csv"):
        species[row["name"]].append(row["element"])
        positions[row["name"]].append([float(row[axis]) for axis in "xyz"])
    parameters = ("a", "b", "c", "alpha", "beta", "gamma")
    cells = {}
    for row in _rows("prototypes.csv"):
        name = row["name"]
        cell = cellpar_to_cell(np.array([float(row[key]) for key in parameters]))
        cells[name] = Atoms(species[name], scaled_positions=positions[name], cell=cell, pbc=True)
    return cells


def _rows(name: str) -> list[dict[str, str]]:
    """Read a table of the unknown prototypes, once it is known to be whole."""
    with checked(FOLDER / name).open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def one_step_away() -> dict[str, Atoms]:
    """Build structures that are close to a class and none of them, and a damaged one.

    Returns
    -------
    dict of str to ase.Atoms
        Two polytypes of SiC (ideal positions of 4H and 6H; lengths in Å), a nanotube
        wider than those of the classes, particles of five-fold symmetry, and copper in
        which two atoms were found twice.

    Examples
    --------
    >>> len(one_step_away()["copper, two doubles"])
    218
    """
    cells = {}
    for name, height, levels in (("4H SiC", 10.05, (0, 1)), ("6H SiC", 15.12, (0, 1, 2))):
        layers = 2 * len(levels)
        sites = [(k % 3 / 3, 2 * k % 3 / 3, k / layers) for k in levels]
        carbon = [(x, y, z + 0.75 / layers) for x, y, z in sites]
        cells[name] = crystal(
            ["Si"] * len(sites) + ["C"] * len(sites),
            sites + carbon,
            spacegroup=186,
            cellpar=[3.08, 3.08, height, 90, 90, 120],
        )
    found = {
        name: supercell_series(cell, periodic=True, count=1)[0] for name, cell in cells.items()
    }
    found["nanotube (10,10)"] = nanotube(10, 10, length=6)
    found["nanotube (10,10)"].pbc = False
    found["icosahedron"] = Icosahedron("Cu", 6)
    found["decahedron"] = Decahedron("Cu", 5, 5, 0)
    copper = supercell_series(bulk("Cu"), periodic=True, count=2)[1]
    twice = copper[:2]
    twice.positions += 0.3
    found["copper, two doubles"] = copper + twice
    return found
