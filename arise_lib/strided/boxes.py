"""Where the boxes of a scan stand, and which atoms each one holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: A species with fewer atoms than this in a box is left out of it.
MIN_ATOMS_OF_SPECIES = 3

#: Five times the paper's finest grid; 108 probabilities for each box then take 4 GB.
MAX_BOXES = 5_000_000


def box_centres(
    positions: NDArray[np.float64], box: float, stride: float, padding: float
) -> list[NDArray[np.float64]]:
    """Lay the grid of box centres over a sample.

    Per axis the boxes cover the extent of the sample and `padding` boxes more on
    either side. They start every `stride`, the first one moved outwards by half
    of what the last one overhangs. An axis along which the sample fits into one
    box gets one, in its middle.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the sample.
    box, stride : float
        Edge of the cubic box and distance of neighbouring boxes, in the unit of
        the positions.
    padding : float
        In boxes.

    Returns
    -------
    list of three ndarray
        Centres along x, y and z.

    Notes
    -----
    For the samples of the paper this gives its numbers of boxes exactly: 7,968
    for the four grains, 43,679 for the FePt particle.
    """
    axes = []
    for coordinates in positions.T:
        low, extent = coordinates.min(), float(np.ptp(coordinates))
        if extent <= box:
            axes.append(np.array([low + 0.5 * extent]))
            continue
        length = extent + 2.0 * padding * box
        n = int(np.floor(length / stride)) + 1
        n = max(n, int(np.ceil((length - box) / stride)) + 1)
        overhang = (n - 1) * stride + box - length
        start = low - padding * box - 0.5 * overhang
        axes.append(start + 0.5 * box + stride * np.arange(n))
    return axes


def atoms_in_boxes(
    positions: NDArray[np.float64], axes: list[NDArray[np.float64]], box: float
) -> dict[tuple[int, int, int], NDArray[np.int64]]:
    """List the atoms of every box that holds any; boxes are closed on all sides.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the sample.
    axes : list of three ndarray
        Box centres along x, y, z.
    box : float
        Edge of the box.

    Returns
    -------
    dict of (ix, iy, iz) to ndarray of int
        Atom numbers, ascending.
    """
    inside = [
        [np.flatnonzero(np.abs(positions[:, k] - centre) <= 0.5 * box) for centre in axes[k]]
        for k in range(3)
    ]
    found = {}
    for ix, in_x in enumerate(inside[0]):
        for iy, in_y in enumerate(inside[1]):
            column = np.intersect1d(in_x, in_y, assume_unique=True)
            heights = positions[column, 2]
            for iz, centre in enumerate(axes[2]):
                here = column[np.abs(heights - centre) <= 0.5 * box]
                if here.size:
                    found[ix, iy, iz] = here
    return found
