"""Accuracy on hot crystals and melts, one panel per material."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

#: Colours that stay apart for colour-blind readers (M. Okabe, K. Ito, 2008), without the yellow.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")

#: Lines that lie on each other are told apart by the size of their marks.
_MARKS = tuple(zip("osD^vP*", (8.0, 6.5, 5.5, 4.5, 4.0, 3.5, 3.0), strict=True))

#: Phases that are no point of the axis stand right of it.
_BESIDE = {"melt": 1.2, "glass": 1.45}

_COLUMNS = 4


def heat_panels(
    table: pd.DataFrame,
    labels: Mapping[str, str] | None = None,
    *,
    ylabel: str = "neighbourhoods right / %",
) -> Figure:
    """Draw accuracies against the temperature in units of the melting point.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by `material`, `phase` ("crystal", "melt", "glass") and `fraction` of the melting
        point, one method per column, in %: what `arise_lib.baselines.heat_table` gives. A method
        without any score for a material is not drawn in its panel.
    labels : mapping of str to str, optional
        Class of each material's crystal, written behind its name.
    ylabel : str
        Quantity and unit.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per material, the same axes in all; melt and glass at the right, unconnected.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> frames = [("Al", "crystal", 0.2), ("Al", "crystal", 1.0), ("Al", "melt", 1.1)]
    >>> index = pd.MultiIndex.from_tuples(frames, names=["material", "phase", "fraction"])
    >>> table = pd.DataFrame({"arise": [100.0, 90.0, 0.0], "PTM": [100.0, 99.0, 95.0]}, index)
    >>> figure = plotting.heat_panels(table)
    >>> figure.axes[0].get_title(), len(figure.axes[0].lines)
    ('Al', 5)
    """
    materials = list(dict.fromkeys(table.index.get_level_values("material")))
    n_columns = min(_COLUMNS, len(materials))
    n_rows = -(-len(materials) // n_columns)
    figure, panels = plt.subplots(
        n_rows, n_columns, figsize=(1.0 + 2.0 * n_columns, 0.7 + 1.7 * n_rows),
        sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    handles: dict[str, Line2D] = {}
    for panel, material in zip(panels.flat, materials, strict=False):
        here = table.loc[[material]].reset_index()
        crystals = here[here["phase"] == "crystal"].sort_values("fraction")
        beside = here[here["phase"].isin(list(_BESIDE))]
        # Between what is a function of the temperature, and what is not.
        panel.axvline(1.1, color="0.8", linewidth=0.8)
        for k, method in enumerate(table.columns):
            if here[method].isna().all():
                continue
            mark, size = _MARKS[k % len(_MARKS)]
            style = {
                "color": _COLOURS[k % len(_COLOURS)], "marker": mark, "markersize": size,
                "markerfacecolor": "none", "clip_on": False,
            }  # fmt: skip
            (line,) = panel.plot(
                crystals["fraction"], crystals[method], linewidth=1.0, label=method, **style
            )
            places = beside["phase"].map(_BESIDE)
            panel.plot(places, beside[method], linestyle="none", **style)
            handles.setdefault(method, line)
        panel.set_title(f"{material}, {labels[material]}" if labels else material)
        panel.set(ylim=(-4, 104), xlim=(0.1, 1.55))
        panel.set_xticks([0.2, 0.6, 1.0, *_BESIDE.values()], ["0.2", "0.6", "1", "melt", "glass"])
        panel.tick_params(axis="x", labelsize=7)
    for panel in panels.flat[len(materials) :]:
        panel.set_axis_off()
    figure.supxlabel("temperature / melting point", fontsize=9)
    figure.supylabel(ylabel, fontsize=9)
    figure.tight_layout(rect=(0.0, 0.0, 1.0, 0.93 if n_rows > 1 else 0.88))
    figure.legend(
        list(handles.values()), list(handles), loc="upper center", ncols=len(handles), fontsize=8
    )
    return figure
