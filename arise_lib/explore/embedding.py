"""Maps of what descriptors and networks hold: UMAP."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def embed(
    features: NDArray[np.floating],
    *,
    n_neighbors: int = 50,
    min_dist: float = 0.1,
    seed: int = 42,
) -> NDArray[np.float32]:
    """Map vectors to the plane with UMAP, near ones near each other.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        Descriptors or activations.
    n_neighbors : int
        Size of the neighbourhood that is to be kept.
    min_dist : float
        Smallest distance of points in the map.
    seed : int
        Seed; the map is then made on one thread. It may all the same turn out
        differently on another machine or in another installation, whose compiled
        code rounds differently: read neighbourhoods, not coordinates.

    Returns
    -------
    ndarray of float32, shape (n_rows, 2)
        Coordinates, of no unit.

    References
    ----------
    .. [1] L. McInnes, J. Healy, J. Melville, arXiv:1802.03426 (2018).

    Examples
    --------
    >>> from arise_lib import explore, training
    >>> from arise_lib.descriptor import SoapSettings
    >>> data = training.pristine_set(settings=[SoapSettings()], labels=["fcc", "bcc", "hcp"])
    >>> explore.embed(data.features, n_neighbors=4).shape  # doctest: +SKIP
    (12, 2)
    """
    import umap  # not at the top: it imports TensorFlow, which takes half a minute when cold

    reducer = umap.UMAP(n_neighbors=n_neighbors, min_dist=min_dist, random_state=seed, n_jobs=1)
    return np.asarray(reducer.fit_transform(np.asarray(features)), dtype=np.float32)
