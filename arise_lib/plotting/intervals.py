"""Numbers with their intervals, one below the other."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure


def interval_dots(table: pd.DataFrame, xlabel: str, *, chance: float | None = None) -> Figure:
    """Draw values with intervals in rows, with a colour for each group.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by group and name of the row; columns `value`, `low` and `high`.
    xlabel : str
        Quantity and unit.
    chance : float, optional
        What guessing gives, drawn as a line.

    Returns
    -------
    matplotlib.figure.Figure
        One panel.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> index = pd.MultiIndex.from_tuples([("perfect", "PTM"), ("harmed", "PTM")])
    >>> table = pd.DataFrame({"value": [0.9, 0.7], "low": [0.8, 0.6], "high": [1, 0.8]}, index)
    >>> figure = plotting.interval_dots(table, "area under the curve", chance=0.5)
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['PTM']
    """
    groups = table.index.get_level_values(0).unique()
    names = table.index.get_level_values(1).unique()
    figure, axis = plt.subplots(figsize=(6.0, 0.6 + 0.34 * len(names)), layout="constrained")
    for k, group in enumerate(groups):
        rows = table.loc[group]
        # Groups of one row lie beside each other.
        places = [names.get_loc(name) + 0.18 * (k - 0.5 * (len(groups) - 1)) for name in rows.index]
        errors = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        axis.errorbar(
            rows["value"], places, xerr=errors, fmt="o", markersize=4, capsize=2, label=str(group)
        )
    if chance is not None:
        axis.axvline(chance, color="0.6", linewidth=0.8, linestyle="--", label="chance")
    axis.set(xlabel=xlabel, yticks=range(len(names)), yticklabels=list(names))
    axis.invert_yaxis()
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
