"""Selection: the structures are those of the paper, and no draw is the benchmark's."""

from __future__ import annotations

import numpy as np
import pytest

from arise_lib import network, samples
from arise_lib.storage import paths
from arise_lib.training import datasets, selection
from arise_lib.training.units import DISPLACEMENTS, MISSING, defective_units


def test_mild_means_what_the_paper_says() -> None:
    displaced = [DISPLACEMENTS[step] for kind, step in selection.MILD if kind == "displaced"]
    missing = [MISSING[step] for kind, step in selection.MILD if kind == "missing"]
    assert max(displaced) < 0.01 and max(missing) <= 0.05
    assert displaced == [d for d in DISPLACEMENTS if d < 0.01]
    assert missing == [m for m in MISSING if m <= 0.05]


def test_selection_and_benchmark_share_no_structure() -> None:
    for kind, step in selection.MILD:
        ours = {unit.seed for unit in defective_units(kind, step, 0, seed=selection.SEED)}
        assert not ours & {unit.seed for unit in defective_units(kind, step, 0)}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """Two classes and a small sample instead of everything."""
    labels = ("fcc", "graphene")
    monkeypatch.setattr(paths, "DERIVED", tmp_path)
    for name in ("pristine_set", "defective_set"):
        whole = getattr(datasets, name)
        monkeypatch.setattr(
            selection, name, lambda *a, _whole=whole, **k: _whole(*a, labels=labels, **k)
        )
    sample = tuple(samples.draw(9, n_images=3, n_boxes=1, n_cuts=0))
    monkeypatch.setattr(selection, "sample", lambda: sample)
    selection.sample_features.cache_clear()
    yield
    selection.sample_features.cache_clear()


def test_scores(few: None) -> None:
    trained = network.load("arise")
    mild = selection.selection_set(trained.settings, draws=[0])
    # Two classes x (4 pristine + 6 conditions x 3 supercells x 2).
    assert mild.features.shape == (2 * (4 + 36), 316)
    assert mild.units["displacement"].max() < 0.01 and mild.units["missing"].max() == 0.05
    scores = selection.score(trained, mild, n_passes=10)
    groups = [scores[key] for key in scores if key not in ("selection", "experiments")]
    assert scores["experiments"] == pytest.approx(np.mean(groups))
    missed = selection.missed(trained, mild)
    assert scores["selection"] == pytest.approx(100 * (1 - len(missed) / len(mild)))

    # A network whose last layer always answers the first class misses all others.
    blind = network.Network(
        tuple(0 * kernel for kernel in trained.kernels),
        (*trained.biases[:-1], np.eye(108, dtype=np.float32)[0]),
        trained.dropout,
        trained.classes,
        trained.settings,
    )
    expected = 100 * float(np.mean(mild.classes == 0))
    assert selection.score(blind, mild, n_passes=2)["selection"] == pytest.approx(expected)
    assert {answer for _, answer in selection.missed(blind, mild)} == {trained.classes[0]}


def test_answers_are_compared_by_name(few: None) -> None:
    trained = network.load("arise")
    mild = selection.selection_set(trained.settings, draws=[])
    renumbered = mild.numbered(trained.classes[::-1])
    assert selection.missed(trained, renumbered) == selection.missed(trained, mild) == []
