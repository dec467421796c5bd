"""Structures as experiments may give them, for a network that is trained on noise.

The paper's network sees perfect structures only, and copes with noise by its descriptor and
by dropout. A user who wants the best answer, not the published recipe, can have a network that
has seen noise: pieces of every class of any size and shape, displaced, with missing atoms, wrong
species, random occupation or a grain boundary, each drawn from its own seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib import storage
from arise_lib.descriptor import SoapSettings
from arise_lib.storage import paths
from arise_lib.storage.fingerprints import fingerprint
from arise_lib.structures import prototypes
from arise_lib.structures.defects import remove_atoms
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.structures.supercells import cut_box, replication, supercell
from arise_lib.training.datasets import DataSet, describe_units

#: Atoms of a piece, from a small box of a scan to a supercell of the training set.
SIZES = (40, 400)

#: Largest standard deviation of a coordinate in dNN, share of missing atoms, of wrong species.
MAX_ERROR, MAX_MISSING, MAX_WRONG = 0.10, 0.30, 0.06

#: A species with fewer atoms than this in a free piece is left out, as in a box of a scan.
MIN_ATOMS_OF_SPECIES = 3

_PIECE = 2_000  # structures that are described and kept together


@dataclass(frozen=True)
class NoisyUnit:
    """One noisy structure, as the numbers that it is built from.

    Attributes
    ----------
    label : str
        Structural class.
    seed : tuple of int
        Seed of shape, size and defects.
    """

    label: str
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
        if len(species) == 1 and generator.random() < 0.15:
            other = generator.random(len(atoms)) < generator.uniform(0.2, 0.5)
            atoms.numbers[other] = species[0] + 1
        elif len(species) > 1 and generator.random() < 0.5:
            wrong = generator.random(len(atoms)) < generator.uniform(0.0, MAX_WRONG)
            atoms.numbers[wrong] = generator.choice(species, size=int(wrong.sum()))
        if generator.random() < 0.5:
            seed = int(generator.integers(2**32))
            atoms = remove_atoms(atoms, MAX_MISSING * generator.random() ** 2, seed)
        if generator.random() < 0.8 and len(atoms) > 1:
            error = MAX_ERROR * generator.random() * overall_nearest_neighbour_distance(atoms)
            atoms.positions += generator.normal(0.0, error, size=(len(atoms), 3))
        if not atoms.pbc.any():
            counts = np.bincount(atoms.numbers)
            atoms = atoms[counts[atoms.numbers] >= MIN_ATOMS_OF_SPECIES]
        return atoms


def _piece(cell: Atoms, generator: np.random.Generator) -> Atoms:
    """Cut a piece of random size and shape: periodic, free, or free with a boundary."""
    low, high = SIZES
    n_atoms = int(np.exp(generator.uniform(np.log(low), np.log(high))))
    if not cell.pbc.any():
        return _shortened(cell, generator)
    kind = generator.random()
    if kind < 0.25:
        return supercell(cell, replication(len(cell), cell.pbc, at_least=n_atoms), periodic=True)
    if cell.pbc.sum() == 3:
        edge = float((n_atoms * cell.get_volume() / len(cell)) ** (1 / 3))
    else:
        area = np.linalg.norm(np.cross(*cell.cell.array[:2]))
        edge = float(np.sqrt(n_atoms * area / len(cell)))
    piece = cut_box(cell, edge, generator)
    if kind < 0.85:
        return piece
    return _joined(piece, cut_box(cell, edge, generator), generator)


def _shortened(tube: Atoms, generator: np.random.Generator) -> Atoms:
    """Cut a nanotube (axis z) to between half of its length and all of it."""
    height = tube.positions[:, 2] - tube.positions[:, 2].min()
    return tube[height <= generator.uniform(0.5, 1.0) * height.max() + 1e-9]


def _joined(first: Atoms, second: Atoms, generator: np.random.Generator) -> Atoms:
    """Join two pieces of other orientation along a plane; of atoms too close one is dropped."""
    bond = overall_nearest_neighbour_distance(first)
    edge = generator.uniform(-0.3, 0.3) * float(np.ptp(first.positions[:, 0]))
    left = first[first.positions[:, 0] < edge]
    right = second[second.positions[:, 0] >= edge]
    if len(left) and len(right):
        right = right[cKDTree(left.positions).query(right.positions)[0] > 0.7 * bond]
    return left + right


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
    """
    return [NoisyUnit(prototypes.LABELS[k % len(prototypes.LABELS)], (seed, k)) for k in range(n)]


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
        not in it.
    """
    units = noisy_units(n, seed)
    pieces = [
        _described(units[start : start + _PIECE], settings, executor)
        for start in range(0, n, _PIECE)
    ]
    features = np.concatenate(pieces)
    defined = np.isfinite(features).all(axis=1)
    number = {label: k for k, label in enumerate(prototypes.LABELS)}
    classes = np.array([number[unit.label] for unit in units], dtype=np.int64)
    table = pd.DataFrame({"label": [unit.label for unit in units]})
    return DataSet(features[defined], classes[defined], table[defined].reset_index(drop=True))


def _described(
    units: Sequence[NoisyUnit], settings: SoapSettings, executor: Executor | None
) -> NDArray[np.float32]:
    """Describe a piece of the set, or read it from the cache: (n_units, n_features)."""
    key = {
        "units": [asdict(unit) for unit in units],
        "settings": asdict(settings),
        "code": fingerprint(__name__, paths.PROTOTYPES),
    }
    stored = storage.cached(
        "noisy",
        key,
        lambda: {
            "features": describe_units(units, (settings,), executor=executor, description="noisy")
        },
    )
    return stored["features"][:, 0]
