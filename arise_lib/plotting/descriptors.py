"""Descriptors as lines, and as points of a map."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from arise_lib.plotting.style import FAMILY_COLOURS
from arise_lib.structures import prototypes


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

    Examples
    --------
    >>> import pandas as pd
    >>> from ase.build import bulk
    >>> from arise_lib import descriptor, plotting
    >>> vector = descriptor.describe(bulk("Cu"))
    >>> len(plotting.descriptor_lines(pd.DataFrame({"fcc, perfect": vector})).axes)
    1
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
