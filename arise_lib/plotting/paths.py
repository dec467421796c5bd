"""Answers along a path from one structure to another."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from arise_lib.plotting.colours import class_colour

#: Classes that nowhere on the path are as probable as this are not drawn.
_LEAST = 0.1


def path_panels(
    probabilities: Mapping[str, pd.DataFrame],
    information: Mapping[str, pd.Series],
    marks: Mapping[str, float],
    xlabel: str,
) -> Figure:
    """Draw class probabilities and mutual information along a path, a column per network.

    Parameters
    ----------
    probabilities : mapping of str to pandas.DataFrame
        Title of each column, and probabilities from 0 to 1: a row for each place on the path, a
        column for each class. Classes that are nowhere above 0.1 are left out.
    information : mapping of str to pandas.Series
        Mutual information in bits at the same places.
    marks : mapping of str to float
        Known structures on the path, and their places.
    xlabel : str
        What the place on the path is, and its unit.

    Returns
    -------
    matplotlib.figure.Figure
        Probabilities above, mutual information below, the same axes in each row.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> p = pd.DataFrame({"bcc": [1.0, 0.4], "fcc": [0.0, 0.6]}, index=[1.0, 1.4])
    >>> bits = pd.Series([0.0, 0.3], index=p.index)
    >>> figure = plotting.path_panels({"arise": p}, {"arise": bits}, {"bcc": 1.0}, "c/a / 1")
    >>> len(figure.axes[0].lines)
    3
    """
    figure, panels = plt.subplots(
        2, len(probabilities), figsize=(1.7 + 3.8 * len(probabilities), 4.2), sharex=True,
        sharey="row", squeeze=False, layout="constrained", height_ratios=(2, 1),
    )  # fmt: skip
    lines: dict[str, Line2D] = {}
    for column, (title, table) in zip(panels.T, probabilities.items(), strict=True):
        for label in table.columns[table.max() >= _LEAST]:
            (line,) = column[0].plot(table.index, table[label], color=class_colour(label))
            lines.setdefault(label, line)
        column[1].plot(information[title], color="black")
        column[0].set_title(title, pad=16)
        column[1].set_xlabel(xlabel)
        for name, place in marks.items():
            for panel in column:
                panel.axvline(place, color="0.7", linewidth=0.8, linestyle=":", zorder=0)
            above = column[0].get_xaxis_transform()
            column[0].text(place, 1.01, name, transform=above, ha="center", va="bottom", fontsize=8)
    panels[0, 0].set(ylabel="probability / 1", ylim=(-0.02, 1.02))
    most = max(bits.max() for bits in information.values())
    panels[1, 0].set(ylabel="mutual\ninformation / bit", ylim=(0.0, 1.05 * most or 1.0))
    figure.legend(list(lines.values()), list(lines), loc="outside right center", fontsize=8)
    return figure
