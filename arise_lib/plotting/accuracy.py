"""How often answers are right, what they cost, and whether their probabilities can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

#: Of many methods the first ten colours of the style, and two that differ from them.
_COLOURS = [*(f"C{k}" for k in range(7)), "#555511", "C8", "C9", "0.6", "#bbaa00", "#660066"]
_MARKERS = "osv^D<>Ph*X8d"

#: A share of fewer answers than this says little.
FEW = 20


def accuracy_curves(
    table: pd.DataFrame,
    xlabel: str,
    *,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
    ylabel: str = "accuracy / %",
    logarithmic: bool = False,
) -> Figure:
    """Draw accuracies, or another quantity, against a defect ratio.

    Parameters
    ----------
    table : pandas.DataFrame
        Index: ratio in %; one method per column. ARISE is drawn on top of the others.
    xlabel : str
        Quantity and unit of the index.
    low, high : pandas.DataFrame, optional
        Intervals, of the shape of `table`.
    ylabel : str
        Quantity and unit of the values.
    logarithmic : bool
        Whether the ratios go by powers of ten.

    Returns
    -------
    matplotlib.figure.Figure
        One panel.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> table = pd.DataFrame({"ARISE": [100.0, 98.0], "PTM": [100.0, 90.0]}, index=[1, 10])
    >>> figure = plotting.accuracy_curves(table, "missing atoms / %", logarithmic=True)
    >>> len(figure.axes[0].lines) >= 2
    True
    """
    many = len(table.columns) > 3
    figure, panel = plt.subplots(figsize=(6.4, 3.4) if many else (4.2, 2.8))
    for k, name in enumerate(table.columns):
        first = name == "ARISE" and many
        colour = "black" if first else _COLOURS[k % len(_COLOURS)]
        panel.plot(
            table.index, table[name], label=name, marker=_MARKERS[k % len(_MARKERS)], markersize=4,
            linewidth=2.2 if first else 1.1, color=colour, zorder=4 if first else 2,
        )  # fmt: skip
        if low is not None and high is not None:
            panel.fill_between(
                table.index, low[name], high[name], color=colour, alpha=0.12, linewidth=0
            )
    panel.set(xlabel=xlabel, ylabel=ylabel)
    if logarithmic:
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:g}")
    if many:
        panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    else:
        panel.legend()
    figure.tight_layout()
    return figure


def like_for_like_curves(table: pd.DataFrame, names: Mapping[str, str]) -> Figure:
    """Draw methods on the same structures, one column of panels for each set of classes.

    Parameters
    ----------
    table : pandas.DataFrame
        From `arise_lib.baselines.like_for_like`.
    names : mapping of str to str
        Name of each method for readers. Those of networks begin with ARISE and are drawn thick.

    Returns
    -------
    matplotlib.figure.Figure
        Displaced atoms above, missing atoms below, with the intervals shaded.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> rows = [(3, "acna", "d1"), (3, "acna", "d10"), (3, "acna", "m1"), (3, "acna", "m10")]
    >>> index = pd.MultiIndex.from_tuples(rows, names=["classes", "method", "column"])
    >>> cells = pd.DataFrame({"accuracy": 90.0, "low": 80.0, "high": 95.0}, index)
    >>> len(plotting.like_for_like_curves(cells, {"acna": "a-CNA"}).axes)
    2
    """
    groups = list(table.index.unique("classes"))
    figure, panels = plt.subplots(
        2, len(groups), figsize=(2.6 * len(groups), 4.6), sharey=True, sharex="row", squeeze=False
    )
    colours = dict(zip(table.index.unique("method"), _COLOURS, strict=False))
    ours = [key for key in colours if names[key].startswith("ARISE")]
    colours |= dict(zip(ours, ("black", "C3"), strict=False))
    for k, classes in enumerate(groups):
        for row, (letter, label) in enumerate((("d", "displacement / % of dNN"),
                                               ("m", "missing atoms / %"))):  # fmt: skip
            panel = panels[row, k]
            for key, curve in table.loc[classes].groupby("method", sort=False):
                part = curve.droplevel("method")
                part = part[part.index.str.startswith(letter)]
                ratio = part.index.str[1:].astype(float)
                width = 2.0 if key in ours else 1.1
                panel.plot(
                    ratio, part["accuracy"], color=colours[key], linewidth=width, marker="o",
                    markersize=3, label=names[key],
                )  # fmt: skip
                panel.fill_between(
                    ratio, part["low"], part["high"], color=colours[key], alpha=0.12, linewidth=0
                )
            panel.set(xlabel=label)
        panels[0, k].set(title=f"{classes} classes", xscale="log")
        panels[0, k].xaxis.set_major_formatter("{x:g}")
        panels[1, k].legend(fontsize=6, loc="upper right")
    for panel in panels[:, 0]:
        panel.set_ylabel("right structures / %")
    figure.tight_layout()
    return figure


def cost_scatter(table: pd.DataFrame, ylabel: str = "accuracy / %") -> Figure:
    """Draw accuracy against processor time per structure.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by method: `milliseconds` per structure and `accuracy` in %. In the order of the
        columns of `accuracy_curves` a method has the same colour.
    ylabel : str
        Quantity and unit of the accuracy.

    Returns
    -------
    matplotlib.figure.Figure
        One panel, time on a logarithmic axis; each point has a mark of its own.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> table = pd.DataFrame({"milliseconds": [6.0, 17.0], "accuracy": [100, 89]}, ["ARISE", "PTM"])
    >>> plotting.cost_scatter(table).axes[0].get_xscale()
    'log'
    """
    figure, panel = plt.subplots(figsize=(6.0, 3.8))
    # Several rows of one network have the same colour.
    methods = list(dict.fromkeys(str(name).partition(" (T")[0] for name in table.index))
    colours = {
        method: "black" if method == "ARISE" else _COLOURS[k % len(_COLOURS)]
        for k, method in enumerate(methods)
    }
    for k, (name, row) in enumerate(table.iterrows()):
        panel.scatter(
            row["milliseconds"], row["accuracy"], s=34, zorder=3, alpha=0.9, label=str(name),
            marker=_MARKERS[k % len(_MARKERS)], color=colours[str(name).partition(" (T")[0]],
        )  # fmt: skip
    panel.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    panel.set(xscale="log", xlabel="processor time per structure / ms", ylabel=ylabel)
    panel.margins(x=0.08, y=0.08)
    figure.tight_layout()
    return figure


def accuracy_heatmap(table: pd.DataFrame) -> Figure:
    """Draw a table of accuracies as coloured cells with their numbers.

    Parameters
    ----------
    table : DataFrame
        One row per kind of sample, one column per network, in %.

    Returns
    -------
    matplotlib.figure.Figure
        One panel.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> shares = pd.DataFrame([[90.0, 80.0]], ["arise"], ["graphene", "Fe-Pt"])
    >>> len(plotting.accuracy_heatmap(shares).axes) > 0
    True
    """
    size = (1.9 + 0.75 * table.shape[1], 0.9 + 0.24 * table.shape[0])
    figure, panel = plt.subplots(figsize=size)
    panel.imshow(table, cmap="RdYlBu", vmin=0, vmax=100, aspect="auto")
    for row, values in enumerate(table.to_numpy()):
        for column, value in enumerate(values):
            # White on the dark ends of the scale.
            ink = "white" if value < 12 or value > 92 else "black"
            panel.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7, color=ink)
    panel.set_xticks(range(table.shape[1]), [str(name) for name in table.columns], fontsize=7)
    panel.set_yticks(range(table.shape[0]), [str(name) for name in table.index], fontsize=7)
    panel.tick_params(length=0, labeltop=True, labelbottom=False)
    panel.spines[:].set_visible(False)
    figure.tight_layout()
    return figure


def reliability_diagram(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw accuracy against confidence; a calibrated network is on the diagonal.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Name of each network, and its table from `arise_lib.bayes.calibration.reliability`.

    Returns
    -------
    matplotlib.figure.Figure
        The diagram, and the number of answers in each bin below it; bins of fewer than `FEW`
        answers are hollow.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib import plotting
    >>> from arise_lib.bayes import calibration
    >>> confidence, right = np.array([0.6, 0.9, 0.95]), np.array([False, True, True])
    >>> table = calibration.reliability(confidence, right)
    >>> len(plotting.reliability_diagram({"arise": table}).axes) > 0
    True
    """
    figure, (panel, counts) = plt.subplots(
        2, 1, figsize=(3.8, 4.0), sharex=True, height_ratios=(3, 1)
    )
    panel.plot([0, 100], [0, 100], color="0.7", linewidth=1)
    for name, table in tables.items():
        confidence, accuracy = 100 * table["confidence"], 100 * table["accuracy"]
        (line,) = panel.plot(
            confidence.where(table["rows"] >= FEW), accuracy, "o-", markersize=3, label=name
        )
        # Hollow and loose: too few answers to tell.
        panel.plot(
            confidence.where(table["rows"] < FEW), accuracy, "o", markersize=3,
            markerfacecolor="none", color=line.get_color(),
        )  # fmt: skip
        counts.semilogy(confidence, table["rows"], "o-", markersize=3)
    panel.set(ylabel="accuracy / %", xlim=(0, 101), ylim=(0, 101))
    counts.set(xlabel="probability of the answer / %", ylabel="answers / 1")
    panel.legend()
    figure.tight_layout()
    return figure
