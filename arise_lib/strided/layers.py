"""Are the atoms of a box stacked in layers? Close-packed crystals are, along some direction."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arise_lib.errors import InputError

#: Directions of a half-sphere that `best_layering` tries: 2.5 degrees apart, a third of the width
#: of a reflection from a box of 10 Å.
N_DIRECTIONS = 4000


def layering(positions: NDArray[np.float64], normal: ArrayLike, spacing: float) -> float:
    r"""Measure how strongly atoms are stacked in layers of a given spacing.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of a box.
    normal : array_like of shape (3,)
        Normal of the layers, of any length.
    spacing : float
        Distance of the layers, in the unit of the positions: :math:`\sqrt{2/3}` nearest-neighbour
        distances between close-packed layers, whatever their sequence.

    Returns
    -------
    float
        :math:`|\langle \exp(2 \pi i\, r \cdot n / d) \rangle|`: 1 for perfect layers, about
        :math:`1 / \sqrt{N}` where N atoms are not stacked so.

    Raises
    ------
    InputError
        If there are no atoms, or normal or spacing have no length.

    Examples
    --------
    >>> import numpy as np
    >>> layers = np.array([[0.3, 0.1, 2.0 * k] for k in range(4)])
    >>> round(layering(layers, [0, 0, 1], 2.0), 6)
    1.0
    """
    return float(_strengths(positions, np.atleast_2d(np.asarray(normal, float)), spacing)[0])


def best_layering(
    positions: NDArray[np.float64], spacing: float
) -> tuple[float, NDArray[np.float64]]:
    """Find the direction along which atoms are stacked most strongly.

    Parameters
    ----------
    positions, spacing
        As for `layering`.

    Returns
    -------
    strength : float
        The largest `layering` over `N_DIRECTIONS` directions, which miss the best one by
        a degree.
    normal : ndarray of shape (3,)
        That direction, of length 1.

    Raises
    ------
    InputError
        As `layering` does.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.strided import best_layering
    >>> copper = (bulk("Cu", cubic=True) * 3).positions
    >>> strength, normal = best_layering(copper, 3.61 / 3**0.5)
    >>> strength > 0.9, abs(normal).round(1).tolist()
    (True, [0.6, 0.6, 0.6])
    """
    # A spiral of Fibonacci: the same area around each direction.
    k = np.arange(N_DIRECTIONS)
    z, angle = 1.0 - (k + 0.5) / N_DIRECTIONS, np.pi * (1.0 + np.sqrt(5.0)) * k
    r = np.sqrt(1.0 - z * z)
    normals = np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)
    strengths = _strengths(positions, normals, spacing)
    return float(strengths.max()), normals[strengths.argmax()]


def _strengths(
    positions: NDArray[np.float64], normals: NDArray[np.float64], spacing: float
) -> NDArray[np.float64]:
    """Return the layering along several normals."""
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    if not (len(positions) and (lengths > 0).all() and 0.0 < spacing < np.inf):
        raise InputError(
            f"{len(positions)} atoms, layers {spacing} apart, normals of length "
            f"{lengths.min():g} and more: all must be above zero."
        )
    # From the middle of the atoms: far from the origin the phases would lose digits.
    relative = positions - positions.mean(axis=0)
    phases = 2.0 * np.pi / spacing * (relative @ (normals / lengths).T)
    return np.abs(np.exp(1j * phases).mean(axis=0))
