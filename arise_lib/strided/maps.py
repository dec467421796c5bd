"""What a map of labels says as a whole."""

from __future__ import annotations

import numpy as np
import xarray as xr


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
    """
    labels = maps["label"].values
    counted = labels != ""
    if certain_below is not None:
        # NaN, an empty box, is below nothing.
        counted &= maps["mutual_information"].values < certain_below
    names, counts = np.unique(labels[counted], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {str(names[i]): float(counts[i] / counts.sum()) for i in order}
