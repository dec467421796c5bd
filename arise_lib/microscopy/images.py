"""Images of an electron microscope: one plane of numbers, and the width of a pixel in Å."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arise_lib.errors import DataError, InputError

#: Largest share of the pixels that may lie at the upper end of the scale: beyond it brightness
#: has been cut off, and neither positions nor species can be trusted there.
MAX_SATURATED = 0.001

#: Smallest image, in pixels along an edge.
MIN_EDGE = 16


@dataclass(frozen=True, eq=False)
class Image:
    """A grey image with a scale.

    Attributes
    ----------
    data : ndarray of float32, shape (n_rows, n_columns)
        Brightness, in any unit.
    pixel : float
        Width of a pixel in Å.

    Raises
    ------
    InputError
        If it is not one plane of finite numbers, or if the width is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> Image(np.zeros((64, 32), np.float32), pixel=0.1).size
    (3.2, 6.4)
    """

    data: NDArray[np.float32]
    pixel: float

    def __post_init__(self) -> None:
        """Refuse what is no grey image with a scale."""
        check_plane(self.data)
        check_pixel(self.pixel)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in Å."""
        rows, columns = self.data.shape
        return columns * self.pixel, rows * self.pixel


def read_image(
    path: str | PathLike[str],
    pixel: float | None,
    *,
    dataset: str | None = None,
    max_saturated: float = MAX_SATURATED,
) -> Image:
    """Read a grey image from a TIFF, PNG, npy or HDF5 file.

    Parameters
    ----------
    path : path-like
        The file; its ending tells the format (.tif, .tiff, .png, .npy, .h5, .hdf5).
    pixel : float
        Width of a pixel in Å. Image files seldom say it, and in no common unit, so it
        is always asked for; ``None`` is refused with the way to find it.
    dataset : str, optional
        Name of the array in an HDF5 file; not needed if there is only one of numbers.
    max_saturated : float
        Largest share of pixels, from 0 to 1, at the upper end of the scale.

    Returns
    -------
    Image
        The axes of length 1 that a file may have besides the two are dropped.

    Raises
    ------
    InputError
        If the format is not known, the image has colours, another number of dimensions,
        pixels that are not finite, too many that are saturated, or no scale.
    DataError
        If the file is missing or damaged.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> with TemporaryDirectory() as folder:
    ...     np.save(Path(folder) / "a.npy", np.random.default_rng(0).random((32, 32)))
    ...     read_image(Path(folder) / "a.npy", pixel=0.1).data.shape
    (32, 32)
    """
    path = Path(path)
    readers = {
        ".npy": _read_npy, ".png": _read_picture, ".tif": _read_picture, ".tiff": _read_picture,
    }  # fmt: skip
    ending = path.suffix.lower()
    if ending not in readers and ending not in (".h5", ".hdf5"):
        raise InputError(
            f"{path.name} ends with {ending!r}; TIFF, PNG, npy and HDF5 files can be read "
            "(.tif .tiff .png .npy .h5 .hdf5)."
        )
    if pixel is None:
        raise InputError(
            f"{path.name} has no scale: give the width of a pixel in Å, which is the width of the "
            "field of view divided by the number of columns."
        )
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    try:
        data = _read_hdf5(path, dataset) if ending in (".h5", ".hdf5") else readers[ending](path)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, EOFError, SyntaxError) as error:
        raise DataError(f"{path.name} cannot be read as an image ({error}).") from error
    _check_grey(data, path.name)
    check_plane(np.squeeze(data))
    plane = np.squeeze(data).astype(np.float32)
    check_saturation(plane, max_saturated)
    return Image(plane, pixel)


def check_plane(data: NDArray[Any]) -> None:
    """Refuse what is not one plane of finite numbers.

    Parameters
    ----------
    data : ndarray
        Brightness.

    Raises
    ------
    InputError
        With what was found and what is allowed.

    Examples
    --------
    >>> import numpy as np
    >>> check_plane(np.zeros((20, 20)))
    """
    if data.ndim != 2:
        raise InputError(
            f"An array of shape {data.shape} is no image: two axes are needed, rows and columns; "
            "pick one frame of a stack."
        )
    if min(data.shape) < MIN_EDGE:
        raise InputError(
            f"An image of {data.shape[0]} x {data.shape[1]} pixels is too small; at least "
            f"{MIN_EDGE} along each edge are needed."
        )
    if not np.issubdtype(data.dtype, np.number) or np.iscomplexobj(data):
        raise InputError(f"Pixels of type {data.dtype} are no brightness; real numbers are needed.")
    n_bad = int((~np.isfinite(data)).sum())
    if n_bad:
        raise InputError(
            f"{n_bad} of {data.size} pixels are not finite: fill them (the median of their "
            "neighbours) or cut that part off."
        )


def check_saturation(data: NDArray[Any], max_saturated: float = MAX_SATURATED) -> None:
    """Refuse an image in which many pixels share the largest value.

    Parameters
    ----------
    data : ndarray, shape (n_rows, n_columns)
        Brightness.
    max_saturated : float
        Largest share of such pixels, from 0 to 1.

    Raises
    ------
    InputError
        If there are more.

    Examples
    --------
    >>> import numpy as np
    >>> check_saturation(np.arange(1024.0).reshape(32, 32), max_saturated=0.01)
    """
    top = float(data.max())
    share = float((data == top).mean())
    # Counts at low dose have few values, of which the largest may well be frequent: saturation is
    # an end of the scale that stands out against the value before it.
    below = data[data < top]
    if below.size == 0:
        raise InputError(f"All pixels are {top:g}: this image is empty.")
    before = float((data == below.max()).mean())
    if share > max_saturated and share > 3.0 * before:
        raise InputError(
            f"{100 * share:.2f} % of the pixels have the largest value {top:g}: they are "
            f"saturated, and {100 * max_saturated:g} % are allowed. Cut that part off, record with "
            "less gain, or raise max_saturated if it does not matter."
        )


def check_pixel(pixel: float) -> None:
    """Refuse a width of a pixel that is not a positive number.

    Parameters
    ----------
    pixel : float
        In Å.

    Raises
    ------
    InputError
        If it is not.

    Examples
    --------
    >>> check_pixel(0.1)
    """
    if not (isinstance(pixel, int | float | np.number) and np.isfinite(pixel) and pixel > 0):
        raise InputError(f"A pixel cannot be {pixel!r} Å wide; a positive number is needed.")


def _check_grey(data: NDArray[Any], name: str) -> None:
    """Refuse colours: three or four planes as the last axis."""
    if data.ndim == 3 and data.shape[-1] in (2, 3, 4) and min(data.shape[:2]) >= MIN_EDGE:
        raise InputError(
            f"{name} is a colour image of {data.shape[-1]} channels; brightness is needed: export "
            "it in grey, without a colour map, as the microscope recorded it."
        )


def _read_npy(path: Path) -> NDArray[Any]:
    """Read an array, never a pickled one."""
    return np.asarray(np.load(path, allow_pickle=False))


def _read_picture(path: Path) -> NDArray[Any]:
    """Read TIFF or PNG, with 8, 16 or 32 bits."""
    from PIL import Image as Picture

    with Picture.open(path) as picture:
        frames = int(getattr(picture, "n_frames", 1))
        if frames > 1:
            raise InputError(
                f"{path.name} is a stack of {frames} images; one is needed: save a frame "
                "or a sum of them."
            )
        if picture.mode == "P":
            raise InputError(
                f"{path.name} is a colour image with a palette; export it in grey, as the "
                "microscope recorded it."
            )
        return np.asarray(picture)


def _read_hdf5(path: Path, dataset: str | None) -> NDArray[Any]:
    """Read one array of numbers of an HDF5 file."""
    import h5py

    with h5py.File(path, "r") as file:
        names: list[str] = []
        file.visititems(
            lambda name, item: (
                names.append(name)
                if isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" and item.ndim >= 2
                else None
            )
        )
        if dataset is None and len(names) != 1:
            raise InputError(
                f"{path.name} holds {len(names)} arrays of numbers ({', '.join(names) or 'none'}); "
                "name one as dataset."
            )
        name = names[0] if dataset is None else dataset
        if name not in names:
            raise InputError(f"{path.name} has no array {name!r}; it has {', '.join(names)}.")
        return np.asarray(file[name][()])
