"""Clusters among activations, found without labels (paper, Fig. 2d): HDBSCAN."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arise_lib.errors import InputError

#: Minimum sizes of a cluster that the paper tries on its four grains.
MIN_CLUSTER_SIZES = (25, 50, 100, 250, 500, 1000)

#: Label of points that belong to no cluster.
OUTLIER = -1

#: HDBSCAN's settings: an approximate tree would depend on how the rows are cut into parts.
EXACT = {"approx_min_span_tree": False, "core_dist_n_jobs": 1}


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

    rows = checked_rows(features, min_cluster_size)
    return by_size(HDBSCAN(min_cluster_size=min_cluster_size, **EXACT).fit_predict(rows))


def checked_rows(features: NDArray[np.floating], min_cluster_size: int) -> NDArray[np.float64]:
    """Return vectors that can be clustered, or say why they cannot.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        Activations or descriptors.
    min_cluster_size : int
        Groups of fewer points are no clusters.

    Returns
    -------
    ndarray of shape (n_rows, n_features)
        The same in double precision.

    Raises
    ------
    InputError
        If a feature is not finite, or there are fewer rows than `min_cluster_size`.

    Examples
    --------
    >>> import numpy as np
    >>> checked_rows(np.eye(3), 2).shape
    (3, 3)
    """
    rows = np.asarray(features, dtype=np.float64)
    if not (2 <= min_cluster_size <= len(rows) and np.isfinite(rows).all()):
        raise InputError(
            f"{len(rows)} rows, {int((~np.isfinite(rows)).any(axis=1).sum())} of them not finite, "
            f"for clusters of at least {min_cluster_size}: leave out what is undefined, and ask "
            "for clusters of at least 2 rows and at most all of them."
        )
    return rows


def by_size(clusters: NDArray[np.integer]) -> NDArray[np.int64]:
    """Renumber clusters by their size.

    Parameters
    ----------
    clusters : ndarray of int, shape (n_rows,)
        Number of each row's cluster, in any order; `OUTLIER` for none.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        0 for the largest, of equally large ones the one whose first row comes first;
        `OUTLIER` where it was.

    Examples
    --------
    >>> import numpy as np
    >>> by_size(np.array([0, 3, 3, -1])).tolist()
    [1, 0, 0, -1]
    """
    inside = np.flatnonzero(clusters >= 0)
    names, first, sizes = np.unique(clusters[inside], return_index=True, return_counts=True)
    numbers = np.full(len(clusters), OUTLIER, dtype=np.int64)
    for number, k in enumerate(np.lexsort((first, -sizes))):
        numbers[clusters == names[k]] = number
    return numbers


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
