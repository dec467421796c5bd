"""Structures as experiments may give them, for a network that is trained on noise.

The paper's network sees perfect structures only, and copes with noise by its descriptor and
by dropout. A user who wants the best answer, not the published recipe, can have a network that
has seen noise: pieces of every class of any size and shape, displaced, with missing atoms, wrong
species, random occupation or a grain boundary, each drawn from its own seed.

Three ingredients can be added: `chemistry` (impurities, random alloys, antisites, order that is
not whole), `geometry` (strain, c/a, slabs, particles, a second grain, larger displacements), and a
class `other` of what is no crystal.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.samples.disorder import no_crystal
from arise_lib.samples.grains import BOUNDARY_GAP, random_boundary
from arise_lib.structures import prototypes
from arise_lib.structures.defects import remove_atoms
from arise_lib.structures.pieces import box_edge, of_common_species
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.structures.supercells import cut_box, replication, supercell
from arise_lib.training import chemistry, geometry
from arise_lib.training.datasets import DataSet, assemble
from arise_lib.training.units import Recipe
from arise_lib.training.vectors import described

#: Atoms of a piece, from a small box of a scan to a supercell of the training set.
SIZES = (40, 400)

#: Largest standard deviation of a coordinate in dNN, share of missing atoms, of wrong species.
MAX_ERROR, MAX_MISSING, MAX_WRONG = 0.10, 0.30, 0.06

#: Share of the crystals and sheets that stay periodic, and of those cut out with a boundary.
PERIODIC, WITH_BOUNDARY = 0.25, 0.15

#: Share of the elements that are occupied at random by a second species, and how much of it.
MIXED, MIXTURE = 0.15, (0.2, 0.5)

#: Share of the structures with wrong species (of those of several), missing atoms, displacements.
WRONG, MISSING, DISPLACED = 0.5, 0.5, 0.8

#: What can be added to that.
INGREDIENTS = ("chemistry", "geometry", "other")

#: Largest displacement with geometry, again as a standard deviation in dNN: beyond melting.
MAX_HOT_ERROR = 0.12

#: With chemistry, share of the elements that are random alloys and that have impurities, of the
#: compounds that have impurities, and of the structures of an order (or its lattice) in which it
#: is not whole (or hardly there).
ALLOYED, IMPURE, IMPURE_COMPOUND, PARTLY_ORDERED = 0.20, 0.30, 0.25, 0.30

#: With geometry, share of the cells that are strained, and of the crystals that are cut to slabs,
#: to balls, or stand beside a grain of another class.
STRAINED, SLABS, BALLS, BESIDE = 0.5, 0.15, 0.10, 0.06

#: One structure in so many is no crystal where `other` is a class.
EVERY_OTHER = 10

#: A nanotube is cut to between this share of its length and all of it.
SHORTEST = 0.5

#: The classes that are periodic in three directions.
CRYSTALS = tuple(label for label in prototypes.LABELS if all(prototypes.get(label).pbc))

_PIECE = 2_000  # structures that are described and kept together


@dataclass(frozen=True)
class NoisyUnit(Recipe):
    """One noisy structure, as the numbers that it is built from.

    Attributes
    ----------
    label : str
        One of `arise_lib.structures.prototypes.LABELS`, or `prototypes.OTHER`.
    seed : tuple of int
        Seed of shape, size and defects; its first number is the pool of packings.
    ingredients : tuple of str
        Some of `INGREDIENTS`, in their order.

    Examples
    --------
    >>> sorted(set(NoisyUnit("L1_2", (0, 1)).build().symbols))
    ['Au', 'Cu']
    """

    seed: tuple[int, ...]
    ingredients: tuple[str, ...] = ()

    def build(self) -> Atoms:
        """Build the structure.

        Returns
        -------
        ase.Atoms
            Periodic or free; a piece of the class with some of: random occupation
            (one species only), a grain boundary, wrong species, missing atoms,
            Gaussian displacements, and what the ingredients add.
        """
        generator = np.random.default_rng(self.seed)
        if self.label == prototypes.OTHER:
            return no_crystal(generator, pool=self.seed[0])
        atoms = self._occupied(generator)
        if generator.random() < MISSING:
            seed = int(generator.integers(2**32))
            atoms = remove_atoms(atoms, MAX_MISSING * generator.random() ** 2, seed)
        if generator.random() < DISPLACED and len(atoms) > 1:
            largest = MAX_HOT_ERROR if "geometry" in self.ingredients else MAX_ERROR
            error = largest * generator.random() * overall_nearest_neighbour_distance(atoms)
            atoms.positions += generator.normal(0.0, error, size=(len(atoms), 3))
        if not atoms.pbc.any():
            atoms = atoms[of_common_species(atoms.numbers)]
        return atoms

    def _occupied(self, generator: np.random.Generator) -> Atoms:
        """Cut a piece and let chemistry decide what stands on its sites."""
        if "chemistry" not in self.ingredients:
            return _with_wrong_species(self._piece(self._cell(generator), generator), generator)
        order = self.label if self.label in chemistry.ORDERS else _order_on(self.label, generator)
        if order and generator.random() < PARTLY_ORDERED:
            piece = self._piece(chemistry.order_cell(order, generator), generator)
            between = chemistry.ORDERED if order == self.label else chemistry.DISORDERED
            return chemistry.partly_ordered(piece, order, between, generator)
        atoms = self._piece(self._cell(generator), generator)
        impurities, antisites = chemistry.limits(self.label)
        kind = generator.random()
        if len(np.unique(atoms.numbers)) == 1:
            if kind < ALLOYED:
                return chemistry.alloy(atoms, generator)
            return (
                chemistry.impure(atoms, impurities, generator) if kind < ALLOYED + IMPURE else atoms
            )
        if kind < WRONG:
            atoms = chemistry.with_antisites(atoms, antisites, generator)
        if generator.random() < IMPURE_COMPOUND:
            atoms = chemistry.impure(atoms, impurities, generator)
        return atoms

    def _cell(self, generator: np.random.Generator) -> Atoms:
        """Build the cell, strained or not."""
        if "geometry" in self.ingredients and generator.random() < STRAINED:
            return geometry.strained(self.label, generator)
        return prototypes.build(self.label)

    def _piece(self, cell: Atoms, generator: np.random.Generator) -> Atoms:
        """Cut a piece of random size and shape."""
        if "geometry" not in self.ingredients or not cell.pbc.any():
            return _piece(cell, generator)
        kind, crystal = generator.random(), cell.pbc.all()
        n_atoms = _n_atoms(generator)
        if kind < SLABS and crystal:
            cut = geometry.periodic_slab if kind < 0.5 * SLABS else geometry.free_slab
            return cut(cell, n_atoms, generator)
        if kind < SLABS + BALLS:
            return geometry.particle(cell, n_atoms, generator)
        if kind < SLABS + BALLS + BESIDE and crystal:
            labels = [name for name in CRYSTALS if name != self.label]
            beside = prototypes.build(labels[generator.integers(len(labels))])
            piece = cut_box(cell, box_edge(cell, n_atoms), generator)
            return geometry.with_second_grain(piece, beside, generator)
        return _piece(cell, generator)


def _order_on(label: str, generator: np.random.Generator) -> str | None:
    """Return an order on the lattice of a class, if there is one."""
    orders = [order for order, (_, lattice) in chemistry.ORDERS.items() if lattice == label]
    return orders[generator.integers(len(orders))] if orders else None


def _with_wrong_species(atoms: Atoms, generator: np.random.Generator) -> Atoms:
    """Occupy an element at random by a second species, or some sites of a compound wrongly."""
    species = np.unique(atoms.numbers)
    if len(species) == 1 and generator.random() < MIXED:
        other = generator.random(len(atoms)) < generator.uniform(*MIXTURE)
        atoms.numbers[other] = species[0] + 1
    elif len(species) > 1 and generator.random() < WRONG:
        return chemistry.with_antisites(atoms, MAX_WRONG, generator)
    return atoms


def _n_atoms(generator: np.random.Generator) -> int:
    """Draw a number of atoms, evenly in its logarithm."""
    low, high = SIZES
    return int(np.exp(generator.uniform(np.log(low), np.log(high))))


def _piece(cell: Atoms, generator: np.random.Generator) -> Atoms:
    """Cut a piece of random size and shape: periodic, free, or free with a boundary."""
    n_atoms = _n_atoms(generator)
    if not cell.pbc.any():
        return _shortened(cell, generator)
    kind = generator.random()
    if kind < PERIODIC:
        return supercell(cell, replication(len(cell), cell.pbc, at_least=n_atoms), periodic=True)
    edge = box_edge(cell, n_atoms)
    piece = cut_box(cell, edge, generator)
    if kind < 1.0 - WITH_BOUNDARY:
        return piece
    other = cut_box(cell, edge, generator)
    gap = BOUNDARY_GAP * overall_nearest_neighbour_distance(piece)
    return random_boundary(piece, other, gap, generator)


def _shortened(tube: Atoms, generator: np.random.Generator) -> Atoms:
    """Cut a nanotube (axis z) to between half of its length and all of it."""
    height = tube.positions[:, 2] - tube.positions[:, 2].min()
    longest = generator.uniform(SHORTEST, 1.0) * height.max()
    return tube[height <= longest + 1e-9]  # a ring of atoms at the end counts in spite of rounding


def noisy_units(n: int, seed: int, ingredients: Sequence[str] = ()) -> list[NoisyUnit]:
    """List noisy structures of all classes in turn.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Base seed; structure k has the seed (`seed`, k).
    ingredients : sequence of str
        Some of `INGREDIENTS`. With ``"other"`` each tenth structure is no crystal.

    Returns
    -------
    list of NoisyUnit
        The first of a longer list are those of a shorter one.

    Raises
    ------
    InputError
        If there is no such ingredient.

    Examples
    --------
    >>> noisy_units(2, seed=0)[1]
    NoisyUnit(label='bcc', seed=(0, 1), ingredients=())
    """
    unknown = set(ingredients) - set(INGREDIENTS)
    if unknown:
        raise InputError(f"There are no ingredients {sorted(unknown)}; there are {INGREDIENTS}.")
    chosen = tuple(name for name in INGREDIENTS if name in ingredients)
    units = []
    for k in range(n):
        crystals = k - k // EVERY_OTHER if "other" in chosen else k
        label = prototypes.LABELS[crystals % len(prototypes.LABELS)]
        if "other" in chosen and k % EVERY_OTHER == EVERY_OTHER - 1:
            label = prototypes.OTHER
        units.append(NoisyUnit(label, (seed, k), chosen))
    return units


def noisy_set(
    n: int,
    seed: int,
    settings: SoapSettings,
    *,
    ingredients: Sequence[str] = (),
    executor: Executor | None = None,
) -> DataSet:
    """Describe noisy structures, kept in the cache piece by piece.

    Parameters
    ----------
    n : int
        How many structures.
    seed : int
        Base seed.
    settings : SoapSettings
        Of the network.
    ingredients : sequence of str
        As for `noisy_units`.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.

    Returns
    -------
    DataSet
        One vector per structure; those in which no pair of atoms is left are
        not in it. The labels are all 108, and `other` where it is an ingredient.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> noisy_set(4, 0, SoapSettings()).features.shape
    (4, 316)
    """
    units = noisy_units(n, seed, ingredients)
    pieces = [
        described("noisy", units[start : start + _PIECE], (settings,), executor)
        for start in range(0, n, _PIECE)
    ]
    labels = (*prototypes.LABELS, *([prototypes.OTHER] if "other" in ingredients else []))
    whole = assemble(np.concatenate(pieces), units, (settings,), labels)
    return whole.select(np.isfinite(whole.features).all(axis=1))
