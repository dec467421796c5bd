"""Images of a microscope, atoms found in them, and how well (paper, Fig. 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from arise_lib.microscopy.found import Found
from arise_lib.microscopy.images import Image
from arise_lib.microscopy.multislice import Multislice, contrast_exponent, summed
from arise_lib.microscopy.simulate import Imaging

#: Colours of the atoms of an image, by atomic number.
_SPECIES = {6: "#56b4e9", 14: "#d55e00"}

#: Colours of rings that are no hexagons, by size.
_RINGS = {5: "#d55e00", 7: "#0072b2"}


def micrographs(
    images: Mapping[str, Image],
    found: Mapping[str, Found] | None = None,
    references: Mapping[str, NDArray[np.float64]] | None = None,
) -> Figure:
    """Draw images side by side, with atoms on them.

    Parameters
    ----------
    images : mapping of str to Image
        Title and image.
    found : mapping of str to Found, optional
        Atoms found in the images of these titles: rings, blue for C, orange for Si.
    references : mapping of str to ndarray of shape (n, 2), optional
        Positions to compare with, in pixels: yellow crosses.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each image, axes in Å; the darkest and the brightest pixels (1 %)
        share a shade.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib import plotting
    >>> from arise_lib.microscopy import Image
    >>> noise = np.random.default_rng(0).random((32, 32), np.float32)
    >>> len(plotting.micrographs({"noise": Image(noise, 0.1)}).axes)
    1
    """
    figure, panels = plt.subplots(
        1, len(images), figsize=(3.2 * len(images), 3.3), squeeze=False, layout="constrained"
    )
    for panel, (title, image) in zip(panels[0], images.items(), strict=True):
        low, high = np.percentile(image.data, [1, 99])
        edge = np.array([-0.5, image.data.shape[1] - 0.5, image.data.shape[0] - 0.5, -0.5])
        panel.imshow(image.data, cmap="gray", vmin=low, vmax=high, extent=list(edge * image.pixel))
        if references and title in references:
            panel.plot(*(image.pixel * references[title]).T, "+", color="#f0e442", markersize=5)
        if found and title in found:
            here = found[title]
            colours = [_SPECIES.get(int(number), "0.7") for number in here.numbers]
            panel.scatter(
                *(image.pixel * here.positions).T, s=14, facecolors="none", edgecolors=colours,
                linewidths=0.8,
            )  # fmt: skip
        panel.set(title=title, xlabel="x / Å", ylabel="y / Å")
    return figure


def beside_multislice(
    scenes: Mapping[str, Multislice],
    fitted: Mapping[str, Imaging],
    source: float,
    sigma: pd.Series,
) -> Figure:
    """Draw images by multislice, sums of probes beside them, and the contrast of elements.

    Parameters
    ----------
    scenes : mapping of str to Multislice
        Title and image.
    fitted : mapping of str to Imaging
        Parameters of the sum of probes for each title.
    source : float
        Full width at half maximum of the source in Å.
    sigma : pandas.Series
        Cross-section in Å² for each atomic number.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels for each image, with one scale of grey and in Å, and one for the elements.

    Examples
    --------
    >>> from arise_lib import microscopy, plotting
    >>> scenes = {"MoS2": microscopy.load_multislice("MoS2")}
    >>> fitted = {"MoS2": microscopy.Imaging()}
    >>> sigma = microscopy.cross_sections()
    >>> len(plotting.beside_multislice(scenes, fitted, 0.6, sigma).axes)
    3
    """
    n = 2 * len(scenes) + 1
    figure, panels = plt.subplots(1, n, figsize=(2.9 * n, 3.0), layout="constrained")
    for k, (title, scene) in enumerate(scenes.items()):
        blurred, sums = scene.blurred(source), summed(scene, fitted[title]).data
        for panel, data, who in zip(
            panels[2 * k : 2 * k + 2], (blurred, sums), ("multislice", "sum of probes"), strict=True
        ):
            panel.imshow(
                data, cmap="gray", vmin=0.0, vmax=blurred.max(), interpolation="bicubic",
                extent=(0.0, scene.extent[0], scene.extent[1], 0.0),
            )  # fmt: skip
            panel.set(title=f"{title}, {who}", xlabel="x / Å", ylabel="y / Å")
    last, numbers = panels[-1], sigma.index.to_numpy(float)
    last.loglog(numbers, sigma, "o", color="0.2", label="multislice")
    own = contrast_exponent(sigma)
    middle = np.exp(np.log(sigma).mean() - own * np.log(numbers).mean())
    last.loglog(numbers, middle * numbers**own, "-", label=f"fit, power {own:.2f}")
    power = Imaging().exponent
    last.loglog(numbers, sigma[6] * (numbers / 6.0) ** power, "--", label=f"power {power:g} from C")
    last.set(xlabel="atomic number", ylabel="cross-section / Å²")
    last.xaxis.set_major_locator(FixedLocator([5, 10, 20, 40, 80]))
    last.xaxis.set_minor_locator(NullLocator())
    last.xaxis.set_major_formatter("{x:g}")
    last.legend(fontsize=8)
    return figure


def score_curves(table: pd.DataFrame, quantities: Mapping[str, str]) -> Figure:
    """Draw scores of several finders against the dose.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `dose`, `finder`, and the quantities; several rows for each dose and finder.
    quantities : mapping of str to str
        Column and label of each panel; an error in pm gets a logarithmic axis.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each quantity: mean over the images, and their range.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> table = pd.DataFrame({"dose": [1e3, 1e4], "finder": "blobs", "recall": [20.0, 90.0]})
    >>> len(plotting.score_curves(table, {"recall": "recall / %"}).axes)
    1
    """
    figure, panels = plt.subplots(
        1, len(quantities), figsize=(2.7 * len(quantities), 2.7), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for panel, (column, label) in zip(panels[0], quantities.items(), strict=True):
        for k, (name, rows) in enumerate(table.groupby("finder", sort=False)):
            curve = rows.groupby("dose")[column].agg(["mean", "min", "max"]).dropna()
            if (curve["mean"] == 0).all():
                continue
            style = {"color": f"C{k}", "label": str(name)}
            panel.plot(curve.index, curve["mean"], "osv^"[k % 4] + "-", ms=4, **style)
            panel.fill_between(
                curve.index, curve["min"], curve["max"], alpha=0.15, linewidth=0, color=f"C{k}"
            )
        panel.set(xscale="log", xlabel="dose / electrons per Å²", ylabel=label)
        if label.endswith("pm"):
            panel.set_yscale("log")
            panel.yaxis.set_major_formatter("{x:g}")
            panel.yaxis.set_minor_formatter("{x:g}")
            panel.tick_params(axis="y", which="minor", labelsize=7)
        else:
            panel.set_ylim(-3, 103)
    panels[0, 0].legend(fontsize=8)
    return figure


def similarity_matrices(
    matrices: Mapping[str, NDArray[np.float64]], groups: Mapping[str, Sequence[int]]
) -> Figure:
    """Draw similarities, the rows in the order of their groups.

    Parameters
    ----------
    matrices : mapping of str to ndarray of shape (n, n)
        Title and similarities.
    groups : mapping of str to sequence of int
        Group of each row, ascending.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each matrix, lines between the groups.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib import plotting
    >>> figure = plotting.similarity_matrices({"a": np.eye(3)}, {"a": [0, 0, 1]})
    >>> figure.axes[0].get_title()
    'a'
    """
    figure, panels = plt.subplots(
        1, len(matrices), figsize=(3.8 * len(matrices), 3.3), squeeze=False, layout="constrained"
    )
    for panel, (title, matrix) in zip(panels[0], matrices.items(), strict=True):
        drawn = panel.imshow(matrix, vmin=np.quantile(matrix, 0.02), vmax=1.0)
        figure.colorbar(drawn, ax=panel, shrink=0.8).set_label("cosine similarity / 1")
        numbers = np.asarray(groups[title])
        names, first, counts = np.unique(numbers, return_index=True, return_counts=True)
        for at in first[1:]:
            panel.axhline(at - 0.5, color="white", linewidth=0.8)
            panel.axvline(at - 0.5, color="white", linewidth=0.8)
        middles = first + (counts - 1) / 2.0
        panel.set_xticks(middles, [str(name) for name in names])
        panel.set_yticks(middles, [str(name) for name in names])
        panel.set(title=title, xlabel="number of Si atoms / 1", ylabel="number of Si atoms / 1")
    return figure


def ring_map(
    positions: NDArray[np.float64],
    middles: NDArray[np.float64],
    sizes: NDArray[np.int64],
    unit: str = "Å",
) -> Figure:
    """Draw a flat network with its pentagons and heptagons.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 2)
        Of the atoms; y runs down, as in an image.
    middles, sizes : ndarray
        From `arise_lib.microscopy.rings`.
    unit : str
        Of the positions.

    Returns
    -------
    matplotlib.figure.Figure
        One panel.

    Examples
    --------
    >>> from arise_lib import microscopy, plotting
    >>> points = microscopy.grain_boundary(20.0, 25.0, seed=0).positions[:, :2]
    >>> len(plotting.ring_map(points, *microscopy.rings(points)).axes)
    1
    """
    figure, panel = plt.subplots(figsize=(4.2, 3.8), layout="constrained")
    panel.scatter(positions[:, 0], positions[:, 1], s=3, color="0.6", linewidths=0)
    for size, colour in _RINGS.items():
        here = middles[sizes == size]
        panel.scatter(
            here[:, 0],
            here[:, 1],
            s=34,
            color=colour,
            marker=(int(size), 0, 0),
            label=f"rings of {size}: {len(here)}",
        )
    panel.set(xlabel=f"x / {unit}", ylabel=f"y / {unit}", aspect="equal")
    panel.invert_yaxis()
    panel.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
