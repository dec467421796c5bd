"""From a structure to an answer in pictures: the vector as a matrix, the passes as histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from arise_lib.descriptor import SoapSettings
from arise_lib.plotting.structures import draw_atoms
from arise_lib.structures import prototypes

#: Of the probability of a class in one pass, in %.
_BINS = np.linspace(0, 100, 41).tolist()


def vector_matrix(vector: NDArray[np.float64], settings: SoapSettings) -> pd.DataFrame:
    """Arrange a descriptor as a matrix.

    Parameters
    ----------
    vector : ndarray of shape (n_features,)
        A descriptor.
    settings : SoapSettings
        How it was made.

    Returns
    -------
    pandas.DataFrame
        One row for each pair of radial functions n and n' (named from 1), one column for each
        degree l. An entry that belongs to no pair, such as QUIP's last, is left out.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import descriptor, plotting
    >>> settings = descriptor.SoapSettings()
    >>> plotting.vector_matrix(descriptor.describe(bulk("Cu"), settings), settings).shape
    (45, 7)
    """
    layout = settings.layout
    used = layout.factor != 0
    pairs = [f"{a + 1},{b + 1}" for a, b in zip(layout.first, layout.second, strict=True)]
    entries = pd.DataFrame({"n, n'": pairs, "l": layout.degree, "value": vector})[used]
    matrix = entries.pivot(index="n, n'", columns="l", values="value")
    return matrix.loc[list(dict.fromkeys(entries["n, n'"]))]


def matrix_panels(matrices: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw matrices beside each other: the first as it is, the others as changes.

    Parameters
    ----------
    matrices : mapping of str to pandas.DataFrame
        Title of each, and what `vector_matrix` gives, or a difference of two such.

    Returns
    -------
    matplotlib.figure.Figure
        One panel each; all changes on one scale, white for none.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import descriptor, plotting
    >>> settings = descriptor.SoapSettings()
    >>> matrix = plotting.vector_matrix(descriptor.describe(bulk("Cu"), settings), settings)
    >>> len(plotting.matrix_panels({"fcc": matrix, "no change": matrix - matrix}).axes)
    4
    """
    figure, panels = plt.subplots(
        1, len(matrices), figsize=(2.4 * len(matrices), 4.4), sharey=True, squeeze=False
    )
    changes = list(matrices.values())[1:]
    largest = max((float(np.abs(change).max(axis=None)) for change in changes), default=0.0) or 1.0
    for k, (title, matrix) in enumerate(matrices.items()):
        panel = panels[0, k]
        limits = {"cmap": "PuOr", "vmin": -largest, "vmax": largest} if k else {"vmin": 0.0}
        image = _matrix(panel, matrix, **limits)
        panel.set_title(title)
        label = "change / 1" if k else "entry / 1"
        figure.colorbar(image, ax=panel, fraction=0.08, pad=0.03).set_label(label)
    panels[0, 0].set_ylabel("radial functions n, n'")
    figure.tight_layout()
    return figure


def pass_histograms(panels: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw how the probability of the leading classes scatters from pass to pass.

    Parameters
    ----------
    panels : mapping of str to pandas.DataFrame
        Title of each panel, and the probabilities, from 0 to 1, in each pass: one class per
        column.

    Returns
    -------
    matplotlib.figure.Figure
        One panel each; passes on a logarithmic axis.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> passes = pd.DataFrame({"fcc": [0.9, 0.8, 0.95], "hcp": [0.1, 0.2, 0.05]})
    >>> len(plotting.pass_histograms({"nickel": passes}).axes)
    1
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(2.7 * len(panels), 2.5), sharey=True, squeeze=False
    )
    for panel, (title, passes) in zip(axes[0], panels.items(), strict=True):
        _histograms(panel, passes)
        panel.set_title(title)
    axes[0, 0].set_ylabel("passes / 1")
    figure.tight_layout()
    return figure


def pipeline(
    atoms: Atoms,
    matrix: pd.DataFrame,
    layers: Sequence[NDArray[np.float64]],
    passes: pd.DataFrame,
) -> Figure:
    """Draw the way of one structure through ARISE (paper, Fig. 1a to d).

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    matrix : pandas.DataFrame
        Its descriptor, from `vector_matrix`.
    layers : sequence of ndarray of shape (width,)
        What the hidden layers make of it, first layer first.
    passes : pandas.DataFrame
        Probabilities of the leading classes in each pass, as of `pass_histograms`.

    Returns
    -------
    matplotlib.figure.Figure
        Structure, vector, activations of the layers, and probabilities of the passes.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from ase.build import bulk
    >>> from arise_lib import descriptor, plotting
    >>> settings, nickel = descriptor.SoapSettings(), bulk("Ni", cubic=True) * 2
    >>> matrix = plotting.vector_matrix(descriptor.describe(nickel, settings), settings)
    >>> passes = pd.DataFrame({"fcc": [0.9, 0.8], "hcp": [0.1, 0.2]})
    >>> len(plotting.pipeline(nickel, matrix, [np.ones(9), np.ones(4)], passes).axes)
    4
    """
    figure, panels = plt.subplots(
        1, 4, figsize=(10, 3.0), gridspec_kw={"width_ratios": (1.1, 0.8, 1.1, 1.3)}
    )
    draw_atoms(panels[0], atoms)
    panels[0].set_title(f"a  structure, {len(atoms)} atoms")
    _matrix(panels[1], matrix, vmin=0.0)
    panels[1].set(title=f"b  vector, {matrix.size} entries", ylabel="n, n'")
    for k, layer in enumerate(layers):
        # Strongest unit first: the order of the units has no meaning.
        panels[2].fill_betweenx(
            np.linspace(1, 0, len(layer)), k, k + 0.8 * np.sort(layer)[::-1] / layer.max(),
            color=f"C{k % 10}", linewidth=0,
        )  # fmt: skip
    panels[2].set(title="c  hidden layers", xlabel="layer", ylabel="units, sorted", yticks=[])
    panels[2].set_xticks(np.arange(len(layers)) + 0.4, [str(k + 1) for k in range(len(layers))])
    _histograms(panels[3], passes)
    panels[3].set(title=f"d  {len(passes)} passes", ylabel="passes / 1")
    figure.tight_layout()
    return figure


def _matrix(panel: Axes, matrix: pd.DataFrame, **limits: Any) -> AxesImage:
    image = panel.imshow(matrix, aspect="auto", interpolation="none", **limits)
    panel.set_xticks(range(matrix.shape[1]), [str(degree) for degree in matrix.columns])
    # The first pair of each n has a name; those of the smallest n would overlap.
    named = [k for k, name in enumerate(matrix.index) if name.endswith(",1") and k != 1]
    panel.set_yticks(named, [matrix.index[k] for k in named])
    panel.set_xlabel("degree l")
    return image


def _histograms(panel: Axes, passes: pd.DataFrame) -> None:
    for k, label in enumerate(passes.columns):
        tex = prototypes.get(label).tex if label in prototypes.LABELS else label
        shares = 100 * passes[label].to_numpy()
        panel.hist(shares, _BINS, histtype="stepfilled", alpha=0.5, color=f"C{k}", label=tex)
    panel.set(xlabel="probability in a pass / %", yscale="log", xlim=(0, 100))
    panel.legend(fontsize=7)
