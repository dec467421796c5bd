"""Crystals outside the classes: what the tables claim, found again by other means."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import spglib
from ase.formula import Formula

from arise_lib.descriptor import describe
from arise_lib.errors import DataError
from arise_lib.samples import unknown
from arise_lib.storage import checksums
from arise_lib.structures import prototypes, supercell_series
from arise_lib.structures.scale import overall_nearest_neighbour_distance

CELLS = unknown.unknown_prototypes()
SYMPREC = 1e-3


def table(name: str) -> list[dict[str, str]]:
    with (unknown.FOLDER / name).open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def reduced(formula: str) -> str:
    return Formula(formula).reduce()[0].format("hill")


def test_space_groups_are_those_of_spglib_and_of_the_labels() -> None:
    other = []
    for row in table("prototypes.csv"):
        atoms = CELLS[row["name"]]
        cell = atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers
        found = spglib.get_symmetry_dataset(cell, symprec=SYMPREC).number
        assert found == int(row["space_group"]), row["name"]
        if found != int(row["aflow"].split("_")[2]):
            other.append(row["name"])
    assert other == ["A2B_oC12_38_de_ab VAu2"]


def test_cells_are_primitive_and_hold_what_the_formula_says() -> None:
    for row in table("prototypes.csv"):
        atoms = CELLS[row["name"]]
        assert atoms.symbols.formula.reduce()[0].format("hill") == reduced(row["formula"])
        pearson = row["aflow"].split("_")[1]
        centring = {"P": 1, "C": 2, "A": 2, "I": 2, "F": 4, "R": 1}[pearson[1]]
        assert len(atoms) * centring == int(pearson[2:]), row["name"]
        assert 0.9 < overall_nearest_neighbour_distance(atoms) < 5.0, row["name"]


def test_all_288_prototypes_are_accounted_for() -> None:
    left_out = table("left_out.csv")
    assert len(CELLS) + len(left_out) == 288
    assert {row["class"] for row in left_out if row["reason"] == "class"} <= {*prototypes.LABELS}
    assert {row["reason"] for row in left_out if not row["class"]} == {"size"}
    published = {prototypes.get(label).aflow for label in prototypes.LABELS} - {""}
    out = {row["aflow"] for row in left_out}
    # Under these labels there are other structures, too: alpha-CO with FeSi, SnS with FeB.
    both = published & {row["aflow"] for row in table("prototypes.csv")}
    assert both == {"AB_cP8_198_a_a", "AB_oP8_62_c_c"}
    assert len(published & out) > 30


def test_none_has_the_descriptor_of_a_class() -> None:
    known = np.array(
        [describe(prototypes.build(k)) for k in prototypes.LABELS if prototypes.build(k).pbc.all()]
    )
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    for name, cell in [pair for pair in CELLS.items() if len(pair[1]) <= 4]:
        vector = describe(cell)
        assert 1.0 - (known @ vector).max() / np.linalg.norm(vector) > 1e-5, name


def test_supercells_are_not_larger_than_those_of_the_pristine_set() -> None:
    largest = [supercell_series(cell, periodic=False)[-1] for cell in CELLS.values()]
    assert max(len(atoms) for atoms in largest) <= 2048


def test_a_damaged_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "unknown"
    shutil.copytree(unknown.FOLDER, folder)
    monkeypatch.setattr(unknown, "FOLDER", folder)
    sites = folder / "sites.csv"
    sites.write_text(sites.read_text().replace("0.5", "0.6", 1))
    with pytest.raises(DataError, match="restore the file"):
        unknown._cells.__wrapped__()
    assert set(checksums.listed(folder)) == {path.name for path in folder.glob("*.csv")}
