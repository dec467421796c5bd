"""One style for all figures, one colour for each family of classes."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt

from arise_lib.structures import prototypes

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
    """Set the style of all figures of the compendium.

    Examples
    --------
    >>> from arise_lib import plotting
    >>> plotting.use_style()
    """
    plt.rcParams.update(_STYLE)
