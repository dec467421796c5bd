"""Methods that answer from descriptors: each gets the vectors that it was made for.

Naive Bayes learns from the paper's pristine set. A released network has a descriptor of its own,
and may know classes beyond the paper's; whatever it answers, right is the class of the structure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from arise_lib.baselines.base import METHODS, Method
from arise_lib.baselines.columns import column_of
from arise_lib.baselines.counting import scored
from arise_lib.bayes.inference import N_PASSES
from arise_lib.descriptor import SoapSettings
from arise_lib.network.released import as_ensemble
from arise_lib.training.datasets import defective_set, pristine_set
from arise_lib.training.units import Defect, all_conditions


def settings_of(classifier: Any) -> SoapSettings:
    """Return the descriptor that a classifier takes.

    Parameters
    ----------
    classifier : sklearn.base.ClassifierMixin
        What the `estimator` of a method gives.

    Returns
    -------
    SoapSettings
        Those of its released network; the paper's where it has none.

    Examples
    --------
    >>> from arise_lib.baselines import METHODS, settings_of
    >>> settings_of(METHODS["gnb"].estimator()).n_features
    316
    """
    network = getattr(classifier, "network", None)
    return SoapSettings() if network is None else as_ensemble(network).settings


def fitted(methods: Mapping[str, Method] = METHODS, *, passes: int = N_PASSES) -> dict[str, Any]:
    """Make every method ready that answers from descriptors.

    Parameters
    ----------
    methods : mapping of str to Method
        By key; those that do not answer from descriptors are left out.
    passes : int
        Stochastic passes of the networks.

    Returns
    -------
    dict of str to sklearn.base.ClassifierMixin
        By key. A released network is loaded; anything else is trained on the 39,204 vectors of the
        pristine set.

    Examples
    --------
    >>> from arise_lib.baselines import METHODS, fitted
    >>> fitted({"arise": METHODS["arise"], "ptm": METHODS["ptm"]}, passes=100)
    {'arise': AriseClassifier(network='arise', passes=100)}
    """
    ready: dict[str, Any] = {}
    for key, method in methods.items():
        if method.estimator is None:
            continue
        classifier = method.estimator()
        if getattr(classifier, "network", None) is None:
            seen = pristine_set()
        else:
            classifier.set_params(passes=passes)
            seen = pristine_set(settings=[settings_of(classifier)])
        ready[key] = classifier.fit(seen.features, seen.units["label"])
    return ready


def vector_outcomes(
    classifiers: Mapping[str, Any],
    draws: Sequence[int] = (0,),
    *,
    conditions: Iterable[tuple[Defect, int]] | None = None,
) -> pd.DataFrame:
    """Send the pristine and the defective structures through methods that answer from descriptors.

    Parameters
    ----------
    classifiers : mapping of str to sklearn.base.ClassifierMixin
        By key, from `fitted`.
    draws : sequence of int
        Numbers of the draws.
    conditions : iterable of (kind, step), optional
        Kinds and ratios of defects, all 24 by default.

    Returns
    -------
    pandas.DataFrame
        As of `arise_lib.baselines.scored`. Each structure is described once for each descriptor
        that some classifier takes.

    Examples
    --------
    >>> from arise_lib.baselines import METHODS, fitted, vector_outcomes
    >>> found = vector_outcomes(fitted({"arise": METHODS["arise"]}, passes=20), conditions=[])
    >>> len(found), bool(found["right"].mean() > 0.9)
    (396, True)
    """
    chosen = list(all_conditions() if conditions is None else conditions)
    by_settings: dict[SoapSettings, list[str]] = {}
    for key, classifier in classifiers.items():
        by_settings.setdefault(settings_of(classifier), []).append(key)
    found = []
    for settings, keys in by_settings.items():
        perfect = pristine_set(settings=[settings])
        found += [scored(key, "pristine", 0, perfect, classifiers[key]) for key in keys]
        for kind, step, draw, piece in defective_set(chosen, draws, settings=settings):
            name = column_of(kind, step)
            found += [scored(key, name, draw, piece, classifiers[key]) for key in keys]
    return pd.concat(found, ignore_index=True)
