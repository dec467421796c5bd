"""Atoms found in an image: where, how sure, how bright."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.microscopy.images import Image

#: An atom is Si where it is brighter than the others by this factor, the geometric mean of 1 and
#: (14/6)^1.7, the contrast of Si and C.
BRIGHTER = (14.0 / 6.0) ** 0.85

#: Brightness is measured over a Gaussian of this standard deviation in Å; what lies beneath is
#: taken from the darkest spots this near in Å.
_SPOT, _AROUND = 0.3, 3.0


@dataclass(frozen=True, eq=False)
class Found:
    """Atoms that were found in an image.

    Attributes
    ----------
    positions : ndarray of shape (n_atoms, 2)
        x (column) and y (row) in pixels; the middle of the first pixel is (0, 0).
    confidence : ndarray of shape (n_atoms,)
        From 0 to 1: how likely there is an atom; NaN where the method has none.
    numbers : ndarray of int, shape (n_atoms,)
        Atomic numbers.
    pixel : float
        Width of a pixel in Å.

    Examples
    --------
    >>> import numpy as np
    >>> two = Found(np.array([[0.0, 0.0], [14.2, 0.0]]), np.ones(2), np.array([6, 6]), 0.1)
    >>> round(float(two.atoms().get_distance(0, 1)), 3)
    1.42
    """

    positions: NDArray[np.float64]
    confidence: NDArray[np.float64]
    numbers: NDArray[np.int64]
    pixel: float

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.positions)

    def atoms(self) -> Atoms:
        """Return the structure, in Å, all atoms at z = 0.

        Returns
        -------
        ase.Atoms
            Not periodic; y runs down the image, as in it.

        Raises
        ------
        InputError
            If no atom was found.
        """
        if len(self) == 0:
            raise InputError(
                "No atoms were found in the image: check the width of a pixel, and that atoms are "
                "bright; at a dose this low there may be nothing to find."
            )
        heights = np.zeros(len(self))
        return Atoms(self.numbers, np.column_stack([self.pixel * self.positions, heights]))

    def within(self, margin: float) -> Found:
        """Return the atoms that are farther from the outermost ones' frame than a margin.

        Parameters
        ----------
        margin : float
            In pixels.

        Returns
        -------
        Found
            Those inside the smallest rectangle around all, shrunk by the margin; of none, none.
        """
        low = self.positions.min(axis=0, initial=np.inf) + margin
        high = self.positions.max(axis=0, initial=-np.inf) - margin
        kept = ((self.positions >= low) & (self.positions <= high)).all(axis=1)
        return Found(self.positions[kept], self.confidence[kept], self.numbers[kept], self.pixel)


def species_by_brightness(image: Image, positions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Tell Si from C by how bright an atom is beside the others.

    Parameters
    ----------
    image : Image
        Where the atoms were found.
    positions : ndarray of shape (n_atoms, 2)
        x and y in pixels.

    Returns
    -------
    ndarray of int, shape (n_atoms,)
        14 where an atom stands out from the darkest spots around it more than `BRIGHTER`
        times as much as the median atom does, 6 elsewhere. Where most atoms are Si, or
        other elements, this means nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.microscopy.scenes import sheet
    >>> from arise_lib.microscopy.simulate import Imaging, simulate
    >>> image = simulate(sheet("graphene", 20.48, seed=0, silicon=3), Imaging(dose=1e6), seed=0)
    >>> found = species_by_brightness(image, image.positions)
    >>> bool((found == image.numbers).all())
    True
    """
    if len(positions) == 0:
        return np.zeros(0, dtype=np.int64)
    smooth = gaussian_filter(image.data.astype(np.float64), _SPOT / image.pixel, mode="nearest")
    rows, columns = (np.arange(0, n, max(1, round(_SPOT / image.pixel))) for n in smooth.shape)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    values = smooth[grid[:, 1], grid[:, 0]]
    bright = map_coordinates(smooth, positions.T[::-1], order=1, mode="nearest")
    around = cKDTree(grid).query_ball_point(positions, _AROUND / image.pixel)
    dark = np.array([np.quantile(values[near], 0.1) for near in around])
    contrast = bright - dark
    return np.where(contrast > BRIGHTER * np.median(contrast), 14, 6).astype(np.int64)
