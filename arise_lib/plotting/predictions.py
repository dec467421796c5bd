"""What the network says: of one structure, and box by box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure


def class_bars(
    panels: Mapping[str, pd.Series],
    quantity: str = "probability",
    unit: str = "%",
    upper: float | None = None,
) -> Figure:
    """Draw the leading classes of several predictions side by side.

    Parameters
    ----------
    panels : mapping of str to pandas.Series
        Title of each panel, and a number by class label, largest first
        (`Prediction.leading`, for instance); at most six are drawn.
    quantity : str
        What the numbers are.
    unit : str
        Their unit. With ``"%"`` they are shares from 0 to 1.
    upper : float, optional
        End of the axes, in `unit`. By default 100 for shares, and otherwise what
        each panel needs.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per prediction.

    Examples
    --------
    >>> from ase.build import bulk
    >>> import arise_lib
    >>> from arise_lib import plotting
    >>> prediction = arise_lib.classify(bulk("Ni"), passes=20)
    >>> figure = plotting.class_bars({"nickel": prediction.leading()})
    >>> figure.axes[0].get_xlabel()
    'probability / %'
    """
    factor = 100.0 if unit == "%" else 1.0
    if upper is None and unit == "%":
        upper = 100.0
    figure, axes = plt.subplots(1, len(panels), figsize=(3.4 * len(panels), 2.2), squeeze=False)
    for axis, (title, values) in zip(axes[0], panels.items(), strict=True):
        shown = factor * values.iloc[:6][::-1]
        axis.barh(shown.index, shown, color="C0")
        axis.set(title=title, xlabel=f"{quantity} / {unit}", xlim=(0, upper))
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

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import plotting, strided
    >>> maps = strided.scan(bulk("Cu", cubic=True) * 3, 11.0, 5.5, passes=10)
    >>> "fcc" in plotting.map_table(maps, ["fcc"]).columns
    True
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

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import plotting, strided
    >>> maps = strided.scan(bulk("Cu", cubic=True) * 3, 11.0, 5.5, passes=10)
    >>> len(plotting.flat_maps(maps, ["fcc"]).axes) >= 2
    True
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
        of_values = "bit" if title == "mutual information" else "probability"
        figure.colorbar(image, ax=axis, fraction=0.046, pad=0.03).set_label(of_values)
        axis.set_title(title)
        axis.set_aspect("equal")
        axis.set(xlabel=f"x / {unit}", ylabel=f"y / {unit}")
    figure.tight_layout()
    return figure
