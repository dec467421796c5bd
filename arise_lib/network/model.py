"""The multilayer perceptron as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.typing import Labelled


@dataclass(frozen=True)
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
    """

    kernels: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    dropout: float
    classes: tuple[str, ...]
    settings: SoapSettings

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return sum(array.size for array in (*self.kernels, *self.biases))

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities of the deterministic network (no dropout).

        Parameters
        ----------
        features : ndarray of float32, shape (n_rows, n_features)
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

    def accuracy(self, data: Labelled) -> float:
        """Share of the vectors of a data set whose most probable class is right, in %."""
        p = self.probabilities(data.features)
        # Of a vector that is not defined, argmax makes class 0.
        right = (p.argmax(1) == data.classes) & np.isfinite(p).all(1)
        return 100.0 * float(np.mean(right))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalise exponentials along the last axis, without overflow."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def members(network: Network | Sequence[Network]) -> tuple[Network, ...]:
    """Return the networks of an ensemble; a single network is an ensemble of one.

    Parameters
    ----------
    network : Network or sequence of Network
        What the user gave.

    Returns
    -------
    tuple of Network
        At least one, all with the same classes and the same descriptor.

    Raises
    ------
    InputError
        If there is none, or if they do not fit together.
    """
    networks = (network,) if isinstance(network, Network) else tuple(network)
    if not networks:
        raise InputError("An ensemble of no networks predicts nothing; give at least one.")
    for number, member in enumerate(networks):
        if (member.classes, member.settings) != (networks[0].classes, networks[0].settings):
            raise InputError(
                f"Network {number} of the ensemble has other classes or another descriptor than "
                "network 0; put together networks trained for the same."
            )
    return networks
