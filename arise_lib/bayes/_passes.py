"""Stochastic passes through a network: masks shared by all rows, products of one fixed shape.

A pass multiplies the inputs of every dense layer by a mask and leaves the kernels as they are.
So any pair of a row and a pass may share a matrix product with any other pair, and products can
always have `BLOCK` pairs: a few passes of many rows, or many passes of one row. Because a product's
rounding may depend on its shape, but not on the place in it, a pair's result is the same bytes
whatever it is computed with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arise_lib.network import Network
from arise_lib.storage.compiled import compiled

#: For each dense layer the factors of its inputs in some passes: (n_passes, n_in).
Masks = tuple[NDArray[np.float32], ...]

#: Pairs of a row and a pass in a matrix product (missing ones are padded): enough to come within
#: some per cent of the rate of large products, few enough for their activations to stay in cache.
BLOCK = 256

#: Least logarithm of a weight: below, single precision has no normal numbers, and arithmetic with
#: the others is ten times slower.
LEAST = -87.0


def dropout_masks(network: Network, seed: int, number: int) -> list[NDArray[np.float32]]:
    """Draw the masks of one stochastic pass.

    Parameters
    ----------
    network : Network
        Widths and dropout rate.
    seed : int
        Base seed.
    number : int
        Number of the pass.

    Returns
    -------
    list of ndarray of float32
        For each dense layer a factor per input: 0 (dropped) or 1 / (1 - rate).
        They depend on `seed` and `number` alone and are shared by all rows, so
        that pass k is one and the same function for every structure.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, number]))
    kept = 1.0 - network.dropout
    widths = [len(kernel) for kernel in network.kernels]
    factors = np.where(generator.random(sum(widths)) < kept, np.float32(1.0 / kept), np.float32(0))
    return np.split(factors, np.cumsum(widths)[:-1])


class Workspace:
    """The activations of one block of pairs; for one thread at a time.

    Parameters
    ----------
    network : Network
        Whose passes are computed.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        widths = (*(len(kernel) for kernel in network.kernels), len(network.biases[-1]))
        # Zeros: what no pair has written yet must not slow the products down by odd numbers.
        self._activations = [np.zeros((BLOCK, width), dtype=np.float32) for width in widths]

    def products(
        self,
        rows: NDArray[np.float32],
        masks: Masks,
        n_layers: int,
    ) -> NDArray[np.float32]:
        """Send rows through the first layers, up to the last one's product with its kernel.

        Parameters
        ----------
        rows : ndarray of float32, shape (n_rows, n_features)
            Descriptors.
        masks : tuple of ndarray of float32, shape (n_passes, n_in)
            For each dense layer; `n_rows` x `n_passes` is at most `BLOCK`.
        n_layers : int
            Dense layers, from 1 to all.

        Returns
        -------
        ndarray of float32, shape (n_rows * n_passes, n_out)
            A view, good until the next call: row by row all its passes. Bias
            and activation function are still to be applied.
        """
        n = len(rows) * len(masks[0])
        _drop(rows, masks[0], self._activations[0])
        for layer in range(n_layers):
            if layer > 0:
                _activate(self._activations[layer], self.network.biases[layer - 1], masks[layer], n)
            kernel, out = self.network.kernels[layer], self._activations[layer + 1]
            np.matmul(self._activations[layer], kernel, out=out)
        return self._activations[n_layers][:n]

    def predict(
        self,
        rows: NDArray[np.float32],
        masks: Masks,
        probabilities: NDArray[np.float32],
        entropies: NDArray[np.float32],
    ) -> None:
        """Compute class probabilities of rows in passes, and their entropies.

        Parameters
        ----------
        rows : ndarray of float32, shape (n_rows, n_features)
            Descriptors.
        masks : tuple of ndarray of float32, shape (n_passes, n_in)
            For each dense layer; `n_rows` x `n_passes` is at most `BLOCK`.
        probabilities : ndarray of float32, shape (n_rows, n_passes, n_classes)
            Filled.
        entropies : ndarray of float32, shape (n_rows, n_passes)
            Filled, in bits.
        """
        products = self.products(rows, masks, len(self.network.kernels))
        shifted = _shift(products, self.network.biases[-1])
        weights = np.exp(shifted, out=products)
        _normalise(weights, shifted, probabilities, entropies)

    def add_hidden(
        self,
        rows: NDArray[np.float32],
        masks: Masks,
        layer: int,
        total: NDArray[np.float64],
    ) -> None:
        """Add the activations of a hidden layer to their sums, pass by pass.

        Parameters
        ----------
        rows : ndarray of float32, shape (n_rows, n_features)
            Descriptors.
        masks : tuple of ndarray of float32, shape (n_passes, n_in)
            For each dense layer; `n_rows` x `n_passes` is at most `BLOCK`.
        layer : int
            Hidden layer, the first one is 1.
        total : ndarray of shape (n_rows, n_out)
            Added to.
        """
        products = self.products(rows, masks, layer)
        _add_rectified(products, self.network.biases[layer - 1], total)


@compiled
def _drop(rows: NDArray[np.float32], masks: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Multiply each row by each pass's mask: (n_rows * n_passes, n_in)."""
    n_passes, width = masks.shape
    for row in range(len(rows)):
        for k in range(n_passes):
            pair = row * n_passes + k
            for i in range(width):
                out[pair, i] = rows[row, i] * masks[k, i]


@compiled
def _activate(
    products: NDArray[np.float32], bias: NDArray[np.float32], masks: NDArray[np.float32], n: int
) -> None:
    """Add the bias, rectify and multiply by the mask, in place."""
    n_passes, width = masks.shape
    for pair in range(n):
        k = pair % n_passes
        for i in range(width):
            value = products[pair, i] + bias[i]
            products[pair, i] = value * masks[k, i] if value > 0 else np.float32(0)


@compiled
def _shift(products: NDArray[np.float32], bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add the bias and subtract the largest logit of each pair, down to `LEAST`."""
    least = np.float32(LEAST)
    n, n_classes = products.shape
    shifted = np.empty_like(products)
    for pair in range(n):
        top = -np.float32(np.inf)
        for c in range(n_classes):
            shifted[pair, c] = products[pair, c] + bias[c]
            top = max(top, shifted[pair, c])
        for c in range(n_classes):
            shifted[pair, c] = max(shifted[pair, c] - top, least)
    return shifted


@compiled
def _normalise(
    weights: NDArray[np.float32],
    shifted: NDArray[np.float32],
    probabilities: NDArray[np.float32],
    entropies: NDArray[np.float32],
) -> None:
    """Turn weights exp(z) into probabilities and entropies, with one logarithm for each pair.

    With p = exp(z) / Z the entropy is H = -sum p ln p = ln Z - sum p z.
    """
    n_rows, n_passes, n_classes = probabilities.shape
    for row in range(n_rows):
        for k in range(n_passes):
            pair = row * n_passes + k
            total, moment = 0.0, 0.0
            for c in range(n_classes):
                weight = np.float64(weights[pair, c])
                total += weight
                moment += weight * shifted[pair, c]
            for c in range(n_classes):
                probabilities[row, k, c] = weights[pair, c] / total
            entropies[row, k] = max(0.0, (np.log(total) - moment / total) / np.log(2.0))


@compiled
def _add_rectified(
    products: NDArray[np.float32], bias: NDArray[np.float32], total: NDArray[np.float64]
) -> None:
    """Add the bias, rectify, and add up each row's passes."""
    n_rows, width = total.shape
    n_passes = len(products) // n_rows
    for row in range(n_rows):
        for k in range(n_passes):
            for i in range(width):
                value = products[row * n_passes + k, i] + bias[i]
                total[row, i] += max(value, np.float32(0))
