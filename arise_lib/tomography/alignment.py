"""Particles of a series, turned onto each other by coherent point drift."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from arise_lib.errors import InputError

#: Atoms of each particle that are aligned; time and memory grow with the product of both.
N_POINTS = 1500


@dataclass(frozen=True, eq=False)
class Alignment:
    """A rotation and a shift that take one particle onto another.

    Attributes
    ----------
    rotation : ndarray of shape (3, 3)
        Applied to column vectors.
    shift : ndarray of shape (3,)
        Applied afterwards, in the unit of the positions.

    Examples
    --------
    >>> import numpy as np
    >>> turned = Alignment(np.eye(3), np.array([1.0, 0.0, 0.0]))
    >>> turned.apply(np.zeros((1, 3))).tolist(), turned.angle
    ([[1.0, 0.0, 0.0]], 0.0)
    """

    rotation: NDArray[np.float64]
    shift: NDArray[np.float64]

    @property
    def angle(self) -> float:
        """Angle of the rotation about its axis, in degrees."""
        return float(np.degrees(Rotation.from_matrix(self.rotation).magnitude()))

    @property
    def euler(self) -> NDArray[np.float64]:
        """Angles about the fixed axes x, y and z, in this order, in degrees."""
        return Rotation.from_matrix(self.rotation).as_euler("xyz", degrees=True)

    def apply(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn and shift positions of shape (n_atoms, 3)."""
        return positions @ self.rotation.T + self.shift


def align(
    moving: NDArray[np.float64],
    fixed: NDArray[np.float64],
    *,
    n_points: int = N_POINTS,
    iterations: int = 200,
    seed: int = 0,
) -> Alignment:
    """Align one particle with another by rigid coherent point drift.

    Parameters
    ----------
    moving, fixed : ndarray of shape (n_atoms, 3)
        Atoms of both, in one unit; their numbers may differ.
    n_points : int
        Atoms of each that are used, drawn at random where there are more.
    iterations : int
        At most so many steps.
    seed : int
        Seed of the draw.

    Returns
    -------
    Alignment
        Takes `moving` onto `fixed`. The change of size that the drift fits as well is dropped.

    Raises
    ------
    InputError
        If either has fewer than four atoms, or positions that are not finite.

    References
    ----------
    .. [1] A. Myronenko, X. Song, IEEE Trans. Pattern Anal. Mach. Intell. 32, 2262 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.spatial.transform import Rotation
    >>> points = np.random.default_rng(0).normal(size=(60, 3)) * [3.0, 2.0, 1.0]
    >>> turn = Rotation.from_euler("z", 8, degrees=True)
    >>> align(turn.apply(points), points).euler.round(1).tolist()[2]
    -8.0
    """
    with warnings.catch_warnings():
        # The package compares numbers by identity, of which Python warns when it compiles it.
        warnings.simplefilter("ignore", SyntaxWarning)
        from pycpd import RigidRegistration
    generator = np.random.default_rng(seed)
    clouds = []
    for name, points in (("moving", moving), ("fixed", fixed)):
        points = np.asarray(points, dtype=float)
        if len(points) < 4 or not np.isfinite(points).all():
            raise InputError(
                f"The {name} particle has {len(points)} atoms; at least 4 with finite positions "
                "are needed."
            )
        if len(points) > n_points:
            points = points[np.sort(generator.choice(len(points), n_points, replace=False))]
        clouds.append(points)
    # Middles go onto each other; the drift turns one cloud about them.
    middles = [np.mean(points, axis=0) for points in (moving, fixed)]
    y, x = (points - middle for points, middle in zip(clouds, middles, strict=True))
    drift = RigidRegistration(X=x, Y=y, max_iterations=iterations, tolerance=1e-6)
    drift.register()
    rotation = np.asarray(drift.R, dtype=float).T
    return Alignment(rotation, middles[1] - rotation @ middles[0])
