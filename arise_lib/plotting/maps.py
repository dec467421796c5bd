"""Maps of several samples side by side, with one colour per class and one scale (paper, Fig. 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from arise_lib.plotting.colours import class_colour, class_colours, coloured

#: Labels of a map that its legend names, the most frequent ones.
NAMED = 6


def sample_view(
    axes: Axes,
    atoms: Atoms,
    phases: NDArray[np.str_],
    *,
    plane: tuple[str, str] = ("x", "y"),
    box: float | None = None,
) -> None:
    """Draw a sample as dots in the colours of their phases, with the box that slides over it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    atoms : ase.Atoms
        The sample, positions in Å.
    phases : ndarray of str, shape (n_atoms,)
        Class of each atom.
    plane : tuple of str
        Axes of the picture.
    box : float, optional
        Edge of a box that is drawn in the middle, Å.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from arise_lib import plotting, samples
    >>> atoms, truth = samples.polycrystal(["fcc", "bcc"], (30.0, 30.0, 15.0), seed=0)
    >>> figure, axes = plt.subplots()
    >>> plotting.sample_view(axes, atoms, atoms.arrays["phase"], box=12.0)
    """
    across, up = (atoms.positions[:, "xyz".index(name)] for name in plane)
    for label, colour in class_colours(np.unique(phases).tolist()).items():
        here = phases == label
        axes.scatter(across[here], up[here], s=1.5, color=colour, linewidths=0, rasterized=True)
    if box is not None:
        middle = np.array([0.5 * (v.min() + v.max()) for v in (across, up)])
        corner = middle - 0.5 * box
        axes.add_patch(Rectangle((corner[0], corner[1]), box, box, fill=False, linewidth=1.5))
    axes.set_aspect("equal")
    axes.set(xlabel=f"{plane[0]} / Å", ylabel=f"{plane[1]} / Å")
    axes.legend(
        handles=_legend(np.unique(phases).tolist()), fontsize=7, loc="center left",
        bbox_to_anchor=(1.0, 0.5),
    )  # fmt: skip


def compared_maps(
    samples: Mapping[str, xr.Dataset],
    classes: Sequence[str],
    *,
    plane: tuple[str, str] = ("x", "y"),
    unit: str = "Å",
) -> Figure:
    """Draw the maps of several samples below each other, all on the same scales.

    Parameters
    ----------
    samples : mapping of str to xarray.Dataset
        Name of each row, and its maps from `arise_lib.scan`. Of several layers the middle
        one is drawn.
    classes : sequence of str
        Classes whose probabilities are drawn.
    plane : tuple of str
        Axes of the pictures.
    unit : str
        Unit of the positions.

    Returns
    -------
    matplotlib.figure.Figure
        In each row the labels in the colours of their classes, the probability of each
        class, and the mutual information in bits.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import plotting, strided
    >>> maps = strided.scan(bulk("Cu", cubic=True) * 3, 11.0, 5.5, passes=10)
    >>> len(plotting.compared_maps({"one": maps, "again": maps}, ["fcc"]).axes) >= 6
    True
    """
    layers = {name: middle_layer(maps, plane) for name, maps in samples.items()}
    top = max(float(layer["mutual_information"].max()) for layer in layers.values())
    n_columns = len(classes) + 2
    figure, panels = plt.subplots(
        len(layers), n_columns, figsize=(2.2 * n_columns, 2.5 * len(layers)), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for row, (name, layer) in zip(panels, layers.items(), strict=True):
        _label_map(row[0], layer, plane)
        row[0].set_title(name)
        quantities: list[tuple[str, Any, dict[str, Any]]] = [
            (f"p({label})", layer["probability"].sel({"class": label}), {"vmax": 1.0})
            for label in classes
        ]
        information = layer["mutual_information"]
        quantities.append(("mutual information", information, {"vmax": top, "cmap": "magma"}))
        for panel, (title, values, look) in zip(row[1:], quantities, strict=True):
            image = panel.pcolormesh(
                layer[plane[0]], layer[plane[1]], values, vmin=0.0, rasterized=True, **look
            )
            panel.set(title=title, aspect="equal")
            bar = figure.colorbar(image, ax=panel, shrink=0.7)
            bar.set_label("bit" if title == "mutual information" else "1")
    for panel in panels.ravel():
        panel.set(xlabel=f"{plane[0]} / {unit}", ylabel=f"{plane[1]} / {unit}")
        panel.label_outer()
    return figure


def middle_layer(maps: xr.Dataset, plane: tuple[str, str] = ("x", "y")) -> xr.Dataset:
    """Take the middle layer of maps, its axes in the order of a picture.

    Parameters
    ----------
    maps : xarray.Dataset
        From `arise_lib.scan`.
    plane : tuple of str
        Axes of the picture.

    Returns
    -------
    xarray.Dataset
        Two axes, the second one of `plane` first; besides `class`.

    Examples
    --------
    >>> import xarray as xr
    >>> maps = xr.Dataset({"label": (("z", "y", "x"), [[["fcc", "bcc"]]])})
    >>> middle_layer(maps, ("x", "z"))["label"].dims
    ('z', 'x')
    """
    (across,) = set("xyz") - set(plane)
    layer = maps.isel({across: maps.sizes[across] // 2})
    return layer.transpose(..., plane[1], plane[0])


def layers_along(maps: xr.Dataset, axis: str, classes: Sequence[str]) -> pd.DataFrame:
    """Count labels in each layer of boxes along an axis.

    Parameters
    ----------
    maps : xarray.Dataset
        From `arise_lib.scan`.
    axis : str
        "x", "y" or "z".
    classes : sequence of str
        Labels to count; all others together are "rest".

    Returns
    -------
    pandas.DataFrame
        One row per layer with an answer, by the position of its boxes: a share from 0 to 1
        for each class and for "rest", `boxes`, and `mutual_information`, the mean in bits.

    Examples
    --------
    >>> import xarray as xr
    >>> maps = xr.Dataset(
    ...     {"label": (("z", "y", "x"), [[["fcc", "bcc"]], [["fcc", ""]]]),
    ...      "mutual_information": (("z", "y", "x"), [[[0.0, 0.2]], [[0.1, float("nan")]]])},
    ...     coords={"z": [0.0, 2.0]},
    ... )
    >>> layers_along(maps, "z", ["fcc"])["fcc"].to_dict()
    {0.0: 0.5, 2.0: 1.0}
    """
    others = [dim for dim in "xyz" if dim != axis]
    answered = maps["label"] != ""
    boxes = answered.sum(others)
    table = pd.DataFrame(index=pd.Index(maps[axis].values, name=axis))
    for label in classes:
        table[label] = ((maps["label"] == label).sum(others) / boxes).values
    table["rest"] = 1.0 - table[list(classes)].sum(axis=1)
    table["boxes"] = boxes.values
    table["mutual_information"] = maps["mutual_information"].mean(others).values
    return table[table["boxes"] > 0]


def profile(table: pd.DataFrame, unit: str = "Å") -> Figure:
    """Draw shares of labels layer by layer.

    Parameters
    ----------
    table : pandas.DataFrame
        From `layers_along`.
    unit : str
        Unit of the positions.

    Returns
    -------
    matplotlib.figure.Figure
        Shares stacked in the colours of their classes, and the mutual information
        below.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> layers = pd.DataFrame({"fcc": [1.0, 0.5], "rest": [0.0, 0.5], "boxes": [4, 4],
    ...     "mutual_information": [0.0, 0.3]}, index=pd.Index([0.0, 2.0], name="z"))
    >>> len(plotting.profile(layers).axes)
    2
    """
    figure, (shares, information) = plt.subplots(
        2, 1, figsize=(6.5, 3.6), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    labels = [name for name in table.columns if name not in ("boxes", "mutual_information")]
    colours = ["0.85" if label == "rest" else class_colour(label) for label in labels]
    shares.stackplot(table.index, 100.0 * table[labels].T.to_numpy(), labels=labels, colors=colours)
    shares.set(ylabel="boxes of a layer / %", ylim=(0, 100))
    shares.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    information.plot(table.index, table["mutual_information"], color="0.3")
    information.set(xlabel=f"{table.index.name} / {unit}", ylabel="mean mutual\ninformation / bit")
    return figure


def coloured_points(
    points: pd.DataFrame, groups: Sequence[str], number: str, *, unit: str = "bit"
) -> Figure:
    """Draw a map of points several times, coloured by different groups and by a number.

    Parameters
    ----------
    points : pandas.DataFrame
        Coordinates `x` and `y`, and a column for each panel.
    groups : sequence of str
        Columns of classes, or of numbers of clusters, of which -1 stands for none.
    number : str
        Column of the last panel, such as the mutual information.
    unit : str
        Unit of that number.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each; the coordinates have no unit.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> points = pd.DataFrame({"x": [0, 1], "y": [0, 1], "class": ["fcc", "bcc"],
    ...     "cluster": [0, -1], "mutual_information": [0.0, 0.5]})
    >>> figure = plotting.coloured_points(points, ["cluster", "class"], "mutual_information")
    >>> len(figure.axes) >= 3
    True
    """
    n = len(groups) + 1
    figure, panels = plt.subplots(1, n, figsize=(3.3 * n, 3.2), layout="constrained")
    for panel, column in zip(panels, groups, strict=False):
        counts = points[column].value_counts()
        for k, value in enumerate(sorted(counts.index, key=str)):
            if isinstance(value, str):
                colour = class_colour(value)
            else:
                colour = "0.75" if value < 0 else f"C{k}"
            here = points[points[column] == value]
            name = f"{value}" if value != -1 else "none"
            shown = name if value in counts.index[:NAMED] else None
            panel.scatter(here["x"], here["y"], s=4, color=colour, label=shown, linewidths=0)
        panel.set(title=column, xlabel="UMAP 1 / 1", ylabel="UMAP 2 / 1")
        panel.legend(fontsize=7, markerscale=3)
    order = points.sort_values(number, kind="stable")
    drawn = panels[-1].scatter(
        order["x"], order["y"], c=order[number], s=4, cmap="magma", linewidths=0
    )
    panels[-1].set(title=number.replace("_", " "), xlabel="UMAP 1 / 1")
    figure.colorbar(drawn, ax=panels[-1]).set_label(unit)
    return figure


def boxes_in_space(maps: xr.Dataset, label: str, unit: str = "Å") -> Figure:
    """Draw the centres of the boxes of one label in three dimensions.

    Parameters
    ----------
    maps : xarray.Dataset
        From `arise_lib.scan`.
    label : str
        The class.
    unit : str
        Unit of the positions.

    Returns
    -------
    matplotlib.figure.Figure
        A point for each box that is named so, within the extent of all boxes.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import plotting, strided
    >>> maps = strided.scan(bulk("Cu", cubic=True) * 3, 11.0, 5.5, passes=10)
    >>> plotting.boxes_in_space(maps, "fcc").axes[0].name
    '3d'
    """
    figure = plt.figure(figsize=(3.6, 3.4))
    panel: Any = figure.add_subplot(projection="3d")
    where = np.argwhere((maps["label"] == label).transpose("x", "y", "z").values)
    points = [maps[axis].values[where[:, k]] for k, axis in enumerate("xyz")]
    panel.scatter(*points, s=12, color=class_colour(label), edgecolors="0.3", linewidths=0.2)
    limits = {f"{axis}lim": (maps[axis].min(), maps[axis].max()) for axis in "xyz"}
    panel.set(
        **limits, title=f"boxes named {label}", **{f"{a}label": f"{a} / {unit}" for a in "xyz"}
    )
    panel.set_box_aspect((1, 1, 1))
    return figure


def _label_map(panel: Axes, layer: xr.Dataset, plane: tuple[str, str]) -> None:
    """Paint the labels of one layer, and name the most frequent ones."""
    labels = layer["label"].values
    panel.pcolormesh(layer[plane[0]], layer[plane[1]], coloured(labels), rasterized=True)
    names, counts = np.unique(labels[labels != ""], return_counts=True)
    named = names[np.argsort(-counts, kind="stable")][:NAMED]
    # Below the map, so that it covers nothing.
    panel.legend(
        handles=_legend(named.tolist()), fontsize=6, loc="upper center",
        bbox_to_anchor=(0.5, -0.3), ncols=3, columnspacing=0.8, handletextpad=0.2,
    )  # fmt: skip
    panel.set_aspect("equal")


def _legend(labels: Sequence[str]) -> list[Line2D]:
    """Return an entry of a legend for each class."""
    return [
        Line2D([], [], marker="s", linestyle="", color=colour, label=label)
        for label, colour in class_colours(labels).items()
    ]
