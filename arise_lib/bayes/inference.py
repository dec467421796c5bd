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

from dataclasses import dataclass
from functools import partial
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from arise_lib.bayes import _rounds
from arise_lib.bayes._passes import Workspace
from arise_lib.bayes._places import one_thread
from arise_lib.bayes._sums import Sums
from arise_lib.errors import InputError
from arise_lib.network.model import Network, most_probable
from arise_lib.network.released import NetworkLike, as_ensemble

#: Passes of the paper; 100,000 where probabilities below 1 % matter.
N_PASSES = 1000

#: With a tolerance, no row gets fewer: a few agree by chance, and then show too small an error.
MIN_PASSES = 100

#: The same with stratified masks: they then err as little as the others do with their number.
MIN_STRATIFIED = 50

#: Error of the mutual information with stratified masks over that of as many independent ones, at
#: most: measured on generated samples (`make bench ARGS="--only masks"`, whose rule it follows).
STRATIFIED_ERROR = 0.9


@dataclass(frozen=True, eq=False)
class Posterior:
    """What the passes say about each row; NaN where the descriptor is not defined.

    Attributes
    ----------
    classes : tuple of str
        Label of each column of the probabilities.
    probabilities : ndarray of shape (n_rows, n_classes)
        Mean over the passes.
    mutual_information : ndarray of shape (n_rows,)
        How much the passes disagree, in bits: from 0 to the predictive entropy.
    predictive_entropy : ndarray of shape (n_rows,)
        Entropy of the mean, in bits: from 0 to log2(n_classes).
    variation_ratio : ndarray of shape (n_rows,)
        Share of the passes whose most probable class is another than that of
        most passes: from 0 to below 1.
    passes : ndarray of int, shape (n_rows,)
        Passes that were made; 0 where the descriptor is not defined.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib import bayes, descriptor
    >>> vectors = np.array([descriptor.describe(bulk(metal)) for metal in ("Ni", "Fe")])
    >>> posterior = bayes.predict("arise", vectors, n_passes=20)
    >>> posterior.labels.tolist()
    ['fcc', 'bcc']
    >>> posterior.ranked(1).index[0]
    'bcc'
    """

    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    mutual_information: NDArray[np.float64]
    predictive_entropy: NDArray[np.float64]
    variation_ratio: NDArray[np.float64]
    passes: NDArray[np.int64]

    @property
    def labels(self) -> NDArray[np.str_]:
        """Most probable class of each row; an empty string where it is not defined."""
        return most_probable(self.probabilities, self.classes)

    def ranked(self, row: int) -> pd.Series:
        """Rank the classes for one row.

        Parameters
        ----------
        row : int
            Number of the row.

        Returns
        -------
        pandas.Series
            Probability of every class, from 0 to 1, largest first; of equal ones
            in the order of `classes`, so that the first is the row's label.
        """
        order = np.argsort(-self.probabilities[row], kind="stable")
        index = pd.Index([self.classes[i] for i in order], name="class")
        return pd.Series(self.probabilities[row][order], index, name="probability")


def predict(
    network: NetworkLike,
    features: NDArray[np.floating],
    *,
    n_passes: int = N_PASSES,
    seed: int = 0,
    tolerance: float | None = None,
    stratified: bool = False,
) -> Posterior:
    """Predict with dropout on, averaged over many stochastic passes.

    Parameters
    ----------
    network : NetworkLike
        A network, an ensemble, or the name of a released one. Of an ensemble of
        M, pass k is one of member k mod M: mean and mutual information are those
        of the mixture.
    features : ndarray of shape (n_rows, n_features)
        Descriptors; rows with NaN give NaN.
    n_passes : int
        Number of stochastic passes T, over all networks.
    seed : int
        Seed of the masks.
    tolerance : float, optional
        In bits. A row gets no more passes once the standard error of its mutual
        information (see `arise_lib.bayes`) is below this; it is looked at after
        every 50 passes, first after 100, with stratified masks after 50. By default all
        rows get T.
    stratified : bool
        Draw the masks so that in every 50 passes through a network each input of a
        layer is dropped equally often. Any one pass is as likely as before; the means
        are known better after as many of them, and fewer reach a tolerance.

    Returns
    -------
    Posterior
        The same for a row whatever rows it is predicted with; with a tolerance
        the same as without for the number of passes that it got.

    Raises
    ------
    InputError
        If the features do not fit the network, there is no pass or no such
        network, the tolerance is not positive, or the seed is no whole number from
        0 to 2**64 - 1.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib import bayes, descriptor
    >>> vectors = np.array([descriptor.describe(bulk("Ni")), np.full(316, np.nan)])
    >>> posterior = bayes.predict("arise", vectors, n_passes=20)
    >>> posterior.labels.tolist(), posterior.passes.tolist()
    (['fcc', ''], [20, 0])
    """
    networks = as_ensemble(network).members
    rows = _rows(networks[0], features)
    check_passes(n_passes, seed, tolerance)
    defined: NDArray[np.bool_] = np.all(np.isfinite(rows), axis=1)
    rows = rows[defined]
    sums = Sums(len(rows), len(networks[0].classes))
    active = np.arange(len(rows))
    least = MIN_STRATIFIED if stratified else MIN_PASSES
    factor = STRATIFIED_ERROR if stratified else 1.0
    in_round = _rounds.LENGTH
    if tolerance is None:
        in_round = _rounds.length(len(rows), n_passes, networks)
    with _rounds.cores() as pool:
        for numbers in _rounds.numbers(n_passes, in_round):
            drawn = _rounds.draw(networks, seed, numbers, stratified=stratified)
            add = partial(_add_passes, rows, drawn, sums, scatter=tolerance is not None)
            list(pool.map(add, _rounds.lots(active, drawn)))
            if tolerance is not None and numbers.stop >= least:
                active = active[factor * sums.standard_error(active) >= tolerance]
            if active.size == 0:
                break
    passes = np.zeros(len(defined), dtype=np.int64)
    passes[defined] = sums.passes
    mean, information, predictive, ratio = (_spread(of, defined) for of in sums.results())
    return Posterior(networks[0].classes, mean, information, predictive, ratio, passes)


def representations(
    network: NetworkLike,
    features: NDArray[np.floating],
    layer: int,
    *,
    n_passes: int = N_PASSES,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Mean activations of a hidden layer over stochastic passes, those of `predict`.

    Parameters
    ----------
    network : NetworkLike
        A single network, or the name of a released one.
    features : ndarray of shape (n_rows, n_features)
        Descriptors; rows with NaN give NaN.
    layer : int
        Hidden layer, the first one is 1.
    n_passes : int
        Number of stochastic passes.
    seed : int
        Seed of the masks.

    Returns
    -------
    ndarray of shape (n_rows, width of the layer)
        After the activation function, before the next dropout. The same for a
        row whatever rows it comes with.

    Raises
    ------
    InputError
        If there is no such layer, if the network is an ensemble of several, or as
        for `predict`.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import bayes, descriptor
    >>> vectors = descriptor.describe(bulk("Ni"))[None, :]
    >>> bayes.representations("arise", vectors, layer=1, n_passes=20).shape
    (1, 256)
    """
    single, *others = as_ensemble(network).members
    if others:
        raise InputError(
            f"An ensemble of {1 + len(others)} networks has no layers of its own; take one of its "
            "members."
        )
    rows = _rows(single, features)
    hidden = len(single.kernels) - 1
    if not 1 <= layer <= hidden:
        raise InputError(f"There is no hidden layer {layer}; this network has 1 to {hidden}.")
    check_passes(n_passes, seed)
    defined: NDArray[np.bool_] = np.all(np.isfinite(rows), axis=1)
    rows = rows[defined]
    total = np.zeros((len(rows), len(single.biases[layer - 1])))
    everyone = np.arange(len(rows))
    with _rounds.cores() as pool:
        in_round = _rounds.length(len(rows), n_passes, (single,))
        for numbers in _rounds.numbers(n_passes, in_round):
            drawn = _rounds.draw((single,), seed, numbers)
            add = partial(_add_activations, rows, drawn, layer, total)
            list(pool.map(add, _rounds.lots(everyone, drawn)))
    return _spread(total / n_passes, defined)


def _rows(network: Network, features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the features as the network takes them."""
    rows = np.asarray(features, dtype=np.float32)
    width = len(network.kernels[0])
    if rows.ndim != 2 or rows.shape[1] != width:
        raise InputError(
            f"The features have shape {rows.shape}; this network wants (n_rows, {width}). "
            "Descriptors must be made with the network's own settings."
        )
    return rows


def check_passes(n_passes: int, seed: int, tolerance: float | None = None) -> None:
    """Refuse passes that cannot be made, before any work is done for them.

    Parameters
    ----------
    n_passes, seed, tolerance
        As for `predict`.

    Raises
    ------
    InputError
        If one of them is not allowed.

    Examples
    --------
    >>> from arise_lib import bayes
    >>> bayes.check_passes(1000, seed=0)
    >>> bayes.check_passes(0, seed=0)
    Traceback (most recent call last):
        ...
    arise_lib.errors.InputError: 0 passes give no prediction; ask for 1 or more, a whole number.
    """
    if not (isinstance(n_passes, Integral) and n_passes >= 1):
        raise InputError(
            f"{n_passes} passes give no prediction; ask for 1 or more, a whole number."
        )
    if not (isinstance(seed, Integral) and 0 <= seed < 2**64):
        raise InputError(f"A seed of {seed} is no whole number from 0 to 2**64 - 1; give one.")
    if tolerance is not None and not (np.isfinite(tolerance) and tolerance > 0):
        raise InputError(
            f"A tolerance of {tolerance} bit cannot be reached; give a positive number, 0.01 say, "
            "or None for all passes."
        )


def _add_passes(
    rows: NDArray[np.float32],
    drawn: list[_rounds.Share],
    sums: Sums,
    blocks: list[NDArray[np.int64]],
    *,
    scatter: bool,
) -> None:
    """Make a round of passes of some rows, block by block, and add them up in their order."""
    spaces = [Workspace(share.network) for share in drawn]
    n_passes = sum(share.masks[0].shape[1] for share in drawn)
    with one_thread():
        for here in blocks:
            p = np.empty((len(here), n_passes, sums.n_classes), dtype=np.float32)
            h = np.empty((len(here), n_passes), dtype=np.float32)
            for space, share in zip(spaces, drawn, strict=True):
                space.predict(rows[here], share.masks, p[:, share.which], h[:, share.which])
            sums.add(here, p, h, scatter=scatter)


def _add_activations(
    rows: NDArray[np.float32],
    drawn: list[_rounds.Share],
    layer: int,
    total: NDArray[np.float64],
    blocks: list[NDArray[np.int64]],
) -> None:
    """Add the activations of a layer of some rows in a round of passes."""
    spaces = [Workspace(share.network) for share in drawn]
    with one_thread():
        for here in blocks:
            for space, share in zip(spaces, drawn, strict=True):
                # The rows of a block follow each other: a view, in which the sums are taken.
                space.add_hidden(rows[here], share.masks, layer, total[here[0] : here[-1] + 1])


def _spread(values: NDArray[np.float64], defined: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Put the results of the defined rows back in place, NaN elsewhere."""
    result = np.full((len(defined), *values.shape[1:]), np.nan)
    result[defined] = values
    return result
