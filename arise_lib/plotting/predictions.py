"""What the network says: of one structure, and box by box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure


def class_bars(
    panels: Mapping[str, Mapping[str, float]],
    xlabel: str = "probability / %",
    upper: float | None = 100.0,
) -> Figure:
    """Draw the leading classes of several predictions side by side.

    Parameters
    ----------
    panels : mapping of str to mapping of str to float
        Title of each panel, and percentages by class label, largest first.
    xlabel : str
        Quantity and unit.
    upper : float or None
        End of the axes; None lets each panel find its own.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per prediction.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(3.4 * len(panels), 2.2), squeeze=False)
    for axis, (title, shares) in zip(axes[0], panels.items(), strict=True):
        names = list(shares)[:6][::-1]
        axis.barh(names, [shares[name] for name in names], color="C0")
        axis.set(title=title, xlabel=xlabel, xlim=(0, upper))
    figure.tight_layout()
    return figure


def map_table(maps: xr.Dataset, classes: Sequence[str]) -> pd.DataFrame:
    """Tabulate what `flat_maps` draws.

    Parameters
    ----------
    maps : xarray.Dataset
        From `arise_lib.scan`.
    classes : sequence of str
        Classes that are drawn.

    Returns
    -------
    pandas.DataFrame
        One row per box of the drawn layer that is not empty: `y`, `x`, the
        probability of each class, `mutual_information` in bits.
    """
    layer = maps.isel(z=maps.sizes["z"] // 2)
    table = layer["probability"].sel({"class": list(classes)}).to_series().unstack("class")
    table = table[list(classes)].assign(mutual_information=layer["mutual_information"].to_series())
    return table.dropna()


def flat_maps(maps: xr.Dataset, classes: Sequence[str], unit: str = "Å") -> Figure:
    """Draw probability maps of some classes and the mutual information, seen along z.

    Parameters
    ----------
    maps : xarray.Dataset
        From `arise_lib.scan`; of several layers the middle one is drawn.
    classes : sequence of str
        Classes to draw.
    unit : str
        Unit of the positions.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per class and one for the mutual information in bits.
    """
    layer = maps.isel(z=maps.sizes["z"] // 2)
    figure, axes = plt.subplots(
        1, len(classes) + 1, figsize=(2.3 * (len(classes) + 1), 2.6), squeeze=False
    )
    panels: list[tuple[str, Any, dict[str, Any]]] = [
        (f"p({name})", layer["probability"].sel({"class": name}), {"vmin": 0, "vmax": 1})
        for name in classes
    ]
    panels.append(("mutual information", layer["mutual_information"], {"cmap": "magma"}))
    for axis, (title, values, limits) in zip(axes[0], panels, strict=True):
        image = axis.pcolormesh(maps["x"], maps["y"], values, rasterized=True, **limits)
        of_values = "bit" if title == "mutual information" else "1"
        figure.colorbar(image, ax=axis, fraction=0.046, pad=0.03).set_label(of_values)
        axis.set_title(title)
        axis.set_aspect("equal")
        axis.set(xlabel=f"x / {unit}", ylabel=f"y / {unit}")
    figure.tight_layout()
    return figure
