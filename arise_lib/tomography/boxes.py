"""Which atoms the boxes of a scan hold, and what most of them are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from arise_lib.errors import InputError

#: Boxes whose atoms are listed at a time: some hundred megabytes with 200 atoms each.
_LOT = 50_000


def members(positions: NDArray[np.float64], centres: NDArray[np.float64], edge: float) -> csr_array:
    """List the atoms of cubes; cubes are closed on all sides, as in a scan.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of a sample without periodicity.
    centres : ndarray of shape (n_boxes, 3)
        Middles of the cubes, in the unit of the positions.
    edge : float
        In the same unit.

    Returns
    -------
    scipy.sparse.csr_array of shape (n_boxes, n_atoms)
        1 where the box holds the atom: times a column of numbers, one for each atom,
        it gives their sums in the boxes.

    Raises
    ------
    InputError
        If the edge is not positive and finite.

    Examples
    --------
    >>> import numpy as np
    >>> atoms = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    >>> members(atoms, np.array([[0.0, 0, 0], [4.0, 0, 0]]), edge=4.0).toarray().astype(int)
    array([[1, 1, 0],
           [0, 1, 1]])
    """
    if not (np.isfinite(edge) and edge > 0):
        raise InputError(f"A box of edge {edge} holds nothing; give a positive length.")
    found = cKDTree(positions).query_ball_point(
        centres, 0.5 * edge, p=np.inf, return_sorted=True, workers=1
    )
    counts = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
    columns = np.concatenate([np.empty(0, np.int64), *map(np.asarray, found[counts > 0])])
    starts = np.concatenate([[0], np.cumsum(counts)])
    shape = (len(centres), len(positions))
    return csr_array((np.ones(len(columns)), columns.astype(np.int64), starts), shape=shape)


def lots(positions: NDArray[np.float64], maps: xr.Dataset) -> Iterator[csr_array]:
    """List the atoms of the boxes of a scan, as many boxes at a time as memory allows.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the scanned sample.
    maps : xarray.Dataset
        From `arise_lib.scan` with a cube.

    Yields
    ------
    scipy.sparse.csr_array
        As `members` gives them; boxes in the order of the maps, x fastest.

    Raises
    ------
    InputError
        If the maps are of another shape of box.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> maps = xr.Dataset(coords={"z": [0.0], "y": [0.0], "x": [0.0, 4.0]}, attrs={"box": 4.0})
    >>> [lot.sum(axis=1).tolist() for lot in lots(np.array([[1.0, 0.0, 0.0]]), maps)]
    [[1.0, 0.0]]
    """
    if "shape" in maps.attrs or "box" not in maps.attrs:
        raise InputError("These maps are not of cubes: scan with a number as box.")
    grid = np.meshgrid(*(maps[axis].values for axis in "zyx"), indexing="ij")
    centres = np.stack(grid[::-1], axis=-1).reshape(-1, 3)
    for first in range(0, len(centres), _LOT):
        yield members(positions, centres[first : first + _LOT], float(maps.attrs["box"]))


def majority(positions: NDArray[np.float64], labels: ArrayLike, maps: xr.Dataset) -> xr.Dataset:
    """Tell what most atoms of each box are: the truth of a simulated sample, box by box.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the scanned sample.
    labels : array_like of str, shape (n_atoms,)
        What each atom is.
    maps : xarray.Dataset
        From `arise_lib.scan` with a cube.

    Returns
    -------
    xarray.Dataset
        `label` (z, y, x), of equal numbers the first by name, and `share` of the atoms
        that have it, from 0 to 1; an empty string and NaN where a box is empty.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> maps = xr.Dataset(coords={"z": [0.0], "y": [0.0], "x": [0.0, 9.0]}, attrs={"box": 4.0})
    >>> atoms = np.array([[1.0, 0, 0], [0.0, 0, 0], [-1.0, 0, 0]])
    >>> found = majority(atoms, ["fcc", "L1_2", "fcc"], maps)
    >>> found["label"].values.ravel().tolist(), found["share"].values.ravel().round(2).tolist()
    (['fcc', ''], [0.67, nan])
    """
    kinds = pd.get_dummies(pd.Series(labels, dtype=str)).sort_index(axis=1)
    names, columns = kinds.columns.to_numpy(dtype=str), kinds.to_numpy(dtype=float)
    counts = np.concatenate([lot @ columns for lot in lots(np.asarray(positions), maps)])
    total = counts.sum(axis=1)
    shares = counts.max(axis=1) / np.where(total > 0, total, np.nan)
    found = np.where(total > 0, names[counts.argmax(axis=1)], "")
    shape = [maps.sizes[axis] for axis in "zyx"]
    return xr.Dataset(
        {
            "label": (("z", "y", "x"), found.reshape(shape)),
            "share": (("z", "y", "x"), shares.reshape(shape)),
        },
        coords={axis: maps[axis] for axis in "xyz"},
    )


def average(positions: NDArray[np.float64], values: ArrayLike, maps: xr.Dataset) -> xr.DataArray:
    """Take the mean of a quantity of the atoms in each box.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the scanned sample.
    values : array_like of float, shape (n_atoms,)
        Of each atom; atoms where it is NaN do not count.
    maps : xarray.Dataset
        From `arise_lib.scan` with a cube.

    Returns
    -------
    xarray.DataArray
        (z, y, x), in the unit of the values; NaN where no atom counts.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> maps = xr.Dataset(coords={"z": [0.0], "y": [0.0], "x": [0.0, 9.0]}, attrs={"box": 4.0})
    >>> atoms = np.array([[1.0, 0, 0], [0.0, 0, 0], [-1.0, 0, 0]])
    >>> average(atoms, [1.0, 3.0, np.nan], maps).values.ravel().tolist()
    [2.0, nan]
    """
    numbers = np.asarray(values, dtype=float)
    known = np.isfinite(numbers)
    columns = np.column_stack([known, np.where(known, numbers, 0.0)])
    sums = np.concatenate([lot @ columns for lot in lots(np.asarray(positions), maps)])
    mean = sums[:, 1] / np.where(sums[:, 0] > 0, sums[:, 0], np.nan)
    axes = {axis: maps[axis].values for axis in "zyx"}
    return xr.DataArray(mean.reshape([len(axis) for axis in axes.values()]), axes, list("zyx"))


def of_nearest_box(positions: NDArray[np.float64], values: xr.DataArray) -> NDArray[np.generic]:
    """Give each atom what was found in the box nearest to it.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the scanned sample.
    values : xarray.DataArray
        A map (z, y, x) of labels or numbers; boxes with an empty string or NaN are passed over.

    Returns
    -------
    ndarray of shape (n_atoms,)
        Of the type of the map.

    Raises
    ------
    InputError
        If no box has an answer.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> axes = {"z": [0.0], "y": [0.0], "x": [0.0, 2.0, 4.0]}
    >>> labels = xr.DataArray([[["fcc", "", "bcc"]]], axes, list("zyx"))
    >>> of_nearest_box(np.array([[1.9, 0.0, 0.0], [2.1, 0.0, 0.0]]), labels).tolist()
    ['fcc', 'bcc']
    """
    ordered = values.transpose("z", "y", "x")
    flat = ordered.values.ravel()
    # Labels that were read from a file are objects.
    answered = flat != "" if flat.dtype.kind in "UO" else np.isfinite(flat)
    if not answered.any():
        raise InputError("No box has an answer, so no atom has one.")
    grid = np.meshgrid(*(ordered[axis].values for axis in "zyx"), indexing="ij")
    centres = np.stack(grid[::-1], axis=-1).reshape(-1, 3)[answered]
    return flat[answered][cKDTree(centres).query(positions)[1]]


def centres(chosen: xr.DataArray) -> NDArray[np.float64]:
    """List the middles of some boxes of a scan.

    Parameters
    ----------
    chosen : xarray.DataArray of bool
        A map (z, y, x), such as ``maps["label"] == "L1_0"``.

    Returns
    -------
    ndarray of shape (n_chosen, 3)
        x, y, z; boxes in the order of the maps, x fastest.

    Examples
    --------
    >>> import xarray as xr
    >>> labels = xr.DataArray([[["fcc", "bcc"]]], {"z": [0.0], "y": [1.0], "x": [0.0, 2.0]},
    ...     ["z", "y", "x"])
    >>> centres(labels == "bcc").tolist()
    [[2.0, 1.0, 0.0]]
    """
    ordered = chosen.transpose("z", "y", "x")
    where = np.argwhere(ordered.values)
    return np.column_stack(
        [ordered[axis].values[where[:, "zyx".index(axis)]] for axis in "xyz"]
    ).astype(np.float64)
