"""ARISE as a classifier of scikit-learn: on descriptors, with the uncertainty of each answer."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from arise_lib.baselines.base import Method, register
from arise_lib.bayes import inference
from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.network.model import Ensemble
from arise_lib.network.released import NetworkLike, as_ensemble
from arise_lib.structures import prototypes
from arise_lib.training.datasets import DataSet
from arise_lib.training.fit import Training, train


class AriseClassifier(ClassifierMixin, BaseEstimator):
    """Bayesian neural network on descriptors, with the interface of scikit-learn.

    Parameters
    ----------
    network : NetworkLike, optional
        A trained network or ensemble, or the name of a released one: `fit` then changes no
        weight and only refuses what does not fit. By default `fit` trains a network.
    passes : int
        Stochastic passes per row.
    seed : int
        Seed of the passes.
    tolerance : float, optional
        In bits: rows get no more passes once the standard error of their mutual information is
        below it, see `arise_lib.bayes.predict`.
    training : Training, optional
        Hyper-parameters and seed of the training; the paper's by default.
    settings : SoapSettings, optional
        Descriptor by which the vectors were made, stored with a trained network.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    n_features_in_ : int
        Length of a vector.
    network_ : Ensemble
        What answers; one network alone is an ensemble of one.

    See Also
    --------
    arise_lib.classify : from a structure to its class.

    Notes
    -----
    `predict`, `predict_proba` and `mutual_information` each make all passes, with the same masks:
    what they say of a row belongs together and does not depend on the other rows.

    Examples
    --------
    >>> from arise_lib.baselines import AriseClassifier
    >>> from arise_lib.descriptor import SoapSettings
    >>> from arise_lib import training
    >>> metals = training.pristine_set(settings=[SoapSettings()], labels=["fcc", "bcc"])
    >>> arise = AriseClassifier("arise", passes=100).fit(metals.features, metals.units["label"])
    >>> arise.predict(metals.features).tolist()
    ['fcc', 'fcc', 'fcc', 'fcc', 'bcc', 'bcc', 'bcc', 'bcc']
    >>> bool((arise.mutual_information(metals.features) < 0.5).all())  # bits, of 6.8 at most
    True
    """

    def __init__(
        self,
        network: NetworkLike | None = None,
        *,
        passes: int = inference.N_PASSES,
        seed: int = 0,
        tolerance: float | None = None,
        training: Training | None = None,
        settings: SoapSettings | None = None,
    ) -> None:
        self.network = network
        self.passes = passes
        self.seed = seed
        self.tolerance = tolerance
        self.training = training
        self.settings = settings

    def fit(self, X: ArrayLike, y: ArrayLike) -> AriseClassifier:
        """Train, or make a trained network ready.

        Parameters
        ----------
        X : array_like of shape (n_rows, n_features)
            Descriptors.
        y : array_like of shape (n_rows,)
            Label of each; those of the network if one was given.

        Returns
        -------
        AriseClassifier
            Itself.

        Raises
        ------
        ValueError
            If the vectors or labels are of another shape or not finite, if there is but one
            class or one of fewer than five vectors to train on (`InputError`), or if a given
            network has other classes or takes vectors of another length (`InputError`).
        """
        features, labels = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(labels)
        found, numbers = np.unique(labels, return_inverse=True)
        if self.network is None:
            if len(found) < 2:
                raise InputError("There is nothing to learn from one class; give at least two.")
            self.classes_ = found
            self.network_ = self._trained(features, numbers)
            return self
        self.network_ = as_ensemble(self.network)
        first = self.network_.members[0]
        self.classes_ = np.unique(first.classes)
        unknown = sorted(set(map(str, found)) - set(first.classes))
        if unknown:
            raise InputError(
                f"The network does not know {', '.join(unknown)}; leave these rows out, or train "
                "with network=None."
            )
        if self.n_features_in_ != len(first.kernels[0]):
            raise InputError(
                f"The network takes vectors of length {len(first.kernels[0])}, these have "
                f"{self.n_features_in_}: describe the structures with its own settings."
            )
        return self

    def predict(self, X: ArrayLike, return_information: bool = False) -> Any:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : array_like of shape (n_rows, n_features)
            Descriptors.
        return_information : bool
            Also return the mutual information of the same passes.

        Returns
        -------
        labels : ndarray of shape (n_rows,)
            From `classes_`.
        information : ndarray of shape (n_rows,)
            In bits; only if asked for.

        Raises
        ------
        ValueError
            If the vectors have another length or are not finite.
        """
        labels, _, information = self._posterior(X)
        return (labels, information) if return_information else labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the mean of the class probabilities over the passes.

        Parameters
        ----------
        X : array_like of shape (n_rows, n_features)
            Descriptors.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Columns in the order of `classes_`.

        Raises
        ------
        ValueError
            As `predict`.
        """
        return self._posterior(X)[1]

    def mutual_information(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how much the passes disagree about each row: the uncertainty of the answer.

        Parameters
        ----------
        X : array_like of shape (n_rows, n_features)
            Descriptors.

        Returns
        -------
        ndarray of shape (n_rows,)
            In bits, from 0.

        Raises
        ------
        ValueError
            As `predict`.
        """
        return self._posterior(X)[2]

    def _posterior(
        self, X: ArrayLike
    ) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64]]:
        """Labels, probabilities by `classes_` and mutual information, of the same passes."""
        check_is_fitted(self)
        features = validate_data(self, X, dtype=np.float32, reset=False)
        posterior = inference.predict(
            self.network_, features, n_passes=self.passes, seed=self.seed, tolerance=self.tolerance
        )
        # A network names its classes by strings, in an order of its own.
        named = {str(label): label for label in self.classes_}
        answers = np.array([named[label] for label in posterior.labels], dtype=self.classes_.dtype)
        columns = [posterior.classes.index(label) for label in named]
        return answers, posterior.probabilities[:, columns], posterior.mutual_information

    def _trained(self, features: NDArray[np.float32], numbers: NDArray[np.int64]) -> Ensemble:
        """Train on vectors, `numbers` into `classes_`."""
        labels = tuple(map(str, self.classes_))
        units = pd.DataFrame({"label": np.array(labels)[numbers]})
        data = DataSet(features, numbers, labels, units)
        network, _ = train(data, self.settings or SoapSettings(), self.training)
        return Ensemble((network,))


_network = partial(Method, treats=prototypes.LABELS, module=__name__)
register(
    _network(
        "arise",
        "ARISE",
        rule="most probable class",
        estimator=partial(AriseClassifier, "arise"),
        row=9,
    )
)
# Not in the paper. It may answer with classes beyond the 108, which no structure here has.
register(
    _network(
        "robust",
        "ARISE, robust",
        rule="most probable class",
        estimator=partial(AriseClassifier, "robust"),
    )
)
