"""How networks were trained: epoch by epoch, and trial by trial."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure


def learning_curves(history: pd.DataFrame, settled: int | None = None) -> Figure:
    """Draw the share of errors and the loss against the epoch.

    Parameters
    ----------
    history : pandas.DataFrame
        Columns `accuracy`, `val_accuracy` (0 to 1), `loss`, `val_loss`.
    settled : int, optional
        First epoch at a lower learning rate, which is marked.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels with logarithmic scales; an epoch without errors leaves a gap.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> history = pd.DataFrame({
    ...     "loss": [1.0, 0.5], "accuracy": [0.8, 0.9],
    ...     "val_loss": [0.9, 0.4], "val_accuracy": [0.9, 0.95],
    ... })
    >>> len(plotting.learning_curves(history).axes)
    2
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.6))
    epoch = np.arange(1, len(history) + 1)
    for column, label in (("accuracy", "training (dropout on)"), ("val_accuracy", "validation")):
        wrong = 100 * (1 - history[column])
        left.semilogy(epoch, wrong.where(wrong > 0), label=label)
    left.set(xlabel="epoch / 1", ylabel="errors / %")
    left.yaxis.set_major_formatter("{x:g}")
    right.semilogy(epoch, history["loss"], label="training (dropout on)")
    right.semilogy(epoch, history["val_loss"], label="validation")
    right.set(xlabel="epoch / 1", ylabel="cross entropy / nat")
    if settled is not None:
        for panel in (left, right):
            panel.axvline(settled, color="0.6", linewidth=1, linestyle="--", label="settling")
    left.legend()
    figure.tight_layout()
    return figure


def search_panels(
    searches: Mapping[str, pd.DataFrame], marked: Mapping[str, int] | None = None
) -> Figure:
    """Draw the validation accuracy of each trial against its learning rate.

    Parameters
    ----------
    searches : mapping of str to DataFrame
        Title of each panel, and one row per trial: `learning_rate`,
        `val_accuracy` (%), `depth` (number of hidden layers).
    marked : mapping of str to int, optional
        For titles: the label of a row that gets a ring, such as that of the network that was
        chosen.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per search, with common axes.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import plotting
    >>> trials = pd.DataFrame({"learning_rate": [1e-3], "val_accuracy": [99.0], "depth": [3]})
    >>> len(plotting.search_panels({"one": trials}, {"one": 0}).axes[0].lines)
    2
    """
    figure, axes = plt.subplots(
        1,
        len(searches),
        figsize=(3.6 * len(searches), 2.8),
        squeeze=False,
        sharex=True,
        sharey=True,
    )
    for panel, (title, trials) in zip(axes[0], searches.items(), strict=True):
        for depth, group in trials.groupby("depth"):
            panel.semilogx(
                group["learning_rate"],
                group["val_accuracy"],
                "o",
                markersize=4,
                color=f"C{int(depth) - 1}",
                label=f"{depth}",
            )
        if marked and title in marked:
            chosen = trials.loc[marked[title]]
            panel.plot(
                chosen["learning_rate"], chosen["val_accuracy"], "o", markersize=10,
                markerfacecolor="none", markeredgecolor="black", label="chosen",
            )  # fmt: skip
        panel.set(title=title, xlabel="learning rate / 1")
        panel.legend(title="hidden layers", fontsize=7, title_fontsize=7, ncols=2)
    axes[0, 0].set_ylabel("validation accuracy / %")
    figure.tight_layout()
    return figure
