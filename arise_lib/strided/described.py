"""The boxes of a scan, each described as a free cluster: what every network then starts from."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from os import PathLike

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.network.released import DEFAULT, as_ensemble
from arise_lib.storage.cache import Arrays, cached
from arise_lib.storage.fingerprints import fingerprint
from arise_lib.storage.parallel import bar, workers
from arise_lib.strided import _keys
from arise_lib.strided.boxes import Box, as_box
from arise_lib.strided.grid import box_centres, count_atoms, with_images
from arise_lib.strided.lines import describe_tasks, tasks
from arise_lib.strided.rim import filled_share
from arise_lib.structures.pieces import MIN_ATOMS_OF_SPECIES
from arise_lib.structures.reading import load_structure

#: Boxes with fewer atoms are not described by default: networks answer arbitrarily there.
MIN_ATOMS = 50


@dataclass(frozen=True, eq=False)
class Boxes:
    """Where the boxes of a sample stand, and what the filled ones look like.

    Attributes
    ----------
    shape : Box
        Of each box.
    axes : list of three ndarray
        Box centres along x, y and z.
    n_atoms : ndarray of int, shape (n_x, n_y, n_z)
        Atoms in each box.
    filled : ndarray of bool, shape (n_x, n_y, n_z)
        Which boxes hold enough atoms.
    features : ndarray of float32, shape (n_filled, n_features)
        Descriptors of the filled boxes, z fastest; NaN where all species are too rare.
    settings : SoapSettings
        What they were described with: those of the networks that can classify them.
    share : ndarray of shape (n_x, n_y, n_z)
        How much of each filled box lies within the sample, from 0 to 1; NaN for the
        others.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import strided
    >>> boxes = strided.describe_boxes(bulk("Cu", cubic=True) * 4, 11.0, 7.0)
    >>> boxes.features.shape[1], boxes.centres.shape[1], bool(boxes.filled.all())
    (316, 3, True)
    """

    shape: Box
    axes: list[NDArray[np.float64]]
    n_atoms: NDArray[np.int64]
    filled: NDArray[np.bool_]
    features: NDArray[np.float32]
    settings: SoapSettings
    share: NDArray[np.float64]

    @property
    def centres(self) -> NDArray[np.float64]:
        """Centres of the filled boxes, shape (n_filled, 3)."""
        grid = np.stack(np.meshgrid(*self.axes, indexing="ij"), axis=-1)
        return grid[self.filled]


@dataclass(frozen=True, eq=False)
class Plan:
    """A sample and its boxes, counted but not yet described.

    Attributes
    ----------
    shape : Box
        Of each box.
    axes : list of three ndarray
        Box centres along x, y and z.
    sample : ase.Atoms
        Free: a periodic one with its images.
    n_atoms, filled : ndarray
        As in `Boxes`.
    """

    shape: Box
    axes: list[NDArray[np.float64]]
    sample: Atoms
    n_atoms: NDArray[np.int64]
    filled: NDArray[np.bool_]


def plan(
    source: Atoms | str | PathLike[str],
    box: float | Box,
    stride: float | Sequence[float],
    padding: float,
    min_atoms: int,
) -> Plan:
    """Lay the boxes over a sample and count their atoms.

    Parameters
    ----------
    source, box, stride, padding, min_atoms
        As for `arise_lib.scan`.

    Returns
    -------
    Plan
        With at least one filled box.

    Raises
    ------
    InputError
        As `arise_lib.scan` does.
    """
    shape = as_box(box)
    atoms = load_structure(source)
    axes = box_centres(atoms, shape, stride, padding)
    sample = with_images(atoms, axes, shape)
    n_atoms = count_atoms(sample.positions, axes, shape)
    filled = n_atoms >= max(min_atoms, 1)
    if not filled.any():
        raise InputError(
            f"No {shape} holds {min_atoms} atoms; the fullest holds {n_atoms.max()}. "
            "Enlarge the box (is it in the unit of the positions?) or lower min_atoms."
        )
    return Plan(shape, axes, sample, n_atoms, filled)


def describe_boxes(
    source: Atoms | str | PathLike[str],
    box: float | Box = 16.0,
    stride: float | Sequence[float] = 1.0,
    *,
    padding: float = 0.5,
    min_atoms: int = MIN_ATOMS,
    min_of_species: int = MIN_ATOMS_OF_SPECIES,
    settings: SoapSettings | None = None,
    resume: bool = False,
    executor: Executor | None = None,
) -> Boxes:
    """Describe every box of a sample: the first half of a scan.

    Networks of one descriptor share it: `arise_lib.strided.classify_boxes` is the
    second half, and `arise_lib.bayes.representations` takes the features.

    Parameters
    ----------
    source, box, stride, padding, min_atoms, min_of_species, executor
        As for `arise_lib.scan`.
    settings : SoapSettings, optional
        Of the network; by default those of the default network.
    resume : bool
        Keep the descriptors in the cache of derived results, and take them from there if they
        are there.

    Returns
    -------
    Boxes
        All descriptors stand in memory, 1.3 kB for each filled box.

    Raises
    ------
    InputError
        As `arise_lib.scan` does.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import strided
    >>> len(strided.describe_boxes(bulk("Cu", cubic=True) * 4, 11.0, 7.3).features)
    8
    """
    chosen = settings or as_ensemble(DEFAULT).settings
    laid = plan(source, box, stride, padding, min_atoms)

    def find() -> Arrays:
        waiting = tasks(laid.sample, laid.axes, laid.shape, laid.filled, chosen)
        features = np.empty((int(laid.filled.sum()), chosen.n_features), dtype=np.float32)
        with workers(executor) as pool:
            found = describe_tasks(pool, waiting, chosen, min_of_species)
            for task, vectors in bar(found, desc="lines of boxes"):
                features[task.rows] = vectors
        return {"features": features}

    if resume:
        key = _keys.of_boxes(laid.sample, laid.axes, laid.shape, laid.filled)
        key |= _keys.of_settings(chosen) | {"min_of_species": min_of_species}
        found = cached("boxes", {"code": fingerprint(__name__), **key}, find)
    else:
        found = find()
    share = filled_share(laid.sample, laid.axes, laid.shape, laid.filled)
    return Boxes(laid.shape, laid.axes, laid.n_atoms, laid.filled, found["features"], chosen, share)
