"""How far an accuracy could be from what more draws would give.

Structures are independent draws, so a share of structures has a binomial interval. The atoms of
one structure share its defects; pooled over atoms, whole structures are drawn anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from arise_lib.errors import InputError

#: Draws of the bootstrap: the ends of a 95 % interval are then sure to a tenth of its width.
N_BOOTSTRAP = 2000


def wilson_interval(right: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share.

    Parameters
    ----------
    right, total : int
        Successes and trials.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
        In %. Unlike the normal approximation it is not empty at 0 and 100 %.

    Raises
    ------
    InputError
        If there are no trials, or more successes than trials.

    References
    ----------
    E. B. Wilson, J. Am. Stat. Assoc. 22, 209 (1927).
    """
    if total < 1 or not 0 <= right <= total:
        raise InputError(f"{right} right of {total} is no share; 0 <= right <= total, total >= 1.")
    found = binomtest(int(right), int(total)).proportion_ci(confidence, method="wilson")
    return 100.0 * float(found.low), 100.0 * float(found.high)


def bootstrap_interval(
    right: ArrayLike, total: ArrayLike, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of a share pooled over structures, by drawing structures anew.

    Parameters
    ----------
    right, total : array_like of int, shape (n_structures,)
        Right and all atoms of each structure.
    confidence : float
        Between 0 and 1.
    seed : int
        Seed of the draws.

    Returns
    -------
    low, high : float
        In %. Empty where every structure has the same share: the draws are then alike.

    Raises
    ------
    InputError
        If there is no structure, or one with more right atoms than atoms.
    """
    good, every = np.asarray(right, dtype=float), np.asarray(total, dtype=float)
    if good.shape != every.shape or good.ndim != 1 or not len(good):
        raise InputError(f"Counts of shape {good.shape} and {every.shape}: give two equal vectors.")
    if np.any(good > every) or np.any(good < 0) or np.any(every < 1):
        raise InputError("A structure has more right atoms than atoms, or none: check the counts.")
    chosen = np.random.default_rng(seed).integers(len(good), size=(N_BOOTSTRAP, len(good)))
    shares = 100.0 * good[chosen].sum(axis=1) / every[chosen].sum(axis=1)
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(shares, [tail, 100.0 - tail])
    return float(low), float(high)
