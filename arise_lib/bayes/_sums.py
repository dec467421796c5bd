r"""Running sums over stochastic passes, and what follows from them.

No pass is kept: mean, mutual information, votes and the error of the mutual
information need sums only, a few numbers for each row and class.

With the logarithm of the mean for the moment fixed, the mutual information

.. math:: I = \frac{1}{n} \sum_k g_k, \qquad
          g_k = -\sum_c p_{kc} \log_2 \bar p_c - H[p_k] = KL(p_k \| \bar p)

is a mean over n independent passes, so its standard error is that of the g_k over
the root of n. This is the delta method: g_k is the derivative of I with respect
to the weight of pass k, because the change of the mean inside the logarithm
cancels to first order. The variance is taken within rounds of passes, about the
round's own mean and with the mean probabilities known at its end, so that no
pass need be kept. (The second order makes I too small by about I / n where
passes differ little, a small part of the standard error from some tens of
passes on.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arise_lib.storage.compiled import compiled

#: Probabilities are clipped here before their logarithm is taken.
CLIP = 1e-12


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

    Examples
    --------
    >>> from arise_lib import bayes
    >>> bayes.entropy([[0.5, 0.5], [0.25, 0.75]]).round(3).tolist()
    [1.0, 0.811]
    """
    p = np.asarray(probabilities, dtype=np.float64)
    return -np.sum(p * np.log2(np.clip(p, CLIP, 1.0)), axis=-1)


class Sums:
    """Sums over the passes of each row; rows may have got different numbers of them.

    Parameters
    ----------
    n_rows, n_classes : int
        Shape.

    Attributes
    ----------
    n_classes : int
        Number of classes.
    passes : ndarray of int, shape (n_rows,)
        Passes added so far.
    """

    def __init__(self, n_rows: int, n_classes: int) -> None:
        self.n_classes = n_classes
        self.passes = np.zeros(n_rows, dtype=np.int64)
        self._probabilities = np.zeros((n_rows, n_classes))
        self._votes = np.zeros((n_rows, n_classes), dtype=np.int32)
        self._entropies = np.zeros(n_rows)
        self._offset = np.zeros(n_rows)
        self._freedom = np.zeros(n_rows, dtype=np.int64)
        self._scatter = np.zeros(n_rows)

    def add(
        self,
        rows: NDArray[np.int64],
        probabilities: NDArray[np.float32],
        entropies: NDArray[np.float32],
        *,
        scatter: bool,
    ) -> None:
        """Add a round of passes of some rows; threads may add to different rows at a time.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Row numbers.
        probabilities : ndarray of float32, shape (n, n_passes, n_classes)
            Of each row in each pass. Single precision makes their sums, taken
            in double precision, exact where passes agree.
        entropies : ndarray of float32, shape (n, n_passes)
            Their entropies in bits.
        scatter : bool
            Follow the standard error as well.
        """
        # An entropy computed from logits and one from probabilities differ by rounding; where
        # passes agree the difference of the two must vanish, so the first pass is taken as zero.
        new = self.passes[rows] == 0
        self._offset[rows[new]] = entropy(probabilities[new, 0]) - entropies[new, 0]
        self.passes[rows] += probabilities.shape[1]
        _add(rows, probabilities, entropies, self._probabilities, self._votes, self._entropies)
        if scatter:
            self._freedom[rows] += probabilities.shape[1] - 1
            mean = self._probabilities[rows] / self.passes[rows, None]
            _add_scatter(rows, probabilities, entropies, mean, self._scatter)

    def standard_error(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Estimate the standard error of the mutual information so far.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Row numbers; all their passes were added with `scatter`.

        Returns
        -------
        ndarray of shape (n,)
            In bits; infinite where no round had two passes.
        """
        n, freedom = self.passes[rows], self._freedom[rows]
        variance = self._scatter[rows] / np.maximum(freedom, 1)
        return np.where(freedom > 0, np.sqrt(variance / n), np.inf)

    def results(self) -> tuple[NDArray[np.float64], ...]:
        """Return what the passes say.

        Returns
        -------
        mean : ndarray of shape (n_rows, n_classes)
            Mean probabilities.
        information, predictive : ndarray of shape (n_rows,)
            Mutual information and entropy of the mean, in bits.
        ratio : ndarray of shape (n_rows,)
            Variation ratio.
        """
        mean = self._probabilities / self.passes[:, None]
        predictive = entropy(mean)
        information = predictive - self._entropies / self.passes - self._offset
        ratio = (self.passes - self._votes.max(axis=1, initial=0)) / self.passes
        # Jensen's inequality sets the bounds; rounding may not keep to them.
        return mean, np.clip(information, 0.0, predictive), predictive, ratio


@compiled
def _add(
    rows: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    entropies: NDArray[np.float32],
    sum_p: NDArray[np.float64],
    votes: NDArray[np.int32],
    sum_h: NDArray[np.float64],
) -> None:
    """Add probabilities, votes and entropies to the sums of their rows, pass by pass."""
    _, n_passes, n_classes = probabilities.shape
    for i in range(len(rows)):
        row = rows[i]
        for k in range(n_passes):
            best = 0
            for c in range(n_classes):
                p = probabilities[i, k, c]
                sum_p[row, c] += p
                if p > probabilities[i, k, best]:
                    best = c
            votes[row, best] += 1
            sum_h[row] += entropies[i, k]


@compiled
def _add_scatter(
    rows: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    entropies: NDArray[np.float32],
    mean: NDArray[np.float64],
    scatter: NDArray[np.float64],
) -> None:
    """Add the squares of the deviations of g_k from its mean over the round."""
    _, n_passes, n_classes = probabilities.shape
    bits = np.empty(n_classes)
    information = np.empty(n_passes)
    for i in range(len(rows)):
        for c in range(n_classes):
            bits[c] = -np.log2(max(mean[i, c], CLIP))
        centre = 0.0
        for k in range(n_passes):
            information[k] = -entropies[i, k]
            for c in range(n_classes):
                information[k] += bits[c] * probabilities[i, k, c]
            centre += information[k] / n_passes
        for k in range(n_passes):
            scatter[rows[i]] += (information[k] - centre) ** 2
