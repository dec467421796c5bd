"""Soft clusters: each point goes where it most probably belongs (paper, Fig. 4b)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arise_lib.explore.clusters import EXACT, OUTLIER, by_size, checked_rows

#: Points whose best cluster has less of them than this are outliers: the paper's 10 %.
MEMBERSHIP = 0.1


def soft_cluster(
    features: NDArray[np.floating], min_cluster_size: int, *, membership: float = MEMBERSHIP
) -> NDArray[np.int64]:
    """Cluster vectors by density with HDBSCAN, and put stray points into their likeliest cluster.

    Plain HDBSCAN leaves many points in no cluster. It also gives each point the
    probabilities with which it belongs to each one; they add up to less than 1.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        Activations or descriptors, all finite.
    min_cluster_size : int
        Groups of fewer points make no cluster.
    membership : float
        Least probability with which a point belongs to its cluster.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Number of each row's most probable cluster, 0 the largest, of equally large ones the
        one whose first row comes first; `OUTLIER` where no cluster has the membership.

    Raises
    ------
    InputError
        If a feature is not finite, or there are fewer rows than `min_cluster_size`.

    References
    ----------
    .. [1] L. McInnes, J. Healy, S. Astels, J. Open Source Softw. 2, 205 (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib import explore
    >>> points = np.random.default_rng(0).normal(size=(90, 2))
    >>> points[45:] += 20.0
    >>> np.bincount(explore.soft_cluster(points, 20)).tolist()
    [45, 45]
    """
    import hdbscan  # not at the top: slow to import

    rows = checked_rows(features, min_cluster_size)
    settings = {"min_cluster_size": min_cluster_size, "prediction_data": True}
    model = hdbscan.HDBSCAN(**settings, **EXACT).fit(rows)
    if model.labels_.max() < 0:
        return np.full(len(rows), OUTLIER, dtype=np.int64)
    probability = np.asarray(hdbscan.all_points_membership_vectors(model)).reshape(len(rows), -1)
    best = np.where(probability.max(axis=1) >= membership, probability.argmax(axis=1), OUTLIER)
    return by_size(best)
