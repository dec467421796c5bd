"""Windows in a line, described together: what `describe` gives for each of them."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from numpy.typing import NDArray

from arise_lib.descriptor import SoapSettings, describe, describe_windows
from arise_lib.descriptor._engine import windows
from arise_lib.errors import InputError
from arise_lib.strided import Cube, box_centres, describe_boxes, lines
from arise_lib.strided.lines import describe_box, tasks

EDGE = 11.0
AT_LEAST = 3


def rod(metals: dict[str, float], noise: float, axis: int = 2) -> Atoms:
    """Make a free rod of an alloy along an axis, somewhat denser at one end."""
    repeat = [3, 3, 3]
    repeat[axis] = 9
    atoms = bulk("Cu", cubic=True) * tuple(repeat)
    atoms.pbc = False
    rng = np.random.default_rng(5)
    atoms.symbols[:] = rng.choice(list(metals), size=len(atoms), p=list(metals.values()))
    atoms.positions += noise * rng.standard_normal(atoms.positions.shape)
    if noise:
        atoms.positions[:, axis] *= 1.0 + 0.002 * atoms.positions[:, axis]
    return atoms


def cut(atoms: Atoms, axis: int, stride: float) -> tuple[Atoms, NDArray[np.bool_]]:
    """Lay windows over a rod: its atoms that are in any, and which windows hold them."""
    along = atoms.positions[:, axis]
    centres = np.arange(along.min(), along.max(), stride)
    holds = np.abs(along[:, None] - centres) <= 0.5 * EDGE
    held = holds.any(axis=1)
    return atoms[held], holds[held]


def slide(
    atoms: Atoms, axis: int, holds: NDArray[np.bool_], settings: SoapSettings
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    first = holds.argmax(axis=1)
    last = first + holds.sum(axis=1) - 1
    wanted = np.ones(holds.shape[1], dtype=bool)
    return describe_windows(atoms, axis, first, last, wanted, settings, AT_LEAST)


@pytest.mark.parametrize("weights", ["equal", "abundance"])
@pytest.mark.parametrize(
    "metals", [{"Cu": 1.0}, {"Cu": 0.7, "Al": 0.3}, {"Cu": 0.8, "Al": 0.18, "Au": 0.02}]
)
@pytest.mark.parametrize("noise", [0.0, 0.12])
def test_windows_are_described_as_if_alone(
    metals: dict[str, float], noise: float, weights: str
) -> None:
    settings = SoapSettings(pair_weights=weights)
    for axis, stride in ((2, 1.0), (0, 3.0), (1, 14.0)):
        atoms, holds = cut(rod(metals, noise, axis), axis, stride)
        found, left = slide(atoms, axis, holds, settings)
        assert not left.any()
        alone = [describe_box(atoms[here], settings, AT_LEAST) for here in holds.T]
        np.testing.assert_allclose(found, alone, atol=1e-6, rtol=0.0)


def test_scales_that_differ_much_share_a_grid() -> None:
    atoms = rod({"Cu": 1.0}, 0.1)
    atoms.positions[:, 2] *= 1.0 + 0.01 * atoms.positions[:, 2]  # up to a third longer
    atoms, holds = cut(atoms, 2, 2.0)
    found, _ = slide(atoms, 2, holds, SoapSettings())
    alone = [describe(atoms[here]) for here in holds.T]
    np.testing.assert_allclose(found, alone, atol=1e-6, rtol=0.0)


def test_a_sheet_is_described_as_if_its_boxes_were_alone() -> None:
    sheet = graphene(size=(6, 20, 1))
    sheet.positions[:, 2] = 0.0
    sheet.pbc = False
    sheet.positions[:, :2] += 0.03 * np.random.default_rng(1).standard_normal((len(sheet), 2))
    atoms, holds = cut(sheet, 1, 1.5)
    found, _ = slide(atoms, 1, holds, SoapSettings())
    alone = [describe(atoms[here]) for here in holds.T]
    np.testing.assert_allclose(found, alone, atol=1e-6, rtol=0.0)


def test_rare_species_are_left_out_window_by_window() -> None:
    atoms = rod({"Cu": 1.0}, 0.05)
    height = atoms.positions[:, 2]
    atoms.symbols[np.argsort(height)[:4]] = "Al"  # enough in the first windows, then too few
    atoms, holds = cut(atoms, 2, 2.0)
    counts = (holds & (atoms.numbers == 13)[:, None]).sum(axis=0)
    assert {0, 4} <= set(counts.tolist())
    found, _ = slide(atoms, 2, holds, SoapSettings())
    alone = [describe_box(atoms[here], SoapSettings(), AT_LEAST) for here in holds.T]
    np.testing.assert_allclose(found, alone, atol=1e-6, rtol=0.0)


def test_how_a_line_is_divided_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    atoms, holds = cut(rod({"Cu": 0.6, "Ni": 0.4}, 0.1), 2, 1.0)
    whole, _ = slide(atoms, 2, holds, SoapSettings())
    monkeypatch.setattr(windows, "_AT_ONCE", 5)
    np.testing.assert_allclose(slide(atoms, 2, holds, SoapSettings())[0], whole, atol=1e-7)


def test_what_is_no_structure_is_left_to_describe() -> None:
    atoms = rod({"Cu": 1.0}, 0.1)
    atoms.positions[1] = atoms.positions[0]
    atoms, holds = cut(atoms, 2, 3.0)
    found, left = slide(atoms, 2, holds, SoapSettings())
    np.testing.assert_array_equal(left, holds[0] | holds[1])
    assert np.isnan(found[left]).all() and np.isfinite(found[~left]).all()
    with pytest.raises(InputError, match="on top of each other"):
        describe_boxes(atoms, EDGE, 3.0, settings=SoapSettings())


def test_windows_that_do_not_follow_the_axis_are_refused() -> None:
    atoms, holds = cut(rod({"Cu": 1.0}, 0.1), 2, 3.0)
    with pytest.raises(InputError, match="ascend"):
        slide(atoms, 0, holds, SoapSettings())


def test_windows_without_enough_atoms_are_undefined() -> None:
    atoms = Atoms("Cu2AlCu3", [[0.0, 0.0, 2.5 * k] for k in range(6)])
    first, last = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
    found, left = describe_windows(
        atoms, 2, first, last, np.array([True, True, False]), SoapSettings(), AT_LEAST
    )
    assert np.isnan(found[[0, 2]]).all() and not left.any()
    np.testing.assert_allclose(found[1], describe(atoms[3:]), atol=1e-6)


def test_tasks_hold_every_filled_box_once() -> None:
    atoms = rod({"Cu": 1.0}, 0.1, axis=0)
    axes = box_centres(atoms, Cube(EDGE), (4.0, 5.0, 6.0), 0.5)
    filled = np.random.default_rng(0).random([len(axis) for axis in axes]) < 0.5
    rows = [task.rows for task in tasks(atoms, axes, Cube(EDGE), filled, SoapSettings())]
    assert sorted(np.concatenate(rows)) == list(range(filled.sum()))
    found = {task.axis for task in tasks(atoms, axes, Cube(EDGE), filled, SoapSettings())}
    assert found == {0}
    # Where neighbours share less than half, nothing is gained.
    found = {task.axis for task in tasks(atoms, axes, Cube(7.9), filled, SoapSettings())}
    assert found == {None}


def test_functions_whose_elements_serve_one_scale_are_described_box_by_box(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "describe_windows", None)  # not called
    atoms, settings = rod({"Cu": 1.0}, 0.1), SoapSettings(radial="gto")
    boxes = describe_boxes(atoms, EDGE, 5.0, padding=0.0, settings=settings)
    here = (np.abs(atoms.positions - boxes.centres[0]) <= 0.5 * EDGE).all(axis=1)
    np.testing.assert_array_equal(boxes.features[0], describe(atoms[here], settings).astype("f4"))
