"""What chemistry does to a crystal: impurities, random alloys, antisites, order that is not whole.

The descriptor does not know which element an atom is, only which atoms are alike; hence foreign
species are simply other numbers.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.structures import prototypes
from arise_lib.training.kin import NEAR_KIN

#: Share of atoms that impurities replace, from the first to the second, drawn logarithmically.
IMPURITIES = (0.003, 0.10)

#: Numbers of species of a random alloy.
ALLOY = (2, 5)

#: Largest share of atoms on a site of another species.
MAX_ANTISITES = 0.10

#: The same two limits for compounds with a near relative, of which they would else be a mixture.
KIN_IMPURITIES, KIN_ANTISITES = 0.03, 0.05

#: Order parameter of crystals that count as ordered, and of those that count as their lattice.
ORDERED, DISORDERED = (0.5, 1.0), (0.0, 0.15)

#: How far the share of the first species may lie from that of the perfect order.
OFF_STOICHIOMETRY = 0.12

#: c/a of a face-centred cell whose planes are occupied in turn (L1_0).
L10_RATIO = (0.90, 1.02)

#: Sites of the orders that are not whole: a, b, and the lattice that they leave without order.
ORDERS = {
    "L1_0": ((0, 1, 1, 0), "fcc"),
    "L1_2": ((0, 1, 1, 1), "fcc"),
    "CsCl": ((0, 1), "bcc"),
}

_FACE_CENTRED = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
_BODY_CENTRED = [[0, 0, 0], [0.5, 0.5, 0.5]]

# Which elements stand for a and b is nothing to the descriptor.
_A, _B = 26, 78


def impure(atoms: Atoms, most: float, generator: np.random.Generator) -> Atoms:
    """Replace some atoms by one or two foreign species.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure.
    most : float
        Largest share of the atoms.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ase.Atoms
        A copy.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> doped = impure(bulk("Cu") * 6, 0.1, np.random.default_rng(0))
    >>> bool(0 < np.sum(doped.numbers != 29) < 30)
    True
    """
    share = np.exp(generator.uniform(np.log(IMPURITIES[0]), np.log(most)))
    foreign = _foreign(atoms.numbers, int(generator.integers(1, 3)))
    replaced = generator.random(len(atoms)) < share
    if not replaced.any():
        replaced[generator.integers(len(atoms))] = True
    doped = atoms.copy()
    doped.numbers[replaced] = generator.choice(foreign, size=int(replaced.sum()))
    return doped


def alloy(atoms: Atoms, generator: np.random.Generator) -> Atoms:
    """Occupy the sites of a crystal at random by several species.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure of one species.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ase.Atoms
        A copy with two to five species in shares drawn at random.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> mixed = alloy(bulk("Cu") * 6, np.random.default_rng(0))
    >>> 2 <= len(set(mixed.symbols)) <= 5
    True
    """
    species = _foreign(atoms.numbers, int(generator.integers(ALLOY[0], ALLOY[1] + 1)))
    shares = generator.dirichlet(np.full(len(species), 2.0))
    mixed = atoms.copy()
    mixed.numbers[:] = generator.choice(species, size=len(atoms), p=shares)
    return mixed


def with_antisites(atoms: Atoms, most: float, generator: np.random.Generator) -> Atoms:
    """Put species of a compound on sites of others.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure of several species.
    most : float
        Largest share of the atoms that are drawn anew.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ase.Atoms
        A copy.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> salt = bulk("NaCl", "rocksalt", a=5.64) * 5
    >>> wrong = with_antisites(salt, 0.1, np.random.default_rng(0))
    >>> bool(0 < np.sum(wrong.numbers != salt.numbers) < 25)
    True
    """
    swapped = atoms.copy()
    wrong = generator.random(len(atoms)) < generator.uniform(0.0, most)
    swapped.numbers[wrong] = generator.choice(np.unique(atoms.numbers), size=int(wrong.sum()))
    return swapped


def order_cell(order: str, generator: np.random.Generator) -> Atoms:
    """Build a cell of an ordered binary on its cubic lattice.

    Parameters
    ----------
    order : str
        One of `ORDERS`.
    generator : numpy.random.Generator
        Source of the randomness: c/a of L1_0.

    Returns
    -------
    ase.Atoms
        Two or four atoms, of two species; the edge is 4.

    Examples
    --------
    >>> import numpy as np
    >>> str(order_cell("CsCl", np.random.default_rng(0)).symbols)
    'FePt'
    """
    sites, lattice = ORDERS[order]
    ratio = generator.uniform(*L10_RATIO) if order == "L1_0" else 1.0
    return Atoms(
        np.where(np.array(sites) == 0, _A, _B),
        scaled_positions=_FACE_CENTRED if lattice == "fcc" else _BODY_CENTRED,
        cell=[4.0, 4.0, 4.0 * ratio],
        pbc=True,
    )


def partly_ordered(
    atoms: Atoms, order: str, between: tuple[float, float], generator: np.random.Generator
) -> Atoms:
    r"""Occupy the sites of an ordered binary with a long-range order that is not whole.

    With the share x of sites of a, the share c of atoms a and the order parameter S (Bragg and
    Williams), :math:`c + (1 - x) S` of the sites of a hold an a, and :math:`1 - c + x S` of the
    sites of b hold a b.

    Parameters
    ----------
    atoms : ase.Atoms
        A piece of `order_cell`.
    order : str
        One of `ORDERS`.
    between : tuple of float
        Smallest and largest order parameter S, from 0 (random) to 1.
    generator : numpy.random.Generator
        Source of the randomness, also of the composition.

    Returns
    -------
    ase.Atoms
        A copy.

    Examples
    --------
    >>> import numpy as np
    >>> generator = np.random.default_rng(0)
    >>> perfect = order_cell("CsCl", generator) * 6
    >>> mixed = partly_ordered(perfect, "CsCl", (0.0, 0.0), generator)
    >>> bool(0.3 < np.mean(mixed.numbers == perfect.numbers) < 0.7)
    True
    """
    of_a = atoms.numbers == _A
    x = 1.0 - float(np.mean(ORDERS[order][0]))
    s = generator.uniform(*between)
    c = x + generator.uniform(-OFF_STOICHIOMETRY, OFF_STOICHIOMETRY)
    right = np.clip(np.where(of_a, c + (1.0 - x) * s, 1.0 - c + x * s), 0.0, 1.0)
    holds_own = generator.random(len(atoms)) < right
    occupied = atoms.copy()
    occupied.numbers[:] = np.where(of_a == holds_own, _A, _B)
    return occupied


def limits(label: str) -> tuple[float, float]:
    """Return the largest shares of impurities and of antisites in a class.

    Parameters
    ----------
    label : str
        One of `arise_lib.structures.prototypes.LABELS`.

    Returns
    -------
    tuple of float
        Smaller ones for a compound with a near relative (`arise_lib.training.kin`).

    Examples
    --------
    >>> limits("fcc"), limits("CrW3S8")
    ((0.1, 0.1), (0.03, 0.05))
    """
    compound = len(set(prototypes.build(label).numbers.tolist())) > 1
    if compound and label in NEAR_KIN:
        return KIN_IMPURITIES, KIN_ANTISITES
    return IMPURITIES[1], MAX_ANTISITES


def _foreign(numbers: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """Return the atomic numbers of n species that a structure does not have."""
    return np.setdiff1d(np.arange(1, 100), numbers)[:n]
