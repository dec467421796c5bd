"""Sums of spherical harmonics on the elements of the radial grid, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor._engine.grid import Grid
from arise_lib.descriptor._engine.harmonics import fill_harmonics
from arise_lib.descriptor._engine.lanes import (
    LANES,
    divide,
    fma,
    load,
    multiply,
    splat,
    square_root,
    store,
    subtract,
)
from arise_lib.storage.compiled import compiled

#: Pairs that are sorted by element together: with some tens of elements, enough to share one.
BATCH = 512

#: Columns that are summed together in registers: 28 (even l up to 6) and 49 (all l) are multiples.
COLUMNS_AT_ONCE = 7

_BINS_PER_ELEMENT = 8  # so many that few hold an edge, at which the processor guesses wrong
_CHUNK = 32  # pairs whose harmonics stay in the fastest cache together


class Sums(NamedTuple):
    """Sums of harmonics on a radial grid, filled in place."""

    edges: NDArray[np.float64]  # (n_elements + 1,) in the unit of the positions
    values: NDArray[np.float64]  # (n_elements, n_columns, LANES); see `COLUMNS_AT_ONCE`
    touched: NDArray[np.bool_]  # (n_elements,) elements to which something was added


class Harmonics(NamedTuple):
    """What the spherical harmonics are computed with."""

    columns: NDArray[np.int64]  # from `harmonic_columns`
    raising: NDArray[np.float64]  # from `recurrence`


@compiled
def _sort_by_element(
    count: int,
    batch: NDArray[np.float64],
    edges: NDArray[np.float64],
    first: NDArray[np.int64],
    element: NDArray[np.int64],
    start: NDArray[np.int64],
    order: NDArray[np.int64],
) -> None:
    """Find the element of each pair's distance, and the order of the pairs by element."""
    n_elements = edges.shape[0] - 1
    bins_per_length = (first.shape[0] - 1) / edges[-1]
    start[:] = 0
    for p in range(count):
        r = batch[3, p]
        e = first[min(int(r * bins_per_length), first.shape[0] - 1)]
        while e < n_elements - 1 and r >= edges[e + 1]:
            e += 1
        while e > 0 and r < edges[e]:
            e -= 1
        element[p] = e
        start[e + 1] += 1
    for e in range(n_elements):
        start[e + 1] += start[e]
    for p in range(count):
        e = element[p]
        order[start[e]] = p
        start[e] += 1


@compiled
def add_run(
    begin: int,
    end: int,
    harmonics: NDArray[np.float64],
    nodes: NDArray[np.float64],
    place: int,
    n_columns: int,
    sums: NDArray[np.float64],
) -> None:
    """Add the pairs `begin` to `end`, which are of one element, to its sums.

    The sums of seven columns and eight nodes stay in registers from pair to pair.
    """
    for c in range(0, n_columns, COLUMNS_AT_ONCE):
        at = place + c * LANES
        s0, s1, s2 = load(sums, at), load(sums, at + LANES), load(sums, at + 2 * LANES)
        s3, s4 = load(sums, at + 3 * LANES), load(sums, at + 4 * LANES)
        s5, s6 = load(sums, at + 5 * LANES), load(sums, at + 6 * LANES)
        for p in range(begin, end):
            node = load(nodes, p * LANES)
            s0 = fma(splat(harmonics[c, p]), node, s0)
            s1 = fma(splat(harmonics[c + 1, p]), node, s1)
            s2 = fma(splat(harmonics[c + 2, p]), node, s2)
            s3 = fma(splat(harmonics[c + 3, p]), node, s3)
            s4 = fma(splat(harmonics[c + 4, p]), node, s4)
            s5 = fma(splat(harmonics[c + 5, p]), node, s5)
            s6 = fma(splat(harmonics[c + 6, p]), node, s6)
        store(sums, at, s0)
        store(sums, at + LANES, s1)
        store(sums, at + 2 * LANES, s2)
        store(sums, at + 3 * LANES, s3)
        store(sums, at + 4 * LANES, s4)
        store(sums, at + 5 * LANES, s5)
        store(sums, at + 6 * LANES, s6)


@compiled
def node_weights(
    t: float, weight: float, factors: NDArray[np.float64], out: NDArray[np.float64], position: int
) -> None:
    """Write the Lagrange polynomials of the eight nodes at place `t`, times `weight`."""
    place = splat(t)
    value = multiply(splat(weight), load(factors, (LANES - 1) * LANES))
    for k in range(LANES - 1):
        value = multiply(value, subtract(place, load(factors, k * LANES)))
    store(out, position, value)


@compiled
def add_pairs(
    count: int,
    batch: NDArray[np.float64],
    first: NDArray[np.int64],
    factors: NDArray[np.float64],
    harmonics: Harmonics,
    sums: Sums,
) -> None:
    """Add a batch of pairs to the sums on the radial grid.

    Parameters
    ----------
    count : int
        Number of pairs.
    batch : ndarray of shape (5, BATCH)
        Differences of the positions, square of the distance, weight. Differences and
        squares are replaced by unit vectors and distances.
    first : ndarray of int
        From `first_elements`.
    factors : ndarray
        From `grid.node_factors`.
    harmonics : Harmonics
        Which harmonics there are.
    sums : Sums
        Added to in place.
    """
    edges = sums.edges
    for p in range(0, count, LANES):
        distance = square_root(load(batch, 3 * BATCH + p))
        store(batch, 3 * BATCH + p, distance)
        for k in range(3):
            store(batch, k * BATCH + p, divide(load(batch, k * BATCH + p), distance))
    element, order = np.empty(BATCH, dtype=np.int64), np.empty(BATCH, dtype=np.int64)
    start = np.empty(edges.shape[0], dtype=np.int64)
    _sort_by_element(count, batch, edges, first, element, start, order)
    inverse = 1.0 / (edges[1:] - edges[:-1])
    n_columns = sums.values.shape[1]
    xyz = np.zeros((3, _CHUNK))
    xyz[2] = 1.0  # also where a chunk is not full
    nodes = np.zeros(_CHUNK * LANES)
    values = np.zeros((n_columns, _CHUNK))
    for low in range(0, count, _CHUNK):
        size = min(_CHUNK, count - low)
        for p in range(size):
            q = order[low + p]
            e, r = element[q], batch[3, q]
            xyz[0, p], xyz[1, p], xyz[2, p] = batch[0, q], batch[1, q], batch[2, q]
            t = (r - edges[e]) * inverse[e]
            node_weights(t, batch[4, q], factors, nodes, p * LANES)
        fill_harmonics(xyz, harmonics.columns, harmonics.raising, values)
        begin = 0
        while begin < size:
            e, end = element[order[low + begin]], begin + 1
            while end < size and element[order[low + end]] == e:
                end += 1
            place = e * n_columns * LANES
            add_run(begin, end, values, nodes, place, n_columns, sums.values)
            sums.touched[e] = True
            begin = end


@compiled
def first_elements(edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the element in which each of equal bins begins; eight bins per element."""
    n_bins = _BINS_PER_ELEMENT * (len(edges) - 1)
    first = np.empty(n_bins + 1, dtype=np.int64)
    e = 0
    for k in range(n_bins + 1):
        while e < len(edges) - 2 and edges[e + 1] <= edges[-1] * k / n_bins:
            e += 1
        first[k] = e
    return first


@compiled
def carry(source: Sums, target: Sums, grid: Grid) -> None:
    """Carry sums from one grid to another: each node counts as a pair at its distance.

    Parameters
    ----------
    source : Sums
        Sums to be carried.
    target : Sums
        Added to in place. Its edges are in the same unit; what lies beyond is left out.
    grid : Grid
        Nodes and their factors, which are the same on both.
    """
    n_columns = source.values.shape[1]
    weights = np.empty(LANES * LANES)
    found = np.empty(LANES, dtype=np.int64)
    edges, target_edges = source.edges, target.edges
    f = 0
    for e in range(len(edges) - 1):
        # Both grids have the ends of the other's support among their edges.
        if 0.5 * (edges[e] + edges[e + 1]) >= target_edges[-1]:
            break
        if not source.touched[e]:
            continue
        for k in range(LANES):
            r = edges[e] + grid.nodes[k] * (edges[e + 1] - edges[e])
            while f < len(target_edges) - 2 and r >= target_edges[f + 1]:
                f += 1
            t = (r - target_edges[f]) / (target_edges[f + 1] - target_edges[f])
            node_weights(t, 1.0, grid.factors, weights, k * LANES)
            found[k] = f
        begin = 0
        while begin < LANES:
            end = begin + 1
            while end < LANES and found[end] == found[begin]:
                end += 1
            place = found[begin] * n_columns * LANES
            add_run(begin, end, source.values[e], weights, place, n_columns, target.values)
            target.touched[found[begin]] = True
            begin = end
