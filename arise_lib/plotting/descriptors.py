"""Descriptors as lines, and as points of a map."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial import cKDTree

from arise_lib.plotting.style import FAMILY_COLOURS
from arise_lib.structures import prototypes

#: Numbers on a map are at least so far from each other, as a share of its edges.
_LABEL_GAP = 0.022

#: Numbers stand above their islands, by this share of the map's edges.
_BESIDE = np.array([0.0, 0.012])

#: Points of a class nearer than this, as a share of the map's edges, are one island.
_SAME_ISLAND = 0.05

#: Where the columns of the key begin, as shares of its width.
_COLUMNS = (0.0, 0.3, 0.72)


def descriptor_lines(vectors: pd.DataFrame) -> Figure:
    """Draw descriptors below each other, and how they change.

    Parameters
    ----------
    vectors : pandas.DataFrame
        One descriptor per column; columns of the same name before a comma share
        a panel.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per group: the first descriptor in grey, and the others less the first.

    Examples
    --------
    >>> import pandas as pd
    >>> from ase.build import bulk
    >>> from arise_lib import descriptor, plotting
    >>> vector = descriptor.describe(bulk("Cu"))
    >>> len(plotting.descriptor_lines(pd.DataFrame({"fcc, perfect": vector})).axes)
    1
    """
    groups: dict[str, list[str]] = {}
    for name in vectors.columns:
        groups.setdefault(name.partition(",")[0], []).append(name)
    figure, panels = plt.subplots(
        len(groups), 1, figsize=(7, 1.35 * len(groups)), sharex=True, squeeze=False
    )
    for panel, (group, names) in zip(panels[:, 0], groups.items(), strict=True):
        first = vectors[names[0]]
        panel.fill_between(first.index, first, color="0.8", linewidth=0, label="vector")
        for k, name in enumerate(names[1:]):
            what = name.partition(", ")[2]
            panel.plot(vectors[name] - first, linewidth=0.8, label=f"change, {what}", color=f"C{k}")
        panel.set_title(group, loc="left")
        panel.set_ylabel("SOAP / 1")
    panels[-1, 0].set_xlabel("component / 1")
    handles, labels = max((p.get_legend_handles_labels() for p in panels[:, 0]), key=len)
    figure.legend(handles, labels, fontsize=8, loc="upper right", ncols=len(labels))
    figure.tight_layout()
    return figure


def class_map(points: pd.DataFrame) -> Figure:
    """Draw a two-dimensional map of classes, coloured by family, each of its islands numbered.

    The names of the numbers stand beside the map.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns `x`, `y` and `label`.

    Returns
    -------
    matplotlib.figure.Figure
        The map; its axes have no unit.
    """
    figure, (panel, key) = plt.subplots(
        1, 2, figsize=(11, 7), width_ratios=[1.5, 1], layout="constrained"
    )
    families = points["label"].map(lambda label: prototypes.get(label).family)
    for family, colour in FAMILY_COLOURS.items():
        chosen = points[families == family]
        panel.scatter(chosen["x"], chosen["y"], s=4, color=colour, label=family, linewidths=0)
    labels = list(dict.fromkeys(points["label"]))
    extent = np.ptp(points[["x", "y"]].to_numpy(), axis=0)
    islands = [
        (number, island)
        for number, label in enumerate(labels, start=1)
        for island in _islands(points.loc[points["label"] == label, ["x", "y"]].to_numpy() / extent)
    ]
    middles = np.array([island for _, island in islands])
    for (number, _), middle, place in zip(
        islands, middles * extent, _apart(middles + _BESIDE, _LABEL_GAP) * extent, strict=True
    ):
        panel.annotate(
            str(number), middle, place, fontsize=6, ha="center", va="center",
            arrowprops={"arrowstyle": "-", "linewidth": 0.3, "color": "0.5", "shrinkA": 3},
        )  # fmt: skip
    rows = -(-len(labels) // len(_COLUMNS))
    for number, label in enumerate(labels, start=1):
        column, row = divmod(number - 1, rows)
        entry = prototypes.get(str(label))
        key.text(
            _COLUMNS[column], 1.0 - row / rows, f"{number} {entry.tex}", fontsize=6.5,
            color=FAMILY_COLOURS[entry.family], va="top", transform=key.transAxes,
        )  # fmt: skip
    panel.set(xticks=[], yticks=[], xlabel="UMAP 1", ylabel="UMAP 2")
    panel.legend(loc="upper right", markerscale=3, fontsize=8)
    key.axis("off")
    return figure


def _islands(points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Middles of the islands of one class."""
    if len(points) < 2:
        return list(points)
    parts = fcluster(linkage(points), _SAME_ISLAND, criterion="distance")
    return [np.median(points[parts == part], axis=0) for part in np.unique(parts)]


def _apart(points: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Push points away from each other until none is nearer than `gap` to another."""
    moved = points.copy()
    for _ in range(200):
        pairs = cKDTree(moved).query_pairs(gap, output_type="ndarray")
        if not len(pairs):
            break
        away = moved[pairs[:, 0]] - moved[pairs[:, 1]]
        length = np.linalg.norm(away, axis=1, keepdims=True)
        step = 0.5 * (gap - length) * away / np.maximum(length, 1e-9)
        np.add.at(moved, pairs[:, 0], 0.5 * step)
        np.add.at(moved, pairs[:, 1], -0.5 * step)
    return moved
