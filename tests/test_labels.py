"""An answer for each atom, and the files that hold it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from tolerances import SINGLE, SINGLE_BITS

import arise_lib as arise
from arise_lib import samples
from arise_lib.errors import InputError, UncertainInputWarning
from arise_lib.strided import labels
from arise_lib.strided.labels import AtomLabels
from arise_lib.structures import neighbourhood, prototypes, read_source
from arise_lib.structures.pieces import nearest_centre
from arise_lib.structures.writing import write_columns

PASSES = 20


@pytest.mark.parametrize("label", ["fcc", "bcc", "sc", "diamond", "NaCl", "CsCl", "zincblende"])
def test_atoms_alike_get_the_same_answer(label: str) -> None:
    """Of these classes all atoms of a species are alike."""
    cell = prototypes.build(label) * (2, 1, 1)
    found = arise.label_atoms(cell, passes=PASSES)
    assert set(found.labels) == {label}
    for number in np.unique(cell.numbers):
        own = cell.numbers == number
        assert np.ptp(found.probabilities[own], axis=0).max() < SINGLE
        assert np.ptp(found.mutual_information[own]) < SINGLE_BITS
        assert np.unique(found.n_neighbours[own]).size == 1


def test_equals_classify_of_each_neighbourhood() -> None:
    iron = bulk("Fe", cubic=True) * 3
    iron.rattle(0.1, seed=2)
    found = arise.label_atoms(iron, n_atoms=60, centres=[3, 40, -1], passes=PASSES, seed=5)
    assert found.centres.tolist() == [3, 40, 53]
    for row, centre in enumerate(found.centres):
        alone = arise.classify(neighbourhood(iron, int(centre), 60), passes=PASSES, seed=5)
        probabilities = [alone[name] for name in found.classes]
        np.testing.assert_array_equal(found.probabilities[row], probabilities)
        assert found.mutual_information[row] == alone.mutual_information
        np.testing.assert_equal(found.novelty[row], alone.novelty)
        assert (found.labels[row], found.n_neighbours[row]) == (alone.label, alone.n_atoms)


def test_order_of_the_atoms_does_not_matter() -> None:
    salt = bulk("NaCl", "rocksalt", a=5.6, cubic=True) * 2
    salt.rattle(0.05, seed=3)
    order = np.random.default_rng(1).permutation(len(salt))
    first = arise.label_atoms(salt, passes=PASSES)
    second = arise.label_atoms(salt[order], passes=PASSES)
    np.testing.assert_allclose(second.probabilities, first.probabilities[order], atol=SINGLE)
    assert second.n_neighbours.tolist() == first.n_neighbours[order].tolist()


def test_bicrystal_inside_its_grains() -> None:
    copper, carbon = prototypes.build("fcc"), prototypes.build("diamond")
    sample, _ = samples.bicrystal(copper, carbon, edge=34.0, seed=9)
    middle = sample.positions.mean(axis=0)
    inner = np.flatnonzero(np.abs(sample.positions - middle).max(axis=1) < 9.0)
    found = arise.label_atoms(sample, centres=inner, passes=PASSES)
    # Farther from the boundary than the neighbourhoods reach, which hold one species there.
    species = [set(neighbourhood(sample, int(i), 100).numbers.tolist()) for i in inner]
    pure = np.array([len(kinds) == 1 for kinds in species])
    expected = np.where(sample.numbers[inner] == carbon.numbers[0], "diamond", "fcc")
    assert pure.sum() > 20 and len(set(expected[pure])) == 2
    assert (found.labels[pure] == expected[pure]).mean() > 0.95


def test_free_surface_takes_its_neighbours_from_below() -> None:
    slab = fcc111("Cu", (6, 6, 14), vacuum=20.0)
    slab.pbc = (True, True, False)
    heights = slab.positions[:, 2]
    one_column = np.arange(0, len(slab), 36)
    found = arise.label_atoms(slab, centres=one_column, passes=PASSES)
    assert found.n_neighbours.min() >= 100
    inside = np.abs(heights[one_column] - heights.mean()) < 5.0
    assert inside.sum() >= 3 and set(found.labels[inside]) == {"fcc"}


def test_some_centres_and_their_spread() -> None:
    crystal = bulk("Po", "sc", a=3.35) * (1, 1, 6)
    found = arise.label_atoms(crystal, centres=[0, 3], n_atoms=60, passes=PASSES)
    table = found.table()
    assert table["label"].tolist() == ["sc", "", "", "sc", "", ""]
    assert table["n_neighbours"].gt(0).tolist() == [True, False, False] * 2
    assert table["probability"].isna().tolist() == table["label"].eq("").tolist()
    everywhere = found.spread()
    assert set(everywhere.labels) == {"sc"} and len(everywhere.centres) == 6
    assert found.shares() == everywhere.shares() == {"sc": 1.0}
    assert found.shares(certain_below=-1.0) == {}


def test_nearest_centre_looks_over_the_faces() -> None:
    rod = Atoms("Cu10", [[0.5 + i, 0, 0] for i in range(10)], cell=[10, 0, 0], pbc=(1, 0, 0))
    assert nearest_centre(rod, [9, 4]).tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0, 0]
    rod.pbc = False
    assert nearest_centre(rod, [9, 4]).tolist() == [1] * 7 + [0] * 3
    with pytest.raises(InputError, match="no centre"):
        nearest_centre(rod, [])


def test_lots_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """More atoms than are described together: all of them get the answers of one lot."""
    atoms = bulk("Cu", cubic=True) * 3
    atoms.rattle(0.05, seed=1)
    whole = arise.label_atoms(atoms, passes=4)
    monkeypatch.setattr(labels, "_LOT", 50)
    pieces = arise.label_atoms(atoms, passes=4)
    assert len(pieces.table()) == len(atoms) == 108
    assert np.array_equal(pieces.n_neighbours, whole.n_neighbours)
    assert np.array_equal(pieces.probabilities, whole.probabilities)
    assert np.array_equal(pieces.novelty, whole.novelty)


def test_no_centres_at_all() -> None:
    found = arise.label_atoms(bulk("Cu"), centres=[], passes=PASSES)
    assert found.labels.size == 0 and found.shares() == {}
    assert found.table()["label"].tolist() == [""]


def test_what_cannot_be_labelled() -> None:
    with pytest.raises(InputError, match="not periodic, has 79"):
        arise.label_atoms(neighbourhood(bulk("Cu"), 0, 79))
    with pytest.raises(InputError, match="no atom 7"):
        arise.label_atoms(bulk("Cu"), centres=[7])
    with pytest.warns(UncertainInputWarning, match="below 50 the answer is arbitrary"):
        arise.label_atoms(bulk("Cu"), n_atoms=20, passes=1)


def test_more_answers_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arise_lib.strided.labels.MAX_MEMORY", 1000)
    with pytest.raises(InputError, match=r"the answers of 1 atoms take .* Label a part"):
        arise.label_atoms(bulk("Cu"))


# --- files -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def salt() -> AtomLabels:
    crystal = bulk("NaCl", "rocksalt", a=5.6) * (1, 1, 3)
    return arise.label_atoms(crystal, centres=[0, 1, 4], passes=PASSES)


@pytest.mark.parametrize("name", ["a.xyz", "a.extxyz", "a.dump", "a.lammpstrj"])
def test_files_are_read_back(name: str, salt: AtomLabels, tmp_path: Path) -> None:
    salt.write(tmp_path / name)
    source = read_source(tmp_path / name)
    assert source.named and not source.notes
    assert source.atoms.get_chemical_formula() == salt.atoms.get_chemical_formula()
    np.testing.assert_allclose(source.atoms.cell.array, salt.atoms.cell.array, atol=1e-7)
    np.testing.assert_allclose(source.atoms.positions, salt.atoms.positions, atol=1e-7)
    assert source.atoms.pbc.all()


@pytest.mark.parametrize("name", ["a.xyz", "a.dump"])
@pytest.mark.parametrize("pbc", [True, (True, True, False), False])
def test_ovito_opens_them(name: str, pbc: object, salt: AtomLabels, tmp_path: Path) -> None:
    from ovito.io import import_file

    salt.atoms.pbc = pbc
    salt.write(tmp_path / name)
    data = import_file(str(tmp_path / name)).compute()
    found = data.particles["Structure Type"]
    names = {kind.id: kind.name for kind in found.types}
    if name == "a.xyz":
        words = [names[i] for i in np.asarray(found).tolist()]
        assert words == ["NaCl", "NaCl", "unlabelled", "unlabelled", "NaCl", "unlabelled"]
    else:
        place = salt.classes.index("NaCl") + 1
        assert np.asarray(found).tolist() == [place, place, 0, 0, place, 0]
    table = salt.table()
    for column in ("probability", "mutual_information", "novelty", "n_neighbours"):
        np.testing.assert_allclose(data.particles[column], table[column], atol=1e-7)
    types = data.particles.particle_types
    elements = [types.type_by_id(i).name for i in np.asarray(types).tolist()]
    assert elements == salt.atoms.get_chemical_symbols()
    assert tuple(data.cell.pbc) == tuple(salt.atoms.pbc)


def test_names_of_two_words(tmp_path: Path) -> None:
    write_columns(tmp_path / "a.xyz", bulk("Cu"), {"phase": np.array(["hexagonal diamond"])})
    assert "hexagonal_diamond" in (tmp_path / "a.xyz").read_text()


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("a.cif", {}, r"extended XYZ \(.xyz, .extxyz\) or as LAMMPS dump"),
        ("a.xyz", {"a": np.zeros(2)}, "one value for each of the 1 atoms"),
        ("a.xyz", {"a b": np.zeros(1)}, "a name of one word"),
        ("a.xyz", {"pos": np.zeros(1)}, "not species, pos"),
        ("a.dump", {"a": np.array(["fcc"])}, "a dump holds numbers"),
    ],
)
def test_columns_that_cannot_be_written(
    name: str, columns: dict[str, np.ndarray], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        write_columns(tmp_path / name, bulk("Cu"), columns)
    assert not list(tmp_path.iterdir())
