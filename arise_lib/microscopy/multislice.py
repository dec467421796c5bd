"""The simulator beside a multislice calculation: probes, contrast of elements, and what is left."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.microscopy.images import Image
from arise_lib.microscopy.simulate import FWHM, Imaging, simulate
from arise_lib.storage.checksums import checked
from arise_lib.storage.paths import DATA

#: Images by multislice that the project keeps; tools/make_multislice.py wrote them.
FILE = DATA / "microscopy" / "multislice.npz"

#: Scenes of the file: single atoms of nine elements, graphene with two Si, and MoS2.
SCENES = ("elements", "graphene", "MoS2")

#: Pixel of the simulated image that is compared, in Å.
_PIXEL = 0.1

#: No noise: so many electrons per Å² that counting has no error worth a thought.
_DOSE = 1e12


@dataclass(frozen=True, eq=False)
class Multislice:
    """An image by multislice: periodic in the plane, without noise or size of the source.

    Attributes
    ----------
    intensity : ndarray of shape (n_y, n_x)
        Share of the electrons on the detector, at positions of the probe that fill the cell
        from (0, 0) on, about 0.35 Å apart: as fine as the aperture can resolve.
    positions : ndarray of shape (n_atoms, 2)
        Atoms in the plane, in Å.
    numbers : ndarray of int, shape (n_atoms,)
        Their atomic numbers.
    extent : ndarray of shape (2,)
        Edges of the cell along x and y in Å.
    """

    intensity: NDArray[np.float64]
    positions: NDArray[np.float64]
    numbers: NDArray[np.int64]
    extent: NDArray[np.float64]

    @property
    def step(self) -> NDArray[np.float64]:
        """Distances of the probe's positions along x and y in Å."""
        return np.asarray(self.extent / self.intensity.shape[::-1])

    def blurred(self, source: float) -> NDArray[np.float64]:
        """Add the size of the source.

        Parameters
        ----------
        source : float
            Full width at half maximum of the source in Å.

        Returns
        -------
        ndarray of shape (n_y, n_x)
            Share of the electrons on the detector.
        """
        widths = source / FWHM / self.step[::-1]
        return np.asarray(gaussian_filter(self.intensity, widths, mode="wrap"))


def load_multislice(scene: str) -> Multislice:
    """Load an image by multislice.

    60 kV, aperture of 31 mrad, detector from 54 to 200 mrad, eight frozen configurations of
    vibrating atoms (0.06 Å), by abTEM [1]_.

    Parameters
    ----------
    scene : str
        One of `SCENES`.

    Returns
    -------
    Multislice
        Image and atoms.

    Raises
    ------
    InputError
        If there is no such scene.
    DataError
        If the file is missing or damaged.

    References
    ----------
    .. [1] J. Madsen, T. Susi, Open Research Europe 1, 24 (2021).

    Examples
    --------
    >>> sorted(set(load_multislice("graphene").numbers.tolist()))
    [6, 14]
    """
    if scene not in SCENES:
        raise InputError(f"There is no multislice image {scene!r}; there are {', '.join(SCENES)}.")
    with np.load(checked(FILE)) as file:
        return Multislice(
            file[f"{scene}.image"].astype(np.float64), file[f"{scene}.positions"],
            file[f"{scene}.numbers"].astype(np.int64), file[f"{scene}.extent"],
        )  # fmt: skip


def cross_sections() -> pd.Series:
    """Measure the cross-sections of single atoms: the sum over each atom's spot.

    Returns
    -------
    pandas.Series
        Å² for each atomic number, ascending: share of the electrons on the detector,
        integrated over the positions of the probe that are nearest to the atom.

    Examples
    --------
    >>> sigma = cross_sections()
    >>> bool(sigma.is_monotonic_increasing)
    True
    """
    image = load_multislice("elements")
    rows, columns = np.indices(image.intensity.shape)
    beam = np.column_stack([columns.ravel(), rows.ravel()]) * image.step
    nearest = cKDTree(image.positions, boxsize=image.extent).query(beam)[1]
    spots = np.bincount(nearest, image.intensity.ravel(), minlength=len(image.numbers))
    values = pd.Series(spots * image.step.prod(), index=image.numbers, name="cross-section / Å²")
    return values.rename_axis("Z").sort_index()


def contrast_exponent(sigma: pd.Series) -> float:
    """Fit the power of the atomic number with which cross-sections grow.

    Parameters
    ----------
    sigma : pandas.Series
        As `cross_sections` returns.

    Returns
    -------
    float
        Slope of the logarithms, least squares.

    Examples
    --------
    >>> import pandas as pd
    >>> round(contrast_exponent(pd.Series([1.0, 4.0, 16.0], index=[10, 20, 40])), 6)
    2.0
    """
    return float(np.polyfit(np.log(sigma.index.to_numpy(float)), np.log(sigma), 1)[0])


def summed(scene: Multislice, imaging: Imaging) -> Image:
    """Simulate the same atoms by one probe for each: the mean image, without noise.

    Parameters
    ----------
    scene : Multislice
        Its atoms are repeated periodically.
    imaging : Imaging
        Probe, tail, exponent, cross-section and background are taken from it.

    Returns
    -------
    Image
        Share of the electrons on the detector, pixels of 0.1 Å; covers the cell.

    Examples
    --------
    >>> summed(load_multislice("MoS2"), Imaging()).data.shape
    (219, 190)
    """
    shifts = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]) * scene.extent
    places = (scene.positions[None] + shifts[:, None]).reshape(-1, 2)
    atoms = Atoms(
        np.tile(scene.numbers, len(shifts)), np.column_stack([places, np.zeros(len(places))])
    )
    columns, rows = (int(n) for n in np.ceil(scene.extent / _PIXEL))
    still = replace(
        imaging, rows=rows, columns=columns, pixel=_PIXEL, dose=_DOSE, drift=(0.0, 0.0),
        distortion=0.0, jitter=0.0, readout=0.0, contamination=0.0,
    )  # fmt: skip
    counts = simulate(atoms, still, seed=0).data / np.float32(_DOSE * _PIXEL**2)
    return Image(counts, _PIXEL)


def fit_probe(scene: Multislice, source: float, start: Imaging | None = None) -> Imaging:
    """Find the probe with which the sum of probes is nearest to the multislice image.

    Width, tail and cross-section are free (least squares, Nelder-Mead); the exponent is that
    of `start`, and there is no background, as the multislice image has none.

    Parameters
    ----------
    scene : Multislice
        The image.
    source : float
        Full width at half maximum of the source in Å, which the image is blurred by.
    start : Imaging, optional
        Where to start, the default imaging if not given.

    Returns
    -------
    Imaging
        With the fitted `probe`, `tail` and `cross_section`.

    Examples
    --------
    >>> fitted = fit_probe(load_multislice("graphene"), source=0.6)
    >>> bool(0.8 < fitted.probe < 1.3)
    True
    """
    start = replace(start or Imaging(), background=0.0)
    wanted = scene.blurred(source)

    def scaled(x: NDArray[np.float64]) -> tuple[Imaging, NDArray[np.float64]]:
        trial = replace(
            start, probe=float(np.clip(x[0], 0.3, 4.0)), tail=float(np.clip(x[1], 0, 1))
        )
        model = _at_the_probe(scene, summed(scene, trial))
        factor = float((model * wanted).sum() / (model**2).sum())
        return replace(trial, cross_section=factor * trial.cross_section), factor * model

    best = minimize(
        lambda x: float(((scaled(x)[1] - wanted) ** 2).sum() / (wanted**2).sum()),
        [start.probe, start.tail], method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-7},
    )  # fmt: skip
    return scaled(best.x)[0]


def agreement(scene: Multislice, source: float, imaging: Imaging) -> dict[str, float]:
    """State how near the sum of probes is to the multislice image.

    Parameters
    ----------
    scene : Multislice
        The image.
    source : float
        Full width at half maximum of the source in Å, which the image is blurred by.
    imaging : Imaging
        Parameters of the sum of probes.

    Returns
    -------
    dict of str to float
        ``"correlation"`` of both images; ``"residual"``, their root mean square difference
        over the standard deviation of the multislice image; ``"brightest"`` and ``"faintest"``,
        ratio of the intensities (sum of probes over multislice) at the place of the brightest
        column and midway between atoms, where the multislice image is darkest.

    Examples
    --------
    >>> graphene = load_multislice("graphene")
    >>> agreement(graphene, 0.6, fit_probe(graphene, 0.6))["correlation"] > 0.98
    True
    """
    wanted = scene.blurred(source)
    model = _at_the_probe(scene, summed(scene, imaging))
    top, bottom = np.argmax(wanted), np.argmin(wanted)
    return {
        "correlation": float(np.corrcoef(model.ravel(), wanted.ravel())[0, 1]),
        "residual": float(np.sqrt(((model - wanted) ** 2).mean()) / wanted.std()),
        "brightest": float(model.flat[top] / wanted.flat[top]),
        "faintest": float(model.flat[bottom] / wanted.flat[bottom]),
    }


def _at_the_probe(scene: Multislice, image: Image) -> NDArray[np.float64]:
    """Read a finer image at the positions of the probe."""
    n_y, n_x = scene.intensity.shape
    y, x = np.meshgrid(
        np.arange(n_y) * scene.step[1], np.arange(n_x) * scene.step[0], indexing="ij"
    )
    at = np.array([y, x]) / image.pixel
    return np.asarray(map_coordinates(image.data.astype(np.float64), at, order=3, mode="nearest"))
