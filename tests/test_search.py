"""The search goes on where it stopped, and an interruption changes nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from arise_lib.descriptor import SoapSettings
from arise_lib.errors import DataError, InputError
from arise_lib.network import load
from arise_lib.storage import jsonl, paths
from arise_lib.training import datasets, kept, search
from arise_lib.training.fit import Training, train


def bowl(training: Training) -> dict[str, float]:
    """Make an accuracy with one best point: three layers, learning rate 1e-3."""
    miss = abs(len(training.hidden) - 3) + 100 * abs(training.learning_rate - 1e-3)
    return {"val_accuracy": 0.99 - 0.01 * miss}


def few_rows() -> datasets.DataSet:
    features = np.random.default_rng(0).random((40, 5), dtype=np.float32)
    return datasets.DataSet(features, np.arange(40) % 2, ("a", "b"), pd.DataFrame(index=range(40)))


def run(path: Path, n_trials: int) -> list[kept.Row]:
    return list(search.search(path, n_trials, bowl, epochs=5, patience=2, seed=1))


def test_interrupted_equals_one_go(tmp_path: Path) -> None:
    one_go, pieces = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    run(one_go, 30)
    assert [len(run(pieces, n)) for n in (12, 12, 23, 30)] == [12, 0, 11, 7]
    assert pieces.read_bytes() == one_go.read_bytes()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"seed": 2}, r"trial 0 of a search with seed = 1, epochs = 5, patience = 2; asked for is "
                      r"trial 0 with seed = 2, epochs = 5, patience = 2"),
        ({"epochs": 6}, "with seed = 1, epochs = 6, patience = 2"),
        ({"patience": 3}, "with seed = 1, epochs = 5, patience = 3"),
    ],
)  # fmt: skip
def test_rows_of_two_searches_are_not_mixed(
    tmp_path: Path, other: dict[str, int], said: str
) -> None:
    path = tmp_path / "trials.jsonl"
    run(path, 2)
    before = path.read_bytes()
    for n_trials in (2, 3):  # also where nothing is left to do
        with pytest.raises(InputError, match=said):
            list(
                search.search(
                    path, n_trials, bowl, **{"epochs": 5, "patience": 2, "seed": 1} | other
                )
            )
    assert path.read_bytes() == before


def test_a_lost_row_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    run(path, 3)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[2])
    with pytest.raises(InputError, match=r"Line 1 of trials\.jsonl is trial 2"):
        run(path, 4)


def test_the_kept_search_goes_on_with_its_own_numbers_only(tmp_path: Path) -> None:
    """Its rows do not say how long a training might be: the defaults."""
    path = tmp_path / "quip.jsonl"
    path.write_text((paths.DATA / "search" / "quip.jsonl").read_text())
    rows = jsonl.read_rows(path)
    assert list(search.search(path, len(rows), bowl, seed=42)) == []
    assert {(t.epochs, t.patience) for t in map(kept.training_of, rows)} == {(300, 30)}
    for other in ({"seed": 0}, {"seed": 42, "epochs": 100}, {"seed": 42, "patience": 10}):
        with pytest.raises(InputError, match=r"Line 0 of quip\.jsonl"):
            list(search.search(path, len(rows), bowl, **other))


def test_a_row_says_all_that_trains_its_network_again(tmp_path: Path) -> None:
    trained: list[Training] = []

    def remember(training: Training) -> dict[str, float]:
        trained.append(training)
        return bowl(training)

    path = tmp_path / "trials.jsonl"
    list(search.search(path, 2, remember, epochs=7, patience=4, seed=3))
    assert [kept.training_of(row) for row in jsonl.read_rows(path)] == trained


def test_trials_at_once_equal_one_by_one(tmp_path: Path) -> None:
    run(tmp_path / "one.jsonl", 30)
    path = tmp_path / "at_once.jsonl"
    with ThreadPoolExecutor(2) as executor:
        list(search.search(path, 30, bowl, epochs=5, patience=2, seed=1, executor=executor))
    assert path.read_bytes() == (tmp_path / "one.jsonl").read_bytes()


def test_a_proposal_does_not_wait_for_the_trials_in_flight(tmp_path: Path) -> None:
    rows = run(tmp_path / "trials.jsonl", 30)
    for number in (0, 1, 25, 29):
        finished = rows[: max(0, number - search.IN_FLIGHT)]
        assert search.propose(finished, number, 1) == search.propose(rows, number, 1)
    assert search.propose(rows[:26], 29, 1) != search.propose(rows, 29, 1)


def test_the_kept_trials_are_those_proposed() -> None:
    """The table in `data/search` is what this code proposes, from the first row to the last."""
    rows = jsonl.read_rows(paths.DATA / "search" / "quip.jsonl")
    for number, row in enumerate(rows):
        assert search.propose(rows, number, rows[0]["seed"])[1] == pytest.approx(row["draws"])


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


def test_a_network_is_trained_once_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, training = tmp_path / "deep", Training(hidden=(8,), epochs=2, seed=3)
    data = few_rows()
    first = kept.kept(folder, data, SoapSettings(), training)
    history = pd.read_csv(
        (folder / kept.weights_name(training)).with_suffix(".csv"), index_col="epoch"
    )
    assert list(history.columns) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert len(history) == 2

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(kept, "train", refuse)
    again = kept.kept(folder, data, SoapSettings(), training)
    np.testing.assert_array_equal(first.kernels[0], again.kernels[0])


def test_a_folder_of_other_classes_is_refused(tmp_path: Path) -> None:
    training, data = Training(hidden=(8,), epochs=1), few_rows()
    kept.kept(tmp_path, data, SoapSettings(), training)
    with pytest.raises(InputError, match="keeps a network of 2 classes, from 'a' on"):
        kept.kept(tmp_path, replace(data, labels=("a", "c")), SoapSettings(), training)


def test_settling_what_was_kept_equals_training_in_one_go(tmp_path: Path) -> None:
    training, data = Training(hidden=(8,), epochs=3, settle=2, seed=5), few_rows()
    kept.kept(tmp_path, data, SoapSettings(), replace(training, settle=0))
    in_two = kept.kept(tmp_path, data, SoapSettings(), training)
    in_one, history = train(data, SoapSettings(), training)
    assert len(history) == 5
    kept_history = pd.read_csv(
        (tmp_path / kept.weights_name(training)).with_suffix(".csv"), index_col="epoch"
    )
    pd.testing.assert_frame_equal(kept_history, history, check_names=False)
    for one, two in zip(in_one.kernels, in_two.kernels, strict=True):
        np.testing.assert_array_equal(one, two)


def test_evaluation_keeps_what_it_trained(tmp_path: Path) -> None:
    data = few_rows()
    training = Training(hidden=(8,), epochs=3)
    figures = search.evaluate(training, data, SoapSettings(), tmp_path)
    path = tmp_path / kept.weights_name(training)
    history = pd.read_csv(path.with_suffix(".csv"), index_col="epoch")
    best = figures["best_epoch"] - 1
    assert figures["val_accuracy"] == pytest.approx(history["val_accuracy"].max(), abs=1e-6)
    assert history["val_accuracy"][best] == history["val_accuracy"].max()
    assert load(path).accuracy(data) == pytest.approx(figures["accuracy"], abs=1e-6)


def test_another_training_is_another_file() -> None:
    one = Training(hidden=(8,), epochs=3, settle=2)
    others = (replace(one, settle=4), replace(one, settle=0), replace(one, dropout=0.5))
    assert len({kept.weights_name(training) for training in (one, *others)}) == 4
    again = Training(**json.loads(json.dumps(asdict(one))) | {"hidden": (8,)})
    assert kept.weights_name(again) == kept.weights_name(one)


def test_damaged_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    run(path, 2)
    path.write_text(path.read_text() + json.dumps({"trial": 2})[:-3] + "\n")
    with pytest.raises(DataError, match=r"trials\.jsonl, line 3 cannot be read"):
        jsonl.read_rows(path)
