"""The paper's data sets: pristine (39,204 vectors) and defective (141,120 vectors).

A data set is a list of *units*, each of which is built and described on its own
from numbers that it carries; hence neither order, nor number of workers, nor an
interruption changes a result (paper, Methods, "Dataset").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from arise_lib import storage
from arise_lib.descriptor import SoapSettings, describe_settings, training_grid
from arise_lib.errors import InputError
from arise_lib.storage import paths
from arise_lib.storage.fingerprints import fingerprint
from arise_lib.storage.parallel import run
from arise_lib.structures import prototypes
from arise_lib.structures.defects import displace, remove_atoms
from arise_lib.structures.supercells import replication, supercell

Defect = Literal["displaced", "missing", "both"]

#: Eight ratios of each kind; the k-th displacement goes with the k-th share of missing atoms.
DISPLACEMENTS = (0.001, 0.002, 0.006, 0.01, 0.02, 0.04, 0.07, 0.10)
MISSING = (0.01, 0.02, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30)


class Buildable(Protocol):
    """Anything that a structure can be built from: a unit of a data set."""

    def build(self) -> Atoms:
        """Build the structure."""
        ...


@dataclass(frozen=True)
class Unit:
    """One structure of a data set, as the numbers that it is built from.

    Attributes
    ----------
    label : str
        Structural class.
    size : int
        Repetitions of the prototype's cell along each periodic direction; 0 is
        the nanotube as it is.
    periodic : bool
        Whether the supercell stays periodic.
    displacement, missing : float
        Defect ratios; missing atoms are removed before the rest is displaced.
    seed : tuple of int
        Seed of the defects.
    """

    label: str
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


@dataclass(frozen=True)
class DataSet:
    """Descriptors with their classes.

    Attributes
    ----------
    features : ndarray of float32, shape (n_vectors, n_features)
        Descriptors.
    classes : ndarray of int, shape (n_vectors,)
        Index into `arise_lib.structures.prototypes.LABELS`.
    units : DataFrame of n_vectors rows
        Where each vector comes from: the unit's numbers and the settings.
    """

    features: NDArray[np.float32]
    classes: NDArray[np.int64]
    units: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.classes)


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
    """
    kinds = ("displaced", "missing", "both")
    if kind not in kinds or not 0 <= step < len(DISPLACEMENTS):
        raise InputError(
            f"Unknown defects {kind!r}, step {step}: kinds are {kinds}, steps 0 to "
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
                seed=(seed, kinds.index(kind), step, draw, number, index),
            )
            for index, (size, periodic) in enumerate(shapes)
        )
    return units


def describe_unit(unit: Buildable, settings: tuple[SoapSettings, ...]) -> NDArray[np.float32]:
    """Build one structure and describe it with all settings.

    Parameters
    ----------
    unit : Unit or alike
        The structure.
    settings : tuple of SoapSettings
        Settings that share radial functions, n_max and l_max.

    Returns
    -------
    ndarray of float32, shape (n_settings, n_features)
        Computed in double precision; NaN where the defects have left nothing
        that could be described.
    """
    atoms = unit.build()
    if len(atoms) < 2 and not atoms.pbc.any():
        return np.full((len(settings), settings[0].n_features), np.nan, dtype=np.float32)
    return describe_settings(atoms, settings).astype(np.float32)


def describe_units(
    units: Sequence[Buildable],
    settings: Sequence[SoapSettings],
    *,
    executor: Executor | None = None,
    description: str = "descriptors",
) -> NDArray[np.float32]:
    """Describe many structures in parallel.

    Parameters
    ----------
    units : sequence of Unit or alike
        The structures.
    settings : sequence of SoapSettings
        Settings that share radial functions, n_max and l_max.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.
    description : str
        Shown on the progress bar.

    Returns
    -------
    ndarray of float32, shape (n_units, n_settings, n_features)
        In the order of `units`, the same bytes whatever the executor.
    """
    fixed = tuple(settings)
    result = np.empty((len(units), len(fixed), fixed[0].n_features), dtype=np.float32)
    jobs = units, [fixed] * len(units)
    for row, vector in enumerate(
        run(describe_unit, *jobs, executor=executor, description=description)
    ):
        result[row] = vector
    return result


def pristine_set(
    radial: str = "quip",
    *,
    settings: Sequence[SoapSettings] | None = None,
    labels: Sequence[str] = prototypes.LABELS,
    executor: Executor | None = None,
) -> DataSet:
    """Compute, or read from the cache, the pristine training set.

    Parameters
    ----------
    radial : str
        Name of the radial functions.
    settings : sequence of SoapSettings, optional
        Default: all 99 of the paper.
    labels : sequence of str
        Classes, all 108 by default.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.

    Returns
    -------
    DataSet
        39,204 vectors for all classes and settings, structure by structure.
    """
    chosen = tuple(settings) if settings is not None else training_grid(radial)
    units = pristine_units(labels)
    return _assemble("pristine", units, chosen, executor)


def defective_set(
    conditions: Iterable[tuple[Defect, int]],
    draws: Iterable[int],
    *,
    settings: SoapSettings | None = None,
    seed: int = 0,
    labels: Sequence[str] = prototypes.LABELS,
    executor: Executor | None = None,
) -> Iterator[tuple[Defect, int, int, DataSet]]:
    """Compute the defective sets one condition and one draw at a time.

    Each piece of 588 vectors is kept in the cache, so that an interrupted run
    goes on where it stopped, and only one piece is in memory.

    Parameters
    ----------
    conditions : iterable of (kind, step)
        Kind of defect and index of its ratio, see `defective_units`.
    draws : iterable of int
        Numbers of the draws.
    settings : SoapSettings, optional
        Default: the settings of the paper's predictions.
    seed : int
        Base seed.
    labels : sequence of str
        Classes, all 108 by default.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.

    Yields
    ------
    kind, step, draw : str, int, int
        What the piece is.
    piece : DataSet
        588 vectors for all classes.
    """
    chosen = (settings or SoapSettings(),)
    numbers = list(draws)
    for kind, step in conditions:
        for draw in numbers:
            units = defective_units(kind, step, draw, seed=seed, labels=labels)
            yield kind, step, draw, _assemble(f"{kind} {step} {draw}", units, chosen, executor)


def all_conditions() -> list[tuple[Defect, int]]:
    """Return the 24 pairs of kind of defect and step of the paper."""
    kinds: tuple[Defect, ...] = ("displaced", "missing", "both")
    return [(kind, step) for kind in kinds for step in range(len(DISPLACEMENTS))]


def _assemble(
    name: str,
    units: Sequence[Unit],
    settings: tuple[SoapSettings, ...],
    executor: Executor | None,
) -> DataSet:
    """Describe units through the cache and attach their classes and origin."""
    key = {
        "units": [asdict(unit) for unit in units],
        "settings": [asdict(s) for s in settings],
        "code": fingerprint(__name__, paths.PROTOTYPES),
    }
    stored = storage.cached(
        name.replace(" ", "_"),
        key,
        lambda: {"features": describe_units(units, settings, executor=executor, description=name)},
    )
    features = stored["features"].reshape(len(units) * len(settings), -1)
    repeated = pd.DataFrame([asdict(u) for u in units for _ in settings]).drop(columns="seed")
    of_settings = pd.DataFrame([asdict(s) for s in settings] * len(units))
    table = pd.concat([repeated, of_settings[["cutoff", "sigma", "extrinsic"]]], axis=1)
    classes = table["label"].map({label: i for i, label in enumerate(prototypes.LABELS)})
    return DataSet(features, classes.to_numpy(dtype=np.int64), table)
