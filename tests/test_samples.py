"""Samples: seeded, with the truth they claim, and hard in the way they claim."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list
from scipy.spatial import cKDTree

from arise_lib import samples
from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.samples.alloys import fept_box
from arise_lib.samples.experiments import crystal_box, draw
from arise_lib.samples.grains import OFF_CENTRE, join, random_boundary
from arise_lib.samples.sheets import sheet_image
from arise_lib.structures import prototypes
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.training import selection
from arise_lib.training.selection import score_experiments


def generator(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def nearest(points: np.ndarray) -> np.ndarray:
    return cKDTree(points).query(points, k=2)[0][:, 1]


def test_join_keeps_each_side_and_the_gap() -> None:
    left, right = (bulk(species, "sc", a=2.0) * (9, 5, 5) for species in ("Po", "Bi"))
    for piece, shift in ((left, 0.0), (right, 0.7)):
        piece.positions += [shift - 8.0, 0.0, 0.0]
    atoms, of_second = join(left, right, plane=0.5, gap=1.5)
    x = atoms.positions[:, 0]
    assert (atoms.symbols[of_second] == "Bi").all() and (atoms.symbols[~of_second] == "Po").all()
    assert x[~of_second].max() == 0.0 and x[of_second].min() == pytest.approx(
        2.7
    )  # 0.7 is too near
    assert len(atoms) == 25 * (5 + 4)
    # With a smaller gap, atoms at 0.7 stay; where the gap is not reached, nothing is left out.
    assert len(join(left, right, plane=0.5, gap=0.7 - 1e-9)[0]) == 25 * (5 + 5)


def test_of_atoms_on_the_plane_itself_one_is_kept() -> None:
    chain = Atoms("C3", positions=[[-1.5, 0, 0], [0, 0, 0], [1.5, 0, 0]])
    atoms, of_second = join(chain, chain, plane=0.0, gap=1.0)
    assert sorted(atoms.positions[:, 0]) == [-1.5, 0.0, 1.5]
    assert of_second.tolist() == [False, False, True]


def test_one_piece_may_lie_on_the_other_side_of_the_plane() -> None:
    piece = Atoms("C2", positions=[[1.0, 0, 0], [2.0, 0, 0]])
    atoms, of_second = join(piece, piece, plane=0.0, gap=1.0)
    assert len(atoms) == 2 and of_second.all()
    assert len(join(piece, piece, plane=3.0, gap=1.0)[0]) == 2


def test_a_random_boundary_lies_in_the_middle() -> None:
    left, right = (bulk(species, "sc", a=1.0) * (41, 3, 3) for species in ("Po", "Bi"))
    for piece in (left, right):
        piece.positions -= piece.positions.mean(axis=0)
    planes = []
    for i in range(60):
        atoms = random_boundary(left, right, 0.5, generator(10, i))
        planes.append(atoms.positions[atoms.symbols == "Po", 0].max())
    reach = OFF_CENTRE * 40.0
    assert -reach - 1 <= min(planes) < -0.7 * reach and 0.7 * reach < max(planes) <= reach


@pytest.mark.parametrize("make", [sheet_image, lambda label, _, g: fept_box(label, g)])
def test_unknown_classes_are_refused(make) -> None:
    with pytest.raises(InputError, match=r"'MoS2'.*(graphene|L1_2)"):
        make("MoS2", 0.05, generator(1))


def test_images_are_flat_and_of_one_species() -> None:
    for boundary in (False, True):
        atoms = sheet_image("graphene", 0.05, generator(1), boundary=boundary)
        assert set(atoms.symbols) == {"C"} and not atoms.pbc.any()
        assert (atoms.positions[:, 2] == 0).all()
        assert 200 < len(atoms) < 300


@pytest.mark.parametrize("truth", samples.SHEETS)
def test_an_image_without_error_is_its_sheet(truth: str) -> None:
    """All pairs at most a bond apart are of the sheet: same species, same length."""
    sheet = prototypes.build(truth) * (4, 4, 1)
    atoms = sheet_image(truth, 0.0, generator(8))
    assert set(atoms.symbols) == set(sheet.symbols)
    assert np.ptp(sheet.positions[:, 2]) == 0.0, "only a flat class is what an image shows"
    bond = overall_nearest_neighbour_distance(sheet)
    assert np.median(nearest(atoms.positions)) == pytest.approx(bond, rel=1e-4)


def test_error_of_an_image_is_the_stated_one() -> None:
    """Bond lengths of two atoms with error e per coordinate scatter by sqrt(2) e about the bond."""
    bond = overall_nearest_neighbour_distance(prototypes.build("graphene") * (4, 4, 1))
    spread = []
    for i in range(20):
        points = sheet_image("graphene", 0.03, generator(2, i)).positions
        gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
        bonds = gaps[(gaps > 0.8 * bond) & (gaps < 1.2 * bond)]
        spread.append(bonds.std() / bond)
    assert np.mean(spread) == pytest.approx(0.03 * np.sqrt(2), rel=0.1)


def test_a_boundary_joins_two_orientations() -> None:
    """The directions of bonds, modulo 60 degrees, are one in a flake and two across a boundary."""
    ordered = []
    for boundary in (False, True):
        values = []
        for i in range(12):
            points = sheet_image("graphene", 0.0, generator(3, i), boundary=boundary).positions[
                :, :2
            ]
            pairs = np.array(list(cKDTree(points).query_pairs(1.6)))
            step = points[pairs[:, 1]] - points[pairs[:, 0]]
            values.append(abs(np.exp(6j * np.arctan2(step[:, 1], step[:, 0])).mean()))
        ordered.append(np.mean(values))
    # A falsely found atom makes a few bonds of any direction.
    assert ordered[0] > 0.9 > ordered[1] + 0.15


@pytest.mark.parametrize(("truth", "iron"), [("L1_0", 0.5), ("L1_2", 0.25)])
def test_composition_of_ordered_boxes(truth: str, iron: float) -> None:
    """3 % wrong species move the share of iron by 0.03 (1 - 2 iron)."""
    boxes = [fept_box(truth, generator(4, i)) for i in range(40)]
    share = np.mean(np.concatenate([box.symbols == "Fe" for box in boxes]))
    expected = iron + samples.WRONG_SPECIES * (1 - 2 * iron)
    assert share == pytest.approx(expected, abs=0.02)


def test_fept_boxes_hold_what_a_box_holds() -> None:
    """Four atoms in 3.85 cubed Å, 12 Å boxes, a third of which a surface cuts."""
    full = 4 * (12.0 / samples.FEPT_CONSTANT) ** 3
    sizes = np.array([len(fept_box("fcc", generator(5, i))) for i in range(60)])
    whole = sizes > 0.93 * full
    assert sizes.max() < 1.15 * full and sizes.min() > 0.4 * full
    assert 0.45 < whole.mean() < 0.85


def test_crystal_boxes_are_pieces_of_the_crystal() -> None:
    bond = 3.55 * np.sqrt(3) / 4  # lattice constant of diamond in the table of classes
    for i in range(5):
        box = crystal_box("diamond", generator(6, i))
        assert len(box) == pytest.approx(150, rel=0.2)
        # Whoever has a neighbour in the box has it at the bond length.
        distances = nearest(box.positions)
        assert np.median(distances) == pytest.approx(bond, rel=1e-9)
        assert distances.min() == pytest.approx(bond, rel=1e-9)


def test_draws_are_seeded_and_counted() -> None:
    first, again = (draw(7, n_images=3, n_boxes=2, n_cuts=1) for _ in range(2))
    other = draw(8, n_images=3, n_boxes=2, n_cuts=1)
    assert all(a.atoms == b.atoms for a, b in zip(first, again, strict=True))
    assert not any(a.atoms == b.atoms for a, b in zip(first, other, strict=True))
    groups = Counter(experiment.group for experiment in first)
    assert groups["crystal boxes"] == 50 and groups["graphene 7 % + boundary"] == 3
    # Three errors: graphene twice, and one image of each of the three other sheets.
    assert groups["Fe-Pt L1_0"] == 2 and sum(groups.values()) == 3 * (3 + 3 + 3) + 3 * 2 + 50


def test_scores_are_shares_of_right_answers() -> None:
    from arise_lib import network

    sample = draw(9, n_images=3, n_boxes=2, n_cuts=0)
    trained = network.load("arise")
    features = selection.describe_all(sample, SoapSettings())
    shares, posterior = score_experiments(sample, trained, features, n_passes=20)
    best = posterior.labels
    for group, share in shares.items():
        members = [k for k, experiment in enumerate(sample) if experiment.group == group]
        right = [best[k] == sample[k].label for k in members]
        assert share == pytest.approx(100 * np.mean(right))


def test_ordinary_samples_are_what_they_are_called() -> None:
    drawn = samples.ordinary_samples()
    counts = Counter(one.group for one in drawn)
    assert counts == {
        "impurities": 60,
        "random alloys": 36,
        "slabs": 32,
        "strain": 90,
        "c/a": 12,
        "twins": 3,
    }
    for one in drawn:
        species = np.unique(one.atoms.numbers)
        if one.group == "impurities":
            assert 0.002 < np.mean(one.atoms.symbols == "Ag") < 0.11
        elif one.group == "random alloys":
            assert 2 <= len(species) <= 5
        elif one.group == "slabs":
            assert one.atoms.pbc.tolist() == [True, True, False]
        elif one.group == "twins":  # every atom has twelve neighbours, as in fcc and hcp
            neighbours = np.bincount(neighbor_list("i", one.atoms, 3.0))
            assert (neighbours == 12).all() and one.atoms.pbc.all()
    again = samples.ordinary_samples()
    assert all(one.atoms == other.atoms for one, other in zip(drawn, again, strict=True))
    assert samples.ordinary_samples(1)[0].atoms != drawn[0].atoms


def test_structures_one_step_from_a_class() -> None:
    found = samples.one_step_away()
    for name in ("4H SiC", "6H SiC"):
        first, second = neighbor_list("ij", found[name], 2.0)
        assert (np.bincount(first) == 4).all()  # as in zincblende and wurtzite
        assert (found[name].numbers[first] != found[name].numbers[second]).all()
    tube = found["nanotube (10,10)"]
    assert np.ptp(tube.positions[:, 0]) > 13.0  # those of the classes are at most 6 Å wide
    assert sum(nearest(found["copper, two doubles"].positions) < 1.0) == 4
