"""What a reader returns: frames, each read when it is asked for; and how species are chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, chemical_symbols
from numpy.typing import ArrayLike, NDArray

from arise_lib.errors import InputError
from arise_lib.structures.reading.words import COUNT, element, shown

OCCUPANCIES = ("major", "all", "full", "refuse")
# Reduced units write 1 for every mass: it is no hydrogen.
_REDUCED_MASS = 1.0
_MASS_TOLERANCE = 0.3


@dataclass(frozen=True)
class Choices:
    """What the user says about a file.

    Attributes
    ----------
    types : mapping of str to int
        Atomic number for a type or label of the file.
    one_species : bool
        Whether all atoms are of one species.
    ignore : frozenset of str
        Symbols or labels of atoms to leave out.
    occupancy : str
        What to do with partly occupied sites, one of `OCCUPANCIES`.
    """

    types: Mapping[str, int] = field(default_factory=dict)
    one_species: bool = False
    ignore: frozenset[str] = frozenset()
    occupancy: str = "major"

    @classmethod
    def of(
        cls,
        types: Mapping[int | str, str] | None,
        one_species: bool,
        ignore: Sequence[str],
        occupancy: str,
    ) -> Choices:
        """Check what the user said."""
        numbers = {}
        for label, symbol in (types or {}).items():
            numbers[str(label)] = 0 if COUNT.fullmatch(str(symbol)) else element(str(symbol))
            if not numbers[str(label)]:
                raise InputError(
                    f"types: {shown(symbol)} for {shown(label)} is no chemical symbol; write "
                    "types={1: 'Fe', 2: 'Fe'}"
                )
        if isinstance(ignore, str):
            raise InputError(f"ignore={shown(ignore)}: a list of symbols or labels is needed")
        if occupancy not in OCCUPANCIES:
            raise InputError(f"occupancy {shown(occupancy)}: allowed are {', '.join(OCCUPANCIES)}")
        return cls(numbers, one_species, frozenset(map(str, ignore)), occupancy)

    def number(self, where: str, word: str) -> int:
        """Return the atomic number that a word of the file stands for; 0 for what is ignored."""
        if word in self.types:
            return self.types[word]
        found = element(word)
        if not found and word not in self.ignore:
            raise InputError(
                f"{where}: unknown species {shown(word)}; chemical symbols, also "
                "numbered (Fe1), and atomic numbers are allowed; say what else stands for with "
                "types={'A': 'Cu'}, or leave such atoms out with ignore=['A']"
            )
        return found


@dataclass
class Frame:
    """One structure as a reader found it.

    Attributes
    ----------
    labels : sequence of str
        Species as the file names them, one per atom.
    numbers : array-like of int, shape (n_atoms,)
        Atomic numbers; 0 for what is to be left out.
    positions : array-like of float, shape (n_atoms, 3)
    cell : array-like of float, shape (3, 3), or None
    pbc : sequence of bool, length 3
    named : bool
        Whether the file or the user names the elements; else types stand in for them.
    """

    labels: Sequence[str]
    numbers: ArrayLike
    positions: ArrayLike
    cell: ArrayLike | None
    pbc: Sequence[bool]
    named: bool = True


#: A frame that is read when called; the argument collects notes for the user.
Reading = Callable[[list[str]], Frame]


def refusal(message: str) -> Reading:
    """Return a frame that cannot be read, such as one that is cut."""

    def refuse(notes: list[str]) -> NoReturn:
        raise InputError(message)

    return refuse


def structure(place: str, frame: Frame, choices: Choices) -> Atoms:
    """Make atoms of a frame, leaving out what is to be ignored."""
    labels = np.asarray(frame.labels, dtype=object)
    numbers = np.asarray(frame.numbers, dtype=int)
    positions = np.asarray(frame.positions, dtype=float).reshape(-1, 3)
    kept = numbers > 0
    if choices.ignore:
        symbols = np.array(chemical_symbols, dtype=object)[numbers]
        kept &= ~np.isin(symbols.astype(str), list(choices.ignore))
        kept &= ~np.isin(labels.astype(str), list(choices.ignore))
    if not kept.any():
        reason = "; every atom is ignored" if len(kept) else "; at least one is needed"
        raise InputError(f"{place} holds no atom" + reason)
    numbers, positions = numbers[kept], positions[kept]
    if choices.one_species:
        numbers[:] = np.bincount(numbers).argmax()
    bad = np.flatnonzero(~np.isfinite(positions).all(axis=1))
    if bad.size:
        raise InputError(f"{place}: the position of atom {bad[0]} is not finite; correct the file")
    return Atoms(numbers, positions=positions, cell=frame.cell, pbc=list(frame.pbc))


def numbers_of_types(
    place: str,
    labels: Sequence[str],
    known: Mapping[str, str],
    masses: Mapping[str, float],
    choices: Choices,
    notes: list[str],
) -> tuple[NDArray[np.int_], bool]:
    """Return atomic numbers for types that a simulation program only counts.

    Parameters
    ----------
    place : str
        What messages call the file.
    labels : sequence of str
        Type of each atom.
    known : mapping
        Element that the file names for a type.
    masses : mapping
        Mass that the file gives for a type, in u.
    choices : Choices
        Comes before what the file says.
    notes : list of str
        Is told when types had to be taken as species.

    Returns
    -------
    numbers : int array, shape (n_atoms,)
    named : bool
        Whether file or user name every element.
    """
    found: dict[str, int] = {}
    for label in sorted(set(labels), key=lambda word: (len(word), word)):
        number = choices.types.get(label) or element(known.get(label, ""))
        if not number and label in masses:
            number = _element_of_mass(masses[label])
        if not number and not COUNT.fullmatch(label):
            number = element(label)
        found[label] = number
    unknown = [label for label in found if not found[label] and label not in choices.ignore]
    taken = set(found.values())
    free = iter(number for number in range(1, len(chemical_symbols)) if number not in taken)
    for label in unknown:
        # Any element may stand for a type; its own number where that is free, as ASE takes it.
        number = int(label) if COUNT.fullmatch(label) else 0
        if not 0 < number < len(chemical_symbols) or number in taken:
            number = next((n for n in free if n not in taken), 0)
        if not number:
            raise InputError(f"{place} has more types than there are elements; say which are what")
        found[label] = number
        taken.add(number)
    if unknown and len(found) > 1 and not choices.one_species:
        names = ", ".join(shown(label)[1:-1] for label in unknown[:8])
        notes.append(
            f"{place} names no element for type(s) {names}: each was taken as a species of its "
            "own. Types of one element must be named, types={1: 'Fe', 2: 'Fe'}, or one_species=True"
        )
    return np.array([found[label] for label in labels], dtype=int), not unknown


def _element_of_mass(mass: float) -> int:
    """Return the element of a mass in u; 0 where none or several are as near."""
    if not np.isfinite(mass) or mass == _REDUCED_MASS:
        return 0
    if abs(mass - 2.014) < 0.01:
        return 1
    away = np.abs(atomic_masses[1:] - mass)
    first, second = np.argsort(away, kind="stable")[:2]
    clear = away[first] < _MASS_TOLERANCE and away[second] > 2 * away[first]
    return int(first) + 1 if clear else 0
