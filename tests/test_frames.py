"""Answers along trajectories."""

from __future__ import annotations

import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

import arise_lib as arise
from arise_lib import plotting
from arise_lib.errors import InputError, UncertainInputWarning
from arise_lib.structures import read_structure

PASSES = 20


@pytest.fixture(scope="module")
def frames() -> list[Atoms]:
    """Two crystals, and one that has been shaken."""
    shaken = bulk("Cu", cubic=True) * 3
    shaken.rattle(0.05, seed=1)
    return [bulk("Cu", cubic=True) * 3, bulk("Fe", cubic=True) * 3, shaken]


def test_equals_classify_of_each_frame(frames: list[Atoms], tmp_path: Path) -> None:
    write(tmp_path / "run.xyz", frames)
    found = arise.classify_frames(tmp_path / "run.xyz", passes=PASSES)
    assert found.frames.tolist() == [0, 1, 2] and found.n_atoms.tolist() == [108, 54, 108]
    for i in range(3):
        alone = arise.classify(read_structure(tmp_path / "run.xyz", i), passes=PASSES)
        assert [alone[name] for name in found.classes] == found.shares[i].tolist()
        assert alone.mutual_information == found.mutual_information[i]
        np.testing.assert_equal(alone.novelty, found.novelty[i])
    table = found.table()
    assert table["answer"].tolist() == ["fcc", "bcc", "fcc"] and table.index.name == "frame"
    assert table["share / %"].between(50, 100).all()


def test_index_selects_and_numbers_stay(frames: list[Atoms], tmp_path: Path) -> None:
    write(tmp_path / "run.xyz", frames)
    found = arise.classify_frames(tmp_path / "run.xyz", "1:", passes=PASSES)
    assert found.frames.tolist() == [1, 2] and found.labels.tolist() == ["bcc", "fcc"]
    one = arise.classify_frames(tmp_path / "run.xyz", 1, passes=PASSES, types={"Fe": "W"})
    assert one.frames.tolist() == [1]


def test_neighbourhoods_are_those_of_label_atoms(frames: list[Atoms]) -> None:
    found = arise.classify_frames(frames, centres=4, n_atoms=60, passes=PASSES)
    places = [0, 27, 54, 81]
    alone = arise.label_atoms(frames[2], centres=places, n_atoms=60, passes=PASSES)
    assert found.mutual_information[2] == alone.mutual_information.mean()
    shares = dict(zip(found.classes, found.shares[2], strict=True))
    assert {name: share for name, share in shares.items() if share} == alone.shares()
    # More centres than atoms: each atom once.
    small = arise.classify_frames([bulk("Cu", cubic=True)], centres=50, n_atoms=60, passes=PASSES)
    assert small.labels.tolist() == ["fcc"] and small.shares.max() == 1.0


def test_leading_classes_of_any_frame(frames: list[Atoms]) -> None:
    leading = arise.classify_frames(frames[:2], passes=PASSES).leading(2)
    assert set(leading.columns) == {"fcc", "bcc"} and leading.index.tolist() == [0, 1]
    assert leading.loc[0, "fcc"] > 0.5 > leading.loc[1, "fcc"]


def test_doubts_are_told_once(frames: list[Atoms]) -> None:
    few = Atoms("Cu3", [[0, 0, 0], [0, 0, 2.5], [0, 2.5, 0]])
    with pytest.warns(UncertainInputWarning, match="frame 1 and 1 more: 3 atoms") as record:
        arise.classify_frames([frames[0], few, few], passes=1)
    assert len(record) == 1 and record[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        arise.classify_frames(frames, passes=1)


def test_frames_that_cannot_be_used(frames: list[Atoms]) -> None:
    broken = Atoms("Cu2", [[0, 0, 0], [0, 0, np.nan]])
    with pytest.raises(InputError, match="frame 1: the positions of 1 atom"):
        arise.classify_frames([frames[0], broken])
    with pytest.raises(InputError, match="there is no frame"):
        arise.classify_frames([])
    with pytest.raises(InputError, match="frame 0 is a str"):
        arise.classify_frames(["Cu"])
    with pytest.raises(InputError, match="centres=0"):
        arise.classify_frames(frames, centres=0)
    with pytest.raises(InputError, match=r"centres=2\.5: a whole number"):
        arise.classify_frames(frames, centres=2.5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="are for files"):
        arise.classify_frames(frames, "::2")
    with pytest.raises(InputError, match="frame 0: 100 atoms are asked for"):
        arise.classify_frames([Atoms("Cu3", np.eye(3))], centres=2)


def test_figures(frames: list[Atoms]) -> None:
    found = arise.classify_frames(frames, passes=PASSES)
    figure = plotting.frame_lines(found, n=2, times=[0.0, 1.5, 3.0], label="t / ps")
    shares, information = figure.axes
    assert {line.get_label() for line in shares.lines} == {"fcc", "bcc"}
    assert shares.lines[0].get_xdata().tolist() == [0.0, 1.5, 3.0]
    assert information.lines[0].get_ydata().tolist() == found.mutual_information.tolist()
    assert information.get_xlabel() == "t / ps"
    with pytest.raises(InputError, match="one for each of the 3 frames"):
        plotting.frame_lines(found, times=[0.0])
    labels = arise.label_atoms(frames[1], centres=range(0, 54, 9), passes=PASSES)
    classes, information, *_ = plotting.atom_map(labels).axes
    assert len(classes.collections[0].get_offsets()) == 6
    assert [text.get_text() for text in classes.get_legend().texts] == ["bcc"]
    np.testing.assert_array_equal(
        np.sort(information.collections[0].get_array()), np.sort(labels.mutual_information)
    )
    plt.close("all")
