"""The box that slides over a sample, and what it sees on its way (paper, Fig. 1f to m)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from arise_lib.plotting.colours import class_colour, coloured
from arise_lib.plotting.maps import _legend, sample_view

#: Share of a box within the sample from which on it counts as full.
_FULL = 0.9

_MOSAIC: Any = [
    ["sample", "box 0", "box 1", "box 2"],
    ["sample", *["p"] * 3],
    ["sample", *["mi"] * 3],
]


def sliding_box(
    atoms: Atoms, phases: NDArray[np.str_], maps: xr.Dataset, y: float, classes: Sequence[str]
) -> Figure:
    """Draw a sample, the way of a box across it, and what is found along this way.

    Parameters
    ----------
    atoms : ase.Atoms
        The sample, positions in Å.
    phases : ndarray of str, shape (n_atoms,)
        Class of each atom, which decides its colour.
    maps : xarray.Dataset
        From `arise_lib.scan`; the middle layer is used.
    y : float
        Where the box goes along x, in Å; the nearest row of boxes is taken.
    classes : sequence of str
        Classes whose probabilities are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        The sample with three stops of the box; the atoms of these stops: of full boxes the one with
        the largest mutual information, and the one with the smallest on either side; the
        probabilities and the mutual information along the way.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib import plotting, strided
    >>> sample = bulk("Cu", cubic=True) * (8, 4, 4)
    >>> sample.pbc = False
    >>> maps = strided.scan(sample, 11.0, 5.5, padding=0.0, passes=10)
    >>> phases = np.full(len(sample), "fcc")
    >>> len(plotting.sliding_box(sample, phases, maps, 7.0, ["fcc"]).axes)
    6
    """
    way = maps.isel(z=maps.sizes["z"] // 2).sel(y=y, method="nearest")
    way = way.isel(x=np.flatnonzero(way["label"].values != ""))
    x, edge = way["x"].values, float(maps.attrs["box"])
    # At the rim the box is half empty: a doubt of another kind.
    full = np.flatnonzero(way["filled"].values >= _FULL)
    full = full if len(full) else np.arange(len(x))
    bits = way["mutual_information"].values
    doubt = full[bits[full].argmax()]
    sides = [full[full < doubt], full[full > doubt]]
    calm = [side[bits[side].argmin()] if len(side) else doubt for side in sides]
    stops = [calm[0], doubt, calm[1]]
    figure, axes = plt.subplot_mosaic(
        _MOSAIC, figsize=(10.0, 4.4), width_ratios=(2.2, 1, 1, 1), height_ratios=(1.2, 1, 1),
        layout="constrained",
    )  # fmt: skip
    sample_view(axes["sample"], atoms, phases)
    # Below the sample, where it leaves the width to the boxes.
    axes["sample"].legend(
        handles=_legend(np.unique(phases).tolist()), loc="upper center",
        bbox_to_anchor=(0.5, -0.14), ncols=4,
    )  # fmt: skip
    height = float(way["y"])
    for k, stop in enumerate(stops):
        corner = (x[stop] - 0.5 * edge, height - 0.5 * edge)
        axes["sample"].add_patch(Rectangle(corner, edge, edge, fill=False, linewidth=1.5))
        axes["sample"].annotate(
            f"{k + 1}", (x[stop], height + 0.5 * edge), ha="center", va="bottom", fontweight="bold"
        )
        middle = np.array([x[stop], height, float(way["z"])])
        inside = np.all(np.abs(atoms.positions - middle) <= 0.5 * edge, axis=1)
        _ball(axes[f"box {k}"], atoms.positions[inside] - middle, phases[inside])
        axes[f"box {k}"].set_title(f"{k + 1}: {way['label'].values[stop]}")
    axes["sample"].annotate(
        "", (x[-1], height), (x[0], height), arrowprops={"arrowstyle": "->", "linewidth": 1.5}
    )
    for label in classes:
        chance = way["probability"].sel({"class": label})
        axes["p"].plot(x, chance, color=class_colour(label), label=label)
    axes["p"].set(ylabel="probability", ylim=(-0.03, 1.03), xticklabels=[])
    axes["p"].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes["mi"].plot(x, way["mutual_information"], color="0.3")
    axes["mi"].set(xlabel="x of the box / Å", ylabel="mutual\ninformation / bit", ylim=(0.0, None))
    for name in ("p", "mi"):
        for stop in stops:
            axes[name].axvline(x[stop], color="0.7", linewidth=0.8, zorder=0)
    return figure


def _ball(axis: Axes, positions: NDArray[np.float64], phases: NDArray[np.str_]) -> None:
    """Draw the atoms of a box, seen from half above, in the colours of their phases."""
    tilt = np.radians(25.0)
    up = positions[:, 1] * np.cos(tilt) + positions[:, 2] * np.sin(tilt)
    depth = positions[:, 2] * np.cos(tilt) - positions[:, 1] * np.sin(tilt)
    order = np.argsort(depth, kind="stable")
    axis.scatter(
        positions[order, 0], up[order], s=26, c=coloured(phases[order]), edgecolors="white",
        linewidths=0.4,
    )  # fmt: skip
    axis.set_aspect("equal")
    axis.axis("off")
