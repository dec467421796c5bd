"""The multilayer perceptron as plain arrays, and ensembles of it (paper, Table 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor.settings import SoapSettings
from arise_lib.errors import InputError
from arise_lib.typing import Labelled


@dataclass(frozen=True, eq=False)
class Reference:
    """Known structures with which `arise_lib.bayes.novelty` compares a new one.

    Attributes
    ----------
    vectors : ndarray of float16, shape (n_known, n_features)
        Descriptors of known structures.
    distances : ndarray of float32, shape (n_held_out,)
        How far other known structures, which are not among them, lie from these:
        ascending.

    Raises
    ------
    InputError
        If one of them is empty, or the distances do not ascend.
    """

    vectors: NDArray[np.float16]
    distances: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse what nothing can be compared with."""
        ascends = self.distances.ndim == 1 and bool((np.diff(self.distances) >= 0).all())
        if self.vectors.ndim != 2 or not (self.vectors.size and self.distances.size and ascends):
            raise InputError(
                f"Vectors of shape {self.vectors.shape} and distances of shape "
                f"{self.distances.shape} are no reference: rows of descriptors and ascending "
                "numbers are needed, at least one of each."
            )


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network as arrays.

    Attributes
    ----------
    kernels : tuple of ndarray of float32
        One matrix of shape (n_in, n_out) per dense layer.
    biases : tuple of ndarray of float32
        One vector of shape (n_out,) per dense layer.
    dropout : float
        Share of each dense layer's inputs that a stochastic pass drops.
    classes : tuple of str
        Label of each output.
    settings : SoapSettings
        Descriptor at prediction.
    reference : Reference, optional
        Known structures, from `arise_lib.bayes.fit_novelty`; without them the
        network cannot tell how unusual a structure is.

    Examples
    --------
    >>> from arise_lib import network
    >>> trained = network.load("arise")
    >>> [kernel.shape for kernel in trained.kernels][0]
    (316, 256)
    >>> trained.n_parameters, len(trained.classes), trained.settings.cutoff
    (700268, 108, 4.0)
    """

    kernels: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    dropout: float
    classes: tuple[str, ...]
    settings: SoapSettings
    reference: Reference | None = None

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return sum(array.size for array in (*self.kernels, *self.biases))

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Class probabilities of the deterministic network (no dropout).

        Parameters
        ----------
        features : ndarray of shape (n_rows, n_features)
            Descriptors.

        Returns
        -------
        ndarray of float32, shape (n_rows, n_classes)
            Rows sum to one.
        """
        activations = np.asarray(features, dtype=np.float32)
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            activations = np.maximum(activations @ kernel + bias, 0.0)
        return softmax(activations @ self.kernels[-1] + self.biases[-1])

    def labels(self, features: NDArray[np.floating]) -> NDArray[np.str_]:
        """Most probable classes of the deterministic network (no dropout).

        Parameters
        ----------
        features : ndarray of shape (n_rows, n_features)
            Descriptors.

        Returns
        -------
        ndarray of str, shape (n_rows,)
            As of `most_probable`.
        """
        return most_probable(self.probabilities(features), self.classes)

    def accuracy(self, data: Labelled) -> float:
        """Share of the vectors of a data set whose most probable class is the true one.

        Parameters
        ----------
        data : Labelled
            Vectors, and the number of the class of each.

        Returns
        -------
        float
            From 0 to 1; a vector that is not defined is not right.
        """
        return float(np.mean(self.labels(data.features) == np.array(self.classes)[data.classes]))


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Networks that answer together; one alone is an ensemble of one.

    Stochastic passes are made by the members in turn, so mean and mutual
    information are those of the mixture of their posteriors.

    Attributes
    ----------
    members : tuple of Network
        At least one, all with the same classes and the same descriptor.

    Raises
    ------
    InputError
        If there is no member, or if they do not fit together.

    Examples
    --------
    >>> from arise_lib import network
    >>> pair = network.Ensemble((network.load("arise"), network.load("trial_46")))
    >>> pair.classes == network.load("arise").classes
    True
    """

    members: tuple[Network, ...]

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if not self.members:
            raise InputError("An ensemble of no networks predicts nothing; give at least one.")
        for number, member in enumerate(self.members):
            if not isinstance(member, Network):
                raise InputError(
                    f"Member {number} of the ensemble is a {type(member).__name__}; members are "
                    "single networks: load released ones by arise_lib.network.load."
                )
            if _kind(member) != _kind(self.members[0]):
                raise InputError(
                    f"Network {number} of the ensemble has other classes or another descriptor "
                    "than network 0; put together networks trained for the same."
                )

    @property
    def classes(self) -> tuple[str, ...]:
        """Label of each output."""
        return self.members[0].classes

    @property
    def settings(self) -> SoapSettings:
        """Descriptor at prediction."""
        return self.members[0].settings

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases of all members."""
        return sum(member.n_parameters for member in self.members)

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Class probabilities without dropout, averaged over the members.

        Parameters
        ----------
        features : ndarray of shape (n_rows, n_features)
            Descriptors.

        Returns
        -------
        ndarray of float32, shape (n_rows, n_classes)
            Rows sum to one.
        """
        return np.mean([member.probabilities(features) for member in self.members], axis=0)

    def labels(self, features: NDArray[np.floating]) -> NDArray[np.str_]:
        """Most probable classes without dropout.

        Parameters
        ----------
        features : ndarray of shape (n_rows, n_features)
            Descriptors.

        Returns
        -------
        ndarray of str, shape (n_rows,)
            As of `most_probable`.
        """
        return most_probable(self.probabilities(features), self.classes)


def _kind(network: Network) -> tuple[tuple[str, ...], SoapSettings, int]:
    """Return what the members of an ensemble have in common: answers, descriptor, its length."""
    return network.classes, network.settings, len(network.kernels[0])


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalise exponentials along the last axis, without overflow.

    Parameters
    ----------
    logits : ndarray of float32, shape (..., n_classes)
        Logarithms of the probabilities but for a constant.

    Returns
    -------
    ndarray of float32, shape (..., n_classes)
        Probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib import network
    >>> network.softmax(np.float32([0.0, 0.0, -1000.0])).tolist()
    [0.5, 0.5, 0.0]
    """
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def most_probable(
    probabilities: NDArray[np.floating], classes: tuple[str, ...]
) -> NDArray[np.str_]:
    """Turn probabilities into labels; nothing else in the library does.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    classes : tuple of str
        Label of each column.

    Returns
    -------
    ndarray of str, shape (n_rows,)
        Label of the largest probability, the first one of several that are
        equal; an empty string where a probability is not defined.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib import network
    >>> p = np.array([[0.2, 0.8], [0.5, 0.5], [np.nan, np.nan]])
    >>> network.most_probable(p, ("fcc", "bcc")).tolist()
    ['bcc', 'fcc', '']
    """
    p = np.asarray(probabilities)
    best = np.where(np.isfinite(p).all(axis=1), p.argmax(axis=1), len(classes))
    return np.array([*classes, ""])[best]
