r"""Running sums over stochastic passes, and what follows from them.

No pass is kept: mean, mutual information, votes and the error of the mutual
information need sums only, a few numbers for each row and class.

The error of the mutual information after n passes has two parts. With the
mean's logarithm for the moment fixed,

.. math:: \hat I = \frac{1}{n} \sum_k g_k, \qquad
          g_k = -\sum_c p_{kc} \log_2 \bar p_c - H[p_k] = KL(p_k \| \bar p),

is a mean over independent passes, so its variance is that of the g_k divided by
n. That is the delta method: the derivative of I with respect to a pass's
probabilities is that of its g_k, since the mean's own change cancels to first
order. To second order it does not: the mean of n passes lies nearer to them than
the true mean does, and the information comes out too small [1]_, by

.. math:: b = \frac{1}{2 n \ln 2} \sum_c \frac{\mathrm{Var}(p_{kc})}{\bar p_c}.

The error is the root of the sum of both squares. Variances are taken within
rounds of passes about the round's own mean, with the mean probabilities known at
its end.

References
----------
.. [1] G. A. Miller, in Information Theory in Psychology, Free Press 1955 (the
   same bias in the entropy of counts).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

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
        self._curvature = np.zeros(n_rows)

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
            Follow the error as well.
        """
        # An entropy computed from logits and one from probabilities differ by rounding; where
        # passes agree the difference of the two must vanish, so the first pass is taken as zero.
        new = self.passes[rows] == 0
        self._offset[rows[new]] = entropy(probabilities[new, 0]) - entropies[new, 0]
        self.passes[rows] += probabilities.shape[1]
        _add(rows, probabilities, entropies, self._probabilities, self._votes, self._entropies)
        if scatter:
            self._freedom[rows] += probabilities.shape[1] - 1
            _add_scatter(
                rows,
                probabilities,
                entropies,
                self._probabilities[rows] / self.passes[rows, None],
                self._scatter,
                self._curvature,
            )

    def error(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Estimate the error of the mutual information so far.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Row numbers; all passes added with `scatter`.

        Returns
        -------
        ndarray of shape (n,)
            Root of the sum of squares of standard error and bias, in bits;
            infinite before the second pass.
        """
        n, freedom = self.passes[rows], self._freedom[rows].astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = self._scatter[rows] / freedom / n
            bias = self._curvature[rows] / freedom / (2.0 * np.log(2.0) * n)
        return np.where(freedom > 0, np.sqrt(variance + bias**2), np.inf)

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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _add_scatter(
    rows: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    entropies: NDArray[np.float32],
    mean: NDArray[np.float64],
    scatter: NDArray[np.float64],
    curvature: NDArray[np.float64],
) -> None:
    """Add the squares of the deviations within the round: of g_k, and of p_kc over the mean."""
    _, n_passes, n_classes = probabilities.shape
    information = np.empty(n_passes)
    for i in range(len(rows)):
        information[:] = -entropies[i]
        squares = 0.0
        for c in range(n_classes):
            if mean[i, c] == 0.0:
                continue
            bits = -np.log2(max(mean[i, c], CLIP))
            total = 0.0
            for k in range(n_passes):
                total += probabilities[i, k, c]
            centre, square = total / n_passes, 0.0
            for k in range(n_passes):
                square += (probabilities[i, k, c] - centre) ** 2
                information[k] += bits * probabilities[i, k, c]
            squares += square / mean[i, c]
        curvature[rows[i]] += squares
        centre = information.mean()
        scatter[rows[i]] += ((information - centre) ** 2).sum()
