"""Cell lists: points sorted into cubes, so that neighbours are found without a search; compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def cell_list(
    points: NDArray[np.float64], size: float
) -> tuple[
    NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]
]:  # pragma: no cover - compiled
    """Sort points into cubic cells.

    Parameters
    ----------
    points : ndarray of shape (n_points, 3)
        At least one.
    size : float
        Edge of a cell.

    Returns
    -------
    order : ndarray of int, shape (n_points,)
        Points cell by cell, the last axis fastest.
    start : ndarray of int, shape (n_cells + 1,)
        Where each cell begins in `order`.
    low : ndarray of shape (3,)
        Corner of the first cell.
    shape : ndarray of int, shape (3,)
        Cells along each axis.
    """
    n = points.shape[0]
    low, high = points[0].copy(), points[0].copy()
    for i in range(n):
        for k in range(3):
            low[k] = min(low[k], points[i, k])
            high[k] = max(high[k], points[i, k])
    shape = np.empty(3, dtype=np.int64)
    for k in range(3):
        shape[k] = int((high[k] - low[k]) / size) + 1
    cell = np.empty(n, dtype=np.int64)
    start = np.zeros(shape[0] * shape[1] * shape[2] + 1, dtype=np.int64)
    for i in range(n):
        index = 0
        for k in range(3):
            index = index * shape[k] + min(int((points[i, k] - low[k]) / size), shape[k] - 1)
        cell[i] = index
        start[index + 1] += 1
    for k in range(len(start) - 1):
        start[k + 1] += start[k]
    filled = start[:-1].copy()
    order = np.empty(n, dtype=np.int64)
    for i in range(n):
        order[filled[cell[i]]] = i
        filled[cell[i]] += 1
    return order, start, low, shape
