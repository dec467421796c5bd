"""What the network says atom by atom, and frame by frame."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from arise_lib.errors import InputError
from arise_lib.plotting.colours import class_colour, coloured
from arise_lib.strided.frames import FrameAnswers
from arise_lib.strided.labels import AtomLabels

#: Classes that a legend names; the others are drawn in their colours all the same.
_NAMED = 6


def atom_map(found: AtomLabels, unit: str = "Å") -> Figure:
    """Draw the classes and the mutual information of the atoms, seen along z.

    Parameters
    ----------
    found : AtomLabels
        From `arise_lib.label_atoms`; atoms without an answer are left out.
    unit : str
        Unit of the positions.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels; what is nearer to the reader covers what is below it.

    Examples
    --------
    >>> from ase.build import bulk
    >>> import arise_lib as arise
    >>> from arise_lib import plotting
    >>> figure = plotting.atom_map(arise.label_atoms(bulk("Cu", cubic=True), passes=10))
    >>> [axis.get_title() for axis in figure.axes][:2]
    ['class', 'mutual information']
    """
    positions = found.atoms.positions[found.centres]
    order = np.argsort(positions[:, 2], kind="stable")
    x, y = positions[order, 0], positions[order, 1]
    figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.2), layout="constrained")
    axes[0].scatter(x, y, s=6, c=coloured(found.labels[order]), linewidths=0)
    axes[0].set_title("class")
    names = list(found.shares())[:_NAMED]
    handles = [
        Line2D([], [], marker="o", linestyle="", color=class_colour(name), label=name)
        for name in names
    ]
    axes[0].legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    information = found.mutual_information[order]
    image = axes[1].scatter(x, y, s=6, c=information, cmap="magma", linewidths=0)
    figure.colorbar(image, ax=axes[1]).set_label("bit")
    axes[1].set_title("mutual information")
    for axis in axes:
        axis.set_aspect("equal")
        axis.set(xlabel=f"x / {unit}", ylabel=f"y / {unit}")
    return figure


def frame_lines(
    found: FrameAnswers, n: int = 5, times: ArrayLike | None = None, label: str = "frame"
) -> Figure:
    """Draw the shares of the classes and the mutual information along a trajectory.

    Parameters
    ----------
    found : FrameAnswers
        From `arise_lib.classify_frames`.
    n : int
        Classes to draw, those with the largest share in any frame.
    times : array_like of shape (n_frames,), optional
        Time, or temperature, of each frame; by default its number.
    label : str
        What `times` are, with their unit.

    Returns
    -------
    matplotlib.figure.Figure
        Shares in percent above, mutual information in bits below.

    Raises
    ------
    InputError
        If there is not one time for each frame.

    Examples
    --------
    >>> from ase.build import bulk
    >>> import arise_lib as arise
    >>> from arise_lib import plotting
    >>> found = arise.classify_frames([bulk("Cu"), bulk("Fe")], passes=10)
    >>> len(plotting.frame_lines(found, n=2).axes[0].lines)
    2
    """
    places = np.asarray(found.frames if times is None else times, dtype=float)
    if places.shape != found.frames.shape:
        raise InputError(
            f"times of shape {places.shape}: one for each of the {len(found.frames)} frames is "
            "needed"
        )
    figure, axes = plt.subplots(
        2, 1, figsize=(5.0, 3.6), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    for name, share in found.leading(n).items():
        axes[0].plot(places, 100.0 * share, color=class_colour(str(name)), label=name)
    axes[0].set(ylabel="share / %", ylim=(-2, 102))
    axes[0].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes[1].plot(places, found.mutual_information, color="0.2")
    axes[1].set(xlabel=label, ylabel="mutual\ninformation / bit", ylim=(0, None))
    return figure
