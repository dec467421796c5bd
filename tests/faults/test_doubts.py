"""Structures about which a network is certain without reason."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from hypothesis import given
from strategies import crystals, rotations

import arise_lib as arise
from arise_lib.errors import UncertainInputWarning
from arise_lib.structures import prototypes
from arise_lib.structures.checks import doubts
from arise_lib.structures.defects import displace, remove_atoms
from arise_lib.structures.supercells import cut_sphere, supercell, supercell_series

COPPER = bulk("Cu", "fcc", a=3.6, cubic=True)  # spacing 2.546
LARGE = supercell(COPPER, 4, periodic=True)  # 256 atoms
BALL = cut_sphere(supercell(bulk("C", cubic=True), 5, periodic=True), [8.9] * 3, 7.0)


def with_atom(atoms: Atoms, symbol: str, place: list[float]) -> Atoms:
    return atoms + Atoms(symbol, [place])


def in_a_box(name: str, edge: float = 15.0) -> Atoms:
    atoms = molecule(name, cell=[edge] * 3, pbc=True)
    atoms.center()
    return atoms


def substituted(*symbols: str) -> Atoms:
    atoms = LARGE.copy()
    for i, symbol in enumerate(symbols):
        atoms[17 * i].symbol = symbol
    return atoms


RANDOM = Atoms(
    numbers=np.arange(1, 101), positions=np.random.default_rng(0).uniform(0, 12, (100, 3))
)


@pytest.mark.parametrize(
    ("atoms", "expected"),
    [
        (Atoms("CuNiZn", [[0, 0, 0], [2.5, 0, 0], [0, 2.5, 0]]), ["3 atoms without", "Ni .1., Cu"]),
        (RANDOM, [r"hardly any atoms, H \(1\), He \(1\), Li \(1\), Be \(1\) and 96 more"]),
        (with_atom(BALL, "C", [300, 0, 0]), [r"far from all others, \d+: 28\d instead of 1.55"]),
        (in_a_box("H2O"), ["2.0 others within 4 spacings of 0.969"]),
        (in_a_box("N2"), ["1.0 others within 4 spacings"]),
        (Atoms("Fe", cell=[12, 12, 12], pbc=True), ["only atom are its own images, 12 away"]),
        (substituted("Ni"), [r"hardly any atoms, Ni \(1\): each pair"]),
        (substituted("Ni", "Zn"), [r"hardly any atoms, Ni \(1\), Zn \(1\)"]),
        (with_atom(LARGE, "Cu", [0.04, 0, 0]), [r"0, 256: 0 and 256 are 0.04 apart .* of 2.55"]),
        (with_atom(LARGE, "Ni", [-0.2, 0, 0]), [r"Ni \(1\)", r"0, 256: 0 and 256 are 0.2 apart"]),
        (Atoms("Cu", cell=[2.5, 90, 90], pbc=(True, False, False)), ["8.0 others .* a chain"]),
    ],
    ids=[
        "three atoms", "a hundred species", "stray atom", "water", "nitrogen", "an empty box",
        "one foreign atom", "two foreign atoms", "twin", "twin beyond the cell", "chain",
    ],
)  # fmt: skip
def test_doubt(atoms: Atoms, expected: list[str]) -> None:
    found = doubts(atoms)
    assert len(found) == len(expected), found
    for sentence, pattern in zip(found, expected, strict=True):
        with pytest.warns(UserWarning, match=pattern):
            warnings.warn(sentence, UserWarning, stacklevel=1)


@pytest.mark.parametrize("label", prototypes.LABELS)
def test_no_doubt_about_what_a_network_was_trained_on(label: str) -> None:
    cell = prototypes.build(label)
    samples = [cell]
    if cell.pbc.any():
        samples += [supercell_series(cell, periodic=p, count=1)[0] for p in (True, False)]
    assert [doubts(atoms) for atoms in samples] == [[]] * len(samples)
    for atoms in samples[1:]:
        # Germanium, 2.6 % of PbA2I4, may lose its share.
        damaged = remove_atoms(atoms, 0.2 if label == "PbA2I4" else 0.3, 0)
        assert doubts(displace(damaged, 0.1, 0)) == []


@pytest.mark.parametrize(
    "atoms",
    [
        bulk("He", "fcc", a=4.24),
        bulk("Xe", "fcc", a=6.2),
        bulk("Cs", "bcc", a=6.14),
        # A dumbbell interstitial: two atoms share a site of fcc, 0.6 a apart.
        with_atom(LARGE, "Cu", [0, 0, 0.6 * 3.6]),
        substituted(*6 * ["Ni"]),
    ],
    ids=["helium", "xenon", "caesium", "interstitial", "alloy"],
)
def test_no_doubt_without_reason(atoms: Atoms) -> None:
    assert doubts(atoms) == []


@given(crystals(), rotations())
def test_doubts_are_those_of_the_structure(atoms: Atoms, rotation) -> None:  # type: ignore[no-untyped-def]
    moved = Atoms(
        atoms.numbers,
        rotation.apply(atoms.positions + np.array([1.0, 2.0, 3.0])),
        cell=rotation.apply(atoms.cell.array),
        pbc=True,
    )
    assert len(doubts(moved)) == len(doubts(atoms))
    assert len(doubts(atoms.repeat((2, 1, 1)))) >= len(doubts(atoms)) - (len(atoms) == 1)


def test_recognition_passes_doubts_on() -> None:
    doubtful = substituted("Ni")
    with pytest.warns(UncertainInputWarning, match=r"^species with hardly any atoms, Ni \(1\)"):
        arise.classify(doubtful, passes=2)
    with pytest.warns(UncertainInputWarning, match=r"^alloy: species with hardly any") as said:
        arise.classify_many({"pure": LARGE, "alloy": doubtful}, passes=2)
    assert len(said) == 1 and said[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", UncertainInputWarning)
        arise.classify(LARGE, passes=2)
        arise.scan(doubtful, box=20.0, passes=2)
