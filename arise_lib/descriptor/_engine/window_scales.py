"""The scales of windows that slide along a line: what each window's atoms are divided by.

They are found from the same distances as `structures.scale` finds them for one piece, bit for
bit; an atom's nearest neighbours are looked for once for all windows in which it lies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arise_lib.storage.compiled import compiled
from arise_lib.structures.scale import _mode

# Where nearest atoms are looked for first, in edges of what an atom has for itself: of some 20
# atoms there, hardly ever none is of a common species. Where none is, they are looked for anew.
_NEAR = 1.6


class Rod(NamedTuple):
    """Atoms in ascending order along a line, and the windows in which each of them lies."""

    positions: NDArray[np.float64]  # (n_atoms, 3)
    along: NDArray[np.float64]  # (n_atoms,) coordinate along the line
    kind: NDArray[np.int64]  # (n_atoms,) species, numbered in alphabetical order
    first: NDArray[np.int64]  # (n_atoms,) first window
    last: NDArray[np.int64]  # (n_atoms,) last window


@compiled
def window_scales(
    rod: Rod, counts: NDArray[np.int64], rounding: float, left: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Find dNN of each ordered pair of species in each window; NaN where there is none.

    Windows in which two atoms coincide are noted in `left`.
    """
    n_windows, n_kinds = counts.shape
    scales = np.full((n_windows, n_kinds, n_kinds), np.nan)
    squares = _nearest_squares(rod, n_kinds)
    low, high = 0, 0
    distances = np.empty(len(rod.kind))
    for w in range(n_windows):
        while low < len(rod.kind) and rod.last[low] < w:
            low += 1
        while high < len(rod.kind) and rod.first[high] <= w:
            high += 1
        for a in range(n_kinds):
            for b in range(n_kinds):
                if counts[w, a] == 0 or counts[w, b] == 0 or counts[w, a] + counts[w, b] < 2:
                    continue
                count, nearest = 0, np.inf
                for i in range(low, high):
                    if rod.kind[i] != a:
                        continue
                    square = squares[i, b, w - rod.first[i]]
                    if square == np.inf:
                        square = _nearest_among(rod, i, b, low, high)
                    if square < np.inf:
                        distances[count] = np.sqrt(square)
                        nearest = min(nearest, distances[count])
                        count += 1
                if nearest <= rounding:
                    left[w] = True
                elif count > 0:
                    scales[w, a, b] = _mode(distances[:count])
    return scales


@compiled
def _nearest_squares(rod: Rod, n_kinds: int) -> NDArray[np.float64]:
    """Find the square of the distance to the nearest atom of each species in each window.

    Windows are counted from the atom's first one. Infinite where none is near.
    """
    n = len(rod.kind)
    width = (rod.last - rod.first).max() + 1
    squares = np.full((n, n_kinds, width), np.inf)
    edges = np.empty(3)
    for k in range(3):
        edges[k] = rod.positions[:, k].max() - rod.positions[:, k].min()
    edges = np.sort(edges)
    # Edge of the cube, square or interval that an atom has for itself: of a sheet its volume says
    # nothing. Of a bent piece neither; nearest atoms are then looked for one by one.
    own = max(edges[2] / n, (edges[1] * edges[2] / n) ** 0.5, (edges.prod() / n) ** (1.0 / 3.0))
    near = _NEAR * own
    for i in range(n):
        x, y, z = rod.positions[i]
        for j in range(i + 1, n):
            if rod.along[j] - rod.along[i] > near or rod.first[j] > rod.last[i]:
                break
            dx, dy, dz = rod.positions[j, 0] - x, rod.positions[j, 1] - y, rod.positions[j, 2] - z
            square = dx * dx + dy * dy + dz * dz
            if square <= near * near:
                for w in range(rod.first[j], min(rod.last[i], rod.last[j]) + 1):
                    of_i, of_j = w - rod.first[i], w - rod.first[j]
                    squares[i, rod.kind[j], of_i] = min(squares[i, rod.kind[j], of_i], square)
                    squares[j, rod.kind[i], of_j] = min(squares[j, rod.kind[i], of_j], square)
    return squares


@compiled
def _nearest_among(rod: Rod, i: int, kind: int, low: int, high: int) -> float:
    """Find the square of the distance of an atom to the nearest of a species among some."""
    best = np.inf
    for j in range(low, high):
        if rod.kind[j] == kind and j != i:
            dx = rod.positions[j, 0] - rod.positions[i, 0]
            dy = rod.positions[j, 1] - rod.positions[i, 1]
            dz = rod.positions[j, 2] - rod.positions[i, 2]
            best = min(best, dx * dx + dy * dy + dz * dz)
    return best
