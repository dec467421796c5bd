"""The loop over pairs of neighbours, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor._engine.elements import (
    BATCH,
    Harmonics,
    Sums,
    add_pairs,
    carry,
    first_elements,
)
from arise_lib.descriptor._engine.grid import Grid, common_edges
from arise_lib.descriptor._engine.harmonics import recurrence
from arise_lib.storage.compiled import compiled
from arise_lib.structures.neighbours import begin_of, cell_list

_CELLS_PER_RADIUS = 2

#: The fields of a `Cloud`: numba takes a plain tuple from Python faster than a named one.
CloudFields = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]


class Cloud(NamedTuple):
    """Atoms of one species and their periodic images."""

    positions: NDArray[np.float64]  # (n, 3)
    owner: NDArray[np.int64]  # (n,) number of the atom in the structure that each is an image of
    home: NDArray[np.bool_]  # (n,) whether it is the atom itself


@compiled
def accumulate(
    centres: CloudFields,
    images: CloudFields,
    same: bool,
    lengths: NDArray[np.float64],
    grid: Grid,
    columns: NDArray[np.int64],
    values: NDArray[np.float64],
    touched: NDArray[np.bool_],
) -> None:
    """Loop over all pairs of neighbours and add them to the sums on the radial grid.

    Where there are two scales, the sums are made once, on a grid that serves both,
    and then carried to the grid of each.

    Parameters
    ----------
    centres : tuple of ndarray
        Atoms of one species, without images; the fields of a `Cloud`.
    images : tuple of ndarray
        Atoms of the other species, or of the same, with their images, from
        `arise_lib.structures.neighbours.periodic_images`.
    same : bool
        Whether both are of one species: each pair then counts once.
    lengths : ndarray of shape (n_lengths,)
        One or two scales by which distances are divided, one set of sums each.
    grid : Grid
        Radial grid in units of the scale.
    columns : ndarray of int
        From `harmonic_columns`.
    values : ndarray of shape (n_lengths, n_elements, n_columns, LANES)
        Added to in place; n_columns is a multiple of
        `elements.COLUMNS_AT_ONCE`.
    touched : ndarray of bool, shape (n_lengths, n_elements)
        Set where something is added.
    """
    ours, others = Cloud(*centres), Cloud(*images)
    harmonics = Harmonics(columns, recurrence(columns.shape[0] - 1))
    edges = common_edges(grid.edges, grid.borders, lengths)
    if len(lengths) == 1:
        _loop(ours, others, same, grid.factors, harmonics, Sums(edges, values[0], touched[0]))
        return
    n_elements = len(edges) - 1
    common = Sums(
        edges,
        np.zeros((n_elements, values.shape[2], values.shape[3])),
        np.zeros(n_elements, dtype=np.bool_),
    )
    _loop(ours, others, same, grid.factors, harmonics, common)
    for s in range(len(lengths)):
        carry(common, Sums(grid.edges * lengths[s], values[s], touched[s]), grid)


@compiled
def _gap(x: float, side: float, size: float) -> float:
    """Distance along one axis from `x` to the cell that begins at `side`; 0 inside."""
    return max(0.0, side - x, x - side - size)


@compiled
def _cells(x: float, span: float, low: float, size: float, n_cells: int) -> tuple[int, int]:
    """First and last cell of one axis that `x` - `span` to `x` + `span` meets."""
    first = max(0, int(np.floor((x - span - low) / size)))
    return first, min(n_cells - 1, int(np.floor((x + span - low) / size)))


@compiled
def _loop(
    centres: Cloud,
    images: Cloud,
    same: bool,
    factors: NDArray[np.float64],
    harmonics: Harmonics,
    sums: Sums,
) -> None:
    """Find the pairs within the outermost edge and hand them on in batches."""
    radius = sums.edges[-1]
    order, start, listed, low, shape, size = cell_list(images.positions, radius / _CELLS_PER_RADIUS)
    first = first_elements(sums.edges)
    batch = np.zeros((5, BATCH))
    positions, owner, home = images.positions[order], images.owner[order], images.home[order]
    count = 0
    # Without images, each pair is met once if neighbours come after the centre in cell order.
    once = same and len(images.positions) == len(centres.positions)
    checked = same and not once
    for place in range(len(centres.positions)):
        i = order[place] if once else place
        x, y, z = centres.positions[i, 0], centres.positions[i, 1], centres.positions[i, 2]
        x_from, x_to = _cells(x, radius, low[0], size, shape[0])
        for cx in range(x_from, x_to + 1):
            gap_x = _gap(x, low[0] + cx * size, size)
            rest_x = radius * radius - gap_x * gap_x
            if rest_x < 0.0:
                continue
            y_from, y_to = _cells(y, np.sqrt(rest_x), low[1], size, shape[1])
            for cy in range(y_from, y_to + 1):
                gap_y = _gap(y, low[1] + cy * size, size)
                rest = rest_x - gap_y * gap_y
                if rest < 0.0:
                    continue
                z_from, z_to = _cells(z, np.sqrt(rest), low[2], size, shape[2])
                if z_from > z_to:
                    continue
                column = (cx * shape[1] + cy) * shape[2]
                begin = begin_of(column + z_from, start, listed)
                if once:
                    begin = max(begin, place + 1)
                for q in range(begin, begin_of(column + z_to + 1, start, listed)):
                    dx = positions[q, 0] - x
                    dy = positions[q, 1] - y
                    dz = positions[q, 2] - z
                    square = dx * dx + dy * dy + dz * dz
                    taken, weight = square < radius * radius, 1.0
                    if checked:
                        own = owner[q] == centres.owner[i]
                        taken &= owner[q] >= centres.owner[i] and not (own and home[q])
                        weight = 0.5 if own else 1.0
                    # Written in any case and counted if taken: no branch to be guessed wrong.
                    batch[0, count], batch[1, count], batch[2, count] = dx, dy, dz
                    batch[3, count], batch[4, count] = square, weight
                    count += taken
                    if count == BATCH:
                        add_pairs(count, batch, first, factors, harmonics, sums)
                        count = 0
    add_pairs(count, batch, first, factors, harmonics, sums)
