"""Trials: drawn from their seed, kinds of equal weight, and a rule that can go either way."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest

from arise_lib.structures import prototypes
from arise_lib.training import trials
from arise_lib.training.kin import NEAR_KIN

FEW = {"n_images": 1, "n_boxes": 2, "n_cuts": 1, "n_other": 5, "n_kin": 1}


def test_kinds_and_classes() -> None:
    drawn = trials.draw_trials(1, **FEW)
    kinds = Counter(one.group.partition(":")[0] for one in drawn)
    assert kinds == {"sheets": 30, "alloys": 6, "crystals": 150, "other": 5, "kin": len(NEAR_KIN)}
    assert tuple(kinds) == trials.KINDS
    known = {*prototypes.LABELS, prototypes.OTHER}
    assert {one.label for one in drawn} <= known


def test_a_trial_depends_on_its_own_seed_alone() -> None:
    few, more = trials.draw_trials(1, **FEW), trials.draw_trials(1, **FEW | {"n_boxes": 3})
    named = {one.group: one.atoms for one in more}
    assert [one.atoms for one in few if one.group == "other: all"][-1] == named["other: all"]
    other = trials.draw_trials(2, **FEW)
    assert other[0].atoms != few[0].atoms


def test_kinds_count_the_same() -> None:
    drawn = trials.draw_trials(0, n_images=0, n_boxes=2, n_cuts=0, n_other=3, n_kin=1)
    shares = trials.score_trials(drawn, "arise", n_passes=5)
    assert shares["other"] == 0.0  # it has no such answer
    groups = shares[[key for key in shares.index if key.startswith("kin: ")]]
    assert shares["kin"] == pytest.approx(groups.mean())
    assert shares["score"] == pytest.approx(shares[["alloys", "other", "kin"]].mean())


def test_rule() -> None:
    seeds = pd.Series({"seed 0": 98.1, "seed 1": 98.3, "seed 2": 98.3})
    assert trials.best(seeds, 98.4) == "seed 1"
    assert trials.best(seeds, 98.5 + 1e-9) == "ensemble"
