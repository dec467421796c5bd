"""Pairs of atoms that come into windows which slide along a line, and go out of them.

A pair lies in all windows from one to another, in which both its atoms lie. It is found once,
and noted in two places: where it comes in and where it goes out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor._engine.elements import add_run, first_elements, node_weights
from arise_lib.descriptor._engine.harmonics import fill_harmonics
from arise_lib.descriptor._engine.lanes import LANES
from arise_lib.descriptor._engine.window_scales import Rod
from arise_lib.storage.compiled import compiled

#: Pairs that are sorted by window and element together.
_BATCH = 16384

_CHUNK = 32  # pairs whose harmonics stay in the fastest cache together

_CHUNK = 32  # pairs whose harmonics stay in the fastest cache together


class _Pairs(NamedTuple):
    """Room for some pairs of neighbours of two species."""

    vectors: NDArray[np.float64]  # (_BATCH, 4) unit vector, and place on the element from 0 to 1
    element: NDArray[np.int64]  # (_BATCH,)
    begin: NDArray[np.int64]  # (_BATCH,) first window that holds it
    end: NDArray[np.int64]  # (_BATCH,) window after the last one


class Changes(NamedTuple):
    """What is added to the sums from each window to the next, and how many pairs that are."""

    values: NDArray[np.float64]  # (n_windows, n_elements, n_columns, LANES)
    come: NDArray[np.int64]  # (n_windows, n_elements)
    gone: NDArray[np.int64]  # (n_windows, n_elements)


@compiled
def add_crossings(
    rod: Rod,
    a: int,
    b: int,
    edges: NDArray[np.float64],
    reaches: NDArray[np.float64],
    factors: NDArray[np.float64],
    columns: NDArray[np.int64],
    raising: NDArray[np.float64],
    changes: Changes,
) -> None:
    """Find the pairs of two species that a window holds and reaches, and hand them on in batches.

    `reaches` is the distance beyond which a pair contributes nothing, (n_windows,).
    """
    n, n_elements = len(rod.kind), len(edges) - 1
    starts = first_elements(edges)
    per_length = (len(starts) - 1) / edges[-1]
    # No window that holds an atom reaches farther: one odd scale shall not cost all the others.
    farthest = np.zeros(n)
    for i in range(n):
        for w in range(rod.first[i], rod.last[i] + 1):
            farthest[i] = max(farthest[i], reaches[w])
    pairs = _Pairs(
        np.empty((_BATCH, 4)),
        np.empty(_BATCH, dtype=np.int64),
        np.empty(_BATCH, dtype=np.int64),
        np.empty(_BATCH, dtype=np.int64),
    )
    count = 0
    for i in range(n):
        kind = rod.kind[i]
        if kind != a and kind != b:
            continue
        other, sign = (b, 1.0) if kind == a else (a, -1.0)
        x, y, z = rod.positions[i]
        for j in range(i + 1, n):
            if rod.along[j] - rod.along[i] >= farthest[i] or rod.first[j] > rod.last[i]:
                break
            dx, dy, dz = rod.positions[j, 0] - x, rod.positions[j, 1] - y, rod.positions[j, 2] - z
            square = dx * dx + dy * dy + dz * dz
            radius = min(farthest[i], farthest[j])
            # Atoms that coincide have no direction; their windows are left out.
            if rod.kind[j] != other or not 0.0 < square < radius * radius:
                continue
            r = np.sqrt(square)
            e = starts[min(int(r * per_length), len(starts) - 1)]
            while e < n_elements - 1 and r >= edges[e + 1]:
                e += 1
            while e > 0 and r < edges[e]:
                e -= 1
            scale = sign / r
            pairs.vectors[count, 0], pairs.vectors[count, 1] = scale * dx, scale * dy
            pairs.vectors[count, 2] = scale * dz
            pairs.vectors[count, 3] = (r - edges[e]) / (edges[e + 1] - edges[e])
            pairs.element[count], pairs.begin[count] = e, rod.first[j]
            pairs.end[count] = min(rod.last[i], rod.last[j]) + 1
            count += 1
            if count == _BATCH:
                _add_pairs(pairs, count, 1.0, columns, raising, factors, changes)
                _add_pairs(pairs, count, -1.0, columns, raising, factors, changes)
                count = 0
    _add_pairs(pairs, count, 1.0, columns, raising, factors, changes)
    _add_pairs(pairs, count, -1.0, columns, raising, factors, changes)


@compiled
def _add_pairs(
    pairs: _Pairs,
    count: int,
    weight: float,
    columns: NDArray[np.int64],
    raising: NDArray[np.float64],
    factors: NDArray[np.float64],
    changes: Changes,
) -> None:
    """Add pairs where they come in, with a weight of 1, or where they go out, of -1."""
    n_windows, n_elements, n_columns, _ = changes.values.shape
    come = weight > 0.0
    window, tally = (pairs.begin, changes.come) if come else (pairs.end, changes.gone)
    order, keys = _by_place(window[:count], pairs.element, n_windows, n_elements)
    for key in keys:
        tally[key // n_elements, key % n_elements] += 1
    sums = changes.values.reshape(-1)
    xyz = np.zeros((3, _CHUNK))
    xyz[2] = 1.0  # also where a chunk is not full
    nodes, values = np.zeros(_CHUNK * LANES), np.zeros((n_columns, _CHUNK))
    for low in range(0, len(order), _CHUNK):
        size = min(_CHUNK, len(order) - low)
        for p in range(size):
            vector = pairs.vectors[order[low + p]]
            xyz[0, p], xyz[1, p], xyz[2, p] = vector[0], vector[1], vector[2]
            node_weights(vector[3], weight, factors, nodes, p * LANES)
        fill_harmonics(xyz, columns, raising, values)
        begin = 0
        while begin < size:
            key, end = keys[low + begin], begin + 1
            while end < size and keys[low + end] == key:
                end += 1
            add_run(begin, end, values, nodes, key * n_columns * LANES, n_columns, sums)
            begin = end


@compiled
def _by_place(
    window: NDArray[np.int64], element: NDArray[np.int64], n_windows: int, n_elements: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort pairs by window and element; returns pairs, and the number of window and element.

    Pairs that stay until behind the last window are left out.
    """
    stop = np.zeros(n_windows * n_elements + 1, dtype=np.int64)
    for p in range(len(window)):
        if window[p] < n_windows:
            stop[window[p] * n_elements + element[p] + 1] += 1
    for k in range(n_windows * n_elements):
        stop[k + 1] += stop[k]
    order = np.empty(stop[-1], dtype=np.int64)
    keys = np.empty(stop[-1], dtype=np.int64)
    for p in range(len(window)):
        if window[p] < n_windows:
            key = window[p] * n_elements + element[p]
            order[stop[key]], keys[stop[key]] = p, key
            stop[key] += 1
    return order, keys
