"""Structures as experiments may give them, for a network that is trained on noise.

The paper's network sees perfect structures only, and copes with noise by its descriptor and
by dropout. A user who wants the best answer, not the published recipe, can have a network that
has seen noise: pieces of every class of any size and shape, displaced, with missing atoms, wrong
species, random occupation or a grain boundary, each drawn from its own seed.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from arise_lib.descriptor import SoapSettings
from arise_lib.samples.grains import BOUNDARY_GAP, random_boundary
from arise_lib.structures import prototypes
from arise_lib.structures.defects import remove_atoms
from arise_lib.structures.pieces import box_edge, of_common_species
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.structures.supercells import cut_box, replication, supercell
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

#: A nanotube is cut to between this share of its length and all of it.
SHORTEST = 0.5

_PIECE = 2_000  # structures that are described and kept together


@dataclass(frozen=True)
class NoisyUnit(Recipe):
    """One noisy structure, as the numbers that it is built from.

    Attributes
    ----------
    label : str
        One of `arise_lib.structures.prototypes.LABELS`.
    seed : tuple of int
        Seed of shape, size and defects.

    Examples
    --------
    >>> sorted(set(NoisyUnit("L1_2", (0, 1)).build().symbols))
    ['Au', 'Cu']
    """

    seed: tuple[int, ...]

    def build(self) -> Atoms:
        """Build the structure.

        Returns
        -------
        ase.Atoms
            Periodic or free; a piece of the class with some of: random occupation
            (one species only), a grain boundary, wrong species, missing atoms,
            Gaussian displacements.
        """
        generator = np.random.default_rng(self.seed)
        atoms = _piece(prototypes.build(self.label), generator)
        species = np.unique(atoms.numbers)
        if len(species) == 1 and generator.random() < MIXED:
            other = generator.random(len(atoms)) < generator.uniform(*MIXTURE)
            atoms.numbers[other] = species[0] + 1
        elif len(species) > 1 and generator.random() < WRONG:
            wrong = generator.random(len(atoms)) < generator.uniform(0.0, MAX_WRONG)
            atoms.numbers[wrong] = generator.choice(species, size=int(wrong.sum()))
        if generator.random() < MISSING:
            seed = int(generator.integers(2**32))
            atoms = remove_atoms(atoms, MAX_MISSING * generator.random() ** 2, seed)
        if generator.random() < DISPLACED and len(atoms) > 1:
            error = MAX_ERROR * generator.random() * overall_nearest_neighbour_distance(atoms)
            atoms.positions += generator.normal(0.0, error, size=(len(atoms), 3))
        if not atoms.pbc.any():
            atoms = atoms[of_common_species(atoms.numbers)]
        return atoms


def _piece(cell: Atoms, generator: np.random.Generator) -> Atoms:
    """Cut a piece of random size and shape: periodic, free, or free with a boundary."""
    low, high = SIZES
    n_atoms = int(np.exp(generator.uniform(np.log(low), np.log(high))))
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


def noisy_units(n: int, seed: int) -> list[NoisyUnit]:
    """List noisy structures of all classes in turn.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Base seed; structure k has the seed (`seed`, k).

    Returns
    -------
    list of NoisyUnit
        The first of a longer list are those of a shorter one.

    Examples
    --------
    >>> noisy_units(2, seed=0)[1]
    NoisyUnit(label='bcc', seed=(0, 1))
    """
    labels = prototypes.LABELS
    return [NoisyUnit(labels[k % len(labels)], (seed, k)) for k in range(n)]


def noisy_set(
    n: int, seed: int, settings: SoapSettings, *, executor: Executor | None = None
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
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.

    Returns
    -------
    DataSet
        One vector per structure; those in which no pair of atoms is left are
        not in it. The labels are all 108.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> noisy_set(4, 0, SoapSettings()).features.shape
    (4, 316)
    """
    units = noisy_units(n, seed)
    pieces = [
        described("noisy", units[start : start + _PIECE], (settings,), executor)
        for start in range(0, n, _PIECE)
    ]
    whole = assemble(np.concatenate(pieces), units, (settings,), prototypes.LABELS)
    return whole.select(np.isfinite(whole.features).all(axis=1))
