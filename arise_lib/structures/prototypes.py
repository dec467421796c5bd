"""The 108 structural classes, built from the project's own table of crystallographic facts.

27 elemental solids, 11 binary, 6 ternary and 6 quaternary compounds, 46 two-dimensional
materials and 12 single-wall carbon nanotubes: the training classes of ARISE (Leitherer, Ziletti
and Ghiringhelli, Nat. Commun. 12, 6234 (2021), doi 10.1038/s41467-021-26511-5). The facts lie in
``data/prototypes``; its README explains the columns. The position of a label in `LABELS` is the
class index everywhere in the project.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
from collections import defaultdict
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cache
from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.build import nanotube
from ase.geometry import cellpar_to_cell

from arise_lib.errors import DataError, InputError
from arise_lib.storage import paths
from arise_lib.storage.checksums import checked
from arise_lib.structures.supercells import MIN_ATOMS

if TYPE_CHECKING:
    import pandas

#: Answer of networks that know one for what is none of the classes: liquids, glasses, mixtures.
OTHER = "other"

FAMILIES: tuple[str, ...] = ("elemental", "binary", "ternary", "quaternary", "2D", "nanotube")

# Rows: vectors of the tabulated cell in units of the conventional a, b, c.
_VECTORS = {
    "P": np.eye(3),
    "C": np.array([[0.5, -0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]),
    "I": np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]),
    "F": np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]),
    "R": np.array([[1.0, -1.0, 1.0], [1.0, 2.0, 1.0], [-2.0, -1.0, 1.0]]) / 3.0,
}


class Site(NamedTuple):
    """One atom of the tabulated cell: element, Wyckoff letter, fractional coordinates."""

    element: str
    wyckoff: str
    x: float
    y: float
    z: float


@dataclass(frozen=True)
class Prototype:
    """Facts about one class; what does not apply is None or an empty string.

    Attributes
    ----------
    label : str
        Name of the class, unique.
    family : str
        One of `FAMILIES`.
    tex : str
        Label for plots (Matplotlib's mathtext).
    formula : str
        Composition, reduced.
    prototype : str
        Compound that names the structure type, where one is standard.
    strukturbericht : str
        Strukturbericht designation, where one is standard.
    pearson : str
        Pearson symbol in the AFLOW convention (hR counts the rhombohedral cell's atoms); for
        sheets that of the three-dimensional cell with vacuum.
    space_group : int or None
        Space-group number at the tolerance `symprec`; None for nanotubes.
    symbol : str
        Its international short symbol.
    symprec : float or None
        Tolerance of spglib, Å, at which the structure has this space group.
    space_group_tight, space_group_loose : int or None
        Space-group numbers at 1e-4 Å and at 0.1 Å, the two settings of the paper's Table 2.
    layer_group : int or None
        Layer-group number at `symprec`; sheets only.
    pbc : tuple of bool
        Periodicity along the three cell vectors.
    description : str
        The structure in a few words.
    source : str
        Where cell and positions come from, with DOI.
    aflow : str
        AFLOW prototype label, where the source states one.
    published : str or None
        Published structure file: folder and name without suffix.
    lattice : str
        Vectors of the tabulated cell: P (a, b, c themselves) or C, I, F, R (primitive vectors of
        that centred lattice); empty for nanotubes.
    cell : tuple of float
        Conventional a, b, c in Å and alpha, beta, gamma in degrees; empty for nanotubes.
    sites : tuple of Site
        Atoms of the tabulated cell; empty for nanotubes.
    chirality : tuple of int or None
        Chiral indices (n, m); nanotubes only.
    bond : float or None
        Carbon-carbon bond length on the unrolled sheet, Å; nanotubes only.
    """

    label: str
    family: str
    tex: str
    formula: str
    prototype: str
    strukturbericht: str
    pearson: str
    space_group: int | None
    symbol: str
    symprec: float | None
    space_group_tight: int | None
    space_group_loose: int | None
    layer_group: int | None
    pbc: tuple[bool, bool, bool]
    description: str
    source: str
    aflow: str
    published: str | None
    lattice: str
    cell: tuple[float, ...]
    sites: tuple[Site, ...]
    chirality: tuple[int, int] | None
    bond: float | None


def _rows(name: str) -> list[dict[str, str]]:
    """Read one comma-separated file of the table, once it is known to be whole.

    Labels are compared by their number: a row that is missing or moved would be noticed nowhere.
    """
    with checked(paths.PROTOTYPES / name).open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def _integer(text: str) -> int | None:
    """Turn a number or an empty field into an integer or None."""
    return int(text) if text else None


def _prototype(
    row: dict[str, str],
    cell: dict[str, str] | None,
    sites: tuple[Site, ...],
    tube: dict[str, str] | None,
) -> Prototype:
    """Join what the four files say about one class."""
    periodic = [letter == "T" for letter in row["pbc"]]
    return Prototype(
        label=row["label"],
        family=row["family"],
        tex=row["tex"],
        formula=row["formula"],
        prototype=row["prototype"],
        strukturbericht=row["strukturbericht"],
        pearson=row["pearson"],
        space_group=_integer(row["space_group"]),
        symbol=row["symbol"],
        symprec=float(row["symprec"]) if row["symprec"] else None,
        space_group_tight=_integer(row["space_group_tight"]),
        space_group_loose=_integer(row["space_group_loose"]),
        layer_group=_integer(row["layer_group"]),
        pbc=(periodic[0], periodic[1], periodic[2]),
        description=row["description"],
        source=row["source"],
        aflow=row["aflow"],
        published=row["published"] or None,
        lattice=cell["lattice"] if cell else "",
        cell=tuple(float(cell[k]) for k in ("a", "b", "c", "alpha", "beta", "gamma"))
        if cell
        else (),
        sites=sites,
        chirality=(int(tube["n"]), int(tube["m"])) if tube else None,
        bond=float(tube["bond"]) if tube else None,
    )


@cache
def _classes() -> dict[str, Prototype]:
    """Read the whole table once, in class order."""
    cells = {row["label"]: row for row in _rows("cells.csv")}
    tubes = {row["label"]: row for row in _rows("nanotubes.csv")}
    sites: dict[str, list[Site]] = defaultdict(list)
    for row in _rows("sites.csv"):
        # Fraction reads "1/3" exactly as well as "0.0543".
        x, y, z = (float(Fraction(row[axis])) for axis in "xyz")
        sites[row["label"]].append(Site(row["element"], row["wyckoff"], x, y, z))
    classes = {}
    for row in _rows("prototypes.csv"):
        label = row["label"]
        if (label in cells) == (label in tubes) or (label in cells) != (label in sites):
            raise DataError(
                f"class {label!r} must have either a row in cells.csv and rows in sites.csv, or "
                "a row in nanotubes.csv; restore data/prototypes from the repository"
            )
        classes[label] = _prototype(
            row, cells.get(label), tuple(sites.get(label, ())), tubes.get(label)
        )
    return classes


LABELS: tuple[str, ...] = tuple(_classes())


def get(label: str) -> Prototype:
    """Facts about one class.

    Parameters
    ----------
    label : str
        One of `LABELS`, for example ``"fcc"``, ``"L1_2"``, ``"graphene"``, ``"nanotube (4,2)"``.

    Returns
    -------
    Prototype
        The class's entry in the table.

    Raises
    ------
    InputError
        If there is no such class; the message lists near matches.

    Examples
    --------
    >>> from arise_lib.structures import prototypes
    >>> diamond = prototypes.get("diamond")
    >>> diamond.space_group, diamond.formula, diamond.strukturbericht
    (227, 'C', 'A4')
    """
    try:
        return _classes()[label]
    except (KeyError, TypeError):  # TypeError: a list and the like cannot be looked up
        pass
    by_case = {known.lower(): known for known in LABELS}
    near = difflib.get_close_matches(str(label).strip().lower(), by_case, n=5)
    hint = ", ".join(repr(by_case[name]) for name in near)
    raise InputError(
        f"unknown class {label!r}: "
        + (f"near matches are {hint}; " if near else "")
        + f"prototypes.LABELS has all {len(LABELS)} labels"
    )


def build(label: str, *, periodic_vacuum: bool = False) -> Atoms:
    """Structure of one class: the tabulated cell, or a finite nanotube.

    Crystals come as the published cell, most of them primitive, with the conventional a along x
    and b in the xy plane. Sheets lie in the xy plane of a cell with vacuum along z and are not
    periodic across it. Nanotubes run along z, have no cell and no periodicity, and as many
    translational periods as give at least 100 atoms.

    Parameters
    ----------
    label : str
        One of `LABELS`.
    periodic_vacuum : bool, default False
        True makes sheets periodic along the vacuum as well, the practice of the published
        training set; it changes nothing for other families.

    Returns
    -------
    ase.Atoms
        A new object at every call; lengths in Å.

    Raises
    ------
    InputError
        If there is no such class.

    Examples
    --------
    >>> from arise_lib.structures import prototypes
    >>> prototypes.build("fcc").cell.lengths().round(3).tolist()
    [2.556, 2.556, 2.556]
    >>> len(prototypes.build("nanotube (4,2)"))
    112

    Notes
    -----
    Fractional coordinates are not wrapped into the cell: which image of an atom is listed decides
    the surface of every cluster cut from it, so the published images are kept. Nanotubes come
    from `ase.build.nanotube`; a tube's period holds 4 (n^2 + n m + m^2) / gcd(2 n + m, 2 m + n)
    atoms (R. Saito, G. Dresselhaus and M. S. Dresselhaus, Physical Properties of Carbon
    Nanotubes, 1998, section 3.2).
    """
    entry = get(label)
    if entry.chirality is not None:
        n, m = entry.chirality
        period = 4 * (n * n + n * m + m * m) // gcd(2 * n + m, 2 * m + n)
        tube = nanotube(n, m, length=-(-MIN_ATOMS // period), bond=entry.bond)
        return Atoms(tube.symbols, tube.positions)
    return Atoms(
        [site.element for site in entry.sites],
        scaled_positions=[site[2:] for site in entry.sites],
        cell=_VECTORS[entry.lattice] @ cellpar_to_cell(entry.cell),
        pbc=True if periodic_vacuum else entry.pbc,
    )


def table() -> pandas.DataFrame:
    """Facts about all classes as a table for reading.

    Returns
    -------
    pandas.DataFrame
        One row per class in class order, index ``label``; columns are the fields of `Prototype`
        but cell, lattice, sites, chirality and bond, and in their place ``n_atoms``, the number
        of atoms that `build` returns.

    Examples
    --------
    >>> from arise_lib.structures import prototypes
    >>> prototypes.table().loc["NaCl", ["family", "symbol"]].to_list()
    ['binary', 'Fm-3m']
    """
    import pandas

    geometry = ("cell", "lattice", "sites", "chirality", "bond")
    rows: list[dict[str, Any]] = []
    for entry in _classes().values():
        facts = {key: value for key, value in asdict(entry).items() if key not in geometry}
        rows.append(facts | {"n_atoms": len(build(entry.label))})
    frame = pandas.DataFrame(rows).set_index("label")
    numbers = ["space_group", "space_group_tight", "space_group_loose", "layer_group"]
    return frame.astype(dict.fromkeys(numbers, "Int64"))


@cache
def fingerprint() -> str:
    """SHA-256 over the table of classes, for cache keys: results go stale when a fact changes.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> from arise_lib.structures import prototypes
    >>> len(prototypes.fingerprint())
    64
    """
    digest = hashlib.sha256()
    for name in ("prototypes.csv", "cells.csv", "sites.csv", "nanotubes.csv"):
        digest.update((paths.PROTOTYPES / name).read_bytes())
    return digest.hexdigest()
