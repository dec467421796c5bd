"""Pictures of atoms."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.data.colors import jmol_colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from arise_lib.plotting.style import FAMILY_COLOURS
from arise_lib.structures import prototypes
from arise_lib.structures.supercells import round_cluster

#: Atoms in each picture of the gallery: enough to see the pattern, few enough to see the atoms.
GALLERY_ATOMS = 45


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

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from arise_lib import plotting
    >>> from arise_lib.structures import prototypes, round_cluster
    >>> figure, axes = plt.subplots()
    >>> plotting.draw_atoms(axes, round_cluster(prototypes.build("fcc"), 20))
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


#: Length of the bar in each picture of the gallery, Å.
_BAR = 5.0


def _gallery_view(pbc: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Rotate so that crystals are seen from slightly off an axis, sheets as flat discs."""
    tilt = -65.0 if pbc.sum() == 2 else -80.0
    return Rotation.from_euler("zx", [12.0, tilt], degrees=True).as_matrix()


def gallery(labels: Sequence[str] = prototypes.LABELS, n_columns: int = 9) -> Figure:
    """Draw a small round cluster of each class, titled in the colour of its family.

    The bar below each is 5 Å long.

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

    Examples
    --------
    >>> from arise_lib import plotting
    >>> len(plotting.gallery(["fcc", "graphene"], n_columns=2).axes)
    2
    """
    n_rows = -(-len(labels) // n_columns)
    figure, panels = plt.subplots(n_rows, n_columns, figsize=(1.1 * n_columns, 1.4 * n_rows))
    for panel in np.ravel(panels):
        panel.axis("off")
    for panel, label in zip(np.ravel(panels), labels, strict=False):
        entry, cell = prototypes.get(label), prototypes.build(label)
        draw_atoms(panel, round_cluster(cell, GALLERY_ATOMS), _gallery_view(cell.pbc))
        panel.set_title(
            fill(entry.tex, 20, break_long_words=False),
            fontsize=7.5,
            color=FAMILY_COLOURS[entry.family],
            pad=2,
        )
        (left, _), (bottom, _) = panel.get_xlim(), panel.get_ylim()
        panel.plot([left, left + _BAR], [bottom, bottom], color="0.2", linewidth=1.5, clip_on=False)
    figure.subplots_adjust(0.01, 0.01, 0.99, 1.0 - 0.6 / figure.get_figheight(), hspace=0.42)
    handles = [
        Line2D([], [], color=colour, linewidth=4, label=family)
        for family, colour in FAMILY_COLOURS.items()
    ]
    figure.legend(handles=handles, loc="upper center", ncol=6, fontsize=8)
    return figure
