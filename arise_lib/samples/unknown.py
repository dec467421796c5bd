"""Crystals that are none of the 108 classes."""

from __future__ import annotations

from ase import Atoms
from ase.spacegroup import crystal

from arise_lib.structures.supercells import supercell_series


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
