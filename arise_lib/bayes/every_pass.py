"""The passes one by one, where their mean is not enough: for histograms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arise_lib.bayes import _rounds
from arise_lib.bayes._passes import Workspace
from arise_lib.bayes._places import one_thread
from arise_lib.bayes.inference import N_PASSES, _rows, check_passes
from arise_lib.errors import InputError
from arise_lib.network.released import NetworkLike, as_ensemble


def every_pass(
    network: NetworkLike,
    features: NDArray[np.floating],
    *,
    n_passes: int = N_PASSES,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Class probabilities of each stochastic pass, those that `predict` averages.

    Parameters
    ----------
    network : NetworkLike
        As of `arise_lib.bayes.predict`.
    features : ndarray of shape (n_rows, n_features)
        Descriptors.
    n_passes : int
        Number of stochastic passes T, over all networks.
    seed : int
        Seed of the masks.

    Returns
    -------
    ndarray of float32, shape (n_rows, n_passes, n_classes)
        From 0 to 1, columns in the order of the network's `classes`. All passes are in memory: for
        a few rows.

    Raises
    ------
    InputError
        If the features do not fit the network or are not finite, or there is no pass.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import bayes, descriptor
    >>> vector = descriptor.describe(bulk("Ni"))[None]
    >>> bayes.every_pass("arise", vector, n_passes=20).shape
    (1, 20, 108)
    """
    networks = as_ensemble(network).members
    rows = _rows(networks[0], features)
    check_passes(n_passes, seed)
    if not np.isfinite(rows).all():
        raise InputError("Of a descriptor that is not defined there is no pass; leave it out.")
    found = np.empty((len(rows), n_passes, len(networks[0].classes)), dtype=np.float32)
    with one_thread():
        for numbers in _rounds.numbers(n_passes, _rounds.length(len(rows), n_passes, networks)):
            drawn = _rounds.draw(networks, seed, numbers)
            spaces = [Workspace(share.network) for share in drawn]
            for here in (
                block for lot in _rounds.lots(np.arange(len(rows)), drawn) for block in lot
            ):
                p = np.empty((len(here), len(numbers), found.shape[-1]), dtype=np.float32)
                entropies = np.empty(p.shape[:2], dtype=np.float32)
                for space, share in zip(spaces, drawn, strict=True):
                    into = p[:, share.which], entropies[:, share.which]
                    space.predict(rows[here], share.masks, *into)
                found[here, numbers.start : numbers.stop] = p
    return found
