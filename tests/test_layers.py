"""Layers of atoms: strong where they were put, weak where there are none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from arise_lib.errors import InputError
from arise_lib.strided import best_layering, layering
from arise_lib.structures import prototypes, round_cluster
from arise_lib.structures.scale import overall_nearest_neighbour_distance

#: Distance of close-packed layers in dNN.
CLOSE_PACKED = np.sqrt(2 / 3)


@pytest.mark.parametrize("label", ["fcc", "hcp", "dhcp"])
def test_every_close_packed_crystal_is_stacked_along_some_direction(label: str) -> None:
    ball = round_cluster(prototypes.build(label), 100)
    spacing = CLOSE_PACKED * overall_nearest_neighbour_distance(ball)
    turn = Rotation.random(rng=np.random.default_rng(1)).as_matrix()
    strength, normal = best_layering(ball.positions @ turn.T, spacing)
    # Real crystals have a c/a that differs by some per cent from the ideal one.
    assert strength > 0.85
    assert layering(ball.positions @ turn.T, 3.0 * normal, spacing) == pytest.approx(strength)
    moved = ball.positions @ turn.T + [100.0, -5.0, 2.0]
    assert best_layering(moved, spacing)[0] == pytest.approx(strength)
    axis = turn @ (normal @ turn)
    np.testing.assert_allclose(axis, normal)


def test_atoms_at_random_are_not_stacked() -> None:
    points = np.random.default_rng(0).uniform(0.0, 10.0, (2000, 3))
    # Along one direction about one over the root of the number.
    assert layering(points, [1.0, 2.0, 3.0], 2.0) < 4 / np.sqrt(2000)
    assert best_layering(points, 2.0)[0] < 0.12


def test_layers_of_half_the_spacing_cancel() -> None:
    points = np.array([[0.0, 0.0, 0.5 * k] for k in range(8)])
    assert layering(points, [0, 0, 1], 0.5) == pytest.approx(1.0)
    assert layering(points, [0, 0, 1], 1.0) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "normal", "spacing"), [(0, [0, 0, 1], 1.0), (4, [0, 0, 0], 1.0), (4, [0, 0, 1], 0.0)]
)
def test_what_has_no_layers_is_refused(n: int, normal: list[float], spacing: float) -> None:
    with pytest.raises(InputError, match="must be above zero"):
        layering(np.zeros((n, 3)), normal, spacing)
