"""Confidence intervals of accuracies: Wilson's, and a bootstrap over structures.

Structures are independent draws, so a share of structures has a binomial interval. The atoms of
one structure share its defects; pooled over atoms, whole structures are drawn anew, within each
class and with the class's weight kept, since the classes are not drawn but given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from arise_lib.errors import InputError

#: Draws of the bootstrap.
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

    Examples
    --------
    >>> from arise_lib.baselines import wilson_interval
    >>> low, high = wilson_interval(98, 100)
    >>> print(f"{low:.1f} to {high:.1f} %")
    93.0 to 99.4 %
    """
    if total < 1 or not 0 <= right <= total:
        raise InputError(f"{right} right of {total} is no share; 0 <= right <= total, total >= 1.")
    found = binomtest(int(right), int(total)).proportion_ci(confidence, method="wilson")
    return 100.0 * float(found.low), 100.0 * float(found.high)


def bootstrap_interval(
    right: ArrayLike,
    total: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of a share pooled over structures, by drawing structures anew.

    Parameters
    ----------
    right, total : array_like of int, shape (n_structures,)
        Right and all atoms of each structure.
    groups : array_like, shape (n_structures,), optional
        Class of each structure: as many are drawn of each class as there are. By default all
        structures are alike.
    confidence : float
        Between 0 and 1.
    seed : int
        Seed of the draws.

    Returns
    -------
    low, high : float
        In %. Of no width where the structures of a class do not differ: such draws are alike.

    Raises
    ------
    InputError
        If there is no structure, or one with more right atoms than atoms.

    Examples
    --------
    >>> from arise_lib.baselines import bootstrap_interval
    >>> bootstrap_interval([90, 90], [100, 100])
    (90.0, 90.0)
    """
    good, every = np.asarray(right, dtype=float), np.asarray(total, dtype=float)
    kinds = np.zeros(len(good)) if groups is None else np.asarray(groups)
    if good.ndim != 1 or not len(good) or not good.shape == every.shape == kinds.shape:
        raise InputError(
            f"Counts of shape {good.shape} and {every.shape}, groups of {kinds.shape}: give "
            "vectors of one length, of at least one structure."
        )
    if np.any(good > every) or np.any(good < 0) or np.any(every < 1):
        raise InputError("A structure has more right atoms than atoms, or none: check the counts.")
    generator = np.random.default_rng(seed)
    drawn = np.zeros(N_BOOTSTRAP)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        chosen = generator.choice(rows, size=(N_BOOTSTRAP, len(rows)))
        share = good[chosen].sum(axis=1) / every[chosen].sum(axis=1)
        drawn += 100.0 * share * every[rows].sum() / every.sum()
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(drawn, [tail, 100.0 - tail])
    return float(low), float(high)
