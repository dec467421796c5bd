"""Maps of points: UMAP, coloured by what is known of each point (paper, Fig. 2e to g)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from arise_lib.plotting.colours import OTHER, class_colour
from arise_lib.structures import prototypes

_CLASSES = {*prototypes.LABELS, OTHER}

#: Values that a legend names, the most frequent ones.
NAMED = 8


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
        One panel for each, without ticks: the coordinates have no unit.

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
    figure, panels = plt.subplots(1, n, figsize=(3.3 * n, 3.4), layout="constrained")
    for panel, column in zip(panels, groups, strict=False):
        _cloud(panel, points, column)
        panel.set_title(column)
        panel.legend(
            fontsize=7, markerscale=3, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3
        )
    order = points.sort_values(number, kind="stable")
    drawn = panels[-1].scatter(
        order["x"], order["y"], c=order[number], s=4, cmap="magma", linewidths=0
    )
    _without_ticks(panels[-1])
    panels[-1].set_title(number.replace("_", " "))
    figure.colorbar(drawn, ax=panels[-1]).set_label(unit)
    return figure


def point_panels(panels: Mapping[str, pd.DataFrame], column: str, *, n_columns: int = 5) -> Figure:
    """Draw several maps of the same points, coloured by one quantity (Supplementary Figs 6 and 9).

    Parameters
    ----------
    panels : mapping of str to pandas.DataFrame
        Title of each panel, and its points: `x`, `y`, and the column.
    column : str
        Classes, other words, or numbers of clusters, of which -1 stands for none.
    n_columns : int
        Panels per row.

    Returns
    -------
    matplotlib.figure.Figure
        With one legend, of the first panel's values.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> points = pd.DataFrame({"x": [0, 1], "y": [0, 1], "label": ["fcc", "bcc"]})
    >>> len(plotting.point_panels({"layer 1": points, "layer 2": points}, "label").axes)
    2
    """
    n_wide = min(len(panels), n_columns)
    n_rows = -(-len(panels) // n_columns)
    figure, axes = plt.subplots(
        n_rows, n_wide, figsize=(2.3 * n_wide, 2.3 * n_rows + 0.5), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for axis, (title, points) in zip(axes.ravel(), panels.items(), strict=False):
        _cloud(axis, points, column)
        axis.set_title(title)
    for axis in axes.ravel()[len(panels) :]:
        axis.axis("off")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), markerscale=3)
    return figure


def _cloud(axis: Axes, points: pd.DataFrame, column: str) -> None:
    """Draw points in the colours of their classes or clusters, named the most frequent ones."""
    named = points[column].value_counts().index[:NAMED]
    for k, value in enumerate(sorted(points[column].unique(), key=str)):
        name = "none" if value == -1 else f"{value}"
        if value in _CLASSES:
            colour = class_colour(value)
        else:
            colour = "0.75" if value == -1 else f"C{k % 10}"
        here = points[points[column] == value]
        shown = name if value in named else None
        axis.scatter(here["x"], here["y"], s=4, color=colour, label=shown, linewidths=0)
    _without_ticks(axis)


def _without_ticks(axis: Axes) -> None:
    """Leave out what has no meaning: places in a map of UMAP are of no unit."""
    axis.set(xticks=[], yticks=[], xlabel="UMAP 1", ylabel="UMAP 2")
