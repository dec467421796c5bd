"""One colour for each class, the same in every figure.

The classes that the paper's figures show have colours of their own, from the palettes of Okabe
and Ito [1]_ and of Tol [2]_, which remain apart for colour-blind eyes. Where there are more classes
than a palette can keep apart, colours are not enough: a legend, or the label itself, must name
them.

References
----------
.. [1] M. Okabe, K. Ito, *Color Universal Design* (2008).
.. [2] P. Tol, *Colour schemes*, SRON technical note SRON/EPS/TN/09-002 (2021).
"""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.colors import to_rgba
from numpy.typing import NDArray

#: Answer of networks that may say that a structure is none of their classes.
OTHER = "other"

#: Colours of the classes that the paper's figures show, and of those that compete with them.
CLASS_COLOURS = {
    "fcc": "#0072b2",
    "bcc": "#d55e00",
    "hcp": "#009e73",
    "diamond": "#cc79a7",
    "dhcp": "#e69f00",
    "alpha-Sm": "#56b4e9",
    "L1_2": "#f0e442",
    "L1_0": "#882255",
    "graphene": "#332288",
    "MnS2": "#999933",
    "In": "#44aa99",
    "alpha-Hg": "#aa4499",
    "sc": "#117733",
    "hexagonal diamond": "#cc6677",
    OTHER: "#8c8c8c",
}

#: Saturation of the colours of all other classes: duller, so that they stand back.
_DULL = 0.4


def class_colour(label: str) -> str:
    """Return the colour of a class.

    Parameters
    ----------
    label : str
        Any class, also one that the library does not know.

    Returns
    -------
    str
        Hexadecimal, as matplotlib takes it. Always the same for the same label:
        for classes that are not in `CLASS_COLOURS` it follows from the label alone.

    Examples
    --------
    >>> from arise_lib.plotting import class_colour
    >>> class_colour("fcc"), class_colour("other")
    ('#0072b2', '#8c8c8c')
    >>> class_colour("my own class") == class_colour("my own class") != class_colour("another")
    True
    """
    if label in CLASS_COLOURS:
        return CLASS_COLOURS[label]
    digest = hashlib.sha256(label.encode()).digest()
    hue, lightness = digest[0] / 256, 0.35 + 0.3 * digest[1] / 255
    rgb = colorsys.hls_to_rgb(hue, lightness, _DULL)
    return "#" + "".join(f"{round(255 * value):02x}" for value in rgb)


def class_colours(labels: Iterable[str]) -> dict[str, str]:
    """Return the colours of some classes.

    Parameters
    ----------
    labels : iterable of str
        Classes.

    Returns
    -------
    dict of str to str
        Colour by class, each once, in the order of their first appearance.

    Examples
    --------
    >>> from arise_lib.plotting import class_colours
    >>> class_colours(["bcc", "fcc", "bcc"])
    {'bcc': '#d55e00', 'fcc': '#0072b2'}
    """
    return {label: class_colour(label) for label in labels}


def coloured(labels: NDArray[np.str_]) -> NDArray[np.float64]:
    """Paint labels in the colours of their classes.

    Parameters
    ----------
    labels : ndarray of str, any shape
        Of the boxes of a map, say, or of atoms.

    Returns
    -------
    ndarray of shape (*labels.shape, 4)
        Red, green, blue and opacity from 0 to 1; transparent where the label is an
        empty string.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.plotting import coloured
    >>> coloured(np.array([["fcc", ""]]))[..., 3].tolist()
    [[1.0, 0.0]]
    """
    names, place = np.unique(labels, return_inverse=True)
    palette = [to_rgba(class_colour(name)) if name else (0.0, 0.0, 0.0, 0.0) for name in names]
    # Without names, there is nothing to paint; the shape is kept.
    return np.array(palette).reshape(-1, 4)[place].reshape(*labels.shape, 4)


def are_labels(values: Any) -> bool:
    """Tell labels from numbers; those of a map that was read from a file are objects.

    Parameters
    ----------
    values : ndarray or xarray.DataArray
        Of the boxes of a map, say, or of atoms.

    Returns
    -------
    bool
        True for labels.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.plotting.colours import are_labels
    >>> are_labels(np.array(["fcc", ""], dtype=object)), are_labels(np.array([0.5, np.nan]))
    (True, False)
    """
    return values.dtype.kind in "UO"
