"""Find atoms the classical way: blobs as wide as the probe, and a Gaussian fitted to each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_laplace
from scipy.optimize import least_squares

from arise_lib.errors import InputError
from arise_lib.microscopy.found import Found, species_by_brightness
from arise_lib.microscopy.images import Image
from arise_lib.microscopy.simulate import FWHM

#: Width of the probe in Å, if it is not given.
PROBE = 1.1

#: A blob counts if it stands out at least this share of what the median blob does. Chosen on
#: simulated images of graphene.
SHARE = 0.4

#: The Gaussian is fitted within so many of its standard deviations.
_WINDOW = 1.4


def find_blobs(
    image: Image, *, probe: float = PROBE, share: float = SHARE, refine: bool = True
) -> Found:
    """Find atoms as blobs, and fit a Gaussian to each.

    Blobs are maxima of the Laplacian of a Gaussian as wide as the probe (scikit-image's
    `blob_log`); position, width, height and ground of a Gaussian are then fitted by least
    squares, as programs such as Atomap do [1]_.

    Parameters
    ----------
    image : Image
        Bright atoms on a darker ground.
    probe : float
        Full width at half maximum of an atom in Å.
    share : float
        How much a blob has to stand out, as a share of the median one.
    refine : bool
        Whether to fit; without, positions are whole pixels.

    Returns
    -------
    Found
        Sorted by row; there is no confidence (NaN).

    Raises
    ------
    InputError
        If the probe is narrower than two pixels, or the share is negative.

    References
    ----------
    .. [1] M. Nord et al., Adv. Struct. Chem. Imaging 3, 9 (2017).

    Examples
    --------
    >>> from arise_lib.microscopy.scenes import sheet
    >>> from arise_lib.microscopy.simulate import Imaging, simulate
    >>> image = simulate(sheet("graphene", 10.24, 0), Imaging(128, 128, dose=1e6), seed=0)
    >>> found = find_blobs(image)
    >>> abs(len(found) - len(image.positions)) < 8
    True
    """
    from skimage.feature import blob_log

    if not probe >= 2.0 * image.pixel:
        raise InputError(
            f"A probe of {probe:g} Å is narrower than two pixels of {image.pixel:g} Å; is the "
            "scale right?"
        )
    if share < 0.0:
        raise InputError(f"A share of {share:g} is none; zero or more is needed.")
    sigma = probe / FWHM / image.pixel
    data = image.data.astype(np.float64)
    data = (data - data.min()) / max(float(np.ptp(data)), 1e-12)
    blobs = blob_log(
        data, min_sigma=sigma, max_sigma=sigma, num_sigma=1, threshold=0.0, exclude_border=False
    )
    corners = blobs[:, :2].astype(int)
    response = -gaussian_laplace(data, sigma)[corners[:, 0], corners[:, 1]]
    rising = response > 0.0
    corners, response = corners[rising], response[rising]
    if len(corners):
        corners = corners[response >= share * np.median(response)]
    positions = corners[:, ::-1].astype(np.float64)
    if refine:
        positions = np.array([_fitted(data, place, sigma) for place in positions]).reshape(-1, 2)
    order = np.lexsort((positions[:, 0], np.rint(positions[:, 1])))
    positions = positions[order]
    unknown = np.full(len(positions), np.nan)
    return Found(positions, unknown, species_by_brightness(image, positions), image.pixel)


def _fitted(
    data: NDArray[np.float64], place: NDArray[np.float64], sigma: float
) -> NDArray[np.float64]:
    """Middle of a Gaussian on a flat ground, fitted around a blob; the blob if it runs away."""
    reach = _WINDOW * sigma
    column, row = place.astype(int)
    half = int(np.ceil(reach))
    top, left = max(row - half, 0), max(column - half, 0)
    cut = data[top : row + half + 1, left : column + half + 1]
    y, x = np.indices(cut.shape)
    y, x = y + top, x + left
    near = (x - column) ** 2 + (y - row) ** 2 <= reach**2
    x, y, values = x[near], y[near], cut[near]

    def residuals(p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Gaussian less data."""
        bell = np.exp(-((x - p[0]) ** 2 + (y - p[1]) ** 2) / (2.0 * p[3] ** 2))
        return np.asarray(p[2] * bell + p[4] - values)

    def slopes(p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return its derivatives."""
        dx, dy = x - p[0], y - p[1]
        bell = np.exp(-(dx**2 + dy**2) / (2.0 * p[3] ** 2))
        tall = p[2] * bell / p[3] ** 2
        return np.column_stack(
            [tall * dx, tall * dy, bell, tall * (dx**2 + dy**2) / p[3], np.ones_like(bell)]
        )

    start = np.array([*place, np.ptp(values), sigma, values.min()])
    if len(values) < len(start):
        return place
    # So far that where it stops does not depend on the last bits of its linear algebra.
    tight = {"ftol": 1e-12, "xtol": 1e-12, "gtol": 1e-12}
    found = least_squares(residuals, start, jac=slopes, method="lm", max_nfev=50, **tight).x
    moved = float(np.hypot(*(found[:2] - place)))
    return np.asarray(found[:2]) if np.isfinite(moved) and moved <= sigma else place
