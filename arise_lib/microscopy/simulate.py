"""Simulated HAADF images of known atoms: probe, contrast of elements, dose, errors of the scan."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.microscopy.images import Image, check_pixel
from arise_lib.typing import Seed

#: A full width at half maximum is so many standard deviations of a Gaussian.
FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))

#: Atoms nearer than this in projection, in Å, are one column.
COLUMN = 0.5

#: The tail of a probe is wider than its core by this factor.
TAIL_WIDTH = 3.0

#: Windows of atoms end at so many standard deviations.
_REACH = 4.0


@dataclass(frozen=True)
class Imaging:
    """How an image is taken; the defaults are those of an aberration-corrected microscope at 60 kV.

    Attributes
    ----------
    rows, columns : int
        Size of the image in pixels.
    pixel : float
        Width of a pixel in Å.
    dose : float
        Electrons per Å².
    probe : float
        Full width at half maximum of the probe, the size of the source and thermal
        vibrations included, in Å.
    tail : float
        Share of the probe's intensity, from 0 to 1, in a tail three times as wide.
    exponent : float
        Brightness of an atom grows with its atomic number to this power: 1.7 [1]_ (1.64
        measured for B, C, N and O in [2]_). By multislice the height of Si above graphene
        follows it; sums over whole spots grow more slowly (`microscopy.contrast_exponent`).
    cross_section : float
        Of one carbon atom for scattering onto the detector, in Å². The default is that of
        the screened Coulomb potential for 60 keV and angles above 54 mrad [3]_.
    background : float
        Share of the electrons, from 0 to 1, that are counted where there is no atom.
    contamination : float
        Thickness of amorphous matter on the sheet where it is thickest, in layers of
        graphene.
    contamination_length : float
        Size of its patches in Å.
    drift : tuple of float
        Movement of the sample during the image along x and y, in Å.
    distortion : float
        Amplitude of slow errors of the scan in Å.
    jitter : float
        Standard deviation of the shift of a row against the others in Å.
    readout : float
        Standard deviation of the noise of the detector in electrons.

    Raises
    ------
    InputError
        If a number is negative where it cannot be, or not finite.

    References
    ----------
    .. [1] P. Hartel, H. Rose, C. Dinges, Ultramicroscopy 63, 93 (1996).
    .. [2] O. L. Krivanek et al., Nature 464, 571 (2010).
    .. [3] L. Reimer, H. Kohl, Transmission Electron Microscopy, 5th ed., Springer (2008), ch. 5.

    Examples
    --------
    >>> round(Imaging(dose=1e4).counts_per_atom)
    20
    """

    rows: int = 256
    columns: int = 256
    pixel: float = 0.08
    dose: float = 1e5
    probe: float = 1.1
    tail: float = 0.1
    exponent: float = 1.7
    cross_section: float = 0.002
    background: float = 1e-4
    contamination: float = 0.0
    contamination_length: float = 8.0
    drift: tuple[float, float] = (0.0, 0.0)
    distortion: float = 0.0
    jitter: float = 0.0
    readout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no microscope can do."""
        check_pixel(self.pixel)
        for field in fields(self):
            value = getattr(self, field.name)
            fine = bool(np.isfinite(value).all())
            if not fine or (field.name != "drift" and value < 0):
                raise InputError(
                    f"{field.name} cannot be {value!r}: a finite number is needed"
                    + ("." if field.name == "drift" else ", zero or positive.")
                )
        for name in ("rows", "columns", "dose", "probe", "cross_section", "contamination_length"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is zero; it has to be positive.")
        for name in ("tail", "background"):
            if getattr(self, name) > 1:
                raise InputError(f"{name} is {getattr(self, name)}; a share from 0 to 1 is needed.")

    @property
    def counts_per_atom(self) -> float:
        """Electrons that one carbon atom scatters onto the detector."""
        return self.dose * self.cross_section


@dataclass(frozen=True, eq=False)
class SimulatedImage(Image):
    """An image whose atoms are known.

    Attributes
    ----------
    data, pixel
        Counts of electrons, and the width of a pixel, as for `Image`.
    positions : ndarray of shape (n_columns_of_atoms, 2)
        Where the columns of atoms within the image appear, x (column) and y (row) in
        pixels; the middle of the first pixel is (0, 0). Drift and distortion are in it,
        jitter is not.
    true_positions : ndarray of shape (n_columns_of_atoms, 2)
        Where they are, in Å.
    numbers : ndarray of int, shape (n_columns_of_atoms,)
        Atomic number of the heaviest atom of each.
    """

    positions: NDArray[np.float64]
    true_positions: NDArray[np.float64]
    numbers: NDArray[np.int64]


def simulate(atoms: Atoms, imaging: Imaging, seed: Seed) -> SimulatedImage:
    """Simulate an image of a thin sample, seen along z.

    Every atom scatters on its own (no dynamical scattering: a few layers at most), so
    the mean image is a sum of probes, and what is counted is Poisson distributed. The
    slow axis is y: drift and distortion depend on the row.

    Parameters
    ----------
    atoms : ase.Atoms
        The sample; x and y from 0 on are the field of view, what lies beyond is not seen.
        Its periodicity is ignored.
    imaging : Imaging
        How the image is taken.
    seed : int or sequence of int
        Seed of everything that is random.

    Returns
    -------
    SimulatedImage
        Counts, and where the atoms are.

    Raises
    ------
    InputError
        If positions are not finite, or if the errors of the scan are so large that rows
        pass each other.

    Examples
    --------
    >>> from arise_lib.microscopy.scenes import sheet
    >>> image = simulate(sheet("graphene", 20.48, seed=0), Imaging(dose=1e6), seed=0)
    >>> image.data.shape, 140 < len(image.positions) < 180
    ((256, 256), True)
    """
    if not np.isfinite(atoms.positions).all():
        raise InputError("Positions of atoms are not finite; nothing can be imaged.")
    generator = np.random.default_rng(seed)
    places, weights, numbers = _columns(atoms, imaging.exponent)
    waves = generator.uniform(0.0, 2.0 * np.pi, 4), generator.integers(1, 4, 4)
    rows = np.arange(-0.5, imaging.rows, 0.5)
    if (np.diff(rows * imaging.pixel + _shift(rows, imaging, waves)[:, 1]) <= 0).any():
        raise InputError(
            "Drift and distortion are so large that rows of the image pass each other; lower them."
        )
    apparent = _appearance(places, imaging, waves)
    jitter = generator.normal(0.0, imaging.jitter, (imaging.rows, 2))
    core = _cores(places, weights, apparent, imaging, waves, jitter)
    sigma = imaging.probe / FWHM / imaging.pixel
    wide = gaussian_filter(core, sigma * np.sqrt(TAIL_WIDTH**2 - 1.0), mode="reflect")
    scattered = imaging.cross_section * ((1.0 - imaging.tail) * core + imaging.tail * wide)
    # Of carbon in a layer of graphene: atoms per Å².
    layer = imaging.cross_section * 4.0 / (3.0 * np.sqrt(3.0) * 1.42**2)
    scattered += imaging.background
    if imaging.contamination > 0.0:
        scattered += imaging.contamination * layer * _patches(imaging, generator)
    counts = generator.poisson(imaging.dose * imaging.pixel**2 * scattered).astype(np.float32)
    if imaging.readout > 0.0:
        counts += generator.normal(0.0, imaging.readout, counts.shape).astype(np.float32)
    seen = ((apparent >= -0.5) & (apparent < [imaging.columns - 0.5, imaging.rows - 0.5])).all(1)
    return SimulatedImage(counts, imaging.pixel, apparent[seen], places[seen], numbers[seen])


def _columns(
    atoms: Atoms, exponent: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Places in the plane, brightness in carbon atoms, and heaviest element of each column."""
    points = atoms.positions[:, :2]
    brightness = (atoms.numbers / 6.0) ** exponent
    pairs = cKDTree(points).query_pairs(COLUMN, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points),) * 2)
    n, column = connected_components(links, directed=False)
    total = np.bincount(column, brightness, minlength=n)
    places = np.column_stack(
        [np.bincount(column, brightness * points[:, k], minlength=n) / total for k in range(2)]
    )
    numbers = np.zeros(n, dtype=np.int64)
    np.maximum.at(numbers, column, atoms.numbers)
    return places, np.asarray(total, dtype=np.float64), numbers


def _shift(
    rows: NDArray[np.float64],
    imaging: Imaging,
    waves: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> NDArray[np.float64]:
    """How far the beam is off its place in each row, in Å: shape (n_rows, 2)."""
    phases, numbers = waves
    time = (rows / imaging.rows)[:, None]
    slow = np.sin(2.0 * np.pi * numbers[:2] * time + phases[:2])
    slow = slow + 0.5 * np.sin(2.0 * np.pi * (numbers[2:] + 2) * time + phases[2:])
    return imaging.distortion / 1.5 * slow + time * np.array(imaging.drift)


def _appearance(
    places: NDArray[np.float64],
    imaging: Imaging,
    waves: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Pixels in which the places appear: the row first, by iteration."""
    row = places[:, 1] / imaging.pixel
    for _ in range(30):
        row = (places[:, 1] - _shift(row, imaging, waves)[:, 1]) / imaging.pixel
    return np.column_stack(
        [(places[:, 0] - _shift(row, imaging, waves)[:, 0]) / imaging.pixel, row]
    )


def _cores(
    places: NDArray[np.float64],
    weights: NDArray[np.float64],
    apparent: NDArray[np.float64],
    imaging: Imaging,
    waves: tuple[NDArray[np.float64], NDArray[np.int64]],
    jitter: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Sum of the probe's core over all atoms: carbon atoms per Å², as the beam meets them."""
    sigma = imaging.probe / FWHM
    half = int(np.ceil(_REACH * sigma / imaging.pixel))
    beam = np.arange(imaging.rows)[:, None] * np.array([0.0, imaging.pixel]) + jitter
    beam += _shift(np.arange(imaging.rows, dtype=float), imaging, waves)
    image = np.zeros(imaging.rows * imaging.columns)
    size = np.array([imaging.columns, imaging.rows])
    near = ((apparent > -half) & (apparent < size + half)).all(axis=1)
    window = np.arange(-half, half + 1)
    # In pieces, so that memory does not grow with the number of atoms.
    for piece in np.array_split(np.flatnonzero(near), max(1, int(near.sum()) // 500)):
        middle = np.rint(apparent[piece]).astype(int)
        columns, rows = middle[:, :1] + window, middle[:, 1:] + window
        at = beam[np.clip(rows, 0, imaging.rows - 1)]
        along_y = np.exp(-(((at[..., 1] - places[piece, 1:]) / sigma) ** 2) / 2.0)
        x = columns[:, None, :] * imaging.pixel + at[..., :1] - places[piece, 0][:, None, None]
        values = weights[piece][:, None, None] * np.exp(-((x / sigma) ** 2) / 2.0)
        values *= along_y[..., None] / (2.0 * np.pi * sigma**2)
        inside = ((rows >= 0) & (rows < imaging.rows))[..., None]
        inside = inside & ((columns >= 0) & (columns < imaging.columns))[:, None, :]
        flat = rows[..., None] * imaging.columns + columns[:, None, :]
        image += np.bincount(flat[inside], values[inside], minlength=image.size)
    return image.reshape(imaging.rows, imaging.columns)


def _patches(imaging: Imaging, generator: np.random.Generator) -> NDArray[np.float64]:
    """Thickness of the contamination, from 0 to 1: a smooth random field where above zero."""
    length = imaging.contamination_length / imaging.pixel
    # Drawn on a grid fine enough for it, and enlarged.
    coarse = max(1, int(length / 4.0))
    shape = [n // coarse + 2 for n in (imaging.rows, imaging.columns)]
    field = gaussian_filter(generator.normal(size=shape), length / coarse, mode="wrap")
    field = np.maximum(field / (np.abs(field).max() + 1e-12), 0.0)
    y, x = (np.arange(n) / coarse for n in (imaging.rows, imaging.columns))
    first, second = y.astype(int), x.astype(int)
    v, u = (y - first)[:, None], (x - second)[None, :]
    corner = field[np.ix_(first, second)] * (1 - v) * (1 - u)
    corner += field[np.ix_(first + 1, second)] * v * (1 - u)
    corner += field[np.ix_(first, second + 1)] * (1 - v) * u
    return np.asarray(corner + field[np.ix_(first + 1, second + 1)] * v * u)
