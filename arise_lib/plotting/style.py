"""One style, and a picture never without its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from arise_lib import paths, prototypes, store
from arise_lib.profiles import check_profile

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
