"""Perfect crystals box by box: periodic ones have no rim, free ones know theirs."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

import arise_lib as arise
from arise_lib.strided import Cube, Sphere, filled_share
from arise_lib.structures import box_edge, prototypes

CLASSES = (
    "sc", "bcc", "fcc", "hcp", "diamond", "NaCl", "CsCl", "zincblende", "wurtzite", "L1_2",
)  # fmt: skip
PASSES = 30


def block(label: str, edge: float) -> tuple[object, float]:
    """A crystal of some boxes' width, and the edge of a box of 200 atoms."""
    cell = prototypes.build(label)
    size = box_edge(cell, 200)
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell.cell.array), axis=0)
    return cell * np.ceil(edge * size / heights).astype(int), size


@pytest.mark.parametrize("label", CLASSES)
def test_periodic_crystal_has_no_rim(label: str) -> None:
    crystal, size = block(label, 1.0)
    maps = arise.scan(crystal, size, 0.7 * size, passes=PASSES)
    assert set(maps["label"].values.ravel().tolist()) == {label}
    assert (maps["filled"] == 1.0).all()


@pytest.mark.parametrize("label", CLASSES)
def test_free_crystal_inside_its_rim(label: str) -> None:
    crystal, size = block(label, 2.2)
    crystal.pbc = False
    maps = arise.scan(crystal, size, 0.8 * size, passes=PASSES)
    full = maps["filled"].values == 1.0
    inside = maps["label"].values[full]
    assert 0 < full.sum() < full.size and np.mean(inside == label) > 0.9
    assert np.isnan(maps["filled"].values[maps["label"].values == ""]).all()


def test_share_of_a_box_at_a_surface() -> None:
    """Filled up to REACH spacings beyond the last layer of atoms, in steps of a fifth."""
    copper = bulk("Cu", cubic=True) * 8
    copper.pbc = False
    last, spacing = copper.positions[:, 0].max(), 3.61 / 2**0.5
    axes = [last + np.linspace(-12.0, 9.0, 43), np.array([13.0]), np.array([13.0])]
    found = filled_share(copper, axes, Cube(15.0), np.ones((43, 1, 1), dtype=bool)).ravel()
    ends = (last + 1.2 * spacing - (axes[0] - 7.5)) / 15.0
    np.testing.assert_allclose(found, np.clip(ends, 0.0, 1.0), atol=0.1 + 0.03)
    assert (np.diff(found) <= 0).all() and found[0] == 1.0
    sphere = filled_share(copper, axes, Sphere(7.5), np.ones((43, 1, 1), dtype=bool)).ravel()
    assert sphere[0] == 1.0 and (np.diff(sphere) <= 0).all()


def test_boxes_that_are_not_chosen() -> None:
    axes = [np.array([0.0, 2.0])] + [np.zeros(1)] * 2
    chosen = np.array([True, False])[:, None, None]
    found = filled_share(bulk("Cu", cubic=True), axes, Cube(2.0), chosen)
    assert np.isnan(found).ravel().tolist() == [False, True]
