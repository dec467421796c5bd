"""Figures about networks show what they are given."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from arise_lib import plotting
from arise_lib.bayes import calibration


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def texts(panel: plt.Axes) -> list[str]:
    return [text.get_text() for text in panel.texts]


def test_search_panels_share_their_accuracy_axis() -> None:
    trials = pd.DataFrame(
        {"learning_rate": [1e-3, 1e-4, 1e-2], "val_accuracy": [99, 98, 90], "depth": [1, 3, 3]}
    )
    figure = plotting.search_panels({"ours": trials, "paper": trials.iloc[:1]})
    left, right = figure.axes
    assert left.get_ylim() == right.get_ylim() and left.get_title() == "ours"
    assert sum(len(line.get_xdata()) for line in left.lines) == 3
    assert {line.get_color() for line in left.lines} == {"C0", "C2"}


def test_accuracy_heatmap_prints_every_number() -> None:
    table = pd.DataFrame({"a": [100.0, 12.4], "b": [0.0, 50.6]}, index=["x", "y"])
    (panel,) = plotting.accuracy_heatmap(table).axes
    assert texts(panel) == ["100", "0", "12", "51"]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["x", "y"]


def test_reliability_diagram_has_a_line_per_network() -> None:
    table = calibration.reliability(np.linspace(0, 1, 50), np.linspace(0, 1, 50) > 0.3)
    figure = plotting.reliability_diagram({"one": table, "two": table})
    assert len(figure.axes[0].lines) == 3, "the diagonal and two networks"
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), 100 * table["accuracy"])
