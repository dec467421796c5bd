"""A small convolutional network that finds atoms in images: prediction, in NumPy, tile by tile."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter

from arise_lib import storage
from arise_lib.errors import DataError, InputError
from arise_lib.microscopy.found import Found, species_by_brightness
from arise_lib.microscopy.images import Image
from arise_lib.storage import paths

#: The network sees every image with pixels this wide, in Å.
PIXEL = 0.2

#: What it sees is smoothed by this standard deviation before, and compared with its
#: surroundings within that one, both in Å.
SMOOTHING, SURROUNDINGS = 0.15, 4.0

#: Contrast against the surroundings ends here, in standard deviations.
CLIP = 6.0

#: Two atoms are not found nearer to each other than this, in Å.
RESOLUTION = 0.6

#: The network answers whether an atom lies within this distance of a pixel, in Å.
RADIUS = 0.3

#: Found is what is more likely than not.
CONFIDENCE = 0.5

#: Dilation of each convolution.
DILATIONS = (1, 1, 2, 4, 4, 2, 1)

#: Where the released weights are.
RELEASED = paths.DATA / "microscopy" / "finder.npz"


@dataclass(frozen=True, eq=False)
class Finder:
    """A fully convolutional network as arrays.

    Attributes
    ----------
    kernels : tuple of ndarray of float32
        One of shape (3, 3, n_in, n_out) per convolution, and one of shape (n_hidden, 3) at
        the end: log-odds of an atom here, and how far its middle is off along x and y.
    biases : tuple of ndarray of float32
        One of shape (n_out,) for each of them.

    Examples
    --------
    >>> load_finder().reach
    15
    """

    kernels: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]

    @property
    def reach(self) -> int:
        """How many pixels (of `PIXEL`) away something can matter."""
        return sum(DILATIONS)

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        return sum(array.size for array in (*self.kernels, *self.biases))


@lru_cache(maxsize=1)
def load_finder(path: Path = RELEASED) -> Finder:
    """Read the weights of a finder; those of the released one are checked against its card.

    Parameters
    ----------
    path : Path
        An npz file, with its card, a json file of the same name, beside it.

    Returns
    -------
    Finder
        Ready for prediction.

    Raises
    ------
    DataError
        If a file is missing or damaged, or if the checksum is not that of the card.

    Examples
    --------
    >>> load_finder().n_parameters < 100_000
    True
    """
    expected = finder_card(path).get("sha256")
    if not path.is_file():
        raise DataError(f"{path.name} is missing; restore it from the repository (git checkout).")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise DataError(
            f"{path.name} has SHA-256 {found}, its card says {expected}; restore both from the "
            "repository (git checkout)."
        )
    arrays = storage.load_arrays(path)
    n = sum(name.startswith("kernel_") for name in arrays)
    return Finder(
        tuple(arrays[f"kernel_{k}"] for k in range(n)), tuple(arrays[f"bias_{k}"] for k in range(n))
    )


def finder_card(path: Path = RELEASED) -> dict[str, Any]:
    """Read what a user must know of a finder: training, scores, limits.

    Parameters
    ----------
    path : Path
        The npz file.

    Returns
    -------
    dict
        The card.

    Raises
    ------
    DataError
        If it is missing or damaged.

    Examples
    --------
    >>> "limits" in finder_card()
    True
    """
    card = path.with_suffix(".json")
    try:
        return dict(json.loads(card.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"{card.name} cannot be read ({error}); restore it.") from error


def find_atoms(
    image: Image,
    *,
    confidence: float = CONFIDENCE,
    finder: Finder | None = None,
    tile: int = 256,
) -> Found:
    """Find the atoms in an image.

    Parameters
    ----------
    image : Image
        Bright atoms on a darker ground, pixels of 0.02 to 0.25 Å.
    confidence : float
        Atoms less likely than this, from 0 to 1, are left out.
    finder : Finder, optional
        The released one by default.
    tile : int
        The network works on squares of so many of its pixels (of 0.2 Å). Whatever
        it is, the result is the same; memory grows with it.

    Returns
    -------
    Found
        Positions below the size of a pixel, sorted by row; species C or Si.

    Raises
    ------
    InputError
        If pixels are too wide or too small, or if confidence or tile are out of range.

    Examples
    --------
    >>> from arise_lib.microscopy.scenes import sheet
    >>> from arise_lib.microscopy.simulate import Imaging, simulate
    >>> image = simulate(sheet("graphene", 20.48, seed=0), Imaging(dose=1e6), seed=0)
    >>> found = find_atoms(image)
    >>> abs(len(found) - len(image.positions)) < 8
    True
    """
    if not 0.0 < confidence < 1.0:
        raise InputError(f"A confidence of {confidence:g} is none; choose it between 0 and 1.")
    if tile < 16:
        raise InputError(f"Tiles of {tile} pixels are too small; at least 16 are needed.")
    if not 0.02 <= image.pixel <= 0.25:
        raise InputError(
            f"Pixels of {image.pixel:g} Å cannot be used; 0.02 to 0.25 Å are allowed. Is the scale "
            "right? Otherwise bin the image, or record it finer."
        )
    finder = load_finder() if finder is None else finder
    odds = _answers(finder, prepared(image), tile)
    chance = 1.0 / (1.0 + np.exp(-odds[..., 0]))
    places, sure = _peaks(chance.astype(np.float32), odds[..., 1:])
    kept = sure >= confidence
    positions = places[kept] * (PIXEL / image.pixel)
    inside = (positions > -0.5).all(axis=1) & (
        positions < np.array(image.data.shape[::-1]) - 0.5
    ).all(1)
    positions, sure = positions[inside], sure[kept][inside]
    order = np.lexsort((positions[:, 0], np.rint(positions[:, 1])))
    positions = positions[order]
    numbers = species_by_brightness(image, positions)
    return Found(positions, sure[order], numbers, image.pixel)


def prepared(image: Image) -> NDArray[np.float32]:
    """Bring an image to the pixels of the network, and to contrast against its surroundings.

    Parameters
    ----------
    image : Image
        Any brightness.

    Returns
    -------
    ndarray of float32, shape (n_rows, n_columns)
        With pixels of `PIXEL`, the first one where the first of the image is.

    Examples
    --------
    >>> import numpy as np
    >>> prepared(Image(np.eye(100, dtype=np.float32), 0.1)).shape
    (50, 50)
    """
    smooth = gaussian_filter(image.data, SMOOTHING / image.pixel, mode="nearest", output=np.float32)
    step = PIXEL / image.pixel
    rows, columns = (int((n - 1) / step) + 1 for n in smooth.shape)
    coarse = np.empty((rows, columns), dtype=np.float32)
    across = np.arange(columns) * step
    # Strips of rows: the coordinates would be the largest arrays of all.
    for first in range(0, rows, 256):
        down = np.arange(first, min(first + 256, rows)) * step
        at = np.broadcast_arrays(down[:, None], across[None, :])
        coarse[first : first + 256] = map_coordinates(
            smooth, np.array(at), order=1, mode="nearest", output=np.float32
        )
    width = SURROUNDINGS / PIXEL
    mean = gaussian_filter(coarse, width, mode="reflect")
    spread = np.sqrt(np.maximum(gaussian_filter((coarse - mean) ** 2, width, mode="reflect"), 0.0))
    # Where there is nothing but noise, noise must not become contrast.
    typical = float(np.median(spread))
    contrast = (coarse - mean) / np.maximum(spread, 0.5 * typical + 1e-12)
    return np.clip(contrast, -CLIP, CLIP).astype(np.float32)


def _answers(finder: Finder, contrast: NDArray[np.float32], tile: int) -> NDArray[np.float32]:
    """Log-odds and offsets in every pixel: (n_rows, n_columns, 3)."""
    rows, columns = contrast.shape
    reach = finder.reach
    answers = np.empty((rows, columns, 3), dtype=np.float32)
    inside = np.pad(np.ones((rows, columns), dtype=np.float32), reach)
    padded = np.pad(contrast, reach)
    for top in range(0, rows, tile):
        for left in range(0, columns, tile):
            height, width = min(tile, rows - top), min(tile, columns - left)
            cut = np.s_[top : top + height + 2 * reach, left : left + width + 2 * reach]
            answers[top : top + height, left : left + width] = _forward(
                finder, padded[cut][..., None], inside[cut][..., None]
            )
    return answers


def _forward(
    finder: Finder, values: NDArray[np.float32], inside: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Send a tile with its margin through the network; the margin is used up."""
    for kernel, bias, d in zip(finder.kernels[:-1], finder.biases[:-1], DILATIONS, strict=True):
        height, width = values.shape[0] - 2 * d, values.shape[1] - 2 * d
        total = np.broadcast_to(bias, (height, width, len(bias))).copy()
        for i in range(3):
            for j in range(3):
                part = values[i * d : i * d + height, j * d : j * d + width]
                total += (
                    np.ascontiguousarray(part)
                    .reshape(-1, part.shape[2])
                    .dot(kernel[i, j])
                    .reshape(total.shape)
                )
        inside = inside[d : d + height, d : d + width]
        # Beyond the image everything is zero in every layer, as in the training.
        values = np.maximum(total, 0.0) * inside
    return np.asarray(values @ finder.kernels[-1] + finder.biases[-1])


def _peaks(
    chance: NDArray[np.float32], offsets: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places of the most likely atoms in pixels of the network, x and y, and their chance."""
    smooth = gaussian_filter(chance, 1.0, mode="constant")
    reach = int(RESOLUTION / PIXEL + 0.5)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    top = maximum_filter(smooth, footprint=x**2 + y**2 <= reach**2, mode="constant")
    rows, columns = np.nonzero((smooth == top) & (chance > 0.05))
    # Every pixel near the peak says where the atom is, and counts as much as it is sure.
    around = [(i, j) for i in range(-1, 2) for j in range(-1, 2)]
    weight = np.zeros(len(rows))
    place = np.zeros((len(rows), 2))
    sure = np.zeros(len(rows))
    for i, j in around:
        r = np.clip(rows + i, 0, chance.shape[0] - 1)
        c = np.clip(columns + j, 0, chance.shape[1] - 1)
        here = chance[r, c].astype(np.float64)
        sure = np.maximum(sure, here)
        weight += here
        place += here[:, None] * (np.column_stack([c, r]) + offsets[r, c])
    return place / weight[:, None], sure
