"""Particles of a series, turned onto each other by their lattices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from arise_lib.errors import InputError
from arise_lib.tomography.lattice import fit_lattice


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


def align(moving: NDArray[np.float64], fixed: NDArray[np.float64]) -> Alignment:
    """Turn one particle so that its lattice runs as that of another.

    The paper aligns by coherent point drift, which goes by the shape; that of a round
    particle hardly tells how it is turned, and angles of 3 to 10 degrees are left. The
    lattice tells it to a few hundredths of a degree.

    Parameters
    ----------
    moving, fixed : ndarray of shape (n_atoms, 3)
        Atoms of both, in one unit; their numbers may differ.

    Returns
    -------
    Alignment
        Takes `moving` onto `fixed`, middle onto middle. Of the 24 rotations that a cubic
        lattice allows it is the smallest, so the particles must be turned by less than
        some 30 degrees.

    Raises
    ------
    InputError
        If either has no one face-centred lattice, as `arise_lib.tomography.fit_lattice` says.

    Examples
    --------
    >>> from arise_lib.samples import fept_particle
    >>> from scipy.spatial.transform import Rotation
    >>> positions = fept_particle(0, n_atoms=800).atoms.positions
    >>> turn = Rotation.from_euler("z", 8, degrees=True)
    >>> (align(turn.apply(positions), positions).euler + 0.0).round(3).tolist()[2]
    -8.0
    """
    axes = [fit_lattice(positions).orientation for positions in (moving, fixed)]
    rotation = _smallest(*axes)
    return Alignment(rotation, np.mean(fixed, axis=0) - rotation @ np.mean(moving, axis=0))


def align_by_drift(
    moving: NDArray[np.float64],
    fixed: NDArray[np.float64],
    *,
    n_points: int = 500,
    n_rounds: int = 50,
    seed: int = 0,
) -> Alignment:
    """Turn one particle onto another by coherent point drift, as the paper does [1]_.

    Each set of points is a part of the atoms, drawn at random; what is aligned is the
    shape, not the lattice.

    Parameters
    ----------
    moving, fixed : ndarray of shape (n_atoms, 3)
        Atoms of both, in one unit; their numbers may differ.
    n_points : int
        Atoms that are drawn from each; the time goes with its square.
    n_rounds : int
        Steps of the iteration, at most.
    seed : int
        Of the draw.

    Returns
    -------
    Alignment
        Takes `moving` onto `fixed`, middle onto middle; the change of scale that pycpd finds
        as well is left out.

    Raises
    ------
    InputError
        If either has fewer than three atoms.

    References
    ----------
    .. [1] A. Myronenko, X. Song, IEEE Trans. Pattern Anal. Mach. Intell. 32, 2262 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.spatial.transform import Rotation
    >>> points = np.random.default_rng(0).normal(size=(60, 3)) * [1.0, 3.0, 9.0]
    >>> turned = Rotation.from_euler("z", 8, degrees=True).apply(points)
    >>> bool(abs(align_by_drift(turned, points).angle - 8.0) < 0.5)
    True
    """
    from pycpd import RigidRegistration

    if min(len(moving), len(fixed)) < 3:
        raise InputError(
            f"{len(moving)} and {len(fixed)} atoms: of each, at least three are needed."
        )
    generator = np.random.default_rng(seed)
    parts = []
    for positions in (moving, fixed):
        chosen = generator.choice(len(positions), min(n_points, len(positions)), replace=False)
        parts.append(np.asarray(positions, dtype=float)[chosen] - np.mean(positions, axis=0))
    drift = RigidRegistration(X=parts[1], Y=parts[0], max_iterations=n_rounds)
    drift.register()
    # pycpd turns rows.
    rotation = np.asarray(drift.R, dtype=np.float64).T
    return Alignment(rotation, np.mean(fixed, axis=0) - rotation @ np.mean(moving, axis=0))


def align_series(
    frames: Mapping[str, Atoms], *, n_points: int = 400
) -> tuple[dict[str, Atoms], pd.DataFrame]:
    """Turn the frames of a series onto the first one by their lattices, and state the angles.

    Parameters
    ----------
    frames : mapping of str to ase.Atoms
        Particles by name.
    n_points : int
        Atoms of each for `align_by_drift`, with which the angles are found a second time.

    Returns
    -------
    aligned : dict of str to ase.Atoms
        Copies, turned by their lattices.
    angles : pandas.DataFrame
        One row per frame and way, "lattice" or "point drift", in degrees: `angle` of the rotation
        about its axis, and its Euler angles `x`, `y`, `z`, see `Alignment`.

    Raises
    ------
    InputError
        As from `align`.

    Examples
    --------
    >>> from arise_lib.samples import fept_particle
    >>> atoms = fept_particle(0, n_atoms=600).atoms
    >>> aligned, angles = align_series({"a": atoms, "b": atoms}, n_points=50)
    >>> abs(float(angles.loc[("b", "lattice"), "angle"])) < 1e-6
    True
    """
    fixed = next(iter(frames.values())).positions
    aligned, rows = {}, {}
    for name, atoms in frames.items():
        found = {"lattice": align(atoms.positions, fixed)}
        found["point drift"] = align_by_drift(atoms.positions, fixed, n_points=n_points)
        aligned[name] = atoms.copy()
        aligned[name].positions = found["lattice"].apply(atoms.positions)
        for way, turned in found.items():
            rows[name, way] = (turned.angle, *turned.euler)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["angle", "x", "y", "z"])
    table.index = pd.MultiIndex.from_tuples(table.index, names=["frame", "way"])
    return aligned, table


def _smallest(moving: NDArray[np.float64], fixed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the rotations that take axes onto axes, return the smallest."""
    cube = Rotation.create_group("O").as_matrix()
    turns = Rotation.from_matrix(fixed @ cube @ moving.T)
    return turns[int(np.argmin(turns.magnitude()))].as_matrix()
