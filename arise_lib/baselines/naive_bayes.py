"""Naive Bayes on the descriptors of ARISE: what a classifier without hidden layers makes of them.

Gaussian naive Bayes (GNB) takes each component as normally distributed within a class, Bernoulli
naive Bayes (BNB) asks only whether it is above zero; both take components as independent, which
those of a power spectrum are not. scikit-learn's defaults, as in the paper.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arise_lib.baselines.base import Method, register
from arise_lib.structures import prototypes


def gaussian() -> Any:
    """Return Gaussian naive Bayes in double precision.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Not fitted; takes descriptors and labels.

    Examples
    --------
    >>> from arise_lib.baselines import naive_bayes
    >>> classifier = naive_bayes.gaussian().fit([[0.0], [0.1], [1.0], [1.1]], list("aabb"))
    >>> classifier.predict([[0.2], [0.8]]).tolist()
    ['a', 'b']
    """
    from sklearn.naive_bayes import GaussianNB

    return _in_double_precision(GaussianNB())


def bernoulli() -> Any:
    """Return Bernoulli naive Bayes in double precision, as `gaussian`."""
    from sklearn.naive_bayes import BernoulliNB

    return _in_double_precision(BernoulliNB())


def _in_double_precision(classifier: Any) -> Any:
    """Variances of components that hardly vary vanish in single precision."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return make_pipeline(FunctionTransformer(_double), classifier)


def _double(features: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(features, dtype=np.float64)


_method = partial(
    Method,
    treats=prototypes.LABELS,
    rule="most probable class, trained on the vectors of ARISE",
    module=__name__,
    package="scikit-learn",
)
register(_method("gnb", "GNB", estimator=gaussian, row=7))
register(_method("bnb", "BNB", estimator=bernoulli, row=8))
