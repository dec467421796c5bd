"""Naive Bayes on the descriptors of ARISE: what a classifier without hidden layers makes of them.

Gaussian naive Bayes (GNB) takes each component as normally distributed within a class, Bernoulli
naive Bayes (BNB) asks only whether it is above zero; both take components as independent, which
those of a power spectrum are not. scikit-learn's defaults, as in the paper.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from arise_lib.errors import InputError


def fit(kind: Literal["gnb", "bnb"], features: NDArray[np.floating], classes: NDArray[Any]) -> Any:
    """Train a naive Bayes classifier.

    Parameters
    ----------
    kind : {"gnb", "bnb"}
        Gaussian or Bernoulli.
    features : ndarray of shape (n_vectors, n_features)
        Descriptors, the vectors that the network is trained on.
    classes : ndarray of shape (n_vectors,)
        Class of each.

    Returns
    -------
    sklearn.naive_bayes.GaussianNB or sklearn.naive_bayes.BernoulliNB
        Fitted; ``predict`` gives classes.

    Raises
    ------
    InputError
        If the kind is unknown, or features and classes do not fit together.
    """
    from sklearn.naive_bayes import BernoulliNB, GaussianNB

    if kind not in ("gnb", "bnb"):
        raise InputError(f"Unknown naive Bayes {kind!r}; choose 'gnb' or 'bnb'.")
    if features.ndim != 2 or len(features) != len(classes):
        raise InputError(
            f"Features of shape {features.shape} and {len(classes)} classes do not fit together; "
            "one row per class is needed."
        )
    classifier = GaussianNB() if kind == "gnb" else BernoulliNB()
    # Double precision: variances of components that hardly vary vanish in single precision.
    return classifier.fit(features.astype(np.float64), classes)
