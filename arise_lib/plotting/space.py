"""Boxes in three dimensions (paper, Fig. 2j)."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from arise_lib.plotting.colours import class_colour
from arise_lib.samples.polycrystals import Cuboid


def boxes_in_space(
    maps: xr.Dataset, label: str, unit: str = "Å", *, truth: Cuboid | None = None
) -> Figure:
    """Draw the centres of the boxes of one label in three dimensions.

    Parameters
    ----------
    maps : xarray.Dataset
        From `arise_lib.scan`.
    label : str
        The class.
    unit : str
        Unit of the positions.
    truth : Cuboid, optional
        Its edges are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        A point for each box that is named so, within the extent of all boxes; in the corner the
        first box itself, at its size.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import plotting, strided
    >>> maps = strided.scan(bulk("Cu", cubic=True) * 3, 11.0, 5.5, passes=10)
    >>> plotting.boxes_in_space(maps, "fcc").axes[0].name
    '3d'
    """
    figure = plt.figure(figsize=(4.4, 4.2))
    panel: Any = figure.add_subplot(projection="3d")
    where = np.argwhere((maps["label"] == label).transpose("x", "y", "z").values)
    points = [maps[axis].values[where[:, k]] for k, axis in enumerate("xyz")]
    panel.scatter(*points, s=12, color=class_colour(label), edgecolors="0.3", linewidths=0.2)
    middle = np.array([float(maps[axis][0]) for axis in "xyz"])
    half = 0.5 * float(maps.attrs.get("box", 0.0))
    _frame(panel, middle - half, middle + half, color="0.3", linestyle="--", linewidth=0.8)
    if truth is not None:
        _frame(panel, truth.low, truth.high, color="black", linewidth=1.2)
    limits = {
        f"{axis}lim": (float(maps[axis].min()) - half, float(maps[axis].max()) + half)
        for axis in "xyz"
    }
    panel.set(
        **limits, title=f"boxes named {label}", **{f"{a}label": f"{a} / {unit}" for a in "xyz"}
    )
    panel.set_box_aspect((1, 1, 1), zoom=0.88)  # room for the label of z
    return figure


def _frame(panel: Any, low: ArrayLike, high: ArrayLike, **look: Any) -> None:
    """Draw the twelve edges of a block."""
    for start, end in combinations(np.array(list(product((0, 1), repeat=3))), 2):
        if np.abs(end - start).sum() == 1:
            low_, span = np.asarray(low, float), np.subtract(high, low)
            panel.plot(*np.transpose([low_ + start * span, low_ + end * span]), **look)
