"""A region of space filled with a crystal in a given orientation."""

from __future__ import annotations

from itertools import product

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from arise_lib.errors import InputError


def fill_box(
    cell: Atoms,
    low: ArrayLike,
    high: ArrayLike,
    turn: NDArray[np.float64] | None = None,
    origin: ArrayLike = (0.0, 0.0, 0.0),
) -> Atoms:
    """Fill a box with a crystal that is turned and moved.

    Only lattice points near the box are visited, whatever its shape: a flat slab
    costs what it holds.

    Parameters
    ----------
    cell : ase.Atoms
        Periodic in three directions.
    low, high : array_like of shape (3,)
        Corners of the box, in the unit of the cell; it is closed on all sides.
    turn : ndarray of shape (3, 3), optional
        Rotation of the crystal.
    origin : array_like of shape (3,)
        Where the corner of the crystal's first cell comes to lie.

    Returns
    -------
    ase.Atoms
        A free cluster, cell by cell.

    Raises
    ------
    InputError
        If the crystal is not periodic in three directions, or the box has no volume.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures.filling import fill_box
    >>> polonium = bulk("Po", "sc", a=1.0)
    >>> len(fill_box(polonium, (0, 0, 0), (2, 2, 1)))
    18
    """
    first, last = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    if not cell.pbc.all() or not (np.isfinite([first, last]).all() and (first < last).all()):
        raise InputError(
            f"A box from {first.tolist()} to {last.tolist()} cannot be filled with a crystal of "
            f"periodicity {cell.pbc.tolist()}; give a box that has a volume, and a crystal that is "
            "periodic in three directions."
        )
    rotation = np.eye(3) if turn is None else np.asarray(turn, dtype=float)
    vectors = cell.cell.array @ rotation.T
    basis = cell.positions @ rotation.T + np.asarray(origin, dtype=float)
    # A lattice point counts if the middle of its cell's atoms is so near that one may be inside.
    middle = basis.mean(axis=0)
    reach = np.linalg.norm(basis - middle, axis=1).max() + 1e-6 * np.abs(last - first).max()
    points = _lattice_points(vectors, first - reach - middle, last + reach - middle)
    positions = (points[:, None] + basis).reshape(-1, 3)
    numbers = np.tile(cell.numbers, len(points))
    # What lies on a face must not depend on rounding.
    slack = 1e-9 * np.abs(last - first).max()
    inside = np.all((positions >= first - slack) & (positions <= last + slack), axis=1)
    return Atoms(numbers[inside], positions[inside])


def _lattice_points(
    vectors: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """List the points of a lattice in a box, row by row along the third vector."""
    corners = np.array(list(product(*zip(low, high, strict=True)))) @ np.linalg.inv(vectors)
    first, last = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    i, j = (np.arange(first[k], last[k] + 1.0) for k in range(2))
    starts = (np.stack(np.meshgrid(i, j, indexing="ij"), axis=-1) @ vectors[:2]).reshape(-1, 3)
    # Where each row enters the box and leaves it, in steps; a row may run along a face.
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.sort([(low - starts) / vectors[2], (high - starts) / vectors[2]], axis=0)
    along = np.abs(vectors[2]) > 1e-12 * np.abs(vectors).max()
    passes = np.all(along | ((starts >= low) & (starts <= high)), axis=1)
    enter = np.ceil(np.where(along, ends[0], -np.inf).max(axis=1))
    count = np.floor(np.where(along, ends[1], np.inf).min(axis=1)) - enter + 1.0
    count = np.where(passes, np.maximum(count, 0.0), 0.0).astype(np.int64)
    row = np.repeat(np.arange(len(starts)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return starts[row] + (enter[row] + step)[:, None] * vectors[2]
