"""Figures: one style, one function per kind of panel, and a picture never without its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from ase import Atoms
from ase.data import covalent_radii
from ase.data.colors import jmol_colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from arise_lib import paths, prototypes, store
from arise_lib.profiles import check_profile
from arise_lib.structures import round_cluster

#: Atoms in each picture of the gallery: enough to see the pattern, few enough to see the atoms.
GALLERY_ATOMS = 45

FAMILY_COLOURS = dict(
    zip(
        prototypes.FAMILIES,
        ("#1b6ca8", "#d1495b", "#edae49", "#66a182", "#8d6a9f", "#2e4057"),
        strict=True,
    )
)

_STYLE: dict[Any, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "savefig.bbox": "tight",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "legend.frameon": False,
    "image.cmap": "viridis",
}


def use_style() -> None:
    """Set the style of all figures of the compendium."""
    plt.rcParams.update(_STYLE)


def save_figure(figure: Figure, name: str, data: pd.DataFrame, profile: str = "quick") -> None:
    """Write a figure as PNG and the numbers it shows as CSV beside it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The picture.
    name : str
        File name without suffix, such as ``"fig1e_prototypes"``.
    data : pandas.DataFrame
        The numbers that are drawn.
    profile : str
        "quick" writes to ``figures/``, "paper" to ``figures/paper/``.
    """
    check_profile(profile)
    folder: Path = paths.FIGURES if profile == "quick" else paths.FIGURES / "paper"
    with store.atomic_write(folder / f"{name}.png") as temporary:
        # No time stamp and no version in the file: the same picture is the same bytes.
        figure.savefig(temporary, metadata={"Software": None})
    with store.atomic_write(folder / f"{name}.csv") as temporary:
        data.to_csv(temporary, float_format="%.6g", lineterminator="\n")


def save_table(table: pd.DataFrame, name: str, profile: str = "quick") -> None:
    """Write a table as CSV and as Markdown.

    Parameters
    ----------
    table : pandas.DataFrame
        What to write.
    name : str
        File name without suffix.
    profile : str
        "quick" writes to ``figures/``, "paper" to ``figures/paper/``.
    """
    check_profile(profile)
    folder = paths.FIGURES if profile == "quick" else paths.FIGURES / "paper"
    with store.atomic_write(folder / f"{name}.csv") as temporary:
        table.to_csv(temporary, float_format="%.6g", lineterminator="\n")
    with store.atomic_write(folder / f"{name}.md") as temporary:
        temporary.write_text(_markdown(table), encoding="utf-8")


def _markdown(table: pd.DataFrame) -> str:
    """Return a table in GitHub's notation."""
    header = [table.index.name or "", *map(str, table.columns)]
    # itertuples keeps each column's type; `values` would turn counts beside ratios into floats.
    rows = [[str(entry) for entry in row] for row in table.itertuples()]
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def draw_atoms(axes: Axes, atoms: Atoms, view: NDArray[np.float64] | None = None) -> None:
    """Draw a structure as shaded discs, seen along -z after the rotation `view`.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw; its frame is removed.
    atoms : ase.Atoms
        What to draw.
    view : ndarray of shape (3, 3), optional
        Rotation that is applied first.
    """
    positions = atoms.positions if view is None else atoms.positions @ view.T
    order = np.argsort(positions[:, 2], kind="stable")
    depth = np.ptp(positions[:, 2]) or 1.0
    shade = 0.55 + 0.45 * (positions[:, 2] - positions[:, 2].min()) / depth
    span = max(np.ptp(positions[:, 0]), np.ptp(positions[:, 1])) or 1.0
    for i in order:
        number = atoms.numbers[i]
        colour = 1.0 - shade[i] * (1.0 - jmol_colors[number])
        axes.add_patch(
            Circle(
                positions[i, :2], 0.55 * covalent_radii[number], facecolor=colour,
                edgecolor="0.25", linewidth=0.3,
            )
        )  # fmt: skip
    centre = 0.5 * (positions[:, :2].min(axis=0) + positions[:, :2].max(axis=0))
    half = 0.5 * span + 1.2
    axes.set(xlim=centre[0] + np.array([-half, half]), ylim=centre[1] + np.array([-half, half]))
    axes.set_aspect("equal")
    axes.axis("off")


def _gallery_view(pbc: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Rotate so that crystals are seen from slightly off an axis, sheets from half above."""
    tilt = -45.0 if pbc.sum() == 2 else -80.0
    return Rotation.from_euler("zx", [12.0, tilt], degrees=True).as_matrix()


def gallery(labels: Sequence[str] = prototypes.LABELS, n_columns: int = 12) -> Figure:
    """Draw a small round cluster of each class, titled in the colour of its family.

    Parameters
    ----------
    labels : sequence of str
        Classes.
    n_columns : int
        Pictures per row.

    Returns
    -------
    matplotlib.figure.Figure
        The gallery.
    """
    n_rows = -(-len(labels) // n_columns)
    figure, panels = plt.subplots(n_rows, n_columns, figsize=(n_columns, 1.18 * n_rows))
    for panel in np.ravel(panels):
        panel.axis("off")
    for panel, label in zip(np.ravel(panels), labels, strict=False):
        entry, cell = prototypes.get(label), prototypes.build(label)
        draw_atoms(panel, round_cluster(cell, GALLERY_ATOMS), _gallery_view(cell.pbc))
        title = entry.tex.replace(" ", "\n", 1) if len(entry.label) > 18 else entry.tex
        panel.set_title(title, fontsize=6, color=FAMILY_COLOURS[entry.family], pad=1)
    figure.subplots_adjust(0, 0, 1, 0.95, wspace=0.05, hspace=0.25)
    handles = [
        Line2D([], [], color=colour, linewidth=4, label=family)
        for family, colour in FAMILY_COLOURS.items()
    ]
    figure.legend(handles=handles, loc="upper center", ncol=6, fontsize=8)
    return figure


def descriptor_lines(vectors: pd.DataFrame) -> Figure:
    """Draw descriptors below each other.

    Parameters
    ----------
    vectors : pandas.DataFrame
        One descriptor per column; columns of the same name before a comma share
        a panel.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per group.
    """
    groups: dict[str, list[str]] = {}
    for name in vectors.columns:
        groups.setdefault(name.partition(",")[0], []).append(name)
    figure, panels = plt.subplots(
        len(groups), 1, figsize=(7, 1.35 * len(groups)), sharex=True, squeeze=False
    )
    for panel, (group, names) in zip(panels[:, 0], groups.items(), strict=True):
        for k, name in enumerate(names):
            panel.plot(vectors[name], linewidth=1.2 if k == 0 else 0.8, label=name, color=f"C{k}")
        panel.set_title(group, loc="left")
        panel.legend(fontsize=7, loc="upper right")
        panel.set_ylabel("SOAP / 1")
    panels[-1, 0].set_xlabel("component / 1")
    figure.tight_layout()
    return figure


def class_map(points: pd.DataFrame) -> Figure:
    """Draw a two-dimensional map of classes, coloured by family, each class named once.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns `x`, `y` and `label`.

    Returns
    -------
    matplotlib.figure.Figure
        The map; its axes have no unit.
    """
    figure, panel = plt.subplots(figsize=(8, 7))
    families = points["label"].map(lambda label: prototypes.get(label).family)
    for family, colour in FAMILY_COLOURS.items():
        chosen = points[families == family]
        panel.scatter(chosen["x"], chosen["y"], s=5, color=colour, label=family, linewidths=0)
    centres = points.groupby("label", sort=False)[["x", "y"]].median()
    for label, (x, y) in centres.iterrows():
        panel.annotate(prototypes.get(str(label)).tex, (x, y), fontsize=5, ha="center", alpha=0.9)
    panel.set(xlabel="UMAP 1 / 1", ylabel="UMAP 2 / 1")
    panel.legend(markerscale=3, fontsize=8)
    return figure


def learning_curves(history: pd.DataFrame) -> Figure:
    """Draw accuracy and loss against the epoch.

    Parameters
    ----------
    history : pandas.DataFrame
        Columns `accuracy`, `val_accuracy` (0 to 1), `loss`, `val_loss`.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.6))
    epoch = np.arange(1, len(history) + 1)
    left.plot(epoch, 100 * history["accuracy"], label="training (dropout on)")
    left.plot(epoch, 100 * history["val_accuracy"], label="validation")
    left.set(xlabel="epoch / 1", ylabel="accuracy / %")
    left.legend()
    right.semilogy(epoch, history["loss"], label="training (dropout on)")
    right.semilogy(epoch, history["val_loss"], label="validation")
    right.set(xlabel="epoch / 1", ylabel="cross entropy / nat")
    figure.tight_layout()
    return figure


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
    """
    many = len(table.columns) > 3
    figure, panel = plt.subplots(figsize=(6.4, 3.4) if many else (4.2, 2.8))
    colours = [f"C{k}" for k in range(10)] + ["0.6", "#888800"]
    for k, name in enumerate(table.columns):
        first = name == "ARISE" and many
        colour = "black" if first else colours[k]
        panel.plot(
            table.index, table[name], label=name, marker="osv^D<>Ph*X"[k % 11], markersize=4,
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


def cost_scatter(table: pd.DataFrame) -> Figure:
    """Draw accuracy against processor time per structure.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by method: `milliseconds` per structure and `accuracy` in %.

    Returns
    -------
    matplotlib.figure.Figure
        One panel, time on a logarithmic axis; each point is named.
    """
    figure, panel = plt.subplots(figsize=(6.0, 3.4))
    ordered = table.sort_values(["accuracy", "milliseconds"])
    last = -np.inf
    for k, (name, row) in enumerate(ordered.iterrows()):
        panel.scatter(row["milliseconds"], row["accuracy"], s=28, color=f"C{k % 10}", zorder=3)
        # Names of points at nearly one height are spread, with a line to their point.
        height = max(row["accuracy"], last + 6.5)
        last = height
        panel.annotate(
            str(name), (row["milliseconds"], row["accuracy"]), (1.25 * row["milliseconds"], height),
            fontsize=8, va="center", arrowprops={"arrowstyle": "-", "linewidth": 0.4},
        )  # fmt: skip
    panel.set(xscale="log", xlabel="processor time per structure / ms", ylabel="accuracy / %")
    panel.margins(x=0.25, y=0.08)
    figure.tight_layout()
    return figure


def confusion_map(table: pd.DataFrame) -> Figure:
    """Draw how often which class is taken for which.

    Parameters
    ----------
    table : pandas.DataFrame
        Counts; index: true class, columns: answer.

    Returns
    -------
    matplotlib.figure.Figure
        One panel, every count that is not zero written into its cell.
    """
    size = (1.8 + 0.3 * len(table.columns), 1.8 + 0.22 * len(table))
    figure, panel = plt.subplots(figsize=size)
    panel.imshow(np.ma.masked_equal(table.to_numpy(), 0), cmap="OrRd", aspect="auto", vmin=0)
    for y, x in np.argwhere(table.to_numpy() > 0):
        dark = table.iat[y, x] > 0.7 * table.to_numpy().max()
        colour = "white" if dark else "black"
        panel.text(x, y, str(table.iat[y, x]), ha="center", va="center", fontsize=7, color=colour)
    panel.set_xticks(range(len(table.columns)), table.columns, rotation=90, fontsize=7)
    panel.set_yticks(range(len(table)), table.index, fontsize=7)
    panel.set(xlabel="answer", ylabel="class")
    figure.tight_layout()
    return figure
