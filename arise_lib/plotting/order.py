"""What two sides say of the same boxes, and how a quantity runs from core to shell."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from arise_lib.plotting.colours import class_colour, coloured
from arise_lib.plotting.maps import ends

#: Classes that a legend of labels names.
_NAMED = 8


def label_maps(panels: Mapping[str, xr.DataArray], unit: str = "Å") -> Figure:
    """Draw maps of labels side by side, each label in its own colour.

    Parameters
    ----------
    panels : mapping of str to xarray.DataArray
        Title of each panel, and labels (z, y, x) of the same boxes; the middle layer is
        drawn, and boxes with an empty string are left white.
    unit : str
        Unit of the positions.

    Returns
    -------
    matplotlib.figure.Figure
        One panel each, and a legend of the most frequent labels.

    Examples
    --------
    >>> import xarray as xr
    >>> from arise_lib import plotting
    >>> labels = xr.DataArray(
    ...     [[["fcc", "L1_2"], ["", "fcc"]]],
    ...     {"z": [0.0], "y": [0.0, 4.0], "x": [0.0, 4.0]},
    ...     ["z", "y", "x"],
    ... )
    >>> len(plotting.label_maps({"fit": labels, "network": labels}).axes)
    2
    """
    layers = {title: labels.isel(z=labels.sizes["z"] // 2) for title, labels in panels.items()}
    counts = pd.Series(np.concatenate([layer.values.ravel() for layer in layers.values()]))
    named = counts[counts != ""].value_counts().index[:_NAMED]
    figure, axes = plt.subplots(1, len(panels), figsize=(2.5 * len(panels), 3.2), squeeze=False)
    for axis, (title, layer) in zip(axes[0], layers.items(), strict=True):
        axis.imshow(
            coloured(layer.transpose("y", "x").values),
            origin="lower",
            extent=(*ends(layer["x"].values), *ends(layer["y"].values)),
            interpolation="none",
        )
        axis.set(title=title, xlabel=f"x / {unit}", ylabel=f"y / {unit}")
    handles = [Patch(color=class_colour(str(name)), label=str(name)) for name in named]
    figure.legend(handles=handles, loc="lower center", ncols=min(len(handles), 8), fontsize=8)
    figure.tight_layout(rect=(0.0, 0.1, 1.0, 1.0))
    return figure


def label_table(panels: Mapping[str, xr.DataArray]) -> pd.DataFrame:
    """Tabulate what `label_maps` draws.

    Parameters
    ----------
    panels : mapping of str to xarray.DataArray
        As for `label_maps`.

    Returns
    -------
    pandas.DataFrame
        One row per box of the drawn layer that is named in any panel, indexed by `y` and
        `x`; one column per panel.

    Examples
    --------
    >>> import xarray as xr
    >>> from arise_lib import plotting
    >>> labels = xr.DataArray(
    ...     [[["fcc", ""]]], {"z": [0.0], "y": [0.0], "x": [0.0, 4.0]}, ["z", "y", "x"]
    ... )
    >>> plotting.label_table({"fit": labels})["fit"].to_list()
    ['fcc']
    """
    columns = {
        title: labels.isel(z=labels.sizes["z"] // 2).to_series() for title, labels in panels.items()
    }
    table = pd.DataFrame(columns)
    return table[(table != "").any(axis=1)]


def radial_profiles(
    profiles: Mapping[str, pd.DataFrame], quantity: str, unit: str, *, xlabel: str
) -> Figure:
    """Draw how a quantity runs from the centre of a particle to its surface.

    Parameters
    ----------
    profiles : mapping of str to pandas.DataFrame
        Name of each curve, and its table from `arise_lib.tomography.radial_profile`: indexed
        by the middle of each shell, with `median`, `low` and `high`.
    quantity, unit : str
        What it is, and its unit.
    xlabel : str
        Quantity and unit of the index.

    Returns
    -------
    matplotlib.figure.Figure
        One panel; bands are the 95 % intervals.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> table = pd.DataFrame({"median": [1.0], "low": [0.9], "high": [1.2]}, index=[0.5])
    >>> figure = plotting.radial_profiles({"9 min": table}, "order", "1", xlabel="distance / Å")
    >>> figure.axes[0].get_ylabel()
    'order / 1'
    """
    figure, panel = plt.subplots(figsize=(4.6, 2.9))
    for k, (name, table) in enumerate(profiles.items()):
        panel.plot(table.index, table["median"], "o-", markersize=3, color=f"C{k}", label=name)
        panel.fill_between(
            table.index, table["low"], table["high"], color=f"C{k}", alpha=0.15, linewidth=0
        )
    panel.set(xlabel=xlabel, ylabel=f"{quantity} / {unit}")
    panel.legend()
    figure.tight_layout()
    return figure
