"""Calibration: do probabilities mean what they say, and does uncertainty warn? Measures of both.

A network is calibrated if, of the answers that it gives with a probability of 0.8, four in five
are right.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from arise_lib.errors import InputError


def reliability(confidence: ArrayLike, right: ArrayLike, *, n_bins: int = 10) -> pd.DataFrame:
    """Compare confidence with accuracy, bin by bin.

    Parameters
    ----------
    confidence : array_like of shape (n_rows,)
        Probability of the most probable class, 0 to 1.
    right : array_like of bool, shape (n_rows,)
        Whether that class is the true one.
    n_bins : int
        Bins of equal width between 0 and 1.

    Returns
    -------
    DataFrame
        One row per bin that is not empty: `confidence` and `accuracy` (means,
        from 0 to 1), `rows` (their number).

    Raises
    ------
    InputError
        If the arrays do not fit each other or are no probabilities.

    See Also
    --------
    calibration_error : the table as one number.

    Examples
    --------
    >>> from arise_lib.bayes import calibration
    >>> table = calibration.reliability([0.75, 0.75, 0.75, 0.75], [True, True, True, False])
    >>> table[["confidence", "accuracy"]].to_numpy().tolist()
    [[0.75, 0.75]]
    """
    p, truth = _checked(confidence, right)
    number = np.minimum((p * n_bins).astype(int), n_bins - 1)
    table = pd.DataFrame({"confidence": p, "accuracy": truth.astype(float), "bin": number})
    grouped = table.groupby("bin")
    return grouped.mean().assign(rows=grouped.size())


def calibration_error(table: pd.DataFrame) -> float:
    """Return the expected calibration error: mean gap of confidence and accuracy.

    Parameters
    ----------
    table : DataFrame
        From `reliability`.

    Returns
    -------
    float
        From 0 to 1: mean over the rows that went into the table [1]_.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, ICML 2017, arXiv:1706.04599.

    Examples
    --------
    >>> from arise_lib.bayes import calibration
    >>> table = calibration.reliability([1.0, 1.0], [True, False])
    >>> calibration.calibration_error(table)
    0.5
    """
    gap = (table["confidence"] - table["accuracy"]).abs()
    return float((gap * table["rows"]).sum() / table["rows"].sum())


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Area under the receiver operating characteristic of a score.

    Parameters
    ----------
    positive, negative : array_like of shape (n,)
        Scores (mutual information, say) of the cases that should have high and
        low ones: unknown and known structures, or wrong and right answers.

    Returns
    -------
    float
        Probability, 0 to 1, that a positive case has the higher score; ties
        count half.

    Raises
    ------
    InputError
        If one of the two is empty or not finite.

    Examples
    --------
    >>> from arise_lib.bayes import calibration
    >>> calibration.auroc([0.9, 0.4], [0.1, 0.2])
    1.0
    """
    high, low = _scores(positive, negative)
    from sklearn.metrics import roc_auc_score

    kind = np.repeat([1, 0], [high.size, low.size])
    return float(roc_auc_score(kind, np.concatenate([high, low])))


def false_accept(positive: ArrayLike, negative: ArrayLike, *, recall: float = 0.95) -> float:
    """Share of the cases to be warned of that pass where most of the others do.

    Parameters
    ----------
    positive, negative : array_like of shape (n,)
        As for `auroc`.
    recall : float
        Share of the negative cases that shall pass, above 0 and at most 1: the limit is
        the smallest score at which at least as many do.

    Returns
    -------
    float
        Share, 0 to 1, of the positive cases whose score is at most that limit.

    Raises
    ------
    InputError
        If one of the two is empty or not finite, or the recall is no such share.

    Examples
    --------
    >>> from arise_lib.bayes import calibration
    >>> calibration.false_accept([0.9, 0.4, 0.1, 0.7], [0.1, 0.2, 0.3, 0.8], recall=0.75)
    0.25
    """
    high, low = _scores(positive, negative)
    if not 0.0 < recall <= 1.0:
        raise InputError(f"A recall of {recall} is no share; give one above 0 and up to 1.")
    return float(np.mean(high <= np.quantile(low, recall, method="inverted_cdf")))


def _scores(
    positive: ArrayLike, negative: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores of both kinds, at least one of each and all of them finite."""
    high, low = np.asarray(positive, dtype=float), np.asarray(negative, dtype=float)
    if not (high.size and low.size and np.isfinite(high).all() and np.isfinite(low).all()):
        raise InputError(
            f"{high.size} positive and {low.size} negative scores: both must be there and finite."
        )
    return high, low


def _checked(
    confidence: ArrayLike, right: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return arrays of one length, the first one of probabilities."""
    p, truth = np.asarray(confidence, dtype=float), np.asarray(right, dtype=bool)
    if p.ndim != 1 or p.shape != truth.shape or p.size == 0:
        raise InputError(
            f"Confidence of shape {p.shape}, answers of shape {truth.shape}: one number each "
            "per row is needed."
        )
    if not (np.isfinite(p).all() and p.min() >= 0.0 and p.max() <= 1.0 + 1e-9):
        raise InputError("A confidence is not between 0 and 1; leave undefined rows out.")
    return p, truth
