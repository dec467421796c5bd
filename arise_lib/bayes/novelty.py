"""Novelty: how unlike all known structures a structure looks to the network.

Mutual information tells that the passes disagree. On a crystal outside the classes they may well
agree, as on one that is a small step from a class. Novelty asks another question, of the network
without dropout: how far is the structure from the nearest known one in the hidden layers?

The rule was chosen before any prototype of ``data/unknown`` was scored, by the mean over four
networks of the area under the curve, known structures of sizes and noise outside the reference
against unknown ones: for the released `arise` and `robust` crystals made up for this (random
orderings on the lattices of elements, random packings, random stackings of close-packed layers),
for two small networks trained without a fifth of the classes those classes. Compared were the
descriptor, each hidden layer and their unions; the mean over the 1 to 10 nearest; 10, 15, 21 or all
25 known structures of a class, drawn at random or each as far as possible from those before. Noise
in the reference matters most (without it 0.89 at most), then the nearest one alone (0.986, over two
0.983), then spread instead of chance (10 of a class: 0.985, by chance 0.972). The last two layers
have 0.986, all three 0.984, the last one 0.986; beyond 15 structures of a class nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from arise_lib.bayes._places import BLOCK, equal, multiply, one_thread
from arise_lib.errors import InputError
from arise_lib.network.model import Network, Reference
from arise_lib.network.released import NetworkLike, as_ensemble
from arise_lib.typing import Labelled

#: Hidden layers that are compared, counted from the last one.
LAYERS = 2

#: Known structures of a class that are kept with the network.
PER_CLASS = 15

#: Answers that are no structure: nothing is known by being like them.
OUTSIDE = ("other",)


def novelty_of(network: NetworkLike, features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Tell how unusual structures are among the known ones.

    Parameters
    ----------
    network : NetworkLike
        A network, an ensemble, or the name of a released one.
    features : ndarray of shape (n_rows, n_features)
        Descriptors.

    Returns
    -------
    ndarray of shape (n_rows,)
        Share, from 0 to 1, of held-out known structures that are nearer to the
        network's reference than the row: above 0.95 are one in twenty of the
        known ones. Of an ensemble the mean of its members. NaN for rows with NaN,
        and for a network without a reference. The same for a row whatever rows
        it comes with.

    Raises
    ------
    InputError
        If the features do not fit the network, or there is no such network.

    See Also
    --------
    fit_novelty : gives a network its reference.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib import bayes, descriptor, network
    >>> vectors = np.array([descriptor.describe(bulk(metal)) for metal in ("Ni", "Fe")])
    >>> bayes.novelty_of(replace(network.load("arise"), reference=None), vectors).tolist()
    [nan, nan]
    """
    members = as_ensemble(network).members
    shares = np.empty((len(members), len(features)))
    for share, member in zip(shares, members, strict=True):
        if member.reference is None:
            return np.full(len(features), np.nan)
        distance = known_distance(member, features)
        held_out = member.reference.distances
        share[:] = np.searchsorted(held_out, distance) / len(held_out)
        share[np.isnan(distance)] = np.nan
    return shares.mean(axis=0)


def known_distance(network: Network, features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Measure how far structures are from the nearest known one in the hidden layers.

    Parameters
    ----------
    network : Network
        With a reference.
    features : ndarray of shape (n_rows, n_features)
        Descriptors.

    Returns
    -------
    ndarray of float32, shape (n_rows,)
        Cosine distance, 0 to 1, mean over the last `LAYERS` hidden layers; NaN for
        rows with NaN.

    Raises
    ------
    InputError
        If the network has no reference, or the features do not fit it.

    Examples
    --------
    >>> from arise_lib import bayes
    >>> bayes.novelty.known_distance(fitted, vectors)  # doctest: +SKIP
    """
    if network.reference is None:
        raise InputError("This network has no known structures to compare with; see fit_novelty.")
    rows = np.asarray(features, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] != len(network.kernels[0]):
        raise InputError(
            f"The features have shape {rows.shape}; this network wants "
            f"(n_rows, {len(network.kernels[0])})."
        )
    known = _known(network)
    distances = np.full(len(rows), np.nan, dtype=np.float32)
    defined = np.flatnonzero(np.isfinite(rows).all(axis=1))
    similar = np.empty((known.shape[1], BLOCK), dtype=np.float32)
    with one_thread():
        for which, unit, columns in _representations(network, rows[defined], known.shape):
            multiply(known, unit, similar)
            distances[defined[which]] = np.maximum(0.0, 1.0 - similar[:, columns].max(axis=0))
    return distances


def fit_novelty(
    network: Network,
    known: Labelled,
    held_out: Labelled,
    *,
    outside: Sequence[str] = OUTSIDE,
) -> Network:
    """Give a network known structures to compare with, and what is usual among such.

    Parameters
    ----------
    network : Network
        Any; its weights stay as they are.
    known : Labelled
        Structures of its classes. `PER_CLASS` of each are kept: the first one, then
        each time the one farthest from those before.
    held_out : Labelled
        Other structures of its classes, of sizes or with noise that are not among
        `known`: novelty is a share of these.
    outside : sequence of str
        Classes of the network that are no structure; their rows are left out.

    Returns
    -------
    Network
        The same with a `reference`: 1 MB for 108 classes.

    Raises
    ------
    InputError
        If no row is left in one of the sets.

    Examples
    --------
    >>> from arise_lib import bayes, network, training
    >>> trained = network.load("arise")
    >>> known, held_out = training.known_sets(trained.settings)  # doctest: +SKIP
    >>> bayes.fit_novelty(trained, known, held_out)  # doctest: +SKIP
    """
    kept, tested = (_rows_inside(network, data, outside) for data in (known, held_out))
    if not (kept.size and tested.size):
        raise InputError(
            f"{kept.size} known and {tested.size} held-out structures that are defined and not of "
            f"{tuple(outside)}: at least one of each is needed."
        )
    # Rounded first: what is compared later is what is stored.
    vectors = known.features[kept].astype(np.float16)
    placed = _columns(network, vectors).T
    of = np.asarray(known.classes)[kept]
    rows = [np.flatnonzero(of == label) for label in np.unique(of)]
    drawn = np.concatenate([here[_spread(placed[here], PER_CLASS)] for here in rows])
    vectors = vectors[drawn]
    with_vectors = replace(network, reference=Reference(vectors, np.zeros(1, dtype=np.float32)))
    distances = np.sort(known_distance(with_vectors, held_out.features[tested]))
    return replace(network, reference=Reference(vectors, distances))


def _rows_inside(network: Network, data: Labelled, outside: Sequence[str]) -> NDArray[np.int64]:
    """Return the rows of structures: defined, and not of a class that is none."""
    named = np.isin(np.array(network.classes), outside)[data.classes]
    return np.flatnonzero(~named & np.isfinite(data.features).all(axis=1))


def _spread(unit: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Return up to n rows: the first, then each time the one farthest from those before."""
    chosen = [0]
    distance = 1.0 - unit @ unit[0]
    while len(chosen) < min(n, len(unit)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, 1.0 - unit @ unit[chosen[-1]])
    return np.array(chosen)


@lru_cache(maxsize=8)  # by identity: a network is frozen
def _known(network: Network) -> NDArray[np.float32]:
    """Return the reference in the hidden layers, as for `_columns`."""
    assert network.reference is not None
    return _columns(network, network.reference.vectors)


def _columns(network: Network, vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return rows in the hidden layers as columns of unit length: (width, n_rows)."""
    rows = vectors.astype(np.float32)
    with one_thread():
        parts = [unit[:, at].copy() for _, unit, at in _representations(network, rows)]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _representations(
    network: Network, rows: NDArray[np.float32], *last: tuple[int, int]
) -> Iterator[tuple[slice, NDArray[np.float32], slice]]:
    """Yield blocks of rows in the hidden layers: which rows, a block of columns, which of these.

    Each layer is scaled to one over the root of the number of layers, so that the product of two
    columns is the mean of the layers' cosines. Only places are used in which a column gives the
    same bytes, also in a product with a matrix of the shape `last`, if given.
    """
    kernels = [np.ascontiguousarray(kernel) for kernel in network.kernels[:-1]]
    room = equal((*((len(kernel), kernel.shape[1]) for kernel in kernels), *last))
    compared = kernels[-LAYERS:]
    for start in range(0, len(rows), len(room)):
        which = slice(start, min(start + len(room), len(rows)))
        columns = slice(room.start, room.start + which.stop - which.start)
        activations = np.zeros((rows.shape[1], BLOCK), dtype=np.float32)
        activations[:, columns] = rows[which].T
        layers = []
        for layer, kernel in enumerate(kernels):
            out = np.empty((kernel.shape[1], BLOCK), dtype=np.float32)
            multiply(kernel, activations, out)
            activations = np.maximum(out + network.biases[layer][:, None], np.float32(0))
            norm = np.sqrt((activations * activations).sum(axis=0) * len(compared))
            layers.append(activations / np.maximum(norm, np.float32(1e-30)))
        yield which, np.concatenate(layers[-LAYERS:]), columns
