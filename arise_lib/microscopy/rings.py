"""Rings of bonds in a flat network: pentagons, hexagons, heptagons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, QhullError, cKDTree

from arise_lib.errors import InputError

#: Two atoms are bonded if nearer than this, in median nearest-neighbour distances.
BONDED = 1.35


def rings(
    positions: NDArray[np.float64], *, bonded: float = BONDED
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the rings of a flat network.

    Atoms are joined to triangles (Delaunay); triangles that share a side which is no
    bond belong to one ring.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 2)
        In any unit.
    bonded : float
        Longest bond, in median nearest-neighbour distances.

    Returns
    -------
    middles : ndarray of shape (n_rings, 2)
        Mean of the atoms of each ring that is closed within the positions.
    sizes : ndarray of int, shape (n_rings,)
        Numbers of bonds around it.

    Raises
    ------
    InputError
        If there are fewer than four atoms, or all are on one line.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.microscopy.scenes import sheet
    >>> sizes = rings(sheet("graphene", 20.0, seed=0).positions[:, :2])[1]
    >>> np.unique(sizes).tolist()
    [6]
    """
    points = np.asarray(positions, dtype=float)
    if len(points) < 4:
        raise InputError(f"{len(points)} atoms make no ring; at least four are needed.")
    longest = bonded * float(np.median(cKDTree(points).query(points, k=2)[0][:, 1]))
    try:
        mesh = Delaunay(points)
    except QhullError as error:
        raise InputError(
            f"{len(points)} atoms on one line make no ring; check that the positions are those of "
            "a flat network, x and y."
        ) from error
    corners, beyond = mesh.simplices, mesh.neighbors
    # Side k of a triangle is opposite to its corner k.
    sides = np.stack([points[corners[:, (k + 1) % 3]] - points[corners[:, (k + 2) % 3]]
                      for k in range(3)], axis=1)  # fmt: skip
    bond = np.linalg.norm(sides, axis=2) <= longest
    n = len(corners)
    triangle, side = np.nonzero(~bond & (beyond >= 0))
    links = coo_matrix((np.ones(len(triangle)), (triangle, beyond[triangle, side])), shape=(n, n))
    ring = connected_components(links, directed=False)[1]
    n_rings = int(ring.max()) + 1
    # A bond that ends within a ring has the ring on both sides and is none of its bonds.
    outer = bond & (ring[beyond] != ring[:, None])
    sizes = np.bincount(ring, outer.sum(axis=1), minlength=n_rings).astype(np.int64)
    is_open = np.bincount(ring, (beyond < 0).any(axis=1), minlength=n_rings) > 0
    members = np.unique(np.column_stack([np.repeat(ring, 3), corners.ravel()]), axis=0)
    counts = np.bincount(members[:, 0], minlength=n_rings)
    middles = np.column_stack(
        [np.bincount(members[:, 0], points[members[:, 1], k], n_rings) / counts for k in range(2)]
    )
    closed = ~is_open & (sizes >= 3)
    return middles[closed], sizes[closed]
