"""Ordinary samples put to networks and to PTM."""

from __future__ import annotations

import numpy as np
import pytest

from arise_lib.baselines import ask, ordinary_answers
from arise_lib.baselines.ordinary import PTM
from arise_lib.samples import Sample, no_crystal, ordinary_samples
from arise_lib.structures import prototypes, supercell


@pytest.fixture(scope="module")
def mixed() -> list[Sample]:
    crystal = supercell(prototypes.build("fcc"), 5, periodic=True)
    alloy = crystal.copy()
    alloy.symbols[::2] = "Ag"
    return [Sample("a", "fcc", crystal), Sample("b", "fcc", alloy)]


def test_what_is_right_and_what_is_certain(mixed: list[Sample]) -> None:
    found = ordinary_answers(["arise"], mixed, passes=100).set_index(["method", "group"])
    assert found.loc[("arise", "a"), ["answer", "right", "certain_wrong"]].tolist() == ["fcc", 1, 0]
    for group in "ab":
        assert found.loc[(PTM, group), ["answer", "right"]].tolist() == ["fcc", 1]


def test_what_is_no_crystal() -> None:
    gas = no_crystal(np.random.default_rng(0), "gas")
    found = ask(["arise", "robust"], [gas], [{"label": prototypes.OTHER}], passes=100)
    assert found["right"].tolist() == [0.0, 1.0]  # the first has no such answer


def test_a_structure_is_answered_alone_as_with_others(mixed: list[Sample]) -> None:
    atoms, facts = [one.atoms for one in mixed], [{"label": one.label} for one in mixed]
    both = ask(["arise"], atoms, facts, passes=100)
    alone = ask(["arise"], atoms[1:], facts[1:], passes=100)
    assert both["probability"][1] == alone["probability"][0]


def test_classes_that_ptm_does_not_treat_have_no_score() -> None:
    salt = [one for one in ordinary_samples() if one.label == "NaCl"][:1]
    found = ordinary_answers(["arise"], salt, passes=100)
    right = found.set_index("method")["right"]
    assert np.isnan(right[PTM]) and right["arise"] in (0.0, 1.0)
