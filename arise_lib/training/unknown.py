"""Structures outside the classes, by which a network's warning is measured.

Of each unknown prototype of ``data/unknown`` what the pristine training set has of each class, and
two kinds of noise. Nothing is trained on them or chosen by them.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import asdict, dataclass

import numpy as np
from ase import Atoms

from arise_lib.descriptor import SoapSettings
from arise_lib.samples.unknown import FOLDER, unknown_prototypes
from arise_lib.storage.cache import cached
from arise_lib.storage.fingerprints import fingerprint
from arise_lib.structures.defects import displace, remove_atoms
from arise_lib.structures.supercells import replication, supercell
from arise_lib.training.datasets import DataSet, assemble
from arise_lib.training.units import DISPLACEMENTS, MISSING, Defect, Unit
from arise_lib.training.vectors import describe_units

#: Base seed of all noise by which a warning is measured.
TEST_SEED = 302

#: Noise of the structures by which it is measured: displaced by 2 %, 5 % missing.
TEST_NOISE: tuple[tuple[Defect, int], ...] = (("displaced", 4), ("missing", 2))


@dataclass(frozen=True)
class UnknownUnit(Unit):
    """One structure outside the classes; the attributes are those of `Unit`.

    Its `label` is a name of `arise_lib.samples.unknown_prototypes`.

    Examples
    --------
    >>> len(UnknownUnit("A3B_cP8_223_c_a Cr3Si", 3, periodic=False).build())
    216
    """

    def build(self) -> Atoms:
        """Build the structure.

        Returns
        -------
        ase.Atoms
            A new structure.
        """
        cell = unknown_prototypes()[self.label]
        atoms = supercell(cell, self.size, periodic=self.periodic)
        if self.missing:
            atoms = remove_atoms(atoms, self.missing, (*self.seed, 0))
        return displace(atoms, self.displacement, (*self.seed, 1)) if self.displacement else atoms


def unknown_units() -> list[UnknownUnit]:
    """List the unknown structures of `unknown_set`.

    Returns
    -------
    list of UnknownUnit
        Eight of each prototype.

    Examples
    --------
    >>> len(unknown_units())
    1760
    """
    units = []
    for number, (name, cell) in enumerate(unknown_prototypes().items()):
        first = replication(len(cell), cell.pbc)
        units.append(UnknownUnit(name, 1, periodic=True))
        units.extend(UnknownUnit(name, first + k, periodic=False) for k in range(3))
        for condition, (kind, step) in enumerate(TEST_NOISE):
            units.extend(
                UnknownUnit(
                    name,
                    first + 1,
                    periodic,
                    displacement=DISPLACEMENTS[step] if kind == "displaced" else 0.0,
                    missing=MISSING[step] if kind == "missing" else 0.0,
                    seed=(TEST_SEED, condition, number, int(periodic)),
                )
                for periodic in (True, False)
            )
    return units


def unknown_set(settings: SoapSettings, *, executor: Executor | None = None) -> DataSet:
    """Describe the unknown structures, kept in the cache.

    Parameters
    ----------
    settings : SoapSettings
        Of the network.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.

    Returns
    -------
    DataSet
        Of each of the `arise_lib.samples.unknown_prototypes` the periodic cell and
        three clusters, perfect, and the middle one, periodic and free, with
        `TEST_NOISE`. The labels are the names.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> len(unknown_set(SoapSettings()))  # doctest: +SKIP
    1760
    """
    units = unknown_units()
    key = {
        "units": [asdict(unit) for unit in units],
        "settings": asdict(settings),
        "code": fingerprint(__name__, FOLDER),
    }
    stored = cached(
        "unknown", key, lambda: {"features": describe_units(units, [settings], executor=executor)}
    )
    whole = assemble(stored["features"], units, (settings,), tuple(unknown_prototypes()))
    return whole.select(np.isfinite(whole.features).all(axis=1))
