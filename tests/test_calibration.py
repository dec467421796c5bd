"""Calibration: cases that are right by construction."""

from __future__ import annotations

import numpy as np
import pytest

from arise_lib.bayes.calibration import auroc, calibration_error, false_accept, reliability
from arise_lib.errors import InputError


def test_a_calibrated_answer_has_no_gap() -> None:
    """Of four answers given with 75 %, three are right; of one with 5 %, none."""
    table = reliability([0.75] * 4 + [0.05], [True, True, True, False, False])
    assert list(table["rows"]) == [1, 4]
    np.testing.assert_allclose(table["confidence"], [0.05, 0.75])
    np.testing.assert_allclose(table["accuracy"], [0, 0.75])
    assert calibration_error(table) == pytest.approx(0.05 / 5)


def test_an_overconfident_answer_has_the_whole_gap() -> None:
    table = reliability([1.0, 1.0], [True, False])
    assert list(table["rows"]) == [2] and calibration_error(table) == pytest.approx(0.5)


def test_many_draws_are_calibrated_within_their_error() -> None:
    generator = np.random.default_rng(0)
    p = generator.random(20_000)
    table = reliability(p, generator.random(p.size) < p)
    assert len(table) == 10 and calibration_error(table) < 0.02


def test_auroc() -> None:
    assert auroc([2, 3], [0, 1]) == 1.0
    assert auroc([0, 1], [2, 3]) == 0.0
    assert auroc([1, 1], [1]) == 0.5
    # Of six pairs, three are in order, one is a tie.
    assert auroc([1, 2, 4], [1, 3]) == pytest.approx((0.5 + 1 + 2) / 6)


@pytest.mark.parametrize(
    ("confidence", "right"), [([], []), ([0.5], [True, False]), ([1.5], [True]), ([np.nan], [True])]
)
def test_bad_input(confidence: list, right: list) -> None:
    with pytest.raises(InputError):
        reliability(confidence, right)


def test_auroc_needs_both_kinds() -> None:
    with pytest.raises(InputError, match="0 negative"):
        auroc([1.0], [])


def test_false_accept_counts_what_passes_at_the_recall_of_the_others() -> None:
    low = np.arange(100) / 100.0
    assert false_accept([0.945, 0.935, 0.5, 2.0], low) == 0.5
    assert false_accept([0.94, 0.5], low) == 1.0
    assert false_accept(low, low, recall=1.0) == 1.0
    with pytest.raises(InputError, match="recall of 0"):
        false_accept(low, low, recall=0.0)
    with pytest.raises(InputError, match="finite"):
        false_accept([np.nan], low)
