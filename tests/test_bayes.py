from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, replace
from threading import Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits
from tolerances import ARITHMETIC, SINGLE, SINGLE_BITS, STANDARD_ERRORS

from arise_lib import bayes
from arise_lib.bayes import _passes, _rounds, inference
from arise_lib.bayes._passes import SWEEP, stratified_masks
from arise_lib.bayes._places import equal
from arise_lib.bayes._sums import Sums
from arise_lib.bayes.inference import Posterior
from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.network import Ensemble, Network

N_FEATURES, N_CLASSES = 20, 11


def make_network(dropout: float = 0.1, widths: tuple[int, ...] = (N_FEATURES, 32, 24)) -> Network:
    """A random network whose answers are neither certain nor flat."""
    generator = np.random.default_rng(1)
    sizes = (*widths, N_CLASSES)
    kernels = tuple(
        (generator.normal(size=(a, b)) * np.sqrt(2.0 / a)).astype(np.float32)
        for a, b in itertools.pairwise(sizes)
    )
    biases = tuple(np.full(b, 0.05, dtype=np.float32) for b in sizes[1:])
    classes = tuple(f"class {i}" for i in range(N_CLASSES))
    return Network(kernels, biases, dropout, classes, SoapSettings())


def make_rows(n: int = 300, scale: float = 1.0) -> NDArray[np.float32]:
    generator = np.random.default_rng(2)
    return generator.normal(scale=scale, size=(n, N_FEATURES)).astype(np.float32)


NETWORK, ROWS = make_network(), make_rows()

FIELDS = [field.name for field in fields(Posterior) if field.name != "classes"]


def assert_same_bytes(one: Posterior, other: Posterior) -> None:
    for name in FIELDS:
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


def take(posterior: Posterior, rows: NDArray[np.int64] | slice) -> Posterior:
    return replace(posterior, **{name: getattr(posterior, name)[rows] for name in FIELDS})


@pytest.fixture(scope="module")
def reference() -> Posterior:
    return bayes.predict(NETWORK, ROWS, n_passes=12, seed=3)


# --- entropy -----------------------------------------------------------------------------------


def test_entropy_of_known_distributions() -> None:
    p = [[1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0], [0.5, 0.25, 0.125, 0.125]]
    np.testing.assert_allclose(
        bayes.entropy(np.array(p)), [0, 2, 1, 1.75], rtol=ARITHMETIC, atol=1e-12
    )


@given(arrays(np.float64, (5, 7), elements=st.floats(0, 1)))
def test_entropy_is_bounded(weights: NDArray[np.float64]) -> None:
    p = (weights + 1e-300) / (weights + 1e-300).sum(axis=1, keepdims=True)
    h = bayes.entropy(p)
    assert (h >= 0).all() and (h <= np.log2(7) + 1e-9).all()


# --- a pass is one function --------------------------------------------------------------------


def test_paper_number_of_passes() -> None:
    assert bayes.N_PASSES == 1000


@pytest.mark.equality
def test_masks_depend_on_seed_and_number_alone() -> None:
    first = bayes.dropout_masks(NETWORK, seed=3, number=5)
    np.random.default_rng(0).random(10)
    bayes.dropout_masks(NETWORK, seed=3, number=6)
    for a, b in zip(first, bayes.dropout_masks(NETWORK, seed=3, number=5), strict=True):
        assert a.tobytes() == b.tobytes() and a.dtype == np.float32
    for seed, number in ((3, 6), (4, 5), (5, 3)):
        other = bayes.dropout_masks(NETWORK, seed, number)
        assert any((a != b).any() for a, b in zip(first, other, strict=True)), (seed, number)


def test_masks_drop_the_stated_share_of_every_layers_input() -> None:
    masks = [bayes.dropout_masks(NETWORK, 0, number) for number in range(400)]
    for layer, width in enumerate((N_FEATURES, 32, 24)):
        values = np.array([mask[layer] for mask in masks])
        assert values.shape == (400, width)
        assert set(np.unique(values)) == {np.float32(0.0), np.float32(1.0 / 0.9)}
        # Binomial: 5 standard errors.
        error = 5 * np.sqrt(0.1 * 0.9 / values.size)
        assert np.mean(values == 0.0) == pytest.approx(0.1, abs=error)


@pytest.mark.equality
@pytest.mark.parametrize("size", [1, 7, 128, 300])
def test_batches_do_not_matter(reference: Posterior, size: int) -> None:
    for start in range(0, len(ROWS), size) if size > 1 else (0, 127, 128, 299):
        rows = slice(start, start + size)
        alone = bayes.predict(NETWORK, ROWS[rows], n_passes=12, seed=3)
        assert_same_bytes(alone, take(reference, rows))


@pytest.mark.equality
def test_order_does_not_matter(reference: Posterior) -> None:
    order = np.random.default_rng(4).permutation(len(ROWS))
    assert_same_bytes(
        bayes.predict(NETWORK, ROWS[order], n_passes=12, seed=3), take(reference, order)
    )


@pytest.mark.equality
def test_other_rows_do_not_matter(reference: Posterior) -> None:
    others = ROWS.copy()
    others[1::2] *= -100.0
    found = bayes.predict(NETWORK, others, n_passes=12, seed=3)
    assert_same_bytes(take(found, slice(0, None, 2)), take(reference, slice(0, None, 2)))
    assert (found.probabilities[1::2] != reference.probabilities[1::2]).any(axis=1).all()


@pytest.mark.equality
def test_same_at_full_size() -> None:
    # The widths of the released network: other matrix kernels than for the small one.
    large = make_network(0.0317, (316, 256, 512, 256))
    rows = np.random.default_rng(5).random((140, 316)).astype(np.float32)
    whole = bayes.predict(large, rows, n_passes=3, seed=1)
    order = np.random.default_rng(6).permutation(140)
    assert_same_bytes(bayes.predict(large, rows[order], n_passes=3, seed=1), take(whole, order))
    for row in (0, 77, 139):
        only = slice(row, row + 1)
        assert_same_bytes(bayes.predict(large, rows[only], n_passes=3, seed=1), take(whole, only))


def test_first_passes_are_those_of_a_shorter_run(reference: Posterior) -> None:
    few = bayes.predict(NETWORK, ROWS, n_passes=5, seed=3).probabilities
    rest = sum(one_pass(NETWORK, ROWS, 3, number) for number in range(5, 12))
    np.testing.assert_allclose((5 * few + rest) / 12, reference.probabilities, atol=SINGLE)


@pytest.mark.equality
@pytest.mark.parametrize("n_rows", [1, 2, 3, 5, 6, 64])
def test_number_of_rows_and_rounds_do_not_matter(n_rows: int) -> None:
    # Few rows share a block with many passes of theirs, many rows with few.
    whole = bayes.predict(NETWORK, ROWS, n_passes=310, seed=3)
    rows = slice(20, 20 + n_rows)
    assert_same_bytes(bayes.predict(NETWORK, ROWS[rows], n_passes=310, seed=3), take(whole, rows))


@pytest.mark.equality
def test_number_of_cores_does_not_matter(
    reference: Posterior, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def three(_: Executor | None) -> Iterator[Executor]:
        with ThreadPoolExecutor(3) as pool:
            yield pool

    monkeypatch.setattr(_rounds, "workers", three)
    monkeypatch.setattr(_rounds, "cpu_count", lambda: 3)
    assert_same_bytes(bayes.predict(NETWORK, ROWS, n_passes=12, seed=3), reference)


@pytest.mark.equality
@pytest.mark.parametrize("n_places", [1, 7, 100])
@pytest.mark.parametrize("shift", [0, 3])
def test_number_of_equal_places_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, n_places: int, shift: int
) -> None:
    # Another BLAS may leave fewer of them, so few that a round's passes take several blocks.
    networks, rows = Ensemble((NETWORK, other_network())), ROWS[:9]
    ensemble = bayes.predict(networks, rows, n_passes=110, seed=3)
    stopped = bayes.predict(NETWORK, rows, n_passes=110, seed=3, tolerance=1e-9)
    hidden = bayes.representations(NETWORK, rows, 2, n_passes=110)

    def fewer(shapes: tuple[tuple[int, int], ...]) -> range:
        return equal(shapes)[shift : shift + n_places] or equal(shapes)

    monkeypatch.setattr(_passes, "equal", fewer)
    assert_same_bytes(bayes.predict(networks, rows, n_passes=110, seed=3), ensemble)
    again = bayes.predict(NETWORK, rows, n_passes=110, seed=3, tolerance=1e-9)
    assert_same_bytes(again, stopped)
    assert bayes.representations(NETWORK, rows, 2, n_passes=110).tobytes() == hidden.tobytes()


@pytest.mark.equality
@pytest.mark.parametrize("n_passes", [1, 3, 50, 77])
def test_a_row_that_is_repeated_has_one_answer(n_passes: int) -> None:
    rows = np.repeat(ROWS[:1], 700, axis=0)
    found = bayes.predict(NETWORK, rows, n_passes=n_passes)
    for name in FIELDS:
        values = getattr(found, name)
        assert values.tobytes() == np.repeat(values[:1], 700, axis=0).tobytes(), name


@pytest.mark.equality
def test_predictions_side_by_side_do_not_matter(reference: Posterior) -> None:
    def predict(number: int) -> Posterior:
        return bayes.predict(NETWORK, ROWS[: 20 * number], n_passes=12, seed=3)

    with ThreadPoolExecutor(4) as pool:
        for number, found in enumerate(pool.map(predict, range(1, 13)), 1):
            assert_same_bytes(found, take(reference, slice(20 * number)))


def test_predictions_side_by_side_leave_the_threads_of_blas_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The second prediction begins within the first one, and ends after it.
    draw, begun, met, ended = _rounds.draw, Event(), Event(), Event()

    def wait(
        networks: Sequence[Network], seed: int, passes: range, **kind: bool
    ) -> list[_rounds.Share]:
        assert {
            pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"
        } <= {1}
        (met if seed == 2 else begun).set()
        assert (ended if seed == 2 else met).wait(20)
        return draw(networks, seed, passes, **kind)

    monkeypatch.setattr(_rounds, "draw", wait)
    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(2) as pool:
        before = threadpool_info()
        first = pool.submit(bayes.predict, NETWORK, ROWS, n_passes=2, seed=1)
        assert begun.wait(20)
        second = pool.submit(bayes.predict, NETWORK, ROWS, n_passes=2, seed=2)
        first.result()
        ended.set()
        second.result()
        assert threadpool_info() == before


def test_input_is_not_changed() -> None:
    rows = ROWS.copy()
    bayes.predict(NETWORK, rows, n_passes=2)
    assert rows.tobytes() == ROWS.tobytes()


# --- mean and mutual information ---------------------------------------------------------------


def one_pass(
    network: Network, rows: NDArray[np.float32], seed: int, number: int
) -> NDArray[np.float64]:
    """One stochastic pass, written row by row and in double precision."""
    masks = bayes.dropout_masks(network, seed, number)
    result = np.empty((len(rows), len(network.classes)))
    for i, row in enumerate(rows.astype(float)):
        for layer, (kernel, bias) in enumerate(zip(network.kernels, network.biases, strict=True)):
            row = (row * masks[layer]) @ kernel.astype(float) + bias
            if layer < len(network.kernels) - 1:
                row = np.maximum(row, 0.0)
        weights = np.exp(row - row.max())
        result[i] = weights / weights.sum()
    return result


def test_equals_an_explicit_loop_over_passes(reference: Posterior) -> None:
    rows = ROWS[:40]
    p = np.array([one_pass(NETWORK, rows, 3, number) for number in range(12)])
    mean = p.mean(axis=0)

    def shannon(q: NDArray[np.float64]) -> NDArray[np.float64]:
        return -(q * np.log2(np.maximum(q, 1e-12))).sum(axis=-1)

    np.testing.assert_allclose(reference.probabilities[:40], mean, atol=SINGLE)
    np.testing.assert_allclose(reference.predictive_entropy[:40], shannon(mean), atol=SINGLE_BITS)
    expected = shannon(mean) - shannon(p).mean(axis=0)
    assert expected.min() > 1e-3  # the passes do differ
    np.testing.assert_allclose(reference.mutual_information[:40], expected, atol=SINGLE_BITS)
    votes = np.array([np.bincount(best, minlength=N_CLASSES) for best in p.argmax(axis=2).T])
    ratio = 1.0 - votes.max(axis=1) / 12
    assert ratio.max() > 0.1
    np.testing.assert_allclose(reference.variation_ratio[:40], ratio, atol=1e-12)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_bounds(scale: float) -> None:
    # From flat to certain. Single precision: a row of probabilities sums to one within 1e-6.
    found = bayes.predict(NETWORK, make_rows(scale=scale), n_passes=20)
    information, h = found.mutual_information, found.predictive_entropy
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0, atol=SINGLE)
    assert (information >= 0.0).all()
    assert (information <= h).all()
    assert (h <= np.log2(N_CLASSES) + 1e-5).all()
    assert (found.variation_ratio >= 0.0).all() and (found.variation_ratio < 1.0).all()
    assert (found.passes == 20).all()


@pytest.mark.equality
@pytest.mark.parametrize("n_passes", [1, 7, 10, 130])
def test_without_dropout_the_passes_agree(n_passes: int) -> None:
    fixed = make_network(dropout=0.0)
    found = bayes.predict(fixed, ROWS, n_passes=n_passes)
    np.testing.assert_array_equal(found.mutual_information, 0.0)
    np.testing.assert_array_equal(found.variation_ratio, 0.0)
    np.testing.assert_allclose(found.probabilities, fixed.probabilities(ROWS), atol=SINGLE)


def test_one_pass_holds_no_disagreement() -> None:
    found = bayes.predict(NETWORK, ROWS, n_passes=1, seed=9)
    np.testing.assert_array_equal(found.mutual_information, 0.0)
    np.testing.assert_array_equal(found.variation_ratio, 0.0)


#: Two inputs, two classes: whoever keeps its input alone is certain of its class; with both
#: or none of them kept the answer is one half each. So every pass is known from its masks.
DUEL = Network(
    (np.float32([[1e4, 0], [0, 1e4]]),),
    (np.zeros(2, dtype=np.float32),),
    0.5,
    ("left", "right"),
    SoapSettings(),
)
DUEL_ROW = np.ones((1, 2), dtype=np.float32)


def kept(seed: int, number: int) -> tuple[bool, bool]:
    left, right = bayes.dropout_masks(DUEL, seed, number)[0] > 0
    return bool(left), bool(right)


def test_two_certain_passes_that_contradict_each_other_hold_one_bit() -> None:
    seed = next(
        s for s in range(1000) if {kept(s, 0), kept(s, 1)} == {(True, False), (False, True)}
    )
    found = bayes.predict(DUEL, DUEL_ROW, n_passes=2, seed=seed)
    np.testing.assert_array_equal(found.probabilities, [[0.5, 0.5]])
    np.testing.assert_allclose(found.mutual_information, 1.0, rtol=ARITHMETIC)
    np.testing.assert_allclose(found.predictive_entropy, 1.0, rtol=ARITHMETIC)


def test_two_undecided_passes_that_agree_hold_nothing() -> None:
    seed = next(s for s in range(1000) if len({*kept(s, 0), *kept(s, 1)}) == 1)
    found = bayes.predict(DUEL, DUEL_ROW, n_passes=2, seed=seed)
    np.testing.assert_allclose(found.predictive_entropy, 1.0, rtol=ARITHMETIC)
    np.testing.assert_array_equal(found.mutual_information, 0.0)


def test_mutual_information_of_a_known_mixture() -> None:
    masks = [kept(0, number) for number in range(16)]
    p_left = np.mean([{(True, False): 1.0, (False, True): 0.0}.get(m, 0.5) for m in masks])
    undecided = np.mean([m[0] == m[1] for m in masks])
    assert 0 < undecided < 1 and p_left not in (0.0, 0.5, 1.0)
    h = -p_left * np.log2(p_left) - (1 - p_left) * np.log2(1 - p_left)
    found = bayes.predict(DUEL, DUEL_ROW, n_passes=16, seed=0)
    np.testing.assert_allclose(found.probabilities, [[p_left, 1 - p_left]], rtol=ARITHMETIC)
    # An undecided pass has an entropy of one bit, a certain one of none.
    np.testing.assert_allclose(found.mutual_information, h - undecided, rtol=ARITHMETIC)


def test_two_seeds_agree_within_three_standard_errors() -> None:
    rows, n_passes = ROWS[:6], 400
    single = np.array([one_pass(NETWORK, rows, 1, number) for number in range(200)])
    error = single.std(axis=0, ddof=1) * np.sqrt(2.0 / n_passes)
    one = bayes.predict(NETWORK, rows, n_passes=n_passes, seed=1).probabilities
    two = bayes.predict(NETWORK, rows, n_passes=n_passes, seed=2).probabilities
    assert (one != two).any()
    deviation = np.abs(one - two) / error
    # 66 values, not all independent: 99.7 % of them within three, none beyond five.
    assert np.mean(deviation <= STANDARD_ERRORS) >= 0.95
    assert deviation.max() < 5.0
    leading = (np.arange(6), one.argmax(axis=1))
    assert (deviation[leading] <= STANDARD_ERRORS).all()


# --- stopping at a tolerance -------------------------------------------------------------------


def replicates(n: int, n_passes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mutual information and its standard error of 40 rows in independent runs: (run, row)."""
    rows, every = ROWS[:40], np.arange(40)
    information, error = np.empty((n, 40)), np.empty((n, 40))
    with _rounds.cores():
        for seed in range(n):
            sums = Sums(40, N_CLASSES)
            for first in range(0, n_passes, _rounds.LENGTH):
                drawn = _rounds.draw((NETWORK,), seed, range(first, first + _rounds.LENGTH))
                for blocks in _rounds.lots(every, drawn):
                    inference._add_passes(rows, drawn, sums, blocks, scatter=True)
            information[seed], error[seed] = sums.results()[1], sums.standard_error(every)
    return information, error


@pytest.mark.parametrize("n_passes", [100, 200])
def test_standard_error_is_the_scatter_of_independent_runs(n_passes: int) -> None:
    information, error = replicates(200, n_passes)
    ratio = np.sqrt((error**2).mean(axis=0)) / information.std(axis=0, ddof=1)
    # The scatter of 200 runs is itself known to 5 %.
    assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
    assert (ratio > 0.75).all() and (ratio < 1.25).all()
    # Known from one run alone, too: nearly all errors within three of its standard errors.
    deviation = np.abs(information - information.mean(axis=0)) / error
    assert np.mean(deviation < STANDARD_ERRORS) > 0.98


def test_standard_error_is_that_of_the_divergences() -> None:
    p = np.array([one_pass(NETWORK, ROWS[:6], 3, number) for number in range(50)])
    mean = p.mean(axis=0)
    divergence = (p * np.log2(p / mean)).sum(axis=-1)
    sums = Sums(6, N_CLASSES)
    h = bayes.entropy(p).T.astype(np.float32)
    sums.add(np.arange(6), p.transpose(1, 0, 2).astype(np.float32), h, scatter=True)
    expected = divergence.std(axis=0, ddof=1) / np.sqrt(50)
    np.testing.assert_allclose(sums.standard_error(np.arange(6)), expected, rtol=1e-3)
    np.testing.assert_allclose(sums.results()[1], divergence.mean(axis=0), rtol=1e-3)


@pytest.mark.equality
def test_rows_stop_where_their_error_is_small_and_keep_the_numbers_they_had() -> None:
    found = bayes.predict(NETWORK, ROWS, n_passes=320, seed=3, tolerance=0.025)
    numbers = np.unique(found.passes)
    assert numbers.min() == bayes.MIN_PASSES and numbers.max() == 320 and len(numbers) > 4
    assert (numbers[:-1] % _rounds.LENGTH == 0).all()
    for number in numbers:
        rows = np.flatnonzero(found.passes == number)
        shorter = bayes.predict(NETWORK, ROWS[rows], n_passes=int(number), seed=3)
        assert_same_bytes(take(found, rows), shorter)


@pytest.mark.equality
def test_stopping_does_not_depend_on_other_rows() -> None:
    options = {"n_passes": 300, "seed": 3, "tolerance": 0.025}
    whole = bayes.predict(NETWORK, ROWS, **options)
    assert len(np.unique(whole.passes)) > 3
    order = np.random.default_rng(4).permutation(len(ROWS))
    assert_same_bytes(bayes.predict(NETWORK, ROWS[order], **options), take(whole, order))
    for row in (0, 150, 299):
        only = slice(row, row + 1)
        assert_same_bytes(bayes.predict(NETWORK, ROWS[only], **options), take(whole, only))


@pytest.mark.equality
def test_a_large_tolerance_takes_the_least_number_and_a_small_one_all() -> None:
    assert (bayes.predict(NETWORK, ROWS, n_passes=300, tolerance=9.0).passes == 100).all()
    all_passes = bayes.predict(NETWORK, ROWS[:9], n_passes=260, tolerance=1e-9)
    assert_same_bytes(all_passes, bayes.predict(NETWORK, ROWS[:9], n_passes=260))
    assert (bayes.predict(NETWORK, ROWS[:9], n_passes=30, tolerance=9.0).passes == 30).all()


def test_few_passes_that_agree_by_chance_do_not_stop_a_row() -> None:
    # Rarely dropped, an input decides: of 50 passes, with some seeds none drops it.
    rare = replace(DUEL, dropout=0.01, biases=(np.float32([0, 3e3]),))
    row = np.float32([[1.0, 0.0]])  # left, unless its input is dropped: then right

    def drops(seed: int, n: int) -> int:
        return sum(bayes.dropout_masks(rare, seed, k)[0][0] == 0 for k in range(n))

    seed = next(s for s in range(1000) if drops(s, 50) == 0 and drops(s, 100) > 0)
    assert bayes.predict(rare, row, n_passes=50, seed=seed).mutual_information[0] == 0.0
    found = bayes.predict(rare, row, n_passes=400, seed=seed, tolerance=0.01)
    assert found.passes[0] == 400 and found.mutual_information[0] > 0.0
    expected = 1.0 - drops(seed, 400) / 400
    assert found.variation_ratio[0] == pytest.approx(1.0 - expected, abs=1e-12)


@pytest.mark.parametrize("tolerance", [0.0, -0.01, np.nan, np.inf])
def test_bad_tolerance(tolerance: float) -> None:
    with pytest.raises(InputError, match=r"cannot be reached; give a positive number"):
        bayes.predict(NETWORK, ROWS, n_passes=2, tolerance=tolerance)


# --- ensembles ---------------------------------------------------------------------------------


def other_network() -> Network:
    """A network of the same classes that answers otherwise, and has other layers."""
    network = make_network(0.2, (N_FEATURES, 48))
    return replace(network, kernels=tuple(-kernel for kernel in network.kernels))


@pytest.mark.equality
def test_one_network_and_one_repeated_are_the_network_itself(reference: Posterior) -> None:
    for n in (1, 2, 5):
        found = bayes.predict(Ensemble((NETWORK,) * n), ROWS, n_passes=12, seed=3)
        assert_same_bytes(found, reference)


@pytest.mark.equality
@pytest.mark.parametrize("n_passes", [1, 2, 7, 60, 131])
def test_networks_take_the_passes_in_turn(n_passes: int) -> None:
    networks, rows = (NETWORK, other_network(), make_network(0.05)), ROWS[:3]
    p = np.array([one_pass(networks[k % 3], rows, 3, k) for k in range(n_passes)])
    found = bayes.predict(Ensemble(networks), rows, n_passes=n_passes, seed=3)
    mean = p.mean(axis=0)
    np.testing.assert_allclose(found.probabilities, mean, atol=SINGLE)
    expected = bayes.entropy(mean) - bayes.entropy(p).mean(axis=0)
    np.testing.assert_allclose(found.mutual_information, expected, atol=SINGLE_BITS)
    rest = bayes.predict(Ensemble(networks), ROWS, n_passes=n_passes, seed=3)
    assert_same_bytes(found, take(rest, slice(3)))


def test_networks_that_contradict_each_other_share_information_without_dropout() -> None:
    networks = replace(NETWORK, dropout=0.0), replace(other_network(), dropout=0.0)
    one, two = (bayes.predict(network, ROWS, n_passes=1).probabilities for network in networks)
    mean = (one + two) / 2
    expected = bayes.entropy(mean) - (bayes.entropy(one) + bayes.entropy(two)) / 2
    found = bayes.predict(Ensemble(networks), ROWS, n_passes=10)
    np.testing.assert_allclose(found.mutual_information, expected, atol=SINGLE_BITS)
    assert found.mutual_information.mean() > 0.1
    assert set(np.unique(found.variation_ratio)) == {0.0, 0.5}


def test_networks_in_a_list_are_no_ensemble() -> None:
    with pytest.raises(InputError, match=r"A list is no network: .*Ensemble\(\(first, second\)\)"):
        bayes.predict([NETWORK, NETWORK], ROWS)  # type: ignore[arg-type]


def test_labels_are_the_first_of_each_ranking(reference: Posterior) -> None:
    rows = ROWS.copy()
    rows[[0, 131]] = np.nan
    found = bayes.predict(NETWORK, rows, n_passes=12, seed=3)
    assert (found.labels[[0, 131]] == "").all()
    for row in np.setdiff1d(np.arange(len(rows)), [0, 131]):
        ranked = found.ranked(row)
        assert ranked.index[0] == found.labels[row]
        assert sorted(ranked.index) == sorted(NETWORK.classes)
        assert (np.diff(ranked) <= 0).all()
    by_class = found.ranked(5)[list(NETWORK.classes)]
    np.testing.assert_array_equal(by_class, found.probabilities[5])


def test_of_equal_probabilities_the_first_class_leads() -> None:
    seed = next(s for s in range(1000) if kept(s, 0) == (True, True))
    found = bayes.predict(DUEL, DUEL_ROW, n_passes=1, seed=seed)
    assert found.probabilities.tolist() == [[0.5, 0.5]]
    assert found.labels.tolist() == ["left"] and list(found.ranked(0).index) == ["left", "right"]


# --- representations ---------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [1, 2])
def test_representations_are_means_over_the_same_passes(layer: int) -> None:
    total = np.zeros((30, (32, 24)[layer - 1]))
    for number in range(60):
        masks, x = bayes.dropout_masks(NETWORK, 3, number), ROWS[:30].astype(float)
        for kernel, bias, mask in list(zip(NETWORK.kernels, NETWORK.biases, masks, strict=True))[
            :layer
        ]:
            x = np.maximum((x * mask) @ kernel.astype(float) + bias, 0.0)
        total += x
    found = bayes.representations(NETWORK, ROWS[:30], layer, n_passes=60, seed=3)
    np.testing.assert_allclose(found, total / 60, rtol=1e-5, atol=1e-5)


@pytest.mark.equality
def test_representations_do_not_depend_on_batch_or_order() -> None:
    rows = ROWS.copy()
    rows[7] = np.nan
    whole = bayes.representations(NETWORK, rows, 1, n_passes=70)
    assert np.isnan(whole[7]).all() and np.isfinite(np.delete(whole, 7, axis=0)).all()
    order = np.random.default_rng(4).permutation(len(rows))
    found = bayes.representations(NETWORK, rows[order], 1, n_passes=70)
    assert found.tobytes() == whole[order].tobytes()
    for row in (0, 299):
        alone = bayes.representations(NETWORK, rows[row : row + 1], 1, n_passes=70)
        assert alone.tobytes() == whole[row].tobytes()
    assert bayes.representations(NETWORK, rows[:0], 2, n_passes=2).shape == (0, 24)


def test_an_ensemble_has_no_layers() -> None:
    alone = bayes.representations(Ensemble((NETWORK,)), ROWS[:3], 1, n_passes=2)
    np.testing.assert_array_equal(alone, bayes.representations(NETWORK, ROWS[:3], 1, n_passes=2))
    with pytest.raises(InputError, match="ensemble of 2 networks has no layers"):
        bayes.representations(Ensemble((NETWORK, NETWORK)), ROWS[:3], 1)


@pytest.mark.parametrize("layer", [0, 3, -1])
def test_no_such_layer(layer: int) -> None:
    with pytest.raises(InputError, match=f"no hidden layer {layer}; this network has 1 to 2"):
        bayes.representations(NETWORK, ROWS, layer)


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.equality
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_undefined_rows_are_nan_and_disturb_nothing(reference: Posterior, bad: float) -> None:
    rows = ROWS.copy()
    rows[[0, 131], 4] = bad
    found = bayes.predict(NETWORK, rows, n_passes=12, seed=3)
    assert np.isnan(found.probabilities[[0, 131]]).all()
    assert np.isnan(found.mutual_information[[0, 131]]).all()
    assert np.isnan(found.predictive_entropy[[0, 131]]).all()
    assert np.isnan(found.variation_ratio[[0, 131]]).all()
    assert (found.passes[[0, 131]] == 0).all()
    others = np.setdiff1d(np.arange(len(rows)), [0, 131])
    assert_same_bytes(take(found, others), take(reference, others))


def test_only_undefined_rows_and_no_rows() -> None:
    nothing = bayes.predict(NETWORK, np.full((3, N_FEATURES), np.nan), n_passes=2)
    assert nothing.probabilities.shape == (3, N_CLASSES)
    assert np.isnan(nothing.probabilities).all() and np.isnan(nothing.mutual_information).all()
    empty = bayes.predict(NETWORK, np.empty((0, N_FEATURES)), n_passes=2)
    assert empty.probabilities.shape == (0, N_CLASSES)
    assert empty.mutual_information.shape == (0,)


@pytest.mark.parametrize("shape", [(3, N_FEATURES - 1), (N_FEATURES,), (1, 2, N_FEATURES)])
def test_wrong_width(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"this network wants \(n_rows, 20\).*own settings"):
        bayes.predict(NETWORK, np.zeros(shape), n_passes=2)


@pytest.mark.parametrize("n_passes", [0, -1, 20.5, np.nan])
def test_no_passes(n_passes: int) -> None:
    with pytest.raises(InputError, match=f"{n_passes} passes give no prediction.*1 or more"):
        bayes.predict(NETWORK, ROWS, n_passes=n_passes)
    with pytest.raises(InputError, match="1 or more"):
        bayes.representations(NETWORK, ROWS, 1, n_passes=n_passes)


@pytest.mark.parametrize("seed", [-1, 2**64, 0.5])
def test_no_seed(seed: int) -> None:
    with pytest.raises(InputError, match=f"A seed of {seed} is no whole number"):
        bayes.predict(NETWORK, ROWS, n_passes=2, seed=seed)


# --- memory ------------------------------------------------------------------------------------


def test_passes_are_summed_not_kept() -> None:
    rows = make_rows(2000)
    tracemalloc.start()
    try:
        bayes.predict(NETWORK, rows, n_passes=50)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    kept_whole = 50 * 2000 * N_CLASSES * 8  # bytes of all passes in double precision
    assert peak < kept_whole / 4


def test_ten_thousand_rows_take_little_memory() -> None:
    # Masks are drawn for one round at a time and sums do not grow with the passes: two rounds show
    # the peak of any number.
    large = make_network(0.0317, (316, 256, 512, 256))
    large = replace(
        large,
        kernels=(*large.kernels[:-1], np.zeros((256, 108), dtype=np.float32)),
        biases=(*large.biases[:-1], np.zeros(108, dtype=np.float32)),
        classes=tuple(f"class {i}" for i in range(108)),
    )
    rows = np.random.default_rng(5).random((10_000, 316), dtype=np.float32)
    tracemalloc.start()
    try:
        bayes.predict(large, rows, n_passes=_rounds.LENGTH + 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100e6


# --- the passes one by one ---------------------------------------------------------------------


def test_every_pass_is_one_of_those_that_predict_averages(reference: Posterior) -> None:
    passes = bayes.every_pass(NETWORK, ROWS, n_passes=reference.passes[0], seed=3)
    assert passes.shape == (len(ROWS), reference.passes[0], len(NETWORK.classes))
    np.testing.assert_allclose(passes.sum(axis=2), 1, atol=SINGLE)
    np.testing.assert_allclose(passes.mean(axis=1), reference.probabilities, atol=SINGLE)
    scatter = bayes.entropy(passes.mean(axis=1, dtype=float)) - bayes.entropy(passes).mean(axis=1)
    np.testing.assert_allclose(scatter, reference.mutual_information, atol=SINGLE_BITS)


def test_every_pass_of_an_ensemble_is_of_its_members_in_turn() -> None:
    other = replace(NETWORK, biases=tuple(bias + np.float32(0.5) for bias in NETWORK.biases))
    both = bayes.every_pass(Ensemble((NETWORK, other)), ROWS, n_passes=8, seed=5)
    whole = bayes.predict(Ensemble((NETWORK, other)), ROWS, n_passes=8, seed=5)
    np.testing.assert_allclose(both.mean(axis=1), whole.probabilities, atol=SINGLE)
    assert not np.allclose(both[:, 0], both[:, 1])


def test_every_pass_needs_a_descriptor() -> None:
    rows = ROWS.copy()
    rows[0, 0] = np.nan
    with pytest.raises(InputError, match="not defined there is no pass"):
        bayes.every_pass(NETWORK, rows, n_passes=3)


# --- stratified masks --------------------------------------------------------------------------


@pytest.mark.equality
def test_stratified_masks_drop_each_input_equally_often() -> None:
    rate = 0.1 * SWEEP
    seen = [stratified_masks(NETWORK, 3, range(k * SWEEP, (k + 1) * SWEEP)) for k in range(40)]
    for layer, width in enumerate((N_FEATURES, 32, 24)):
        drops = np.array([(masks[layer] == 0).sum(axis=1) for masks in seen])  # (sweep, input)
        assert drops.shape == (40, width)
        assert drops.min() >= np.floor(rate) and drops.max() <= np.ceil(rate)
        values = np.concatenate([masks[layer] for masks in seen], axis=1)
        assert set(np.unique(values)) == {np.float32(0.0), np.float32(1.0 / 0.9)}
        # One pass for itself is as without strata: inputs are dropped independently.
        of_pass = (values == 0).sum(axis=0)
        assert of_pass.var(ddof=1) == pytest.approx(0.1 * 0.9 * width, rel=0.2)
    # The order is drawn anew for each input and sweep.
    assert len({masks[0].tobytes() for masks in seen}) == 40
    assert len({row.tobytes() for row in seen[0][0]}) > 0.9 * N_FEATURES


@pytest.mark.equality
def test_stratified_masks_of_a_pass_do_not_depend_on_what_is_drawn_with_it() -> None:
    whole = stratified_masks(NETWORK, 3, range(3 * SWEEP))
    for numbers in (range(1), range(7, 30), range(SWEEP - 3, SWEEP + 4), range(20, 3 * SWEEP)):
        some = stratified_masks(NETWORK, 3, numbers)
        for a, b in zip(some, whole, strict=True):
            np.testing.assert_array_equal(a, b[:, numbers.start : numbers.stop])
            assert a.flags["C_CONTIGUOUS"]
    # In an ensemble of three each network has sweeps of its own, three times as long.
    own = stratified_masks(NETWORK, 3, range(1, 3 * SWEEP, 3))
    part = stratified_masks(NETWORK, 3, range(10, 40, 3))
    assert (own[0] == 0).sum(axis=1).max() <= np.ceil(0.1 * SWEEP)
    np.testing.assert_array_equal(part[0], own[0][:, 3:13])
    other = stratified_masks(NETWORK, 3, range(2, 3 * SWEEP, 3))
    assert (own[0] != other[0]).any() and (own[0] != whole[0][:, :SWEEP]).any()


@pytest.mark.equality
def test_stratified_passes_do_not_depend_on_other_rows() -> None:
    options = {"n_passes": 300, "seed": 3, "tolerance": 0.025, "stratified": True}
    whole = bayes.predict(NETWORK, ROWS, **options)
    assert len(np.unique(whole.passes)) > 3
    order = np.random.default_rng(4).permutation(len(ROWS))
    assert_same_bytes(bayes.predict(NETWORK, ROWS[order], **options), take(whole, order))
    for number in np.unique(whole.passes):
        rows = np.flatnonzero(whole.passes == number)
        alone = {"n_passes": int(number), "seed": 3, "stratified": True}
        assert_same_bytes(take(whole, rows), bayes.predict(NETWORK, ROWS[rows], **alone))


def test_stratified_passes_have_the_same_mean_and_less_scatter() -> None:
    def runs(stratified: bool) -> NDArray[np.float64]:
        options = {"n_passes": 2 * SWEEP, "stratified": stratified}
        return np.array(
            [bayes.predict(NETWORK, ROWS[:40], seed=s, **options).probabilities for s in range(60)]
        )

    plain, better = runs(False), runs(True)
    error = np.sqrt((plain.var(axis=0, ddof=1) + better.var(axis=0, ddof=1)) / 60)
    apart = np.abs(plain.mean(axis=0) - better.mean(axis=0)) / np.maximum(error, 1e-9)
    # The same masks serve all rows and classes, so few of these numbers are independent.
    assert np.sqrt(np.mean(apart**2)) < 2.0
    scatter = np.sqrt(better.var(axis=0, ddof=1).mean() / plain.var(axis=0, ddof=1).mean())
    assert scatter < 0.85
