"""The boxes of a scan in lines along one axis: neighbours in a line share most of their pairs.

A line is described as a whole (`arise_lib.descriptor.describe_windows`), which takes a fraction
of the time that its boxes take one by one. Described one by one are boxes that share less than
half with the next one, where that saves nothing, and boxes that are no blocks, whose atoms an
interval along the axis does not tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.descriptor import SoapSettings, describe, describe_windows
from arise_lib.storage.compiled import compiled
from arise_lib.strided.boxes import Block, Box, Cube
from arise_lib.strided.grid import atoms_in_boxes
from arise_lib.structures.pieces import MIN_ATOMS_OF_SPECIES, of_common_species

#: Boxes of a task that have nothing to do with each other: few messages for workers in other
#: processes.
_BOXES = 32

#: Tasks that are in work at a time.
_IN_WORK = 32


@dataclass(frozen=True, eq=False)
class Task:
    """Some boxes that a worker describes.

    Attributes
    ----------
    rows : ndarray of int, shape (n_boxes,)
        Their numbers among the filled boxes, z fastest.
    atoms : ase.Atoms
        Without periodicity: what the boxes hold together.
    first, last : ndarray of int, shape (n_atoms,)
        First and last of the windows, boxes in a line, in which each atom lies.
    wanted : ndarray of bool, shape (n_windows,)
        Which windows are the boxes.
    axis : int, optional
        Of the line. Without one the boxes have nothing to do with each other.
    """

    rows: NDArray[np.int64]
    atoms: Atoms
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    wanted: NDArray[np.bool_]
    axis: int | None = None


def tasks(
    sample: Atoms,
    axes: list[NDArray[np.float64]],
    box: Box,
    filled: NDArray[np.bool_],
    settings: SoapSettings,
) -> Iterator[Task]:
    """Divide the filled boxes of a scan into tasks.

    Parameters
    ----------
    sample : ase.Atoms
        Without periodicity, of a periodic one `with_images`.
    axes : list of three ndarray
        Box centres along x, y, z.
    box : Box
        Its shape.
    filled : ndarray of bool, shape (n_x, n_y, n_z)
        Which boxes are described.
    settings : SoapSettings
        Of the descriptor.

    Yields
    ------
    Task
        Lines along the axis with most boxes, or some boxes each. The division depends on
        the arguments alone, not on who does the work.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.strided import Cube, box_centres
    >>> rod = bulk("Cu", cubic=True) * (2, 2, 6)
    >>> rod.pbc = False
    >>> axes = box_centres(rod, Cube(7.0), 3.0, padding=0.0)
    >>> filled = np.ones([len(axis) for axis in axes], dtype=bool)
    >>> found = tasks(rod, axes, Cube(7.0), filled, SoapSettings())
    >>> [(task.axis, task.rows.tolist()) for task in found]
    [(2, [0, 1, 2, 3, 4, 5, 6])]
    """
    axis = max(range(3), key=lambda k: (len(axes[k]), k))
    overlaps = len(axes[axis]) > 1 and 2.0 * np.diff(axes[axis])[0] <= box.extents[axis]
    if overlaps and isinstance(box, Cube | Block) and settings.basis.even_elements:
        yield from _lines(sample, axes, box, filled, axis)
    else:
        boxes = atoms_in_boxes(sample.positions, axes, box)
        yield from one_by_one(
            Atoms(sample.numbers[held], sample.positions[held]) for at, held in boxes if filled[at]
        )


def _lines(
    sample: Atoms,
    axes: list[NDArray[np.float64]],
    box: Box,
    filled: NDArray[np.bool_],
    axis: int,
) -> Iterator[Task]:
    """Divide blocks into lines along an axis."""
    one, two = (k for k in range(3) if k != axis)
    half = 0.5 * box.extents
    number = np.full(filled.shape, -1)
    number[filled] = np.arange(np.count_nonzero(filled))
    number = np.moveaxis(number, axis, 2)
    # The comparisons of `atoms_in_boxes`, so the same atoms.
    for i, x in enumerate(axes[one]):
        layer = np.flatnonzero(np.abs(sample.positions[:, one] - x) <= half[one])
        for j, y in enumerate(axes[two]):
            wanted = number[i, j] >= 0
            if not wanted.any():
                continue
            line = layer[np.abs(sample.positions[layer, two] - y) <= half[two]]
            first, last = _windows_of(sample.positions[line, axis], axes[axis], half[axis])
            held = first <= last
            atoms = Atoms(sample.numbers[line[held]], sample.positions[line[held]])
            yield Task(number[i, j][wanted], atoms, first[held], last[held], wanted, axis)


@compiled
def _windows_of(
    places: NDArray[np.float64], centres: NDArray[np.float64], half: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the first and the last of the ascending windows that hold each place; closed ones."""
    first, last = np.empty(len(places), np.int64), np.empty(len(places), np.int64)
    for i in range(len(places)):
        low, high = 0, len(centres)
        while low < high:
            middle = (low + high) // 2
            if places[i] - centres[middle] <= half:
                high = middle
            else:
                low = middle + 1
        first[i] = low
        high = len(centres)
        while low < high:
            middle = (low + high) // 2
            if centres[middle] - places[i] <= half:
                low = middle + 1
            else:
                high = middle
        last[i] = low - 1
    return first, last


def one_by_one(clusters: Iterable[Atoms]) -> Iterator[Task]:
    """Make tasks of what boxes of any kind hold, of some of them each.

    Parameters
    ----------
    clusters : iterable of ase.Atoms
        What the boxes hold, in the order of their numbers.

    Yields
    ------
    Task
        Of at most 32 boxes.

    Examples
    --------
    >>> from ase import Atoms
    >>> [task.rows.tolist() for task in one_by_one([Atoms("H2"), Atoms(), Atoms("O")])]
    [[0, 1, 2]]
    """
    waiting, row = iter(clusters), 0
    while some := list(islice(waiting, _BOXES)):
        atoms = Atoms(
            np.concatenate([one.numbers for one in some]),
            np.concatenate([one.positions for one in some]),
        )
        window = np.repeat(np.arange(len(some)), [len(one) for one in some])
        rows = np.arange(row, row + len(some))
        yield Task(rows, atoms, window, window, np.ones(len(some), dtype=bool))
        row += len(some)


def describe_tasks(
    pool: Executor, waiting: Iterator[Task], settings: SoapSettings, min_of_species: int
) -> Iterator[tuple[Task, NDArray[np.float32]]]:
    """Describe the boxes of tasks, some of these in work at a time.

    Parameters
    ----------
    pool : concurrent.futures.Executor
        Where to compute.
    waiting : iterator of Task
        From `tasks`.
    settings : SoapSettings
        Of the network.
    min_of_species : int
        See `describe_box`.

    Yields
    ------
    task : Task
        In their order.
    features : ndarray of float32, shape (n_boxes, n_features)
        Of its boxes, as `describe_box` returns.
    """
    # No endless `repeat` beside the tasks: dask asks what it maps over for its length.
    job = partial(_describe, settings=settings, min_of_species=min_of_species)
    while some := list(islice(waiting, _IN_WORK)):
        yield from zip(some, pool.map(job, some), strict=True)


def describe_box(
    cluster: Atoms, settings: SoapSettings, min_of_species: int = MIN_ATOMS_OF_SPECIES
) -> NDArray[np.float64]:
    """Describe what one box holds.

    Parameters
    ----------
    cluster : ase.Atoms
        The atoms of the box, without periodicity.
    settings : SoapSettings
        Of the network.
    min_of_species : int
        Species with fewer atoms are left out.

    Returns
    -------
    ndarray of shape (n_features,)
        NaN if fewer than two atoms remain: one has no neighbours.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> from arise_lib.structures import prototypes, round_cluster
    >>> describe_box(round_cluster(prototypes.build("fcc"), 60), SoapSettings()).shape
    (316,)
    """
    counted = of_common_species(cluster.numbers, min_of_species)
    if np.count_nonzero(counted) < 2:
        return np.full(settings.n_features, np.nan)
    return describe(cluster[counted], settings)


def _describe(task: Task, settings: SoapSettings, min_of_species: int) -> NDArray[np.float32]:
    """Describe the boxes of a task."""
    windows = np.flatnonzero(task.wanted)
    alone = windows
    if task.axis is not None:
        features, left = describe_windows(
            task.atoms, task.axis, task.first, task.last, task.wanted, settings, min_of_species
        )
        alone = np.flatnonzero(left)
    else:
        features = np.empty((len(task.wanted), settings.n_features))
    for window in alone:
        here = task.atoms[(task.first <= window) & (window <= task.last)]
        features[window] = describe_box(here, settings, min_of_species)
    return features[windows].astype(np.float32)
