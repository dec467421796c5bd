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
from arise_lib.strided.scores import beside_truth, boundary_auc, majority, precision_recall

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
