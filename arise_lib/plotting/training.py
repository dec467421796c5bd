"""How networks were trained: epoch by epoch, and trial by trial."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure


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
    left.plot(epoch, 100 * history["accuracy"], label="training (dropout on)")
    left.plot(epoch, 100 * history["val_accuracy"], label="validation")
    left.set(xlabel="epoch / 1", ylabel="accuracy / %")
    left.legend()
    right.semilogy(epoch, history["loss"], label="training (dropout on)")
    right.semilogy(epoch, history["val_loss"], label="validation")
    right.set(xlabel="epoch / 1", ylabel="cross entropy / nat")
    figure.tight_layout()
    return figure


def search_panels(searches: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the validation accuracy of each trial against its learning rate.

    Parameters
    ----------
    searches : mapping of str to DataFrame
        Title of each panel, and one row per trial: `learning_rate`,
        `val_accuracy` (%), `depth` (number of hidden layers).

    Returns
    -------
    matplotlib.figure.Figure
        One panel per search, with common axes.
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
        panel.set(title=title, xlabel="learning rate / 1")
        panel.legend(title="hidden layers", fontsize=7, title_fontsize=7, ncols=2)
    axes[0, 0].set_ylabel("validation accuracy / %")
    figure.tight_layout()
    return figure
