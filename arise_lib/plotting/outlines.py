"""Outlines of grains or phases over a map, with their names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

#: Names the phase at points of shape (n_points, 3).
Naming = Callable[[NDArray[np.float64]], NDArray[np.str_]]

#: Points along each side of a picture at which phases are asked for.
_FINE = 200


def phase_grid(
    layer: xr.Dataset, plane: tuple[str, str], phases: Naming
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]:
    """Ask for the phases on a fine grid over a layer.

    Parameters
    ----------
    layer : xarray.Dataset
        From `arise_lib.plotting.middle_layer`.
    plane : tuple of str
        Axes of the picture.
    phases : callable
        Names the phase at points of shape (n_points, 3).

    Returns
    -------
    across, up : ndarray of shape (n,)
        Places along the axes of the picture.
    found : ndarray of str, shape (n, n)
        The names, up first; an empty string where the nearest box has no answer.
    """
    across, up = (
        np.linspace(float(layer[axis].min()), float(layer[axis].max()), _FINE) for axis in plane
    )
    (third,) = set("xyz") - set(plane)
    points = np.full((_FINE, _FINE, 3), float(layer[third]))
    points[..., "xyz".index(plane[0])] = across
    points[..., "xyz".index(plane[1])] = up[:, None]
    names = np.asarray(phases(points.reshape(-1, 3)), dtype=np.str_).reshape(_FINE, _FINE)
    nearest = layer["label"].sel({plane[0]: across, plane[1]: up}, method="nearest")
    return across, up, np.where(nearest.values != "", names, "")


def outline(
    panel: Axes,
    across: NDArray[np.float64],
    up: NDArray[np.float64],
    found: NDArray[np.str_],
    *,
    with_names: bool,
) -> None:
    """Draw where phases meet.

    Parameters
    ----------
    panel : matplotlib.axes.Axes
        Where to draw.
    across, up, found
        From `phase_grid`.
    with_names : bool
        Whether the name of each phase is written into it.
    """
    for name in np.unique(found[found != ""]):
        inside = np.ma.masked_where(found == "", found == name)
        if inside.min() != inside.max():
            for colour, width in (("black", 1.8), ("white", 0.8)):
                panel.contour(across, up, inside, [0.5], colors=colour, linewidths=width)
        if with_names:
            # The place that is farthest from all other grains and from the rim.
            depth = distance_transform_edt(np.pad(inside.filled(False), 1))[1:-1, 1:-1]
            i, j = divmod(int(depth.argmax()), _FINE)
            place = float(across[j]), float(up[i])
            text = panel.text(*place, name, ha="center", va="center", fontsize=8)
            text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
