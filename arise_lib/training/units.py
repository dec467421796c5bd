"""What the data sets are made of: structures as the few numbers that each is built from.

A data set is a list of *units*, each of which is built and described on its own from numbers that
it carries; hence neither order, nor number of workers, nor an interruption changes a result
(paper, Methods, "Dataset").
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ase import Atoms

from arise_lib.errors import InputError
from arise_lib.structures import prototypes
from arise_lib.structures.defects import displace, remove_atoms
from arise_lib.structures.supercells import replication, supercell

#: Kinds of defect.
Defect = Literal["displaced", "missing", "both"]
KINDS: tuple[Defect, ...] = get_args(Defect)

#: Eight ratios of each kind; the k-th displacement goes with the k-th share of missing atoms.
DISPLACEMENTS = (0.001, 0.002, 0.006, 0.01, 0.02, 0.04, 0.07, 0.10)
MISSING = (0.01, 0.02, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30)


@dataclass(frozen=True)
class Recipe(ABC):
    """A structure of a data set: its class, and how it is built.

    Inherit from it for classes of your own, again as a frozen dataclass. Its fields are all that
    the structure is built from, the seed of a random draw included.

    Attributes
    ----------
    label : str
        Structural class.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from ase import Atoms
    >>> from ase.build import bulk
    >>> @dataclass(frozen=True)
    ... class Cube(Recipe):
    ...     size: int
    ...
    ...     def build(self) -> Atoms:
    ...         return bulk("Po", self.label, a=3.36) * self.size
    >>> len(Cube("sc", 5).build())
    125
    """

    label: str

    @abstractmethod
    def build(self) -> Atoms:
        """Build the structure.

        Returns
        -------
        ase.Atoms
            A new structure, the same at every call.
        """


@dataclass(frozen=True)
class Unit(Recipe):
    """One structure of the paper's data sets.

    Attributes
    ----------
    label : str
        One of `arise_lib.structures.prototypes.LABELS`.
    size : int
        Repetitions of the prototype's cell along each periodic direction; 0 is
        the nanotube as it is.
    periodic : bool
        Whether the supercell stays periodic.
    displacement, missing : float
        Defect ratios; missing atoms are removed before the rest is displaced.
    seed : tuple of int
        Seed of the defects.

    Examples
    --------
    >>> len(Unit("fcc", 5, periodic=False, missing=0.2).build())
    100
    """

    size: int
    periodic: bool
    displacement: float = 0.0
    missing: float = 0.0
    seed: tuple[int, ...] = (0,)

    def build(self) -> Atoms:
        """Build the structure.

        Returns
        -------
        ase.Atoms
            A new structure.
        """
        atoms = prototypes.build(self.label)
        if self.size:
            atoms = supercell(atoms, self.size, periodic=self.periodic)
        if self.missing:
            atoms = remove_atoms(atoms, self.missing, (*self.seed, 0))
        # A lone atom has no dNN, and a displacement would only translate it.
        if self.displacement and len(atoms) > 1:
            atoms = displace(atoms, self.displacement, (*self.seed, 1))
        return atoms


def _sizes(label: str) -> list[int]:
    """Sizes of the three clusters of a class; nanotubes come in one size only."""
    cell = prototypes.build(label)
    if not cell.pbc.any():
        return [0]
    smallest = replication(len(cell), cell.pbc)
    return [smallest, smallest + 1, smallest + 2]


def pristine_units(labels: Sequence[str] = prototypes.LABELS) -> list[Unit]:
    """List the pristine structures: a periodic cell and three clusters per class.

    Parameters
    ----------
    labels : sequence of str
        Classes, all 108 by default.

    Returns
    -------
    list of Unit
        396 for all classes: 96 x (1 periodic cell + 3 clusters) + 12 nanotubes.

    Examples
    --------
    >>> len(pristine_units()), [unit.size for unit in pristine_units(["fcc"])]
    (396, [1, 5, 6, 7])
    """
    units = []
    for label in labels:
        sizes = _sizes(label)
        if sizes != [0]:
            units.append(Unit(label, 1, periodic=True))
        units.extend(Unit(label, size, periodic=False) for size in sizes)
    return units


def defective_units(
    kind: Defect,
    step: int,
    draw: int,
    *,
    seed: int = 0,
    labels: Sequence[str] = prototypes.LABELS,
) -> list[Unit]:
    """List the defective structures of one kind, ratio and draw.

    Parameters
    ----------
    kind : {"displaced", "missing", "both"}
        Kind of defect.
    step : int
        Index into `DISPLACEMENTS` and `MISSING`.
    draw : int
        Number of the draw, from 0.
    seed : int
        Base seed; sets with different base seeds have nothing in common.
    labels : sequence of str
        Classes, all 108 by default.

    Returns
    -------
    list of Unit
        588 for all classes: 96 x 3 supercells x (periodic, not) + 12 nanotubes.

    Raises
    ------
    InputError
        If the kind or the step is unknown.

    Examples
    --------
    >>> units = defective_units("both", 3, 0)
    >>> len(units), units[0].displacement, units[0].missing
    (588, 0.01, 0.1)
    """
    if kind not in KINDS or not 0 <= step < len(DISPLACEMENTS):
        raise InputError(
            f"Unknown defects {kind!r}, step {step}: kinds are {KINDS}, steps 0 to "
            f"{len(DISPLACEMENTS) - 1}."
        )
    units: list[Unit] = []
    for label in labels:
        sizes = _sizes(label)
        shapes = [(n, p) for n in sizes for p in ((False,) if sizes == [0] else (True, False))]
        # Counted within the class, so that a structure is the same in any subset of the classes.
        number = prototypes.LABELS.index(label)
        units.extend(
            Unit(
                label,
                size,
                periodic,
                displacement=0.0 if kind == "missing" else DISPLACEMENTS[step],
                missing=0.0 if kind == "displaced" else MISSING[step],
                seed=(seed, KINDS.index(kind), step, draw, number, index),
            )
            for index, (size, periodic) in enumerate(shapes)
        )
    return units


def all_conditions() -> list[tuple[Defect, int]]:
    """Return the 24 pairs of kind of defect and step of the paper.

    Returns
    -------
    list of (kind, step)
        The kinds in turn, each from its mildest ratio on.

    Examples
    --------
    >>> all_conditions()[7:9]
    [('displaced', 7), ('missing', 0)]
    """
    return [(kind, step) for kind in KINDS for step in range(len(DISPLACEMENTS))]
