"""Twist and tilt boundaries of one crystal (paper, Supplementary Fig. 12)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from arise_lib.errors import InputError
from arise_lib.samples.grains import BICRYSTAL_GAP, join
from arise_lib.samples.polycrystals import SPACING, Truth
from arise_lib.structures import prototypes
from arise_lib.structures.filling import fill_box
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.structures.supercells import round_cluster

#: Axis about which the two grains are turned against each other, in vectors of the class's cell:
#: [001] of the cubic classes, the axis of the stacking of the others.
AXES = {
    "fcc": (1, 1, -1),
    "bcc": (1, 1, 0),
    "hcp": (0, 0, 1),
    "dhcp": (0, 0, 1),
    "alpha-Sm": (1, 1, 1),
}

#: In degrees, 2 arctan(1/3): a fifth of the sites of both grains coincide about a cubic axis.
ANGLE = 36.87

#: Atoms of the piece on which the spacing of a crystal is measured.
_TRIAL_ATOMS = 60


def grain_boundary(
    label: str, angle: float, edge: float, *, tilt: bool = False
) -> tuple[Atoms, NDArray[np.bool_]]:
    """Join two grains of one crystal that are turned against each other.

    Parameters
    ----------
    label : str
        One of `AXES`.
    angle : float
        Between the grains, in degrees; each is turned by half of it.
    edge : float
        Edge of the cube that is filled, in Å.
    tilt : bool
        Whether the axis of rotation lies in the boundary (tilt) or is its normal
        (twist).

    Returns
    -------
    atoms : ase.Atoms
        A free cluster centred on the origin, with the boundary at x = 0. Where the
        grains meet, atoms nearer than `BICRYSTAL_GAP` dNN to one on the left are left
        out; nothing is relaxed.
    on_the_right : ndarray of bool, shape (n_atoms,)
        Which atoms belong to the grain at x > 0.

    Raises
    ------
    InputError
        If the class is not one of `AXES`.

    Examples
    --------
    >>> from arise_lib import samples
    >>> atoms, on_the_right = samples.grain_boundary("bcc", 36.9, 25.0)
    >>> bool((atoms.positions[on_the_right, 0] >= 0).all())
    True
    """
    if label not in AXES:
        raise InputError(f"No boundary of {label!r} is defined; choose one of {', '.join(AXES)}.")
    cell = prototypes.build(label)
    axis = np.array(AXES[label]) @ cell.cell.array
    goal = np.array([0.0, 0.0, 1.0]) if tilt else np.array([1.0, 0.0, 0.0])
    upright, _ = Rotation.align_vectors(goal[None], axis[None])
    half = np.full(3, 0.5 * edge)
    left, right = (
        fill_box(
            cell,
            -half,
            half,
            (Rotation.from_rotvec(goal * sign * 0.5 * angle, degrees=True) * upright).as_matrix(),
        )
        for sign in (1.0, -1.0)
    )
    return join(left, right, 0.0, BICRYSTAL_GAP * overall_nearest_neighbour_distance(left))


@dataclass(frozen=True)
class Plane(Truth):
    """One phase on both sides of a boundary at x = 0.

    Attributes
    ----------
    label : str
        Its class.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([[-2.0, 5.0, 0.0], [1.0, 0.0, 0.0]])
    >>> Plane("fcc").phase(points).tolist(), Plane("fcc").distance(points).tolist()
    (['fcc', 'fcc'], [2.0, 1.0])
    """

    label: str

    def phase(self, points: NDArray[np.float64]) -> NDArray[np.str_]:
        """Name the phase at some points; see `Truth.phase`."""
        return np.full(len(points), self.label)

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Measure how far points are from the boundary; see `Truth.distance`."""
        return np.abs(points[:, 0])


def boundary_samples(
    angle: float = ANGLE, edge: float = 48.0, *, spacing: float = SPACING
) -> dict[tuple[str, str], tuple[Atoms, Plane]]:
    """Build twist and tilt boundaries of all crystals of `AXES` at one spacing.

    Parameters
    ----------
    angle : float
        Between the grains, in degrees; by default that of the boundary sigma 5.
    edge : float
        Edge of each cube in Å.
    spacing : float
        Nearest-neighbour distance of all crystals in Å, so that boxes hold about as many atoms
        of each.

    Returns
    -------
    dict of tuple of str to tuple of (Atoms, Plane)
        By class and "twist" or "tilt": a free cluster as `grain_boundary` returns it, with the
        boundary at x = 0, and the truth.

    Examples
    --------
    >>> from arise_lib import samples
    >>> built = samples.boundary_samples(edge=15.0)
    >>> list(built)[:2], len(built)
    ([('fcc', 'twist'), ('fcc', 'tilt')], 10)
    """
    built = {}
    for label in AXES:
        piece = round_cluster(prototypes.build(label), _TRIAL_ATOMS)
        scale = spacing / overall_nearest_neighbour_distance(piece)
        for kind in ("twist", "tilt"):
            atoms, _ = grain_boundary(label, angle, edge / scale, tilt=kind == "tilt")
            atoms.positions *= scale
            built[label, kind] = (atoms, Plane(label))
    return built
