"""How labels change across a sample, layer by layer (paper, Fig. 2l)."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from arise_lib.plotting.colours import class_colour


def layers_along(maps: xr.Dataset, axis: str, classes: Sequence[str]) -> pd.DataFrame:
    """Count labels in each layer of boxes along an axis.

    Parameters
    ----------
    maps : xarray.Dataset
        From `arise_lib.scan`.
    axis : str
        "x", "y" or "z".
    classes : sequence of str
        Labels to count; all others together are "rest".

    Returns
    -------
    pandas.DataFrame
        One row per layer with an answer, by the position of its boxes: a share from 0 to 1
        for each class and for "rest", `boxes`, and `mutual_information`, the mean in bits.

    Examples
    --------
    >>> import xarray as xr
    >>> maps = xr.Dataset(
    ...     {"label": (("z", "y", "x"), [[["fcc", "bcc"]], [["fcc", ""]]]),
    ...      "mutual_information": (("z", "y", "x"), [[[0.0, 0.2]], [[0.1, float("nan")]]])},
    ...     coords={"z": [0.0, 2.0]},
    ... )
    >>> layers_along(maps, "z", ["fcc"])["fcc"].to_dict()
    {0.0: 0.5, 2.0: 1.0}
    """
    others = [dim for dim in "xyz" if dim != axis]
    answered = maps["label"] != ""
    boxes = answered.sum(others)
    table = pd.DataFrame(index=pd.Index(maps[axis].values, name=axis))
    for label in classes:
        table[label] = ((maps["label"] == label).sum(others) / boxes).values
    table["rest"] = 1.0 - table[list(classes)].sum(axis=1)
    table["boxes"] = boxes.values
    table["mutual_information"] = maps["mutual_information"].mean(others).values
    return table[table["boxes"] > 0]


def profile(table: pd.DataFrame, unit: str = "Å") -> Figure:
    """Draw shares of labels layer by layer.

    Parameters
    ----------
    table : pandas.DataFrame
        From `layers_along`.
    unit : str
        Unit of the positions.

    Returns
    -------
    matplotlib.figure.Figure
        Shares stacked in the colours of their classes, and the mutual information
        below.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> layers = pd.DataFrame({"fcc": [1.0, 0.5], "rest": [0.0, 0.5], "boxes": [4, 4],
    ...     "mutual_information": [0.0, 0.3]}, index=pd.Index([0.0, 2.0], name="z"))
    >>> len(plotting.profile(layers).axes)
    2
    """
    figure, (shares, information) = plt.subplots(
        2, 1, figsize=(6.5, 3.6), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    labels = [name for name in table.columns if name not in ("boxes", "mutual_information")]
    colours = ["0.85" if label == "rest" else class_colour(label) for label in labels]
    shares.stackplot(table.index, 100.0 * table[labels].T.to_numpy(), labels=labels, colors=colours)
    shares.set(ylabel="boxes of a layer / %", ylim=(0, 100))
    shares.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    information.plot(table.index, table["mutual_information"], color="0.3")
    information.set(xlabel=f"{table.index.name} / {unit}", ylabel="mean mutual\ninformation / bit")
    return figure
