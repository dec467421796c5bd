"""Novelty: near what is known, far from what is not, and nothing where nothing is known."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from arise_lib import network
from arise_lib.bayes import fit_novelty, novelty_of
from arise_lib.bayes.novelty import LAYERS, PER_CLASS, known_distance
from arise_lib.descriptor import SoapSettings
from arise_lib.errors import DataError, InputError
from arise_lib.network import Ensemble, Network, Reference
from arise_lib.training import DataSet

CLASSES = ("a", "b", "c", "other")
WIDTHS = (24, 40, 32, 16, len(CLASSES))
CENTRES = np.random.default_rng(3).random((len(CLASSES) + 1, WIDTHS[0]))
#: No class, and not among the known rows.
STRANGE = len(CLASSES)


def random_network(seed: int = 0) -> Network:
    generator = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(WIDTHS))
    kernels = tuple(generator.normal(size=pair).astype(np.float32) for pair in pairs)
    biases = tuple(generator.normal(size=out).astype(np.float32) for _, out in pairs)
    return Network(kernels, biases, 0.1, CLASSES, SoapSettings())


def clouds(seed: int, n: int, kinds: tuple[int, ...] = (0, 1, 2, 3)) -> DataSet:
    """Rows around the centre of each kind."""
    kind = np.repeat(kinds, n)
    noise = np.random.default_rng(seed).normal(scale=0.02, size=(len(kind), WIDTHS[0]))
    features = (CENTRES[kind] + noise).astype(np.float32)
    labels = (*CLASSES, "strange")
    return DataSet(features, kind, labels, pd.DataFrame(index=range(len(kind))))


def by_hand(trained: Network, row: NDArray[np.float32]) -> float:
    """Cosine distance in the hidden layers, written down once more in double precision."""
    assert trained.reference is not None

    def layers(vector: NDArray[np.floating]) -> list[NDArray[np.float64]]:
        found, here = [], vector.astype(float)
        for kernel, bias in zip(trained.kernels[:-1], trained.biases[:-1], strict=True):
            here = np.maximum(here @ kernel + bias, 0.0)
            found.append(here / np.linalg.norm(here))
        return found[-LAYERS:]

    mine = layers(row)
    distances = [
        np.mean([1.0 - a @ b for a, b in zip(mine, layers(known), strict=True)])
        for known in trained.reference.vectors
    ]
    return float(min(distances))


@pytest.fixture(scope="module")
def fitted() -> Network:
    return fit_novelty(random_network(), clouds(1, 50), clouds(2, 100))


def test_distances_are_cosines_in_the_hidden_layers(fitted: Network) -> None:
    rows = clouds(4, 2, (0, 1, 2, STRANGE)).features
    expected = [by_hand(fitted, row) for row in rows]
    np.testing.assert_allclose(known_distance(fitted, rows), expected, atol=2e-6)


def test_novelty_is_the_share_of_held_out_structures_that_are_nearer(fitted: Network) -> None:
    rows = clouds(2, 100, (0, 1, 2))
    shares = novelty_of(fitted, rows.features)
    np.testing.assert_allclose(np.sort(shares), np.arange(300) / 300, atol=0.01)  # ties


def test_fresh_rows_are_usual_and_strange_ones_are_not(fitted: Network) -> None:
    usual = novelty_of(fitted, clouds(5, 200, (0, 1, 2)).features)
    assert abs(np.mean(usual > 0.9) - 0.1) < 0.06
    assert novelty_of(fitted, clouds(5, 50, (STRANGE,)).features).min() == 1.0


def test_what_is_no_structure_is_not_in_the_reference(fitted: Network) -> None:
    assert fitted.reference is not None
    assert len(fitted.reference.vectors) == 3 * PER_CLASS
    assert len(fitted.reference.distances) == 300
    assert novelty_of(fitted, clouds(6, 20, (3,)).features).min() > 0.99
    whole = fit_novelty(random_network(), clouds(1, 50), clouds(2, 100), outside=())
    assert novelty_of(whole, clouds(6, 20, (3,)).features).mean() < 0.9


def test_rows_that_are_not_defined_and_networks_without_reference_give_nan(fitted: Network) -> None:
    rows = clouds(7, 2).features
    rows[1, 3] = np.nan
    assert np.isnan(novelty_of(fitted, rows)).tolist() == [False, True, *6 * [False]]
    assert np.isnan(novelty_of(random_network(), rows)).all()
    assert np.isnan(novelty_of(Ensemble((fitted, random_network())), rows)).all()


def test_a_row_is_the_same_whatever_it_comes_with(fitted: Network) -> None:
    rows = clouds(8, 200, (0, 1, 2, STRANGE)).features
    together = known_distance(fitted, rows)
    for k in (0, 7, 333, 799):
        assert known_distance(fitted, rows[k : k + 1])[0] == together[k]
    np.testing.assert_array_equal(known_distance(fitted, rows[::-1]), together[::-1])


def test_an_ensemble_has_the_mean_of_its_members(fitted: Network) -> None:
    other = fit_novelty(random_network(9), clouds(1, 50), clouds(2, 100))
    rows = clouds(10, 5).features
    both = novelty_of(Ensemble((fitted, other)), rows)
    np.testing.assert_allclose(both, (novelty_of(fitted, rows) + novelty_of(other, rows)) / 2)


def test_the_reference_is_spread_and_leaves_the_weights(fitted: Network) -> None:
    again = fit_novelty(random_network(), clouds(1, 50), clouds(2, 100))
    assert fitted.reference is not None and again.reference is not None
    np.testing.assert_array_equal(again.reference.vectors, fitted.reference.vectors)
    assert again.kernels[0].tobytes() == random_network().kernels[0].tobytes()
    # Copies add nothing: one row of each kind is left of fifty that are the same.
    known = clouds(1, 50)
    same = replace(known, features=np.repeat(known.features[::50], 50, axis=0))
    few = fit_novelty(random_network(), DataSet.concatenate(known, same), clouds(2, 100))
    assert few.reference is not None
    assert len(np.unique(few.reference.vectors, axis=0)) == 3 * PER_CLASS


def test_a_reference_is_stored_with_its_network(fitted: Network, tmp_path: Path) -> None:
    rows = clouds(11, 30, (0, 2, STRANGE)).features
    network.save(fitted, tmp_path / "with.npz")
    network.save(replace(fitted, reference=None), tmp_path / "without.npz")
    read = network.load(tmp_path / "with.npz")
    np.testing.assert_array_equal(novelty_of(read, rows), novelty_of(fitted, rows))
    assert network.load(tmp_path / "without.npz").reference is None
    np.testing.assert_array_equal(read.probabilities(rows), fitted.probabilities(rows))


def test_half_a_reference_is_a_damaged_file(fitted: Network, tmp_path: Path) -> None:
    path = tmp_path / "half.npz"
    network.save(fitted, path)
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, **{k: v for k, v in arrays.items() if k != "reference_distances"})
    with pytest.raises(DataError, match="not a network file"):
        network.load(path)
    np.savez(path, **arrays | {"reference_distances": arrays["reference_distances"][::-1]})
    with pytest.raises(DataError, match="ascending"):
        network.load(path)


def test_what_does_not_fit_is_refused(fitted: Network) -> None:
    with pytest.raises(InputError, match=r"wants \(n_rows, 24\)"):
        novelty_of(fitted, np.zeros((2, 23)))
    with pytest.raises(InputError, match="fit_novelty"):
        known_distance(random_network(), np.zeros((2, 24)))
    with pytest.raises(InputError, match="0 known"):
        fit_novelty(random_network(), clouds(1, 5, (3,)), clouds(2, 5))
    with pytest.raises(InputError, match="no reference"):
        Reference(np.zeros((0, 3), dtype=np.float16), np.zeros(2, dtype=np.float32))


def test_the_reference_of_108_classes_is_small() -> None:
    vectors = np.zeros((108 * PER_CLASS, SoapSettings().n_features), dtype=np.float16)
    assert vectors.nbytes < 1.5e6
