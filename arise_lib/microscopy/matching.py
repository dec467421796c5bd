"""How well atoms were found: each true one is matched with at most one that was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from arise_lib.errors import InputError

#: Farther than this from each other, in Å, atoms are not the same: less than half a bond of
#: graphene.
RADIUS = 0.5


@dataclass(frozen=True, eq=False)
class Match:
    """Pairs of a true and a found atom, and what follows from them.

    Attributes
    ----------
    true, found : ndarray of int, shape (n_pairs,)
        Which atoms are pairs.
    displacements : ndarray of shape (n_pairs, 2)
        Found less true, in pm.
    n_true, n_found : int
        Numbers of atoms.

    Examples
    --------
    >>> import numpy as np
    >>> pairs = match(np.array([[0.0, 0.1]]), np.array([[0.0, 0.0], [5.0, 0.0]]))
    >>> pairs.recall, pairs.precision, round(pairs.error, 6)
    (0.5, 1.0, 10.0)
    """

    true: NDArray[np.int64]
    found: NDArray[np.int64]
    displacements: NDArray[np.float64]
    n_true: int
    n_found: int

    @property
    def recall(self) -> float:
        """Share of the true atoms that were found, from 0 to 1; NaN if there is none."""
        return len(self.true) / self.n_true if self.n_true else float("nan")

    @property
    def precision(self) -> float:
        """Share of the found atoms that are true, from 0 to 1; NaN if there is none."""
        return len(self.found) / self.n_found if self.n_found else float("nan")

    @property
    def error(self) -> float:
        """Root mean square distance of the pairs in pm; NaN if there is none."""
        if not len(self.true):
            return float("nan")
        return float(np.sqrt((self.displacements**2).sum(axis=1).mean()))


def match(
    found: NDArray[np.float64],
    true: NDArray[np.float64],
    *,
    pixel: float = 1.0,
    radius: float = RADIUS,
) -> Match:
    """Match found atoms with true ones, one to one, so that as many as possible are pairs.

    Of all ways to make the most pairs, the one with the least sum of squared distances is
    taken (the assignment problem, solved group by group).

    Parameters
    ----------
    found, true : ndarray of shape (n_atoms, 2)
        Positions, in units of `pixel`.
    pixel : float
        That unit in Å.
    radius : float
        Largest distance of a pair in Å.

    Returns
    -------
    Match
        Pairs, recall, precision, and error of the positions.

    Raises
    ------
    InputError
        If pixel or radius are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> true = np.array([[0.0, 0.0], [3.0, 0.0]])
    >>> match(true + 0.03, true).recall
    1.0
    """
    if not (pixel > 0 and radius > 0):
        raise InputError(f"Pixel {pixel!r} and radius {radius!r} have to be positive.")
    first = pixel * np.asarray(found, dtype=float).reshape(-1, 2)
    second = pixel * np.asarray(true, dtype=float).reshape(-1, 2)
    pairs: list[tuple[int, int]] = []
    if len(first) and len(second):
        near = cKDTree(first).sparse_distance_matrix(
            cKDTree(second), radius, output_type="coo_matrix"
        )
        rows, columns = near.row, near.col + len(first)
        n = len(first) + len(second)
        links = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(n, n))
        group = connected_components(links, directed=False)[1]
        used = np.unique(group[rows])
        order = np.argsort(group, kind="stable")
        bounds = np.searchsorted(group[order], [used, used + 1]).T
        for begin, end in bounds:
            members = order[begin:end]
            pairs += _assigned(first, second, members, len(first), radius)
    found_of, true_of = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    displacements = 100.0 * (first[found_of] - second[true_of])
    return Match(true_of, found_of, displacements, len(second), len(first))


def _assigned(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    members: NDArray[np.int64],
    n_first: int,
    radius: float,
) -> list[tuple[int, int]]:
    """Best pairs within a group of atoms that are linked."""
    here, there = members[members < n_first], members[members >= n_first] - n_first
    distance = np.linalg.norm(first[here][:, None] - second[there][None], axis=2)
    # No pair that is too far is worth two that are near.
    far = 1e3 * radius**2 * len(members)
    rows, columns = linear_sum_assignment(np.where(distance <= radius, distance**2, far))
    return [
        (int(here[i]), int(there[j]))
        for i, j in zip(rows, columns, strict=True)
        if distance[i, j] <= radius
    ]
