"""Maps: neighbours stay neighbours, and the seed decides the rest."""

from __future__ import annotations

import numpy as np

from arise_lib import explore


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
