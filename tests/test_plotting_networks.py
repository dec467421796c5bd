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


def test_search_panels_ring_the_trial_that_was_chosen() -> None:
    trials = pd.DataFrame(
        {"learning_rate": [1e-3, 1e-4], "val_accuracy": [99, 98], "depth": [1, 3]}, index=[7, 9]
    )
    (panel,) = plotting.search_panels({"ours": trials}, {"ours": 9}).axes
    ring = panel.lines[-1]
    assert (*ring.get_xdata(), *ring.get_ydata()) == (1e-4, 98)


def test_accuracy_heatmap_prints_every_number() -> None:
    table = pd.DataFrame({"a": [100.0, 12.4], "b": [0.0, 50.6]}, index=["x", "y"])
    (panel,) = plotting.accuracy_heatmap(table).axes
    assert texts(panel) == ["100", "0", "12", "51"]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["x", "y"]


def test_reliability_diagram_has_a_line_per_network() -> None:
    table = calibration.reliability(np.linspace(0, 1, 50), np.linspace(0, 1, 50) > 0.3)
    figure = plotting.reliability_diagram({"one": table, "two": table})
    _diagonal, *lines = figure.axes[0].lines
    assert len(lines) == 4, "for each of two networks a line, and hollow points of few answers"
    solid, hollow = (line.get_xdata() for line in lines[:2])
    few = table["rows"].to_numpy() < plotting.accuracy.FEW
    assert few.any()
    np.testing.assert_array_equal(np.isnan(solid), few)
    np.testing.assert_array_equal(np.isnan(hollow), ~few)
