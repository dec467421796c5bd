r"""Bayesian prediction: dropout kept on, many passes, their mean and their disagreement.

Monte Carlo dropout [1]_ takes each pass through a network with dropout as one
draw from an approximate posterior over the weights. The mean of the class
probabilities is the prediction; the mutual information between prediction and
weights,

.. math:: I = H[\bar p] - \overline{H[p_k]}, \qquad H[p] = -\sum_c p_c \log_2 p_c,

tells how much the draws disagree: it is zero where all say the same, however
undecided each may be (paper, Methods, "Bayesian neural networks").

References
----------
.. [1] Y. Gal, Z. Ghahramani, ICML 2016, arXiv:1506.02142.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from arise_lib.errors import InputError
from arise_lib.network import Network, softmax
from arise_lib.progress import bar

#: Passes of the paper; 100,000 where probabilities below 1 % matter.
N_PASSES = 1000

#: Probabilities are clipped here before their logarithm is taken.
CLIP = 1e-12

#: Passes whose masks are in memory together.
CHUNK = 500

#: Rows go through the matrix products in blocks of this very size (the last one
#: is padded), because a product's rounding may depend on its shape: a row's
#: result is then the same bytes whatever else is predicted with it.
BLOCK = 64


@dataclass(frozen=True)
class Posterior:
    """What the passes say about each row.

    Attributes
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        Mean over the passes; NaN where the descriptor is not defined.
    mutual_information : ndarray of shape (n_rows,)
        In bits; NaN where the descriptor is not defined.
    predictive_entropy : ndarray of shape (n_rows,)
        Entropy of the mean, in bits.
    """

    probabilities: NDArray[np.float64]
    mutual_information: NDArray[np.float64]
    predictive_entropy: NDArray[np.float64]


def entropy(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Shannon entropy along the last axis, in bits.

    Parameters
    ----------
    probabilities : ndarray of shape (..., n_classes)
        Clipped at 1e-12 inside the logarithm.

    Returns
    -------
    ndarray of shape (...)
        Between 0 and log2(n_classes).
    """
    p = np.asarray(probabilities, dtype=np.float64)
    return -np.sum(p * np.log2(np.clip(p, CLIP, 1.0)), axis=-1)


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
    return [
        ((generator.random(len(kernel)) < kept) / kept).astype(np.float32)
        for kernel in network.kernels
    ]


def predict(
    network: Network,
    features: NDArray[np.floating],
    *,
    n_passes: int = N_PASSES,
    seed: int = 0,
) -> Posterior:
    """Predict with dropout on, averaged over many stochastic passes.

    Parameters
    ----------
    network : Network
        Trained network.
    features : ndarray of shape (n_rows, n_features)
        Descriptors; rows with NaN give NaN.
    n_passes : int
        Number of stochastic passes T.
    seed : int
        Seed of the masks.

    Returns
    -------
    Posterior
        The same for a row whatever rows it is predicted with.

    Raises
    ------
    InputError
        If the features do not fit the network or there is no pass.
    """
    rows = np.asarray(features, dtype=np.float32)
    width = len(network.kernels[0])
    if rows.ndim != 2 or rows.shape[1] != width:
        raise InputError(
            f"The features have shape {rows.shape}; this network wants (n_rows, {width}). "
            "Descriptors must be made with the network's own settings."
        )
    if n_passes < 1:
        raise InputError(f"{n_passes} passes give no prediction; ask for at least 1.")
    defined: NDArray[np.bool_] = np.all(np.isfinite(rows), axis=1)
    valid = rows[defined]
    padded = np.zeros((-(-len(valid) // BLOCK) * BLOCK, width), dtype=np.float32)
    padded[: len(valid)] = valid
    mean, mean_entropy = np.zeros((len(padded), len(network.classes))), np.zeros(len(padded))
    blocks = [slice(start, start + BLOCK) for start in range(0, len(padded), BLOCK)]
    # One BLAS thread per block: blocks are independent, so they share the cores better than the
    # rows of one small product would, and sums are taken in the same order on any machine.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cpu_count()) as pool:
        for first in bar(range(0, n_passes, CHUNK), desc=f"passes, by {CHUNK}"):
            numbers = range(first, min(first + CHUNK, n_passes))
            masks = [dropout_masks(network, seed, number) for number in numbers]
            jobs = [
                pool.submit(_add_passes, network, padded[k], masks, mean[k], mean_entropy[k])
                for k in blocks
            ]
            for job in jobs:
                job.result()
    mean, mean_entropy = mean[: len(valid)] / n_passes, mean_entropy[: len(valid)] / n_passes
    predictive = entropy(mean)
    # Jensen's inequality makes the difference non-negative; rounding may not.
    information = np.maximum(predictive - mean_entropy, 0.0)
    return Posterior(
        _spread(mean, defined), _spread(information, defined), _spread(predictive, defined)
    )


def _add_passes(
    network: Network,
    rows: NDArray[np.float32],
    masks: list[list[NDArray[np.float32]]],
    total: NDArray[np.float64],
    total_entropy: NDArray[np.float64],
) -> None:
    """Add class probabilities and entropies of a block of rows to their sums, pass by pass."""
    for of_pass in masks:
        p = _pass(network, rows, of_pass)
        total += p
        total_entropy += entropy(p)


def _pass(
    network: Network, rows: NDArray[np.float32], masks: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Class probabilities of one stochastic pass: (n_rows, n_classes)."""
    activations = rows
    last = len(network.kernels) - 1
    for layer, (kernel, bias) in enumerate(zip(network.kernels, network.biases, strict=True)):
        activations = np.matmul(activations * masks[layer], kernel) + bias
        if layer < last:
            np.maximum(activations, 0.0, out=activations)
    return softmax(activations)


def _spread(values: NDArray[np.float64], defined: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Put the results of the defined rows back in place, NaN elsewhere."""
    result = np.full((len(defined), *values.shape[1:]), np.nan)
    result[defined] = values
    return result
