"""Figures about networks: the search, the selection, and whether probabilities can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure


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


def accuracy_heatmap(table: pd.DataFrame) -> Figure:
    """Draw a table of accuracies as coloured cells with their numbers.

    Parameters
    ----------
    table : DataFrame
        One row per kind of sample, one column per network, in %.

    Returns
    -------
    matplotlib.figure.Figure
        One panel.
    """
    size = (1.9 + 0.75 * table.shape[1], 0.9 + 0.24 * table.shape[0])
    figure, panel = plt.subplots(figsize=size)
    panel.imshow(table, cmap="RdYlGn", vmin=0, vmax=100, aspect="auto")
    for row, values in enumerate(table.to_numpy()):
        for column, value in enumerate(values):
            panel.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7)
    panel.set_xticks(range(table.shape[1]), [str(name) for name in table.columns], fontsize=7)
    panel.set_yticks(range(table.shape[0]), [str(name) for name in table.index], fontsize=7)
    panel.tick_params(length=0, labeltop=True, labelbottom=False)
    panel.spines[:].set_visible(False)
    figure.tight_layout()
    return figure


def reliability_diagram(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw accuracy against confidence; a calibrated network is on the diagonal.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Name of each network, and its table from `arise_lib.calibration.reliability`.

    Returns
    -------
    matplotlib.figure.Figure
        The diagram, and the number of answers in each bin below it.
    """
    figure, (panel, counts) = plt.subplots(
        2, 1, figsize=(3.8, 4.0), sharex=True, height_ratios=(3, 1)
    )
    panel.plot([0, 100], [0, 100], color="0.7", linewidth=1)
    for name, table in tables.items():
        panel.plot(table["confidence"], table["accuracy"], "o-", markersize=3, label=name)
        counts.semilogy(table["confidence"], table["rows"], "o-", markersize=3)
    panel.set(ylabel="accuracy / %", xlim=(0, 101), ylim=(0, 101))
    counts.set(xlabel="probability of the answer / %", ylabel="answers / 1")
    panel.legend()
    figure.tight_layout()
    return figure
