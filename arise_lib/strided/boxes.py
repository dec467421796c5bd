"""The box that slides over a sample: its shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from arise_lib.errors import InputError


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

    @property
    def extents(self) -> NDArray[np.float64]:
        """Edges of the smallest block around it along x, y and z: by default those of a cube."""
        return np.full(3, self.extent)

    @abstractmethod
    def holds(self, offsets: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points lie in the box.

        Parameters
        ----------
        offsets : ndarray of shape (n_points, 3)
            From the middle of the box, at most half of `extents` along each axis.

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
class Block(Box):
    """A box with an edge of its own along each axis: flat for a sheet, long for a rod.

    Attributes
    ----------
    edges : tuple of float, length 3
        Along x, y and z, in the unit of the positions.

    Raises
    ------
    InputError
        If there are not three of them.

    Examples
    --------
    >>> import numpy as np
    >>> rod = Block((8.0, 8.0, 20.0))
    >>> rod.extent, rod.holds(np.array([[4.0, 0.0, 9.0], [9.0, 0.0, 0.0]])).tolist()
    (20.0, [True, False])
    """

    edges: tuple[float, float, float]

    def __post_init__(self) -> None:
        """Refuse other than three edges."""
        if np.shape(self.edges) != (3,):
            raise InputError(f"A block of edges {self.edges!r}: give three, along x, y and z.")

    @property
    def extent(self) -> float:
        """Longest edge."""
        return float(max(self.edges))

    @property
    def extents(self) -> NDArray[np.float64]:
        """The edges."""
        return np.array(self.edges, dtype=float)

    def holds(self, offsets: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points lie in the block; see `Box.holds`."""
        return np.all(np.abs(offsets) <= 0.5 * self.extents, axis=1)

    def __str__(self) -> str:
        """Return shape and size in words."""
        return f"box of edges {self.edges}"


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


def as_box(box: float | Box) -> Box:
    """Return a shape: of a number the cube of this edge.

    Parameters
    ----------
    box : float or Box
        What the user gave.

    Returns
    -------
    Box
        The shape.

    Raises
    ------
    InputError
        If it is neither.

    Examples
    --------
    >>> as_box(16.0), as_box(Sphere(8.0))
    (Cube(edge=16.0), Sphere(radius=8.0))
    """
    if isinstance(box, Box):
        return box
    if not isinstance(box, Real):
        raise InputError(
            f"box = {box!r} is no box; give the edge of a cube, or a shape: Block((x, y, z)), "
            "Sphere(radius), both in arise_lib.strided."
        )
    return Cube(float(box))
