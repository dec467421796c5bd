"""The loop over pairs of neighbours, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor._engine.elements import BATCH, add_pairs, carry, first_elements
from arise_lib.descriptor._engine.grid import common_edges
from arise_lib.descriptor._engine.harmonics import recurrence
from arise_lib.storage.compiled import compiled
from arise_lib.structures.neighbours import begin_of, cell_list

_CELLS_PER_RADIUS = 2


@compiled
def accumulate(
    centres: NDArray[np.float64],
    centre_owner: NDArray[np.int64],
    images: NDArray[np.float64],
    image_owner: NDArray[np.int64],
    home: NDArray[np.bool_],
    same: bool,
    lengths: NDArray[np.float64],
    edges: NDArray[np.float64],
    borders: NDArray[np.float64],
    nodes: NDArray[np.float64],
    factors: NDArray[np.float64],
    columns: NDArray[np.int64],
    sums: NDArray[np.float64],
    touched: NDArray[np.bool_],
) -> None:  # pragma: no cover - compiled
    """Loop over all pairs of neighbours and add them to the sums on the radial grid.

    Where there are two scales, the sums are made once, on a grid that serves both,
    and then carried to the grid of each.

    Parameters
    ----------
    centres : ndarray of shape (n_centres, 3)
        Atoms of one species.
    centre_owner : ndarray of int, shape (n_centres,)
        Their numbers in the structure.
    images : ndarray of shape (n_images, 3)
        Atoms of the other species, or of the same, with their periodic images.
    image_owner, home : ndarray of shape (n_images,)
        From `arise_lib.structures.periodic_images`.
    same : bool
        Whether both are of one species: each pair then counts once.
    lengths : ndarray of shape (n_lengths,)
        One or two scales by which distances are divided, one set of sums each.
    edges, borders : ndarray
        Radial grid, from `grid.radial_table`.
    nodes, factors : ndarray
        `grid.NODES`, and what `node_factors` returns.
    columns : ndarray of int
        From `harmonic_columns`.
    sums : ndarray of shape (n_lengths, n_elements, n_columns, LANES)
        Added to in place; n_columns is a multiple of
        `elements.COLUMNS_AT_ONCE`.
    touched : ndarray of bool, shape (n_lengths, n_elements)
        Set where something is added.
    """
    own_edges = common_edges(edges, borders, lengths)
    if len(lengths) == 1:
        _loop(
            centres, centre_owner, images, image_owner, home, same, own_edges, factors, columns,
            sums[0], touched[0],
        )  # fmt: skip
        return
    common = np.zeros((len(own_edges) - 1, *sums.shape[2:]))
    met = np.zeros(len(own_edges) - 1, dtype=np.bool_)
    _loop(
        centres, centre_owner, images, image_owner, home, same, own_edges, factors, columns,
        common, met,
    )  # fmt: skip
    for s in range(len(lengths)):
        carry(common, met, own_edges, edges * lengths[s], nodes, factors, sums[s], touched[s])


@compiled
def _loop(
    centres: NDArray[np.float64],
    centre_owner: NDArray[np.int64],
    images: NDArray[np.float64],
    image_owner: NDArray[np.int64],
    home: NDArray[np.bool_],
    same: bool,
    edges: NDArray[np.float64],
    factors: NDArray[np.float64],
    columns: NDArray[np.int64],
    sums: NDArray[np.float64],
    touched: NDArray[np.bool_],
) -> None:  # pragma: no cover - compiled
    """Find the pairs within the outermost edge and hand them on in batches."""
    radius = edges[-1]
    order, start, listed, low, shape, size = cell_list(images, radius / _CELLS_PER_RADIUS)
    first, raising = first_elements(edges), recurrence(columns.shape[0] - 1)
    batch = np.zeros((5, BATCH))
    sorted_images = images[order]
    sorted_owner = image_owner[order]
    sorted_home = home[order]
    count = 0
    # Without images, each pair is met once if neighbours come after the centre in cell order.
    once = same and images.shape[0] == centres.shape[0]
    checked = same and not once
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
                begin = begin_of(column + z_from, start, listed)
                if once:
                    begin = max(begin, place + 1)
                for q in range(begin, begin_of(column + z_to + 1, start, listed)):
                    dx = sorted_images[q, 0] - x
                    dy = sorted_images[q, 1] - y
                    dz = sorted_images[q, 2] - z
                    square = dx * dx + dy * dy + dz * dz
                    taken, weight = square < radius * radius, 1.0
                    if checked:
                        own = sorted_owner[q] == centre_owner[i]
                        taken &= sorted_owner[q] >= centre_owner[i] and not (own and sorted_home[q])
                        weight = 0.5 if own else 1.0
                    # Written in any case and counted if taken: no branch to be guessed wrong.
                    batch[0, count], batch[1, count], batch[2, count] = dx, dy, dz
                    batch[3, count], batch[4, count] = square, weight
                    count += taken
                    if count == BATCH:
                        add_pairs(
                            count, batch, edges, first, factors, columns, raising, sums, touched
                        )
                        count = 0
    add_pairs(count, batch, edges, first, factors, columns, raising, sums, touched)
