"""How much of each box lies within the sample: boxes at a free surface hold part of a crystal."""

from __future__ import annotations

from itertools import product

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib.strided.boxes import Box

#: A place belongs to the sample if an atom is nearer than this, in spacings (the median distance of
#: nearest atoms). The widest holes of the crystals among the classes, those of diamond, are 1.0
#: away from the next atom.
REACH = 1.2

#: Places that are looked at along each edge of a box.
PLACES = 5

_LOT = 2000  # boxes


def filled_share(
    sample: Atoms, axes: list[NDArray[np.float64]], box: Box, chosen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Estimate which share of a box lies within the sample.

    Parameters
    ----------
    sample : ase.Atoms
        Without periodicity, of a periodic one `with_images`.
    axes : list of three ndarray
        Box centres along x, y, z.
    box : Box
        Its shape.
    chosen : ndarray of bool, shape (n_x, n_y, n_z)
        Boxes that are looked at.

    Returns
    -------
    ndarray of shape (n_x, n_y, n_z)
        From 0 to 1, in steps of a place; NaN for boxes that are not chosen. A box that reaches less
        than `REACH` spacings beyond the outermost atoms still counts as filled.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib.strided import Cube, box_centres
    >>> from arise_lib.strided.rim import filled_share
    >>> block = bulk("Cu", cubic=True) * 6
    >>> block.pbc = False
    >>> axes = [np.array([10.0, 21.0])] + [np.array([10.0])] * 2
    >>> filled_share(block, axes, Cube(10.0), np.ones((2, 1, 1), dtype=bool)).ravel().tolist()
    [1.0, 0.6]
    """
    share = np.full(chosen.shape, np.nan)
    tree = cKDTree(sample.positions)
    # Of a single atom the distance to the next is infinite, and it fills every box that holds it.
    spacing = float(np.median(tree.query(sample.positions, k=2)[0][:, 1]))
    steps = np.outer(box.extents, (np.arange(PLACES) + 0.5) / PLACES - 0.5)
    offsets = np.array(list(product(*steps)))
    offsets = offsets[box.holds(offsets)]
    centres = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)[chosen]
    found = np.empty(len(centres))
    for start in range(0, len(centres), _LOT):
        places = centres[start : start + _LOT, None] + offsets
        away = tree.query(places, distance_upper_bound=REACH * spacing, workers=-1)[0]
        found[start : start + _LOT] = np.isfinite(away).mean(axis=1)
    share[chosen] = found
    return share
