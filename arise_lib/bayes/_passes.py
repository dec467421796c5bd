"""Stochastic passes through a network: masks shared by all rows, products of one fixed shape.

A pass multiplies the inputs of every dense layer by a mask and leaves the kernels as they are.
So any pair of a row and a pass may share a matrix product with any other pair, and products can
always have `BLOCK` pairs: a few passes of many rows, or many passes of one row. A product's
rounding may depend on its shape, which is always the same, and on the place in it; pairs are put
only in places that are equal (`_places`). So a pair's result is the same bytes whatever it
is computed with.

A pair is a column: what is done to each number runs along the pairs, which lie side by side.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from arise_lib.bayes._places import BLOCK, equal, multiply
from arise_lib.network.model import Network
from arise_lib.storage.compiled import compiled

#: For each dense layer the factors of its inputs in some passes: (n_in, n_passes).
Masks = tuple[NDArray[np.float32], ...]

#: Least logarithm of a weight: below, single precision has no normal numbers, and arithmetic with
#: the others is ten times slower.
LEAST = -87.0

#: Passes of a sweep: of its stratified masks each input is dropped in the expected number, once
#: or twice at the released networks' rates, up to one.
SWEEP = 50


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

    Examples
    --------
    >>> from arise_lib import bayes, network
    >>> [len(mask) for mask in bayes.dropout_masks(network.load("arise"), seed=0, number=3)][:2]
    [316, 256]
    """
    return [layer[:, 0] for layer in draw_masks(network, seed, range(number, number + 1))]


def draw_masks(network: Network, seed: int, numbers: range) -> Masks:
    """Draw the masks of some passes.

    Parameters
    ----------
    network : Network
        Widths and dropout rate.
    seed : int
        Base seed.
    numbers : range
        Numbers of the passes, at least one.

    Returns
    -------
    tuple of ndarray of float32
        For each dense layer a factor for each input in each pass, (n_in, n_passes).
    """
    widths = [len(kernel) for kernel in network.kernels]
    uniform = np.empty((len(numbers), sum(widths)))
    # A stream of its own for each pass. To set its key costs less than to make another generator.
    philox = np.random.Philox(key=[seed, numbers[0]])
    generator, start = np.random.Generator(philox), philox.state
    for number, values in zip(numbers, uniform, strict=True):
        start["state"]["key"][1] = number
        philox.state = start
        generator.random(out=values)
    kept = 1.0 - network.dropout
    stays = np.ascontiguousarray((uniform < kept).T)
    factors = np.where(stays, np.float32(1.0 / kept), np.float32(0))
    return tuple(np.split(factors, np.cumsum(widths)[:-1]))


def stratified_masks(network: Network, seed: int, numbers: range) -> Masks:
    r"""Draw the masks of some passes so that all inputs are dropped equally often.

    The uniform numbers behind the masks of the `SWEEP` passes of a sweep are a Latin
    hypercube [1]_: those of an input lie in the strata :math:`[k / n, (k + 1) / n)` one
    by one, in an order that is drawn for each input. A pass for itself is as likely
    as any other; but what the mean over a sweep owes to single inputs having been
    dropped more often than they should is gone.

    Parameters
    ----------
    network : Network
        Widths and dropout rate.
    seed : int
        Base seed.
    numbers : range
        Numbers of the passes, at least one; in steps of M where pass k is one of
        network k mod M. A sweep is M times as long then.

    Returns
    -------
    tuple of ndarray of float32
        As of `draw_masks`; of a pass the same whatever is drawn with it.

    References
    ----------
    .. [1] M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21, 239 (1979).

    Examples
    --------
    >>> from arise_lib import network
    >>> masks = stratified_masks(network.load("arise"), seed=0, numbers=range(SWEEP))
    >>> drops = (masks[0] == 0).sum(axis=1)  # 50 x 0.0247 = 1.2 of each of 316 inputs
    >>> int(drops.min()), int(drops.max())
    (1, 2)
    """
    widths = tuple(len(kernel) for kernel in network.kernels)
    first, own = numbers[0] % numbers.step, [number // numbers.step for number in numbers]
    found = []
    for sweep in range(own[0] // SWEEP, own[-1] // SWEEP + 1):
        begin = sweep * SWEEP
        drawn = _sweep(widths, network.dropout, seed, first + begin * numbers.step)
        found.append(drawn[:, max(own[0] - begin, 0) : own[-1] + 1 - begin])
    # Contiguous, as those of `draw_masks` are.
    factors = np.ascontiguousarray(np.concatenate(found, axis=1))
    return tuple(np.split(factors, np.cumsum(widths)[:-1]))


@lru_cache(maxsize=32)
def _sweep(widths: tuple[int, ...], dropout: float, seed: int, number: int) -> NDArray[np.float32]:
    """Draw the masks of the sweep that begins with a pass, (sum of the widths, SWEEP)."""
    generator = np.random.Generator(np.random.Philox(key=[seed, number]))
    strata = np.broadcast_to(np.arange(SWEEP, dtype=np.int16), (sum(widths), SWEEP))
    strata = generator.permuted(strata, axis=1)
    # One shift serves all strata of an input: each number is still uniform.
    uniform = (strata + generator.random((len(strata), 1))) / SWEEP
    kept = 1.0 - dropout
    return np.where(uniform < kept, np.float32(1.0 / kept), np.float32(0))


def places(network: Network) -> range:
    """Return the places of a block that pairs may take.

    Parameters
    ----------
    network : Network
        Shapes of its layers.

    Returns
    -------
    range
        Within a block of `BLOCK`; in all of them a pair gives the same bytes.
    """
    return equal(tuple((len(kernel), kernel.shape[1]) for kernel in network.kernels))


class Workspace:
    """The activations of one block of pairs; for one thread at a time.

    Parameters
    ----------
    network : Network
        Whose passes are computed.
    """

    def __init__(self, network: Network) -> None:
        # Another order in memory would make other products, whose places were not compared.
        self._kernels = [np.ascontiguousarray(kernel) for kernel in network.kernels]
        self._biases = network.biases
        self._first = places(network).start
        widths = (*(len(kernel) for kernel in network.kernels), len(network.biases[-1]))
        # Zeros: places that no pair takes must not slow the products down by odd numbers.
        self._activations = [np.zeros((width, BLOCK), dtype=np.float32) for width in widths]
        self._shifted = np.zeros((widths[-1], BLOCK), dtype=np.float32)

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
        masks : tuple of ndarray of float32, shape (n_in, n_passes)
            For each dense layer; `n_rows` x `n_passes` is at most the number of
            `places`.
        probabilities : ndarray of float32, shape (n_rows, n_passes, n_classes)
            Filled.
        entropies : ndarray of float32, shape (n_rows, n_passes)
            Filled, in bits.
        """
        products = self._products(rows, masks, len(self._kernels))
        _shift(products, self._biases[-1], self._shifted)
        # Of all places at once: a place is always taken by the same vector instruction.
        weights = np.exp(self._shifted, out=products)
        _normalise(weights, self._shifted, self._first, probabilities, entropies)

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
        masks : tuple of ndarray of float32, shape (n_in, n_passes)
            For each dense layer; `n_rows` x `n_passes` is at most the number of
            `places`.
        layer : int
            Hidden layer, the first one is 1.
        total : ndarray of shape (n_rows, n_out)
            Added to.
        """
        n_passes = masks[0].shape[1]
        products = self._products(rows, masks, layer)
        _add_rectified(products, self._biases[layer - 1], self._first, n_passes, total)

    def _products(
        self, rows: NDArray[np.float32], masks: Masks, n_layers: int
    ) -> NDArray[np.float32]:
        """Send rows through the first layers, up to the last one's product with its kernel.

        Row by row all its passes take the places from the first usable one on; bias and activation
        function of the last layer are still to be applied. Good until the next call.
        """
        _drop(rows, masks[0], self._first, self._activations[0])
        for layer in range(n_layers):
            here = self._activations[layer]
            if layer > 0:
                _activate(here, self._biases[layer - 1], masks[layer], self._first, len(rows))
            multiply(self._kernels[layer], here, self._activations[layer + 1])
        return self._activations[n_layers]


@compiled
def _drop(
    rows: NDArray[np.float32], masks: NDArray[np.float32], first: int, out: NDArray[np.float32]
) -> None:
    """Multiply each row by each pass's mask: (n_in, n_rows * n_passes) from the first place on."""
    width, n_passes = masks.shape
    for i in range(width):
        for row in range(len(rows)):
            start = first + row * n_passes
            pairs, mask, value = out[i, start : start + n_passes], masks[i], rows[row, i]
            for k in range(n_passes):
                pairs[k] = value * mask[k]


@compiled
def _activate(
    products: NDArray[np.float32],
    bias: NDArray[np.float32],
    masks: NDArray[np.float32],
    first: int,
    n_rows: int,
) -> None:
    """Add the bias, rectify and multiply by the mask, in place."""
    width, n_passes = masks.shape
    for i in range(width):
        for row in range(n_rows):
            start = first + row * n_passes
            pairs, mask = products[i, start : start + n_passes], masks[i]
            for k in range(n_passes):
                value = pairs[k] + bias[i]
                pairs[k] = value * mask[k] if value > 0 else np.float32(0)


@compiled
def _shift(
    products: NDArray[np.float32], bias: NDArray[np.float32], shifted: NDArray[np.float32]
) -> None:
    """Add the bias and subtract the largest logit of each pair, down to `LEAST`; in all places."""
    least = np.float32(LEAST)
    top = np.full(BLOCK, -np.float32(np.inf), dtype=np.float32)
    for c in range(len(products)):
        for place in range(BLOCK):
            shifted[c, place] = products[c, place] + bias[c]
            top[place] = max(top[place], shifted[c, place])
    for c in range(len(products)):
        for place in range(BLOCK):
            shifted[c, place] = max(shifted[c, place] - top[place], least)


@compiled(error_model="numpy")  # a check for zeros would cost vectors
def _normalise(
    weights: NDArray[np.float32],
    shifted: NDArray[np.float32],
    first: int,
    probabilities: NDArray[np.float32],
    entropies: NDArray[np.float32],
) -> None:
    """Turn weights exp(z) into probabilities and entropies, with one logarithm for each pair.

    With p = exp(z) / Z the entropy is H = -sum p ln p = ln Z - sum p z. Overwrites the weights.
    """
    n_rows, n_passes, n_classes = probabilities.shape
    total, moment = np.zeros(BLOCK), np.zeros(BLOCK)
    for c in range(n_classes):
        for place in range(BLOCK):
            weight = np.float64(weights[c, place])
            total[place] += weight
            moment[place] += weight * shifted[c, place]
    for c in range(n_classes):
        for place in range(BLOCK):
            weights[c, place] = weights[c, place] / total[place]
    entropy = moment  # overwritten
    for place in range(BLOCK):
        nats = np.log(total[place]) - moment[place] / total[place]
        entropy[place] = max(0.0, nats / np.log(2.0))
    for row in range(n_rows):
        for k in range(n_passes):
            place = first + row * n_passes + k
            for c in range(n_classes):
                probabilities[row, k, c] = weights[c, place]
            entropies[row, k] = entropy[place]


@compiled
def _add_rectified(
    products: NDArray[np.float32],
    bias: NDArray[np.float32],
    first: int,
    n_passes: int,
    total: NDArray[np.float64],
) -> None:
    """Add the bias, rectify, and add up each row's passes."""
    n_rows, width = total.shape
    for row in range(n_rows):
        start = first + row * n_passes
        for i in range(width):
            added = total[row, i]
            for k in range(n_passes):
                value = products[i, start + k] + bias[i]
                added += max(value, np.float32(0))
            total[row, i] = added
