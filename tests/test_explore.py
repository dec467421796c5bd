"""Maps: neighbours stay neighbours, and the seed decides the rest."""

from __future__ import annotations

import numpy as np
import pytest

from arise_lib import explore
from arise_lib.errors import InputError


def test_clusters_stay_apart_and_the_seed_fixes_the_map() -> None:
    generator = np.random.default_rng(3)
    centres = 20.0 * np.eye(4, 12)
    features = np.repeat(centres, 25, axis=0) + generator.normal(size=(100, 12))
    labels = np.repeat(np.arange(4), 25)
    points = explore.embed(features, n_neighbors=10, seed=7)
    assert points.shape == (100, 2) and points.dtype == np.float32
    # Each point's nearest neighbour in the map belongs to its own cluster.
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(100)
    assert (labels[gaps.argmin(axis=1)] == labels).all()
    np.testing.assert_array_equal(points, explore.embed(features, n_neighbors=10, seed=7))


def test_clusters_are_numbered_by_size_and_strays_are_in_none() -> None:
    generator = np.random.default_rng(0)
    sizes = (30, 60, 45)
    groups = [generator.normal(size=(n, 5)) + 30.0 * k for k, n in enumerate(sizes)]
    stray = np.array([[400.0] * 5, [-300.0, 0, 0, 0, 300.0]])
    rows = np.concatenate([*groups, stray])
    found = explore.cluster(rows, 20)
    expected = np.repeat([2, 0, 1, explore.OUTLIER], [*sizes, 2])
    core = found != explore.OUTLIER
    assert (found[core] == expected[core]).all() and core[: sum(sizes)].mean() > 0.8
    assert not core[-2:].any()
    np.testing.assert_array_equal(found, explore.cluster(rows, 20))
    assert explore.agreement(found, np.repeat(["a", "b", "c", "d"], [*sizes, 2])) == 1.0


def test_agreement_is_that_of_the_rows_in_clusters() -> None:
    assert explore.agreement([0, 0, 1, 1, -1], ["a", "b", "a", "b", "a"]) == pytest.approx(-0.5)
    assert np.isnan(explore.agreement([-1, -1], ["a", "b"]))
    with pytest.raises(InputError, match="one of each per row"):
        explore.agreement([0, 1], ["a"])


@pytest.mark.parametrize(("n", "size"), [(10, 11), (10, 1)])
def test_clusters_of_no_size_are_refused(n: int, size: int) -> None:
    with pytest.raises(InputError, match=f"clusters of at least {size}"):
        explore.cluster(np.zeros((n, 2)), size)
    with pytest.raises(InputError, match="1 of them not finite"):
        explore.cluster(np.array([[np.nan], [0.0], [1.0]]), 2)
