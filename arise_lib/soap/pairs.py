"""The loop over pairs of atoms, compiled: spherical harmonics summed on a radial grid."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from arise_lib.soap.harmonics import fill_harmonics

#: Pairs whose spherical harmonics are evaluated together, in vector registers.
BATCH = 64

_CELLS_PER_RADIUS = 3


@njit(cache=True, nogil=True)
def _cell_list(
    images: NDArray[np.float64], size: float
) -> tuple[
    NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]
]:  # pragma: no cover - compiled
    """Sort points into cubic cells; returns order, start of each cell, origin, cells per axis."""
    n = images.shape[0]
    low = np.array([images[:, 0].min(), images[:, 1].min(), images[:, 2].min()])
    high = np.array([images[:, 0].max(), images[:, 1].max(), images[:, 2].max()])
    shape = np.empty(3, dtype=np.int64)
    for k in range(3):
        shape[k] = int((high[k] - low[k]) / size) + 1
    cell = np.empty(n, dtype=np.int64)
    start = np.zeros(shape[0] * shape[1] * shape[2] + 1, dtype=np.int64)
    for i in range(n):
        index = 0
        for k in range(3):
            index = index * shape[k] + min(int((images[i, k] - low[k]) / size), shape[k] - 1)
        cell[i] = index
        start[index + 1] += 1
    start = np.cumsum(start)
    filled = start[:-1].copy()
    order = np.empty(n, dtype=np.int64)
    for i in range(n):
        order[filled[cell[i]]] = i
        filled[cell[i]] += 1
    return order, start, low, shape


@njit(cache=True, nogil=True)
def _add_row(
    row: NDArray[np.float64], factor: float, line: NDArray[np.float64]
) -> None:  # pragma: no cover - compiled
    """Add a multiple of `line` to `row`: one row at a time is what the compiler vectorises."""
    for c in range(line.shape[0]):
        row[c] += factor * line[c]


@njit(cache=True, nogil=True)
def _flush(
    count: int,
    xyz: NDArray[np.float64],
    distances: NDArray[np.float64],
    weights: NDArray[np.float64],
    edges: NDArray[np.float64],
    first: NDArray[np.int64],
    columns: NDArray[np.int64],
    work: NDArray[np.float64],
    harmonics: NDArray[np.float64],
    line: NDArray[np.float64],
    lengths: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:  # pragma: no cover - compiled
    """Add a batch of pairs to the sums on the radial grid."""
    fill_harmonics(xyz, columns, work, harmonics)
    n_columns = sums.shape[2]
    bins_per_length = (first.shape[0] - 1) / edges[-1]
    last = edges.shape[0] - 2
    for p in range(count):
        for c in range(n_columns):
            line[c] = harmonics[c, p]
        for s in range(lengths.shape[0]):
            r = distances[p] / lengths[s]
            if r >= edges[-1]:
                continue
            e = first[min(int(r * bins_per_length), first.shape[0] - 1)]
            while e < last and r >= edges[e + 1]:
                e += 1
            while e > 0 and r < edges[e]:
                e -= 1
            t = (r - edges[e]) / (edges[e + 1] - edges[e])
            # Cubic Lagrange polynomials with nodes at 0, 1/3, 2/3, 1.
            u, v, w = t - 1.0 / 3.0, t - 2.0 / 3.0, t - 1.0
            w0 = -4.5 * u * v * w * weights[p]
            w1 = 13.5 * t * v * w * weights[p]
            w2 = -13.5 * t * u * w * weights[p]
            w3 = 4.5 * t * u * v * weights[p]
            row = 3 * e
            _add_row(sums[s, row], w0, line)
            _add_row(sums[s, row + 1], w1, line)
            _add_row(sums[s, row + 2], w2, line)
            _add_row(sums[s, row + 3], w3, line)


@njit(cache=True, nogil=True)
def accumulate(
    centres: NDArray[np.float64],
    centre_owner: NDArray[np.int64],
    images: NDArray[np.float64],
    image_owner: NDArray[np.int64],
    home: NDArray[np.bool_],
    same: bool,
    lengths: NDArray[np.float64],
    edges: NDArray[np.float64],
    first: NDArray[np.int64],
    columns: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:  # pragma: no cover - compiled
    """Loop over all pairs of neighbours and add them to the sums on the radial grid.

    Parameters
    ----------
    centres : ndarray of shape (n_centres, 3)
        Atoms of one species.
    centre_owner : ndarray of int, shape (n_centres,)
        Their numbers in the structure.
    images : ndarray of shape (n_images, 3)
        Atoms of the other species, or of the same, with their periodic images.
    image_owner, home : ndarray of shape (n_images,)
        From `arise_lib.scaling.periodic_images`.
    same : bool
        Whether both are of one species: each pair then counts once.
    lengths : ndarray of shape (n_lengths,)
        Scales by which distances are divided, one set of sums each.
    edges, first : ndarray
        Radial grid, from `arise_lib.soap.engine.radial_table`.
    columns : ndarray of int
        From `harmonic_columns`.
    sums : ndarray of shape (n_lengths, n_points, n_columns)
        Added to in place.
    """
    radius = edges[-1] * lengths.max()
    size = radius / _CELLS_PER_RADIUS
    order, start, low, shape = _cell_list(images, size)
    xyz = np.zeros((3, BATCH))
    distances, weights = np.zeros(BATCH), np.zeros(BATCH)
    work = np.zeros((5, BATCH))
    harmonics = np.zeros((sums.shape[2], BATCH))
    line = np.zeros(sums.shape[2])
    sorted_images = images[order]
    sorted_owner = image_owner[order]
    sorted_home = home[order]
    count = 0
    # Without images, each pair is met once if neighbours come after the centre in cell order.
    once = same and images.shape[0] == centres.shape[0]
    for place in range(centres.shape[0]):
        i = order[place] if once else place
        x, y, z = centres[i, 0], centres[i, 1], centres[i, 2]
        x_from = max(0, int(np.floor((x - radius - low[0]) / size)))
        x_to = min(shape[0] - 1, int(np.floor((x + radius - low[0]) / size)))
        for cx in range(x_from, x_to + 1):
            side = low[0] + cx * size
            gap_x = max(0.0, side - x, x - side - size)
            rest_x = radius * radius - gap_x * gap_x
            if rest_x < 0.0:
                continue
            span = np.sqrt(rest_x)
            y_from = max(0, int(np.floor((y - span - low[1]) / size)))
            y_to = min(shape[1] - 1, int(np.floor((y + span - low[1]) / size)))
            for cy in range(y_from, y_to + 1):
                side = low[1] + cy * size
                gap_y = max(0.0, side - y, y - side - size)
                rest = rest_x - gap_y * gap_y
                if rest < 0.0:
                    continue
                span = np.sqrt(rest)
                z_from = max(0, int(np.floor((z - span - low[2]) / size)))
                z_to = min(shape[2] - 1, int(np.floor((z + span - low[2]) / size)))
                if z_from > z_to:
                    continue
                column = (cx * shape[1] + cy) * shape[2]
                begin = start[column + z_from]
                if once:
                    begin = max(begin, place + 1)
                for q in range(begin, start[column + z_to + 1]):
                    dx = sorted_images[q, 0] - x
                    dy = sorted_images[q, 1] - y
                    dz = sorted_images[q, 2] - z
                    square = dx * dx + dy * dy + dz * dz
                    if square >= radius * radius:
                        continue
                    weight = 1.0
                    if same and not once:
                        if sorted_owner[q] < centre_owner[i]:
                            continue
                        if sorted_owner[q] == centre_owner[i]:
                            if sorted_home[q]:
                                continue
                            weight = 0.5
                    distance = np.sqrt(square)
                    xyz[0, count] = dx / distance
                    xyz[1, count] = dy / distance
                    xyz[2, count] = dz / distance
                    distances[count] = distance
                    weights[count] = weight
                    count += 1
                    if count == BATCH:
                        _flush(
                            count, xyz, distances, weights, edges, first,
                            columns, work, harmonics, line, lengths, sums,
                        )  # fmt: skip
                        count = 0
    _flush(
        count, xyz, distances, weights, edges, first, columns, work, harmonics, line, lengths, sums
    )
