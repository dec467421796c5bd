"""Maps of several samples side by side, with one colour per class and one scale (paper, Fig. 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

from arise_lib.plotting.colours import class_colours, coloured
from arise_lib.plotting.outlines import Naming, outline, phase_grid

#: Labels of a map that its legend names, the most frequent ones.
NAMED = 8


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
    phases: Naming | Mapping[str, Naming] | None = None,
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
    phases : callable, or mapping of str to callable, optional
        Names the phase at points of shape (n_points, 3), such as the `phase` of a
        `arise_lib.samples.Truth`; one for all rows, or one for each. The outlines of the phases are
        drawn over all maps, and named in the first of each row.

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
    figure, panels = _grid(len(layers), len(classes) + 2, list(layers.values()), plane)
    for row, (name, layer) in zip(panels, layers.items(), strict=True):
        labels = coloured(layer["label"].values)
        row[0].pcolormesh(layer[plane[0]], layer[plane[1]], labels, rasterized=True)
        for panel, label in zip(row[1:], classes, strict=False):
            values = layer["probability"].sel({"class": label})
            chance = _paint(panel, layer, values, plane, vmax=1.0)
        information = layer["mutual_information"]
        doubt = _paint(row[-1], layer, information, plane, vmax=top, cmap="magma")
        named = phases.get(name) if isinstance(phases, Mapping) else phases
        if named is not None:
            grid = phase_grid(layer, plane, named)
            for panel in row:
                outline(panel, *grid, with_names=panel is row[0])
        row[0].set_ylabel(f"{name}\n{plane[1]} / {unit}")
    for panel, title in zip(
        panels[0], ["class", *(f"p({label})" for label in classes), "mutual information"],
        strict=True,
    ):  # fmt: skip
        panel.set_title(title)
    for panel in panels.ravel():
        panel.set(xlabel=f"{plane[0]} / {unit}", aspect="equal")
        panel.label_outer()
    if classes:
        figure.colorbar(chance, ax=panels[:, 1:-1], shrink=0.8, pad=0.01).set_label("probability")
    figure.colorbar(doubt, ax=panels[:, -1], shrink=0.8).set_label("bit")
    found = pd.Series(np.concatenate([layer["label"].values.ravel() for layer in layers.values()]))
    named_most = found[found != ""].value_counts(sort=False).sort_values(
        ascending=False, kind="stable"
    )  # fmt: skip
    figure.legend(
        handles=_legend(named_most.index[:NAMED].tolist()), loc="outside lower center", ncols=NAMED,
        columnspacing=1.0, handletextpad=0.2,
    )  # fmt: skip
    return figure


def class_maps(
    maps: xr.Dataset,
    classes: Sequence[str],
    *,
    n_columns: int = 4,
    unit: str = "Å",
    phases: Naming | None = None,
) -> Figure:
    """Draw the probabilities of many classes, on one scale (paper, Supplementary Fig. 7).

    Parameters
    ----------
    maps : xarray.Dataset
        From `arise_lib.scan`; of several layers the middle one is drawn.
    classes : sequence of str
        Classes to draw.
    n_columns : int
        Pictures per row.
    unit : str
        Unit of the positions.
    phases : callable, optional
        As for `compared_maps`.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each class, titled with the share of the boxes that have its label.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import plotting, strided
    >>> maps = strided.scan(bulk("Cu", cubic=True) * 3, 11.0, 5.5, passes=10)
    >>> plotting.class_maps(maps, ["fcc", "bcc"]).axes[0].get_title()
    'fcc, 100.0 %'
    """
    plane = ("x", "y")
    layer = middle_layer(maps, plane)
    n_rows, n_wide = -(-len(classes) // n_columns), min(len(classes), n_columns)
    figure, panels = _grid(n_rows, n_wide, [layer], plane)
    labels = maps["label"].values[maps["label"].values != ""]
    grid = None if phases is None else phase_grid(layer, plane, phases)
    for panel, label in zip(panels.ravel(), classes, strict=False):
        image = _paint(panel, layer, layer["probability"].sel({"class": label}), plane, vmax=1.0)
        if grid is not None:
            outline(panel, *grid, with_names=False)
        panel.set(title=f"{label}, {100 * np.mean(labels == label):.1f} %", aspect="equal")
        panel.set(xlabel=f"x / {unit}", ylabel=f"y / {unit}")
        panel.label_outer()
    for panel in panels.ravel()[len(classes) :]:
        panel.axis("off")
    figure.colorbar(image, ax=panels, shrink=0.8, pad=0.01).set_label("probability")
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


def _grid(
    n_rows: int, n_columns: int, layers: Sequence[xr.Dataset], plane: tuple[str, str]
) -> tuple[Figure, Any]:
    """Return panels in the shape of what has an answer."""
    limits = [_bounds(layers, axis) for axis in plane]
    across, up = (high - low for low, high in limits)
    ratio = float(np.clip(up / across, 0.4, 2.5))
    width = 2.1 if ratio < 2.0 else 1.2
    figure, panels = plt.subplots(
        n_rows, n_columns, figsize=(width * n_columns + 1.2, width * ratio * n_rows + 0.9),
        squeeze=False, sharex=True, sharey=True, layout="constrained",
    )  # fmt: skip
    panels[0, 0].set(xlim=limits[0], ylim=limits[1])
    return figure, panels


def _bounds(layers: Iterable[xr.Dataset], axis: str) -> tuple[float, float]:
    """Return from where to where boxes of some layers have an answer along an axis."""
    places, steps = [], []
    for layer in layers:
        answered = (layer["label"] != "").any([dim for dim in layer["label"].dims if dim != axis])
        places.append(layer[axis].values[answered.values])
        steps.append(np.diff(layer[axis].values).max(initial=0.0) or 1.0)
    found, half = np.concatenate(places), 0.5 * max(steps)
    return float(found.min() - half), float(found.max() + half)


def _paint(panel: Axes, layer: xr.Dataset, values: Any, plane: tuple[str, str], **look: Any) -> Any:
    """Paint a quantity of one layer, its scale from 0."""
    return panel.pcolormesh(
        layer[plane[0]], layer[plane[1]], values, vmin=0.0, rasterized=True, **look
    )


def _legend(labels: Sequence[str]) -> list[Line2D]:
    """Return an entry of a legend for each class."""
    return [
        Line2D([], [], marker="s", linestyle="", color=colour, label=label)
        for label, colour in class_colours(labels).items()
    ]


def ends(centres: NDArray[np.float64]) -> tuple[float, float]:
    """Return the outer edges of a row of boxes, each as wide as their distance.

    Parameters
    ----------
    centres : ndarray of shape (n_boxes,)
        Middles of the boxes, ascending.

    Returns
    -------
    tuple of float
        First and last edge; a single box is one wide.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.plotting.maps import ends
    >>> ends(np.array([1.0, 3.0, 5.0])), ends(np.array([1.0]))
    ((0.0, 6.0), (0.5, 1.5))
    """
    half = 0.5 * float(np.diff(centres).mean()) if len(centres) > 1 else 0.5
    return float(centres[0]) - half, float(centres[-1]) + half
