"""One face-centred lattice through the atoms of a particle: constant, orientation, residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from arise_lib.errors import InputError

#: Fewer atoms give no lattice worth the name.
MIN_ATOMS = 50

#: An atom this near to a site, in lattice constants, is on the lattice. The nearest points between
#: two sites are 0.354 away from both, and 13 % of all points lie within 0.2.
NEAR_SITE = 0.2

#: Less than this share of the atoms near sites is no lattice.
MIN_SHARE = 0.5

#: Edge of the blocks, in lattice constants, between which residuals count as independent.
BLOCK = 3.0

#: Fewer blocks than this say nothing about the scatter between them.
MIN_BLOCKS = 20


@dataclass(frozen=True, eq=False)
class Lattice:
    """A cubic lattice, fitted to positions.

    Attributes
    ----------
    constant, constant_error : float
        Lattice constant and its standard error, in the unit of the positions.
    orientation : ndarray of shape (3, 3)
        Its columns are the cubic axes, of length 1: of the 24 equivalent choices the
        one nearest to x, y, z.
    orientation_error : float
        Standard error of the rotation about an axis in degrees, root mean square of three.
    origin : ndarray of shape (3,)
        One of the sites.
    residual : float
        Root mean square distance, per coordinate, of the atoms that are near a site from it.
    share : float
        Share of the atoms, from 0 to 1, that are near a site (`NEAR_SITE`).

    Examples
    --------
    >>> from ase.build import bulk
    >>> lattice = fit_lattice((bulk("Pt", cubic=True) * 4).positions)
    >>> round(lattice.constant, 6), lattice.share
    (3.92, 1.0)
    """

    constant: float
    constant_error: float
    orientation: NDArray[np.float64]
    orientation_error: float
    origin: NDArray[np.float64]
    residual: float
    share: float

    def sites(self, positions: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the site nearest to each position.

        Parameters
        ----------
        positions : ndarray of shape (n_atoms, 3)
            In the unit of the lattice constant.

        Returns
        -------
        ndarray of int, shape (n_atoms, 3)
            Along the cubic axes, in halves of the constant; their sum is even.
        """
        return _nearest_sites((positions - self.origin) @ self.orientation * 2.0 / self.constant)


def fit_lattice(positions: NDArray[np.float64]) -> Lattice:
    """Fit one face-centred cubic lattice to the positions of atoms.

    The directions of the bonds give the orientation, their length the constant. Then
    sites are given to the atoms in a growing ball around the middle, and rotation, scale
    and origin are fitted to them by least squares, so that a small error of the start
    does not add up to the wrong site at the rim.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Of a particle or a box, species ignored.

    Returns
    -------
    Lattice
        Standard errors come from the scatter between blocks of `BLOCK` constants, since
        strain shifts neighbours alike; with fewer than `MIN_BLOCKS` blocks, from that
        between atoms.

    Raises
    ------
    InputError
        If there are fewer than `MIN_ATOMS` atoms, or if less than `MIN_SHARE` of them
        lie on one lattice.

    References
    ----------
    .. [1] S. Umeyama, IEEE Trans. Pattern Anal. Mach. Intell. 13, 376 (1991): rotation and scale.
    .. [2] J. H. Conway, N. J. A. Sloane, IEEE Trans. Inf. Theory 28, 227 (1982): nearest site.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.samples import fept_box
    >>> lattice = fit_lattice(fept_box("L1_2", np.random.default_rng(1)).positions)
    >>> abs(lattice.constant - 3.85) < 3 * lattice.constant_error
    True
    """
    positions = np.asarray(positions, dtype=float)
    if len(positions) < MIN_ATOMS:
        raise InputError(
            f"{len(positions)} atoms are too few to fit a lattice to; at least {MIN_ATOMS} are "
            "needed."
        )
    spacing, axes = _from_bonds(positions)
    constant = np.sqrt(2.0) * spacing
    middle = positions.mean(axis=0)
    origin = positions[np.argmin(np.linalg.norm(positions - middle, axis=1))]
    distance = np.linalg.norm(positions - origin, axis=1)
    radius = 2.0 * constant
    while True:
        within = positions[distance <= radius]
        for _ in range(3):
            _, sites, offsets = _placed(within, constant, axes, origin)
            near = np.linalg.norm(offsets, axis=1) <= NEAR_SITE * constant
            if near.sum() < 4:
                break
            constant, axes, origin = _similarity(sites[near], within[near])
        if radius >= distance.max():
            break
        radius *= 1.25
    share = float(near.mean())
    if share < MIN_SHARE:
        raise InputError(
            f"{100 * share:.0f} % of {len(positions)} atoms lie on the best face-centred lattice, "
            f"and {100 * MIN_SHARE:.0f} % are needed: cut out the part that is one crystal."
        )
    placed, _, offsets = _placed(positions[near], constant, axes, origin)
    of_scale, of_rotation = _errors(placed, offsets, BLOCK * constant)
    turn = Rotation.from_matrix(axes).reduce(right=Rotation.create_group("O"))
    return Lattice(
        constant=float(constant),
        constant_error=float(constant * of_scale),
        orientation=turn.as_matrix(),
        orientation_error=float(np.degrees(of_rotation)),
        origin=origin,
        residual=float(np.sqrt(np.mean(offsets**2))),
        share=share,
    )


def _from_bonds(positions: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Length of the bonds, and the cubic axes between which they run along face diagonals."""
    tree = cKDTree(positions)
    # Of twelve noisy bonds of one length, the middle two are not biased as the shortest is.
    spacing = float(np.median(tree.query(positions, k=8)[0][:, 6:]))
    pairs = tree.query_pairs(1.2 * spacing, output_type="ndarray")
    bonds = positions[pairs[:, 1]] - positions[pairs[:, 0]]
    bonds /= np.linalg.norm(bonds, axis=1)[:, None]
    squares = (bonds[:, :, None] * bonds[:, None, :]).reshape(-1, 9)
    moment = squares.T @ squares / len(bonds)

    def fourth(turns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over the axes of the mean fourth power of the bonds: least for <110>."""
        axes = Rotation.from_rotvec(turns).as_matrix().swapaxes(-1, -2)
        outer = (axes[..., :, None] * axes[..., None, :]).reshape(*axes.shape[:-1], 9)
        return np.einsum("...i,ij,...j->...", outer, moment, outer).sum(axis=-1)

    turns = Rotation.random(1000, rng=0).as_rotvec()
    start = turns[np.argmin(fourth(turns))]
    best = minimize(lambda turn: float(fourth(turn)), start, method="BFGS")
    return spacing, Rotation.from_rotvec(best.x).as_matrix()


def _nearest_sites(halves: NDArray[np.float64]) -> NDArray[np.int64]:
    """Nearest face-centred sites: whole numbers of even sum."""
    sites = np.rint(halves)
    excess = halves - sites
    odd = np.flatnonzero(sites.sum(axis=1) % 2 != 0)
    worst = np.argmax(np.abs(excess[odd]), axis=1)
    sites[odd, worst] += np.where(excess[odd, worst] < 0.0, -1.0, 1.0)
    return sites.astype(np.int64)


def _placed(
    positions: NDArray[np.float64],
    constant: float,
    axes: NDArray[np.float64],
    origin: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Places of the nearest sites from the origin, the sites in constants, offsets from them."""
    sites = _nearest_sites((positions - origin) @ axes * 2.0 / constant) / 2.0
    places = constant * sites @ axes.T
    return places, sites, positions - origin - places


def _similarity(
    sites: NDArray[np.float64], positions: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Scale, rotation and origin that take sites to positions with the least squares."""
    of_sites, of_positions = sites.mean(axis=0), positions.mean(axis=0)
    centred = sites - of_sites
    left, values, right = np.linalg.svd((positions - of_positions).T @ centred)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    axes = (left * signs) @ right
    constant = float((values * signs).sum() / (centred**2).sum())
    return constant, axes, of_positions - constant * axes @ of_sites


def _errors(
    places: NDArray[np.float64], offsets: NDArray[np.float64], edge: float
) -> tuple[float, float]:
    """Return standard errors of scale (relative) and rotation (radians) from such blocks."""
    arms = places - places.mean(axis=0)
    blocks = np.unique(np.floor(arms / edge), axis=0, return_inverse=True)[1].ravel()
    if blocks.max() + 1 < MIN_BLOCKS:
        blocks = np.arange(len(arms))
    n = blocks.max() + 1
    scores = np.column_stack([(arms * offsets).sum(axis=1), np.cross(arms, offsets)])
    summed = np.zeros((n, 4))
    np.add.at(summed, blocks, scores)
    spread = summed.T @ summed * n / (n - 1)
    squares = (arms**2).sum()
    inverse = np.linalg.inv(squares * np.eye(3) - arms.T @ arms)
    of_rotation = inverse @ spread[1:, 1:] @ inverse
    return float(np.sqrt(spread[0, 0]) / squares), float(np.sqrt(np.trace(of_rotation) / 3.0))
