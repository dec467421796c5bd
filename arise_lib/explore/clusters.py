"""Clusters among activations, found without labels (paper, Fig. 2d): HDBSCAN."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arise_lib.errors import InputError

#: Minimum sizes of a cluster that the paper tries on its four grains.
MIN_CLUSTER_SIZES = (25, 50, 100, 250, 500, 1000)

#: Label of points that belong to no cluster.
OUTLIER = -1


def cluster(features: NDArray[np.floating], min_cluster_size: int) -> NDArray[np.int64]:
    """Cluster vectors by density with HDBSCAN.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        Activations or descriptors, all finite.
    min_cluster_size : int
        Groups of fewer points are no clusters.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Number of each row's cluster, 0 the largest, of equally large ones the one whose
        first row comes first; `OUTLIER` where it belongs to none. The same
        for the same rows in the same order.

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
    >>> np.bincount(explore.cluster(points, 20)).tolist()
    [45, 45]
    """
    from hdbscan import HDBSCAN  # not at the top: slow to import

    rows = np.asarray(features, dtype=np.float64)
    if not (2 <= min_cluster_size <= len(rows) and np.isfinite(rows).all()):
        raise InputError(
            f"{len(rows)} rows, {int((~np.isfinite(rows)).any(axis=1).sum())} of them not finite, "
            f"for clusters of at least {min_cluster_size}: leave out what is undefined, and ask "
            "for clusters of at least 2 rows and at most all of them."
        )
    # An approximate tree depends on how the rows are cut into parts.
    found = HDBSCAN(
        min_cluster_size=min_cluster_size, approx_min_span_tree=False, core_dist_n_jobs=1
    ).fit_predict(rows)
    names, first, sizes = np.unique(found[found >= 0], return_index=True, return_counts=True)
    rank = np.full(len(names) + 1, OUTLIER, dtype=np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(names))
    return rank[found]


def agreement(clusters: ArrayLike, truth: ArrayLike) -> float:
    """Score clusters against the truth by the adjusted Rand index.

    Parameters
    ----------
    clusters : array_like of int, shape (n_rows,)
        From `cluster`; rows in no cluster are left out.
    truth : array_like of shape (n_rows,)
        True group of each row.

    Returns
    -------
    float
        1 where the groups are the same, about 0 by chance; NaN if no row has a cluster.

    Raises
    ------
    InputError
        If the two are not of one length.

    Examples
    --------
    >>> from arise_lib import explore
    >>> explore.agreement([1, 1, 0, 0, -1], ["a", "a", "b", "b", "b"])
    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    found, groups = np.asarray(clusters), np.asarray(truth)
    if found.shape != groups.shape or found.ndim != 1:
        raise InputError(
            f"{found.shape} clusters and {groups.shape} true groups: one of each per row is needed."
        )
    inside = found != OUTLIER
    return float(adjusted_rand_score(groups[inside], found[inside])) if inside.any() else np.nan
