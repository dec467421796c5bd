"""Groups of images as the network sees them (paper, Fig. 3d, and Supplementary Fig. 13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arise_lib.errors import InputError
from arise_lib.typing import Seed


@dataclass(frozen=True)
class Blocks:
    """How much more alike members of a group are than members of different groups.

    Attributes
    ----------
    within, between : float
        Mean similarity of pairs of one group, and of two; NaN where that of a pair is.
    p_value : float
        Share of the permutations of the labels, the one found included, that set
        within and between at least as far apart; NaN where either of them is.
    """

    within: float
    between: float
    p_value: float


def cosine_similarity(vectors: ArrayLike) -> NDArray[np.float64]:
    """Compare each vector with each other one by the cosine between them.

    Parameters
    ----------
    vectors : array_like of shape (n, n_features)
        Such as the activations of a hidden layer.

    Returns
    -------
    ndarray of shape (n, n)
        From -1 to 1; NaN for a vector of zeros.

    Examples
    --------
    >>> cosine_similarity([[1.0, 0.0], [1.0, 1.0]]).round(2).tolist()
    [[1.0, 0.71], [0.71, 1.0]]
    """
    rows = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, lengths, out=np.full_like(rows, np.nan), where=lengths > 0.0)
    return np.asarray(unit @ unit.T)


def blocks(
    similarity: NDArray[np.float64],
    groups: Sequence[int | str],
    seed: Seed,
    *,
    permutations: int = 999,
) -> Blocks:
    """Measure the blocks of a matrix of similarities, and test them by permutation.

    Parameters
    ----------
    similarity : ndarray of shape (n, n)
        Symmetric. No pair is left out, not even one whose similarity is NaN.
    groups : sequence of length n
        Group of each row.
    seed : int or sequence of int
        Seed of the permutations.
    permutations : int
        How many; the smallest p-value is 1 / (`permutations` + 1).

    Returns
    -------
    Blocks
        Mean similarity within and between the groups, and the p-value.

    Raises
    ------
    InputError
        If there are fewer than two groups, or none with two members.

    Examples
    --------
    >>> import numpy as np
    >>> blocks(np.kron(np.eye(2), np.ones((5, 5))), [0] * 5 + [1] * 5, seed=0).within
    1.0
    """
    labels = np.unique(np.asarray(groups), return_inverse=True)[1]
    if similarity.shape != (len(labels), len(labels)):
        raise InputError(
            f"A matrix of shape {similarity.shape} does not fit {len(labels)} groups of rows."
        )
    if labels.max(initial=0) < 1 or np.bincount(labels).max() < 2:
        raise InputError("At least two groups are needed, and in one of them two members.")
    first, second = np.triu_indices(len(labels), k=1)
    values = similarity[first, second]

    def difference(order: NDArray[np.int64]) -> tuple[float, float]:
        """Mean within and mean between for one order of the labels."""
        same = order[first] == order[second]
        return float(values[same].mean()), float(values[~same].mean())

    within, between = difference(labels)
    if np.isnan(values).any():
        return Blocks(within, between, np.nan)
    generator = np.random.default_rng(seed)
    beaten = 1
    for _ in range(permutations):
        one, other = difference(generator.permutation(labels))
        beaten += one - other >= within - between
    return Blocks(within, between, beaten / (permutations + 1))
