"""The box that slides over a sample: its shape, where it stands, and which atoms it holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.errors import InputError

#: Boxes of a grid, filled or not. The paper's finest grid, the Fe-Pt particle every ångström, has
#: 1.3 million.
MAX_BOXES = 2_000_000


class Box(ABC):
    """A shape that slides over a sample.

    Inherit from it for a shape of your own: how wide it is, and which points lie in it.

    Examples
    --------
    >>> import numpy as np
    >>> class Rod(Box):
    ...     @property
    ...     def extent(self):
    ...         return 20.0
    ...
    ...     def holds(self, offsets):
    ...         return np.hypot(offsets[:, 0], offsets[:, 1]) <= 5.0
    >>> Rod().holds(np.array([[0.0, 0.0, 9.0], [9.0, 0.0, 0.0]])).tolist()
    [True, False]
    """

    @property
    @abstractmethod
    def extent(self) -> float:
        """Edge of the cube around it, in the unit of the positions."""

    @abstractmethod
    def holds(self, offsets: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points lie in the box.

        Parameters
        ----------
        offsets : ndarray of shape (n_points, 3)
            From the middle of the box, at most half of its extent along each axis.

        Returns
        -------
        ndarray of bool, shape (n_points,)
            True for points inside and on the surface.
        """


@dataclass(frozen=True)
class Cube(Box):
    """A cube, its edges along x, y and z: the box of the paper.

    Attributes
    ----------
    edge : float
        In the unit of the positions.

    Examples
    --------
    >>> Cube(16.0).extent
    16.0
    """

    edge: float

    @property
    def extent(self) -> float:
        """Edge of the cube."""
        return self.edge

    def holds(self, offsets: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points lie in the cube; see `Box.holds`."""
        return np.all(np.abs(offsets) <= 0.5 * self.edge, axis=1)

    def __str__(self) -> str:
        """Return shape and size in words."""
        return f"box of edge {self.edge}"


@dataclass(frozen=True)
class Sphere(Box):
    """A sphere, which sees a crystal alike however it is turned.

    Attributes
    ----------
    radius : float
        In the unit of the positions.

    Examples
    --------
    >>> import numpy as np
    >>> Sphere(8.0).extent, Sphere(8.0).holds(np.array([[7.0, 7.0, 0.0]])).tolist()
    (16.0, [False])
    """

    radius: float

    @property
    def extent(self) -> float:
        """Diameter of the sphere."""
        return 2.0 * self.radius

    def holds(self, offsets: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points lie in the sphere; see `Box.holds`."""
        return np.linalg.norm(offsets, axis=1) <= self.radius

    def __str__(self) -> str:
        """Return shape and size in words."""
        return f"sphere of radius {self.radius}"


def box_centres(
    positions: NDArray[np.float64], box: Box, stride: float, padding: float
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
    box : Box
        Its shape.
    stride : float
        Distance of neighbouring boxes, in the unit of the positions.
    padding : float
        In boxes.

    Returns
    -------
    list of three ndarray
        Centres along x, y and z.

    Raises
    ------
    InputError
        If box or stride are not positive, padding is negative, one of them is not
        finite, or if they make more than `MAX_BOXES` boxes.

    Notes
    -----
    For the samples of the paper this gives its numbers of boxes exactly: 7,968
    for the four grains, 43,679 for the FePt particle.

    Examples
    --------
    >>> import numpy as np
    >>> x, y, z = box_centres(np.array([[0.0, 0, 0], [10, 3, 0]]), Cube(4.0), 3.0, padding=0.0)
    >>> x.tolist(), y.tolist(), z.tolist()
    ([0.5, 3.5, 6.5, 9.5], [1.5], [0.0])
    """
    width = box.extent
    if not (np.isfinite([width, stride, padding]).all() and min(width, stride) > 0 <= padding):
        raise InputError(
            f"A {box}, stride = {stride}, padding = {padding}: box and stride must be "
            "positive, padding not negative, all of them finite."
        )
    lows, extents = positions.min(axis=0), np.ptp(positions, axis=0)
    lengths = extents + 2.0 * padding * width
    # As floating-point numbers: a tiny stride makes more boxes than an integer can count.
    with np.errstate(over="ignore"):
        numbers = np.maximum(
            np.floor(lengths / stride) + 1.0, np.ceil((lengths - width) / stride) + 1.0
        )
        numbers[extents <= width] = 1.0
        n_boxes = float(np.prod(numbers))
    if n_boxes > MAX_BOXES:
        raise InputError(
            f"A stride of {stride} makes {n_boxes:,.0f} boxes; at most {MAX_BOXES:,} are allowed. "
            "Take a larger stride (is it in the unit of the positions?) or scan in parts."
        )
    axes = []
    for low, extent, length, n in zip(lows, extents, lengths, numbers, strict=True):
        if extent <= width:
            axes.append(np.array([low + 0.5 * extent]))
            continue
        overhang = (n - 1) * stride + width - length
        start = low - padding * width - 0.5 * overhang
        axes.append(start + 0.5 * width + stride * np.arange(int(n)))
    return axes


def atoms_in_boxes(
    positions: NDArray[np.float64], axes: list[NDArray[np.float64]], box: Box
) -> Iterator[tuple[tuple[int, int, int], NDArray[np.int64]]]:
    """List the atoms of every box that holds any; boxes are closed on all sides.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the sample.
    axes : list of three ndarray
        Box centres along x, y, z.
    box : Box
        Its shape.

    Yields
    ------
    where : tuple of int
        Index of the box along x, y and z; z runs fastest.
    members : ndarray of int
        Its atoms, ascending.

    Examples
    --------
    >>> import numpy as np
    >>> positions = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    >>> axes = [np.array([0.0, 4.0]), np.zeros(1), np.zeros(1)]
    >>> {where: atoms.tolist() for where, atoms in atoms_in_boxes(positions, axes, Cube(4.0))}
    {(0, 0, 0): [0, 1], (1, 0, 0): [1, 2]}
    """
    half = 0.5 * box.extent
    in_x, in_y = (
        [np.flatnonzero(np.abs(positions[:, k] - centre) <= half) for centre in axes[k]]
        for k in range(2)
    )
    for ix, x in enumerate(axes[0]):
        for iy, y in enumerate(axes[1]):
            column = np.intersect1d(in_x[ix], in_y[iy], assume_unique=True)
            if column.size == 0:
                continue
            heights = positions[column, 2]
            for iz, z in enumerate(axes[2]):
                around = column[np.abs(heights - z) <= half]
                here = around[box.holds(positions[around] - (x, y, z))]
                if here.size:
                    yield (ix, iy, iz), here


def count_atoms(
    positions: NDArray[np.float64], axes: list[NDArray[np.float64]], box: Box
) -> NDArray[np.int64]:
    """Count the atoms of every box.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the sample.
    axes : list of three ndarray
        Box centres along x, y, z.
    box : Box
        Its shape.

    Returns
    -------
    ndarray of int, shape (n_x, n_y, n_z)
        0 for empty boxes.

    Examples
    --------
    >>> import numpy as np
    >>> axes = [np.array([0.0, 4.0, 8.0]), np.zeros(1), np.zeros(1)]
    >>> count_atoms(np.array([[2.0, 0.0, 0.0]]), axes, Cube(4.0)).ravel().tolist()
    [1, 1, 0]
    """
    counts = np.zeros([len(axis) for axis in axes], dtype=np.int64)
    for where, members in atoms_in_boxes(positions, axes, box):
        counts[where] = members.size
    return counts


def filled_boxes(
    atoms: Atoms, axes: list[NDArray[np.float64]], box: Box, min_atoms: int
) -> Iterator[Atoms]:
    """Cut out what the boxes hold, each as a free cluster.

    Parameters
    ----------
    atoms : ase.Atoms
        The sample; its periodicity is not used.
    axes : list of three ndarray
        Box centres along x, y, z.
    box : Box
        Its shape.
    min_atoms : int
        Boxes with fewer atoms, and empty ones, are left out.

    Yields
    ------
    ase.Atoms
        Species and positions; z runs fastest.

    Examples
    --------
    >>> from ase.build import bulk
    >>> sample = bulk("Cu", cubic=True) * 6
    >>> axes = box_centres(sample.positions, Sphere(5.0), stride=5.0, padding=0.0)
    >>> min(len(cluster) for cluster in filled_boxes(sample, axes, Sphere(5.0), 40)) >= 40
    True
    """
    for _, members in atoms_in_boxes(atoms.positions, axes, box):
        if members.size >= min_atoms:
            yield Atoms(atoms.numbers[members], atoms.positions[members])
