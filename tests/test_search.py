"""The search goes on where it stopped, and an interruption changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arise_lib import search
from arise_lib.errors import DataError
from arise_lib.network import Training


def bowl(training: Training) -> dict[str, float]:
    """Make an accuracy with one best point: three layers, learning rate 1e-3."""
    miss = abs(len(training.hidden) - 3) + 100 * abs(training.learning_rate - 1e-3)
    return {"val_accuracy": 0.99 - 0.01 * miss}


def run(path: Path, n_trials: int) -> list[search.Row]:
    return list(search.search(path, n_trials, bowl, epochs=5, patience=2, seed=1))


def test_interrupted_equals_one_go(tmp_path: Path) -> None:
    one_go, pieces = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    run(one_go, 30)
    assert [len(run(pieces, n)) for n in (12, 12, 23, 30)] == [12, 0, 11, 7]
    assert pieces.read_bytes() == one_go.read_bytes()


def test_a_failing_trial_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    run(path, 3)
    before = path.read_bytes()

    def fails(training: Training) -> dict[str, float]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(search.search(path, 4, fails, epochs=5, patience=2, seed=1))
    assert path.read_bytes() == before


def test_points_lie_in_the_space_and_differ(tmp_path: Path) -> None:
    rows = run(tmp_path / "trials.jsonl", 30)
    for row in rows:
        assert len(row["hidden"]) in search.DEPTHS
        assert set(row["hidden"]) <= set(search.WIDTHS)
        assert row["batch_size"] in search.BATCH_SIZES
        assert search.LEARNING_RATES[0] <= row["learning_rate"] <= search.LEARNING_RATES[1]
        assert search.DROPOUTS[0] <= row["dropout"] <= search.DROPOUTS[1]
    assert len({row["learning_rate"] for row in rows}) == 30
    assert len({len(row["hidden"]) for row in rows}) > 2


def test_tpe_learns_from_the_rows(tmp_path: Path) -> None:
    """After its 20 random trials TPE must do better than they did on average."""
    losses = [row["loss"] for row in run(tmp_path / "trials.jsonl", 45)]
    assert sum(losses[20:]) / 25 < sum(losses[:20]) / 20


def test_damaged_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    run(path, 2)
    path.write_text(path.read_text() + json.dumps({"trial": 2})[:-3] + "\n")
    with pytest.raises(DataError, match=r"trial 2 in trials\.jsonl is not readable"):
        search.read_trials(path)
