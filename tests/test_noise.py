"""Noisy structures: seeded, of every class, and of the stated kinds and sizes."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from arise_lib.descriptor import SoapSettings
from arise_lib.storage import paths
from arise_lib.structures import prototypes
from arise_lib.structures.pieces import MIN_ATOMS_OF_SPECIES
from arise_lib.training import noise
from arise_lib.training.noise import NoisyUnit, noisy_set, noisy_units

N = 5 * len(prototypes.LABELS)


@pytest.fixture(scope="module")
def structures() -> list:
    return [unit.build() for unit in noisy_units(N, 3)]


def test_every_class_comes_in_turn() -> None:
    units = noisy_units(N, 3)
    assert Counter(unit.label for unit in units) == Counter(dict.fromkeys(prototypes.LABELS, 5))
    assert noisy_units(7, 3) == units[:7]
    assert not {u.seed for u in units} & {u.seed for u in noisy_units(N, 4)}


def test_a_structure_depends_on_its_seed_alone(structures: list) -> None:
    units = noisy_units(N, 3)
    for k in (400, 13, 77):
        assert units[k].build() == structures[k]
    assert NoisyUnit("fcc", (1, 0)).build() != NoisyUnit("fcc", (1, 1)).build()


def test_sizes_and_kinds(structures: list) -> None:
    sizes = np.array([len(atoms) for atoms in structures])
    low, high = noise.SIZES
    # A box holds its number of atoms on average only, and missing atoms are taken out of it.
    assert sizes.min() >= 0.5 * low and np.median(sizes) == pytest.approx(130, abs=40)
    periodic = [
        bool(atoms.pbc.any())
        for unit, atoms in zip(noisy_units(N, 3), structures, strict=True)
        if any(prototypes.get(unit.label).pbc)
    ]
    assert np.mean(periodic) == pytest.approx(0.25, abs=0.08)
    free = [len(atoms) for atoms in structures if not atoms.pbc.any()]
    assert max(free) <= 2.0 * high


def test_free_pieces_hold_no_rare_species(structures: list) -> None:
    for atoms in structures:
        if not atoms.pbc.any():
            counts = Counter(atoms.numbers)
            assert min(counts.values()) >= MIN_ATOMS_OF_SPECIES


def test_species_stay_those_of_the_class_but_for_random_occupation(structures: list) -> None:
    occupied = 0
    for unit, atoms in zip(noisy_units(N, 3), structures, strict=True):
        own = set(prototypes.build(unit.label).numbers)
        if len(own) == 1 and len(set(atoms.numbers)) == 2:
            occupied += 1
        else:
            assert set(atoms.numbers) <= own
    single = sum(len(set(prototypes.build(u.label).numbers)) == 1 for u in noisy_units(N, 3))
    assert occupied / single == pytest.approx(0.15, abs=0.07)


def test_the_set_is_the_same_in_pieces_and_in_processes(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "DERIVED", tmp_path / "threads")
    with ThreadPoolExecutor(2) as pool:
        whole = noisy_set(60, 5, SoapSettings(), executor=pool)
    monkeypatch.setattr(paths, "DERIVED", tmp_path / "processes")
    monkeypatch.setattr(noise, "_PIECE", 17)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pieces = noisy_set(60, 5, SoapSettings(), executor=pool)
    assert np.array_equal(whole.features, pieces.features)
    assert np.array_equal(whole.classes, pieces.classes)
    assert whole.labels == pieces.labels == prototypes.LABELS
    assert [prototypes.LABELS[k] for k in whole.classes] == list(whole.units["label"])
