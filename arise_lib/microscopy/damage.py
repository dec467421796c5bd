"""What a finder of atoms can do wrong, done on purpose: doubles, wrong species, missed atoms."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from arise_lib.errors import InputError
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.typing import Seed

#: What can be done, and what it means.
DAMAGES = {
    "double": "found twice, 0.1 bonds apart",
    "wrong species": "C taken for Si",
    "missed": "not found",
    "false": "found in the middle of nowhere",
}

#: Two positions of one atom are this far apart, in bonds.
APART = 0.1


def damaged(atoms: Atoms, kind: str, number: int, seed: Seed) -> Atoms:
    """Do one thing wrong to a number of atoms of a flat structure.

    Parameters
    ----------
    atoms : ase.Atoms
        At z = 0.
    kind : str
        One of `DAMAGES`.
    number : int
        To how many atoms.
    seed : int or sequence of int
        Seed of the choice.

    Returns
    -------
    ase.Atoms
        A copy.

    Raises
    ------
    InputError
        If there is no such kind, or if there are fewer atoms.

    Examples
    --------
    >>> from arise_lib.microscopy.scenes import sheet
    >>> whole = sheet("graphene", 20.0, seed=0)
    >>> len(damaged(whole, "double", 2, seed=0)) - len(whole)
    2
    """
    if kind not in DAMAGES:
        raise InputError(f"{kind!r} cannot be done; what can: {', '.join(map(repr, DAMAGES))}.")
    if not 0 <= number <= len(atoms):
        raise InputError(f"{number} of {len(atoms)} atoms cannot be damaged.")
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(len(atoms))[:number]
    result = atoms.copy()
    bond = overall_nearest_neighbour_distance(atoms)
    if kind == "missed":
        del result[chosen]
    elif kind == "wrong species":
        result.numbers[chosen] = 14
    elif kind == "double":
        angle = generator.uniform(0.0, 2.0 * np.pi, number)
        second = atoms[chosen]
        second.positions[:, :2] += APART * bond * np.column_stack([np.cos(angle), np.sin(angle)])
        result += second
    else:
        low, high = atoms.positions.min(axis=0), atoms.positions.max(axis=0)
        places = generator.uniform(low, high, (number, 3))
        result += Atoms(atoms.numbers[chosen], places)
    return result
