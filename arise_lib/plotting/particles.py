"""A particle from the side, slices through it, and groups of its boxes (paper, Fig. 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from arise_lib.errors import InputError
from arise_lib.plotting.colours import are_labels, class_colour, coloured
from arise_lib.plotting.maps import ends

#: Classes that a legend names.
_NAMED = 8

#: Share of the numbers that the scale of colours covers; single ones beyond are drawn as its end.
_COVERED = 0.99


def particle_views(
    positions: NDArray[np.float64],
    panels: Mapping[str, ArrayLike],
    *,
    quantity: str = "mutual information / bit",
    unit: str = "Å",
) -> Figure:
    """Draw a particle from the side, whole and cut in half, once for each colouring.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms.
    panels : mapping of str to array_like of shape (n_atoms,)
        Title, and what gives the colour of each atom: a class (text; no dot where it is
        empty), or a number. All numbers have one scale.
    quantity : str
        What the numbers are, with their unit.
    unit : str
        Unit of the positions.

    Returns
    -------
    matplotlib.figure.Figure
        Seen along z; above the whole particle, below the half beyond its middle. What is
        nearer to the reader covers what is behind it.

    Raises
    ------
    InputError
        If there is not one value for each atom.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib import plotting
    >>> places = np.array([[0.0, 0, 0], [2.0, 0, -1], [0.0, 2, 1]])
    >>> figure = plotting.particle_views(places, {"class": ["fcc", "fcc", "bcc"]})
    >>> len(figure.axes)
    2
    """
    values = {title: np.asarray(of_atoms) for title, of_atoms in panels.items()}
    for title, of_atoms in values.items():
        if of_atoms.shape != (len(positions),):
            raise InputError(
                f"{title}: values of shape {of_atoms.shape} for {len(positions)} atoms; give one "
                "for each."
            )
    n = len(values)
    figure, axes = plt.subplots(
        2, n, figsize=(2.5 * n + 0.4, 5.6), squeeze=False, sharex=True, sharey=True,
        layout="constrained",
    )  # fmt: skip
    order = np.argsort(positions[:, 2], kind="stable")
    behind = order[positions[order, 2] <= np.median(positions[:, 2])]
    top, image = _top(list(values.values())), None
    for column, (title, of_atoms) in enumerate(values.items()):
        for panel, shown in zip(axes[:, column], (order, behind), strict=True):
            drawn = _dots(panel, positions[shown], of_atoms[shown], top)
            image = drawn if not are_labels(of_atoms) else image
        axes[0, column].set_title(title)
        axes[1, column].set_xlabel(f"x / {unit}")
    for panel, what in zip(axes[:, 0], ("whole", "cut in half"), strict=True):
        panel.set_ylabel(f"{what}: y / {unit}")
    _explain(figure, axes, list(values.values()), image, quantity)
    return figure


def central_slices(
    rows: Mapping[str, xr.DataArray],
    n: int = 5,
    *,
    apart: float | None = None,
    quantity: str = "mutual information / bit",
    unit: str = "Å",
) -> Figure:
    """Draw the central slices of several maps, one row each, all on one scale.

    Parameters
    ----------
    rows : mapping of str to xarray.DataArray
        Title of each row, and a map (z, y, x) of labels or of numbers, which may be of other boxes
        than those of the other rows.
    n : int
        Slices that are drawn, around the middle.
    apart : float, optional
        Their distance, in the unit of the positions: then the nearest layers of boxes are drawn.
        By default they are neighbouring layers.
    quantity : str
        What the numbers are, with their unit.
    unit : str
        Unit of the positions.

    Returns
    -------
    matplotlib.figure.Figure
        `n` panels for each row, bottom to top from left to right; boxes without an answer are
        white.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from arise_lib import plotting
    >>> axes = {"z": [0.0, 2.0, 4.0], "y": [0.0, 2.0], "x": [0.0, 2.0]}
    >>> maps = xr.DataArray(np.ones((3, 2, 2)), axes, ["z", "y", "x"])
    >>> len(plotting.central_slices({"9 min": maps}, n=3).axes)
    4
    """
    layers = {title: _central(values, n, apart) for title, values in rows.items()}
    most = max(values.sizes["z"] for values in layers.values())
    figure, axes = plt.subplots(
        len(layers), most, figsize=(1.75 * most + 0.9, 1.75 * len(layers) + 0.7), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    flat = [values.values.ravel() for values in layers.values()]
    top, image = _top(flat), None
    for line, (title, values) in zip(axes, layers.items(), strict=True):
        for panel in line[values.sizes["z"] :]:
            panel.set_axis_off()
        for panel, z in zip(line, values["z"].values, strict=False):
            layer, (x, y) = values.sel(z=z), (values["x"].values, values["y"].values)
            look: dict[str, Any] = {"origin": "lower", "interpolation": "none"}
            look["extent"] = (*ends(x), *ends(y))
            if are_labels(layer):
                panel.imshow(coloured(layer.values), **look)
            else:
                image = panel.imshow(layer.values, vmin=0.0, vmax=top, cmap="magma", **look)
            panel.set_title(f"z = {round(float(z))} {unit}", fontsize=8)
            panel.tick_params(labelsize=7)
        line[0].set_ylabel(f"{title}\ny / {unit}", fontsize=8)
    for panel in axes[-1]:
        panel.set_xlabel(f"x / {unit}", fontsize=8)
    _explain(figure, axes, flat, image, quantity)
    return figure


def slice_table(
    rows: Mapping[str, xr.DataArray], n: int = 5, *, apart: float | None = None
) -> pd.DataFrame:
    """Tabulate what `central_slices` draws.

    Parameters
    ----------
    rows, n, apart
        As for `central_slices`.

    Returns
    -------
    pandas.DataFrame
        One line per box with an answer: `row`, `z`, `y`, `x`, `value`.

    Examples
    --------
    >>> import xarray as xr
    >>> from arise_lib import plotting
    >>> maps = xr.DataArray([[["fcc", ""]]], {"z": [0.0], "y": [0.0], "x": [0.0, 2.0]},
    ...     ["z", "y", "x"])
    >>> plotting.slice_table({"fit": maps}).values.tolist()
    [['fit', 0.0, 0.0, 0.0, 'fcc']]
    """
    parts = []
    for title, values in rows.items():
        part = _central(values, n, apart).rename("value").to_series().reset_index()
        known = part["value"] != "" if are_labels(values) else part["value"].notna()
        part.insert(0, "row", title)
        parts.append(part[known])
    return pd.concat(parts, ignore_index=True)


def cluster_histograms(
    values: ArrayLike, clusters: ArrayLike, *, xlabel: str, n: int = 7
) -> Figure:
    """Draw the histogram of a quantity for each cluster, sorted by their medians.

    Parameters
    ----------
    values : array_like of shape (n_rows,)
        The quantity.
    clusters : array_like of int, shape (n_rows,)
        Number of each row's cluster; -1 stands for none.
    xlabel : str
        Quantity and unit.
    n : int
        Clusters that are drawn, the largest ones.

    Returns
    -------
    matplotlib.figure.Figure
        One panel below the other, those of the clusters with a line at the median; last, in
        grey, the rows in no cluster.

    Examples
    --------
    >>> from arise_lib import plotting
    >>> figure = plotting.cluster_histograms([0.0, 0.1, 1.0, 9.0], [0, 0, 1, -1], xlabel="d / Å")
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['0', '1', 'none']
    """
    table = pd.DataFrame({"value": np.asarray(values), "cluster": np.asarray(clusters)}).dropna()
    sizes = table["cluster"][table["cluster"] >= 0].value_counts(sort=True)
    medians = table.groupby("cluster")["value"].median().loc[sizes.index[:n]]
    shown = [
        *medians.sort_values(kind="stable").index,
        *([-1] if -1 in set(table["cluster"]) else []),
    ]
    low, high = table["value"].quantile([0.005, 0.995])
    bins = np.linspace(low, high, 41).tolist()
    figure, axes = plt.subplots(
        len(shown), 1, figsize=(4.6, 0.55 * len(shown) + 1.0), sharex=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for panel, name in zip(axes[:, 0], shown, strict=True):
        here = table.loc[table["cluster"] == name, "value"]
        panel.hist(here, bins=bins, color="0.7" if name < 0 else f"C{name}")
        if name >= 0:
            panel.axvline(here.median(), color="0.2", linewidth=1.0)
        panel.axvline(0.0, color="0.5", linewidth=0.6, linestyle=":")
        panel.set_ylabel("none" if name < 0 else f"{name}", rotation=0, labelpad=12)
        panel.set_yticks([])
    axes[-1, 0].set_xlabel(xlabel)
    figure.supylabel("cluster, boxes", fontsize=9)
    return figure


def _central(values: xr.DataArray, n: int, apart: float | None) -> xr.DataArray:
    """Layers around the middle, axes in the order of a picture."""
    ordered = values.transpose("z", "y", "x")
    if apart is None:
        first = max(0, (values.sizes["z"] - n) // 2)
        return ordered.isel(z=slice(first, first + n))
    z = values["z"].values
    wanted = 0.5 * (z[0] + z[-1]) + apart * (np.arange(n) - 0.5 * (n - 1))
    return ordered.isel(z=np.unique(np.abs(z[:, None] - wanted).argmin(axis=0)))


def _top(values: list[NDArray[Any]]) -> float:
    """End of the common scale of all numbers; 1 where there is none."""
    numbers = [of.astype(float) for of in values if not are_labels(of)]
    known = np.concatenate([of[np.isfinite(of)] for of in numbers]) if numbers else np.empty(0)
    top = float(np.quantile(known, _COVERED)) if known.size else 1.0
    return top if top > 0.0 else 1.0


def _dots(panel: Axes, positions: NDArray[np.float64], values: NDArray[Any], top: float) -> Any:
    """Draw atoms in their order, and return what a bar of colours belongs to."""
    look: dict[str, Any] = {"s": 6.0, "linewidths": 0, "rasterized": True}
    if are_labels(values):
        look["c"] = coloured(values)
    else:
        look |= {"c": values, "cmap": "magma", "vmin": 0.0, "vmax": top}
    panel.set_aspect("equal")
    return panel.scatter(positions[:, 0], positions[:, 1], **look)


def _explain(
    figure: Figure, axes: NDArray[Any], values: list[NDArray[Any]], image: Any, quantity: str
) -> None:
    """Add the bar of the numbers and the legend of the classes."""
    if image is not None:
        figure.colorbar(image, ax=axes, shrink=0.6, extend="max").set_label(quantity)
    labels = [of for of in values if are_labels(of)]
    if labels:
        counts = pd.Series(np.concatenate(labels))
        named = counts[counts != ""].value_counts().index[:_NAMED]
        handles = [Patch(color=class_colour(str(name)), label=str(name)) for name in named]
        figure.legend(
            handles=handles, loc="outside lower center", ncols=min(len(handles), 4), fontsize=8
        )
