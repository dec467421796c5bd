"""Maps: what was found in each box of a scan, and what that says of the sample as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

#: Order of the axes in every map.
_DIMS = ("z", "y", "x")


def assemble(
    axes: list[NDArray[np.float64]],
    n_atoms: NDArray[np.int64],
    filled: NDArray[np.bool_],
    classes: Sequence[str],
    found: Mapping[str, NDArray[Any]],
) -> xr.Dataset:
    """Put the predictions of the filled boxes in their places.

    Parameters
    ----------
    axes : list of three ndarray
        Box centres along x, y, z.
    n_atoms : ndarray of int, shape (n_x, n_y, n_z)
        Atoms of every box.
    filled : ndarray of bool, shape (n_x, n_y, n_z)
        Which boxes were predicted.
    classes : sequence of str
        Those whose probabilities are there.
    found : mapping of str to ndarray
        Of the filled boxes, z fastest: `probabilities` (n_filled, n_classes),
        `mutual_information`, `labels` and `passes` (n_filled,).

    Returns
    -------
    xarray.Dataset
        `probability` (class, z, y, x), `mutual_information`, `n_atoms`, `label`
        and `n_passes` (z, y, x); NaN, an empty string and 0 where a box was not
        predicted.
    """
    probability = np.full((*filled.shape, len(classes)), np.nan)
    probability[filled] = found["probabilities"]
    information = np.full(filled.shape, np.nan)
    information[filled] = found["mutual_information"]
    passes = np.zeros(filled.shape, dtype=np.int64)
    passes[filled] = found["passes"]
    labels = found["labels"]
    label = np.full(filled.shape, "", dtype=labels.dtype)
    label[filled] = labels
    return xr.Dataset(
        {
            "probability": (("class", *_DIMS), probability.transpose(3, 2, 1, 0)),
            "mutual_information": (_DIMS, information.transpose(2, 1, 0), {"units": "bit"}),
            "n_atoms": (_DIMS, n_atoms.transpose(2, 1, 0)),
            "label": (_DIMS, label.transpose(2, 1, 0)),
            "n_passes": (_DIMS, passes.transpose(2, 1, 0)),
        },
        coords={"x": axes[0], "y": axes[1], "z": axes[2], "class": list(classes)},
    )


def label_shares(maps: xr.Dataset, *, certain_below: float | None = None) -> dict[str, float]:
    """Share of each class among the boxes that were classified.

    Parameters
    ----------
    maps : xarray.Dataset
        From `scan`.
    certain_below : float, optional
        Leave out boxes whose mutual information, in bits, is not below this.

    Returns
    -------
    dict of str to float
        Shares from 0 to 1, largest first; empty boxes do not count.

    Examples
    --------
    >>> import xarray as xr
    >>> label_shares(xr.Dataset({"label": ("x", ["fcc", "", "bcc", "fcc", "fcc"])}))
    {'fcc': 0.75, 'bcc': 0.25}
    """
    labels = maps["label"].values
    counted = labels != ""
    if certain_below is not None:
        # NaN, an empty box, is below nothing.
        counted &= maps["mutual_information"].values < certain_below
    names, counts = np.unique(labels[counted], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {str(names[i]): float(counts[i] / counts.sum()) for i in order}
