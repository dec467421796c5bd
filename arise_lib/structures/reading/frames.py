"""What a reader returns: frames, each read when it is asked for; and how species are chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

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
        Atomic number for a type, label or element of the file.
    one_species : bool
        Whether all atoms are of one species.
    ignore : frozenset of str
        Symbols or labels of atoms to leave out.
    occupancy : str
        What to do with partly occupied sites, one of `OCCUPANCIES`.
    used : set of str
        Those of `types` and `ignore` that the frame in hand has; emptied before each frame.
    """

    types: Mapping[str, int] = field(default_factory=dict)
    one_species: bool = False
    ignore: frozenset[str] = frozenset()
    occupancy: str = "major"
    used: set[str] = field(default_factory=set, compare=False)

    @classmethod
    def of(
        cls,
        types: Mapping[int | float | str, str] | None,
        one_species: bool,
        ignore: Sequence[str],
        occupancy: str,
    ) -> Choices:
        """Check what the user said."""
        numbers: dict[str, int] = {}
        if not isinstance(types or {}, Mapping):
            raise InputError(f"types={shown(types)}: a mapping, {{1: 'Fe', 2: 'Fe'}}, is needed")
        for key, symbol in (types or {}).items():
            label, word = _word(key), str(symbol).strip()
            number = 0 if COUNT.fullmatch(word) else element(word)
            if not (label and number):
                raise InputError(
                    f"types: {shown(symbol)} for {shown(key)} is no chemical symbol; write "
                    "types={1: 'Fe', 2: 'Fe'}"
                )
            if numbers.setdefault(label, number) != number:
                raise InputError(f"types: {shown(label)} is given two elements; give it one")
        if isinstance(ignore, str):
            raise InputError(f"ignore={shown(ignore)}: a list of symbols or labels is needed")
        if occupancy not in OCCUPANCIES:
            raise InputError(f"occupancy {shown(occupancy)}: allowed are {', '.join(OCCUPANCIES)}")
        return cls(numbers, one_species, frozenset(map(_word, ignore)), occupancy)

    def chosen(self, number: int, *words: str) -> int:
        """Return what is to be taken for an atom of an element; 0 for none known.

        Its words in the file, such as label or type, come first, then the symbol of its element.
        """
        symbol = (chemical_symbols[number],) if number else ()
        for word in (*words, *symbol):
            if word in self.ignore:
                self.used.add(word)
            if word in self.types:
                self.used.add(word)
                return self.types[word]
        return number

    def number(self, where: str, word: str) -> int:
        """Return the atomic number that a word of the file stands for; 0 for what is ignored."""
        found = self.chosen(element(word), word)
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


def structure(
    place: str, frame: Frame, choices: Choices, notes: list[str], one_of_many: bool = False
) -> Atoms:
    """Make atoms of a frame, leaving out what is to be ignored."""
    _account_for_types(place, frame, choices, notes, one_of_many)
    labels = np.asarray(frame.labels, dtype=object)
    numbers = np.asarray(frame.numbers, dtype=int)
    positions = np.asarray(frame.positions, dtype=float).reshape(-1, 3)
    kept = numbers > 0
    if choices.ignore:
        symbols = np.array(chemical_symbols, dtype=object)[numbers].astype(str)
        kept &= ~np.isin(symbols, list(choices.ignore))
        kept &= ~np.isin(labels.astype(str), list(choices.ignore))
        if unused := choices.ignore - choices.used - {*symbols} - {*labels.astype(str)}:
            notes.append(_not_there(place, "ignore", unused, frame))
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


def _account_for_types(
    place: str, frame: Frame, choices: Choices, notes: list[str], one_of_many: bool
) -> None:
    """Refuse `types` that miss the frame; tell of those that it lacks, as one of many may."""
    unused = [label for label in choices.types if label not in choices.used]
    if not unused:
        return
    said = _not_there(place, "types", unused, frame)
    none = len(unused) == len(choices.types)
    if (none and not one_of_many) or not frame.named:
        raise InputError(
            f"{said}. Name these, as in types={{1: 'Fe'}} (--types 1=Fe), or leave out what is not "
            "there"
        )
    notes.append(said)


def _not_there(place: str, option: str, unused: Iterable[str], frame: Frame) -> str:
    """Say what an option names that no atom of a frame is called, and what atoms are called."""
    found = _some(set(map(str, frame.labels)))
    return f"{place}: {option}= names {_some(unused)}, and no atom is called so; found are {found}"


def _word(key: Any) -> str:
    """Return a type, label or element as a file writes it."""
    # A type that went through a table of floats is still that type.
    whole = isinstance(key, float | np.floating) and key.is_integer()
    return str(int(key) if whole else key).strip()


def _some(words: Iterable[str]) -> str:
    """Name the first words."""
    words = sorted(words, key=lambda word: (len(word), word))
    return ", ".join(map(shown, words[:8])) + (", ..." if len(words) > 8 else "")


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
        What the file calls a type, an element or not.
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
        name = known.get(label, "")
        number = element(name)
        if not number and label in masses:
            number = _element_of_mass(masses[label])
        if not number and not COUNT.fullmatch(label):
            number = element(label)
        found[label] = choices.chosen(number, label, name)
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
