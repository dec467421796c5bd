"""Maps beside the truth: counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ase import Atoms

from arise_lib.errors import InputError
from arise_lib.samples.polycrystals import Cuboid, Grains
from arise_lib.strided.boxes import Sphere
from arise_lib.strided.scores import (
    auc_difference,
    auc_interval,
    beside_truth,
    boundary_auc,
    majority,
    mean_in_boxes,
    precision_recall,
)

TRUTH = Grains(np.array([[0.0, 0.0, 0.0], [20.0, 0.0, 0.0]]), ("fcc", "bcc"))


def maps(label: list[list[str]], **more: float) -> xr.Dataset:
    """Maps of two rows along y and as many columns along x as are given; edge 4."""
    labels = np.array(label)[None]
    answered = labels != ""
    probability = np.where(answered, 0.25, np.nan)[None].repeat(2, axis=0)
    return xr.Dataset(
        {
            "label": (("z", "y", "x"), labels),
            "mutual_information": (
                ("z", "y", "x"),
                np.where(answered, np.arange(labels.size).reshape(labels.shape), np.nan),
            ),
            "n_atoms": (("z", "y", "x"), np.full(labels.shape, 9)),
            "probability": (("class", "z", "y", "x"), probability),
        },
        coords={
            "x": 5.0 * np.arange(labels.shape[2]), "y": [0.0, 3.0], "z": [1.0],
            "class": ["fcc", "other"],
        },
        attrs={"box": 4.0, **more},
    )  # fmt: skip


def test_each_answered_box_stands_beside_the_truth_at_its_centre() -> None:
    found = maps([["fcc", "fcc", "", "bcc"], ["fcc", "", "fcc", "fcc"]])
    table = beside_truth(found, TRUTH)
    # Boxes along y first, then along x; the boundary is at x = 10.
    assert table["x"].tolist() == [0, 0, 5, 10, 15, 15]
    assert table["y"].tolist() == [0, 3, 0, 3, 0, 3]
    assert table["phase"].drop(3).tolist() == ["fcc", "fcc", "fcc", "bcc", "bcc"]
    assert table["distance"].tolist() == [10, 10, 5, 0, 5, 5]
    assert table["right"].drop(3).tolist() == [True, True, True, True, False]
    assert table["mutual_information"].tolist() == [0, 4, 1, 6, 3, 7]
    assert (table["p_other"] == 0.25).all() and (table["n_atoms"] == 9).all()
    without = beside_truth(found.sel({"class": ["fcc"]}), TRUTH)
    assert "p_other" not in without


def test_area_under_the_curve_of_boundaries() -> None:
    table = pd.DataFrame({"distance": [0, 1, 5, 9, 9], "score": [3.0, 1.0, 9.0, 0.0, 2.0]})
    # Of the four pairs (3, 0), (3, 2), (1, 0), (1, 2) three are in order; 5 is neither.
    assert boundary_auc(table, "score", near=2.0, far=8.0) == pytest.approx(0.75)
    for near, far in ((0.0, 8.0), (2.0, 10.0)):
        with pytest.raises(InputError, match="both must be there"):
            boundary_auc(table, "score", near=near, far=far)


def tiles(scores: list[float], spacing: float = 10.0) -> pd.DataFrame:
    """Boxes in a row, at a boundary and inside by turns, each in a tile of its own."""
    n = len(scores)
    return pd.DataFrame(
        {"x": spacing * np.arange(n), "y": 0.0, "z": 0.0, "score": scores,
         "distance": np.tile([0.0, 9.0], n // 2)}
    )  # fmt: skip


def test_interval_of_an_area_holds_the_area_and_shrinks_with_the_sample() -> None:
    generator = np.random.default_rng(0)
    how = {"near": 1.0, "far": 8.0, "block": 5.0}
    widths = []
    for n in (40, 160):
        table = tiles((generator.normal(size=n) + np.tile([1.0, 0.0], n // 2)).tolist())
        low, high = auc_interval(table, "score", **how)
        assert low < boundary_auc(table, "score", near=1.0, far=8.0) < high <= 1.0
        widths.append(high - low)
    # Four times the boxes, half the width.
    assert widths[0] / widths[1] == pytest.approx(2.0, rel=0.4)
    assert auc_interval(table, "score", **how) == (low, high)
    perfect = tiles([1.0, 0.0] * 10)
    assert auc_interval(perfect, "score", **how) == (1.0, 1.0)


def test_copies_of_a_box_in_its_tile_add_nothing() -> None:
    table = tiles([0.9, 0.1, 0.2, 0.3, 0.8, 0.4, 0.7, 0.75])
    how = {"near": 1.0, "far": 8.0, "block": 5.0}
    nearby = pd.concat([table, table.assign(x=table["x"] + 1.0)])
    assert auc_interval(nearby, "score", **how) == auc_interval(table, "score", **how)
    for wrong, message in (({"block": 0.0}, "positive length"), ({"near": -1.0}, "must be there")):
        with pytest.raises(InputError, match=message):
            auc_interval(table, "score", **(how | wrong))


def test_detectors_are_compared_on_the_same_draws() -> None:
    generator = np.random.default_rng(0)
    how = {"near": 1.0, "far": 8.0, "block": 5.0}
    signal = np.tile([1.0, 0.0], 60) + generator.normal(size=120)
    table = tiles(signal.tolist())
    table["worse"] = signal + 0.5 * generator.normal(size=120)
    value, low, high = auc_difference(table, table, ("score", "worse"), **how)
    areas = [boundary_auc(table, column, near=1.0, far=8.0) for column in ("score", "worse")]
    assert value == areas[0] - areas[1] and low < value < high
    # What is hard for both does not count: narrower than either area's own interval.
    apart = [np.subtract(*auc_interval(table, column, **how)) for column in ("score", "worse")]
    assert high - low < -max(apart)
    turned = auc_difference(table, table, ("worse", "score"), **how)
    assert turned == pytest.approx((-value, -high, -low))
    assert auc_difference(table, table, ("score", "score"), **how) == (0.0, 0.0, 0.0)
    with pytest.raises(InputError, match="not the same boxes"):
        auc_difference(table, table.iloc[::-1], ("score", "score"), **how)
    with pytest.raises(InputError, match="not the same boxes"):
        auc_difference(table, table.iloc[:-1], ("score", "score"), **how)


def test_numbers_of_atoms_are_averaged_over_boxes() -> None:
    positions = [[0, 0, 1], [1, 1, 1], [-1, 1, 1], [5, 0, 1], [15, 0, 1], [9, 9, 9]]
    values = np.array([1.0, 2.0, np.nan, 5.0, np.nan, 7.0])
    found = maps([["x", "x", "x", "x"], [""] * 4])
    means = mean_in_boxes(values, Atoms("H6", positions), found)
    np.testing.assert_array_equal(means, [1.5, 5.0, np.nan, np.nan])
    with pytest.raises(InputError, match="give one each"):
        mean_in_boxes(values[:3], Atoms("H6", positions), found)


def test_precision_and_recall_of_a_precipitate() -> None:
    truth = Cuboid((0.0, -1.0, 0.0), (7.0, 1.0, 2.0), "L1_2", "fcc")
    found = maps([["L1_2", "fcc", "fcc", "L1_2"], ["L1_2", "", "fcc", "fcc"]])
    table = beside_truth(found, truth)
    assert table["phase"].tolist() == ["L1_2", "fcc", "L1_2", "fcc", "fcc", "fcc", "fcc"]
    assert precision_recall(table, "L1_2") == pytest.approx((1 / 3, 1 / 2))
    assert np.isnan(precision_recall(table, "hcp")).all()


def test_a_box_has_the_class_that_most_of_its_named_atoms_have() -> None:
    positions = [[0, 0, 1], [1, 1, 1], [-1, 1, 1], [5, 0, 1], [5.5, 0, 1], [15, 0, 1], [9, 9, 9]]
    found = np.array(["fcc", "bcc", "bcc", "", "hcp", "", "fcc"])
    labels = majority(found, Atoms("H7", positions), maps([["x", "x", "x", "x"], ["", "", "", ""]]))
    assert labels.tolist() == ["bcc", "hcp", "", ""]
    # Within 1.2 of its centre the first box holds one atom only.
    small = majority(
        found, Atoms("H7", positions), maps([["x", "x", "x", "x"], [""] * 4]), Sphere(1.2)
    )
    assert small.tolist() == ["fcc", "hcp", "", ""]
    with pytest.raises(InputError, match="give one each"):
        majority(found[:3], Atoms("H7", positions), maps([["x"] * 4, [""] * 4]))
