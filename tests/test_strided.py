from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import arise_lib
from arise_lib import network
from arise_lib.bayes.inference import predict
from arise_lib.descriptor import SoapSettings, describe
from arise_lib.errors import InputError
from arise_lib.network import Ensemble, Network
from arise_lib.storage import paths
from arise_lib.storage.parallel import Here
from arise_lib.strided import lines, sweep
from arise_lib.strided.boxes import Block, Box, Cube, Sphere
from arise_lib.strided.described import MIN_ATOMS, describe_boxes, plan
from arise_lib.strided.grid import (
    MAX_BOXES,
    atoms_in_boxes,
    box_centres,
    count_atoms,
    with_images,
)
from arise_lib.strided.lines import describe_box, tasks
from arise_lib.strided.maps import label_shares
from arise_lib.strided.sweep import classify_boxes, scan
from arise_lib.structures import prototypes
from arise_lib.structures.reading import read_structure
from arise_lib.structures.scale import overall_nearest_neighbour_distance

Boxes = dict[tuple[int, int, int], NDArray[np.int64]]

PASSES = 10


class Slab(Box):
    """A shape that the library does not know: flat, 8 wide in x and y, 4 along z."""

    extent = 8.0

    def holds(self, offsets: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.abs(offsets[:, 2]) <= 2.0


def free(positions: NDArray[np.float64]) -> Atoms:
    """A sample without periodicity."""
    return Atoms(np.ones(len(positions), dtype=int), positions)


def free_block(atoms: Atoms) -> Atoms:
    """The same atoms, without periodicity."""
    return Atoms(atoms.numbers, atoms.positions)


def by_brute_force(
    positions: NDArray[np.float64], axes: list[NDArray[np.float64]], inside_of: Box
) -> Boxes:
    found = {}
    for ix, x in enumerate(axes[0]):
        for iy, y in enumerate(axes[1]):
            for iz, z in enumerate(axes[2]):
                offsets = positions - [x, y, z]
                if isinstance(inside_of, Sphere):
                    inside = np.sqrt((offsets**2).sum(axis=1)) <= inside_of.radius
                else:
                    size = [8, 8, 4] if isinstance(inside_of, Slab) else inside_of.extent
                    inside = (np.abs(offsets) <= np.divide(size, 2)).all(axis=1)
                if inside.any():
                    found[ix, iy, iz] = np.flatnonzero(inside)
    return found


def assert_same_boxes(one: Boxes, other: Boxes) -> None:
    assert one.keys() == other.keys()
    for where, members in one.items():
        np.testing.assert_array_equal(members, other[where])


# --- the grids of the paper --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "box", "stride", "padding", "at_least", "grid", "n_boxes"),
    [
        # Fig. 2a: "more than 50 atoms".
        ("polycrystals/four_grains.xyz", 16.0, 1.0, 0.5, 51, (121, 119, 1), 7968),
        # Fig. 2l: "more than 10".
        ("polycrystals/pearl.in", 10.0, 2.0, 1.0, 11, (22, 20, 55), 8522),
        # Fig. 4a at 2 Å: "at least 50".
        ("aet/fept_2017.xyz", 12.0, 2.0, 1.0, 50, (52, 55, 57), 43679),
    ],
)
def test_numbers_of_boxes_of_the_paper(
    external: Callable[[str], Path],
    name: str,
    box: float,
    stride: float,
    padding: float,
    at_least: int,
    grid: tuple[int, int, int],
    n_boxes: int,
) -> None:
    positions = read_structure(external(name)).positions
    axes = box_centres(free(positions), Cube(box), stride, padding)
    assert tuple(len(axis) for axis in axes) == grid
    assert (count_atoms(positions, axes, Cube(box)) >= at_least).sum() == n_boxes


# --- grid --------------------------------------------------------------------------------------


def test_grid_done_by_hand() -> None:
    # x: 10 long, no padding, boxes of 4 every 3: floor(10 / 3) + 1 = 4 boxes reach over
    # 3 * 3 + 4 = 13, so the first starts 1.5 before the sample.
    # y: 3 long, fits into one box, which sits in its middle. z: flat.
    corners = np.array([[0.0, 2.0, 7.0], [10.0, 5.0, 7.0]])
    x, y, z = box_centres(free(corners), Cube(4.0), 3.0, 0.0)
    np.testing.assert_allclose(x, [0.5, 3.5, 6.5, 9.5], rtol=1e-12)
    np.testing.assert_allclose(y, [3.5], rtol=1e-12)
    np.testing.assert_allclose(z, [7.0], rtol=1e-12)
    # Half a box more on both sides: 14 long, 5 boxes reach over 16, start at -2 - 1.
    x, y, z = box_centres(free(corners), Cube(4.0), 3.0, 0.5)
    np.testing.assert_allclose(x, [-1.0, 2.0, 5.0, 8.0, 11.0], rtol=1e-12)
    assert len(y) == len(z) == 1


@given(
    st.floats(0.1, 60.0), st.floats(1.0, 20.0), st.floats(0.5, 10.0), st.floats(0.0, 1.0),
    st.floats(-100.0, 100.0),
)  # fmt: skip
def test_boxes_cover_the_sample(
    extent: float, box: float, stride: float, padding: float, low: float
) -> None:
    positions = np.array([[low] * 3, [low + extent] * 3])
    axis = box_centres(free(positions), Cube(box), stride, padding)[0]
    middle, tiny = low + 0.5 * extent, 1e-9
    assert np.mean(axis) == pytest.approx(middle, abs=1e-7)  # evenly on both sides
    np.testing.assert_allclose(np.diff(axis), stride, rtol=1e-7)
    reach = padding * box if len(axis) > 1 else 0.0
    assert axis[0] - 0.5 * box <= low - reach + tiny
    assert axis[-1] + 0.5 * box >= low + extent + reach - tiny


def test_grid_moves_with_the_sample() -> None:
    positions = np.random.default_rng(0).uniform(0, 20, size=(50, 3))
    here = box_centres(free(positions), Cube(6.0), 2.5, 0.5)
    shifts = np.array([1.0, 20.0, -7.0])
    there = box_centres(free(positions + shifts), Cube(6.0), 2.5, 0.5)
    for axis, moved, shift in zip(here, there, shifts, strict=True):
        np.testing.assert_allclose(moved - axis, shift, atol=1e-12)


# --- atoms of each box -------------------------------------------------------------------------


@pytest.mark.parametrize("box", [Cube(7.0), Sphere(3.5), Sphere(6.0), Slab()])
def test_equals_brute_force_on_random_points(box: Box) -> None:
    positions = np.random.default_rng(1).uniform(-9, 14, size=(300, 3))
    axes = box_centres(free(positions), box, 3.0, 0.5)
    found = dict(atoms_in_boxes(positions, axes, box))
    assert_same_boxes(found, by_brute_force(positions, axes, box))
    assert list(found) == sorted(found)
    assert len(found) < np.prod([len(axis) for axis in axes])  # empty boxes are left out
    counts = count_atoms(positions, axes, box)
    assert counts.shape == tuple(len(axis) for axis in axes)
    assert {tuple(where): n for where, n in np.ndenumerate(counts) if n} == {
        where: members.size for where, members in found.items()
    }


def test_equals_brute_force_with_atoms_on_faces() -> None:
    # Halves and whole numbers are exact: every atom sits on faces of some boxes.
    positions = np.stack(np.meshgrid(*[np.arange(0.0, 9.0)] * 3), axis=-1).reshape(-1, 3)
    axes = [np.arange(-2.0, 11.0, 1.5)] * 3
    for box in (Cube(3.0), Sphere(1.5)):
        found = dict(atoms_in_boxes(positions, axes, box))
        assert_same_boxes(found, by_brute_force(positions, axes, box))


def test_boxes_are_closed_on_both_sides() -> None:
    positions = np.array([[-2.0, 0, 0], [2.0, 0, 0], [0, -2.0, 2.0], [2.0, 2.0, 2.0], [2.25, 0, 0]])
    found = dict(atoms_in_boxes(positions, [np.zeros(1)] * 3, Cube(4.0)))
    np.testing.assert_array_equal(found[0, 0, 0], [0, 1, 2, 3])


def test_an_atom_on_the_common_face_is_in_both_boxes() -> None:
    positions = np.array([[0.0, 0.0, 0.0]])
    axes = [np.array([-2.0, 2.0]), np.zeros(1), np.zeros(1)]
    for box in (Cube(4.0), Sphere(2.0)):
        assert {where for where, _ in atoms_in_boxes(positions, axes, box)} == {
            (0, 0, 0),
            (1, 0, 0),
        }


# --- one box -----------------------------------------------------------------------------------


def test_box_is_described_as_a_free_cluster() -> None:
    sample = free_block(bulk("Cu", cubic=True).repeat(4))
    free = Atoms(sample.numbers[30:90], sample.positions[30:90])
    np.testing.assert_array_equal(
        describe_box(free, SoapSettings()), describe(free, SoapSettings())
    )


@pytest.mark.parametrize(("n_solute", "counted"), [(2, False), (3, True)])
def test_species_with_fewer_than_three_atoms_are_left_out(n_solute: int, counted: bool) -> None:
    sample = free_block(bulk("Cu", cubic=True).repeat(3))
    sample.symbols[:n_solute] = "Au"
    free = Atoms(sample.numbers, sample.positions)
    found = describe_box(free, SoapSettings())
    rest = describe(free[n_solute:], SoapSettings())
    np.testing.assert_array_equal(found, describe(free, SoapSettings()) if counted else rest)
    assert np.array_equal(found, rest) != counted


def test_box_without_enough_atoms_of_any_species() -> None:
    sample = Atoms("Cu2Au2", positions=np.eye(4, 3) * 2.5)
    found = describe_box(sample, SoapSettings())
    assert found.shape == (SoapSettings().n_features,)
    assert np.isnan(found).all()


# --- maps --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def released() -> Network:
    return network.load()


@pytest.fixture(scope="module")
def bicrystal() -> Atoms:
    """Iron, fcc on the left and bcc on the right of x = 0, 2 Å apart."""
    left = bulk("Fe", "fcc", a=3.6, cubic=True).repeat((6, 4, 4))
    right = bulk("Fe", "bcc", a=2.87, cubic=True).repeat((7, 5, 5))
    left.positions[:, 0] -= left.positions[:, 0].max() + 1.0
    right.positions[:, 0] += 1.0
    both = left + right
    both.pbc = False
    both.cell = None
    return both


@pytest.fixture(scope="module")
def maps(bicrystal: Atoms, released: Network) -> xr.Dataset:
    return scan(bicrystal, 12.0, 4.0, padding=0.0, min_atoms=40, network=released, passes=PASSES)


def test_both_halves_of_a_bicrystal_are_labelled(maps: xr.Dataset) -> None:
    middle = maps.isel(y=maps.sizes["y"] // 2, z=maps.sizes["z"] // 2)
    assert set(middle["label"].sel(x=slice(-16, -6)).values) == {"fcc"}
    assert set(middle["label"].sel(x=slice(6, 16)).values) == {"bcc"}
    shares = label_shares(maps)
    assert {"fcc", "bcc"} <= set(shares)


def test_maps_have_one_form(maps: xr.Dataset) -> None:
    assert maps["probability"].dims == ("class", "z", "y", "x")
    for name in ("mutual_information", "n_atoms", "label"):
        assert maps[name].dims == ("z", "y", "x")
    assert maps.sizes["class"] == 109
    assert maps["mutual_information"].attrs["units"] == "bit"
    assert maps.attrs == {"box": 12.0, "stride": 4.0, "padding": 0.0, "passes": PASSES, "seed": 0}


@pytest.mark.equality
def test_tolerance_stops_box_by_box(bicrystal: Atoms, released: Network) -> None:
    options = {"padding": 0.0, "min_atoms": 40, "network": Ensemble((released,))}
    found = scan(bicrystal, 12.0, 4.0, passes=200, tolerance=0.03, **options)
    made = found["n_passes"].to_numpy()
    filled = found["mutual_information"].notnull().to_numpy()
    assert found["n_passes"].dims == ("z", "y", "x")
    assert (made[~filled] == 0).all()
    assert {50, 200} <= set(made[filled]) <= {50, 100, 150, 200}
    assert found.attrs["tolerance"] == 0.03 and found.attrs["passes"] == 200
    described = {"padding": 0.0, "min_atoms": 40, "settings": released.settings}
    rows = describe_boxes(bicrystal, 12.0, 4.0, **described).features
    how = {"n_passes": 200, "tolerance": 0.03, "stratified": True}
    expected = predict(released, rows, **how).mutual_information
    np.testing.assert_array_equal(
        found["mutual_information"].transpose("x", "y", "z").values[filled.transpose(2, 1, 0)],
        expected,
    )
    whole = scan(bicrystal, 12.0, 4.0, passes=200, **options)
    independent = predict(released, rows, n_passes=200).mutual_information
    np.testing.assert_array_equal(
        whole["mutual_information"].transpose("x", "y", "z").values[filled.transpose(2, 1, 0)],
        independent,
    )
    assert "n_passes" not in whole and "tolerance" not in whole.attrs


def test_boxes_with_too_few_atoms_are_undefined(maps: xr.Dataset) -> None:
    enough = maps["n_atoms"] >= 40
    assert 0 < int(enough.sum()) < enough.size
    assert (maps["label"].where(~enough, "") == "").all()
    assert (maps["label"].where(enough, "some") != "").all()
    for name in ("probability", "mutual_information"):
        defined = maps[name].notnull()
        assert (defined == enough).all()
    total = maps["probability"].sum("class", skipna=False).values
    np.testing.assert_allclose(total[enough.values], 1.0, atol=1e-6)


def test_label_is_the_most_probable_class(maps: xr.Dataset) -> None:
    enough = (maps["n_atoms"] >= 40).values
    best = maps["class"].values[maps["probability"].fillna(0.0).argmax("class").values]
    np.testing.assert_array_equal(maps["label"].values[enough], best[enough])


@pytest.mark.equality
def test_a_map_is_its_boxes_one_by_one(
    bicrystal: Atoms, released: Network, maps: xr.Dataset
) -> None:
    # Found by the coordinates of the map: x, y, z are neither swapped nor reversed.
    rng = np.random.default_rng(2)
    enough = np.argwhere((maps["n_atoms"] >= 40).values)
    for iz, iy, ix in rng.choice(enough, size=5, replace=False):
        box = maps.isel(x=ix, y=iy, z=iz)
        centre = [float(box[axis]) for axis in "xyz"]
        inside = (np.abs(bicrystal.positions - centre) <= 6.0).all(axis=1)
        assert inside.sum() == int(box["n_atoms"])
        alone = arise_lib.classify(bicrystal[inside], network=released, passes=PASSES)
        assert str(box["label"].item()) == alone.label
        # Boxes in a line share their pairs, which are then added in another order.
        information, most = float(box["mutual_information"]), float(box["probability"].max())
        assert information == pytest.approx(alone.mutual_information, abs=1e-5)
        assert most == pytest.approx(alone.probabilities[0], abs=1e-5)


@pytest.mark.parametrize("box", [Sphere(6.0), Slab()])
def test_boxes_of_any_shape(bicrystal: Atoms, released: Network, box: Box) -> None:
    options = {"padding": 0.0, "network": released, "passes": PASSES}
    found = scan(bicrystal, box, 6.0, min_atoms=20, **options)
    assert found.attrs["box"] == box.extent and found.attrs["shape"] == str(box)
    enough = np.argwhere((found["n_atoms"] >= 20).values)
    assert len(enough) > 0
    for iz, iy, ix in enough[:: len(enough) // 4 + 1]:
        here = found.isel(x=ix, y=iy, z=iz)
        inside = box.holds(bicrystal.positions - [float(here[axis]) for axis in "xyz"])
        offsets = np.abs(bicrystal.positions - [float(here[axis]) for axis in "xyz"])
        inside &= (offsets <= 0.5 * box.extent).all(axis=1)
        assert inside.sum() == int(here["n_atoms"])
        alone = arise_lib.classify(bicrystal[inside], network=released, passes=PASSES)
        assert str(here["label"].item()) == alone.label
        assert float(here["mutual_information"]) == pytest.approx(
            alone.mutual_information, abs=1e-5
        )


def test_a_number_is_a_cube(bicrystal: Atoms, released: Network) -> None:
    options = {"stride": 12.0, "padding": 0.0, "network": released, "passes": 2}
    xr.testing.assert_identical(
        scan(bicrystal, 12.0, **options), scan(bicrystal, Cube(12.0), **options)
    )


@pytest.mark.parametrize(
    "make", [lambda: ThreadPoolExecutor(1), lambda: ProcessPoolExecutor(1, get_context("spawn"))]
)
def test_executor_does_not_matter(
    bicrystal: Atoms, released: Network, make: Callable[[], Executor]
) -> None:
    def run(executor: Executor | None) -> xr.Dataset:
        return scan(
            bicrystal, 12.0, 12.0, padding=0.0, network=released, passes=2, executor=executor
        )

    with make() as executor:
        xr.testing.assert_identical(run(executor), run(None))
        executor.submit(len, ()).result()  # what the user gave is not closed


def test_boxes_are_handed_out_in_lots(
    bicrystal: Atoms, released: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"padding": 0.0, "network": released, "passes": 2}
    whole = scan(bicrystal, 12.0, 6.0, **options)
    monkeypatch.setattr(sweep, "_LOT", 3)
    xr.testing.assert_identical(scan(bicrystal, 12.0, 6.0, **options), whole)


def test_box_larger_than_the_sample(released: Network) -> None:
    sample = free_block(bulk("Fe", "bcc", a=2.87, cubic=True).repeat(5))
    found = scan(sample, 50.0, 1.0, network=released, passes=PASSES)
    assert dict(found.sizes) == {"class": 109, "z": 1, "y": 1, "x": 1}
    assert int(found["n_atoms"].item()) == len(sample)
    assert found["label"].item() == "bcc"
    assert [found[axis].item() for axis in "xyz"] == pytest.approx([0.5 * 2.87 * 4.5] * 3)


def test_a_box_with_just_enough_atoms_counts(released: Network) -> None:
    sample = free_block(bulk("Fe", "bcc", a=2.87, cubic=True).repeat(3))
    options = {"network": released, "passes": 2}
    found = scan(sample, 20.0, 1.0, min_atoms=len(sample), **options)
    assert found["label"].item() != ""
    with pytest.raises(InputError, match="holds 55 atoms; the fullest holds 54"):
        scan(sample, 20.0, 1.0, min_atoms=len(sample) + 1, **options)


# --- periodic samples --------------------------------------------------------------------------

#: Ten classes of three dimensions and two, elements and compounds.
TEN = (
    "fcc", "bcc", "hcp", "sc", "diamond", "NaCl", "CsCl", "L1_2", "zincblende", "graphene",
)  # fmt: skip


def block(label: str, least: float) -> Atoms:
    """A supercell of a class that is at least so long along each periodic vector."""
    cell = prototypes.build(label)
    lengths = cell.cell.lengths()
    n = [int(np.ceil(least / a)) if p else 1 for a, p in zip(lengths, cell.pbc, strict=True)]
    return cell.repeat(n)


@pytest.mark.parametrize("label", TEN)
def test_a_perfect_periodic_crystal_has_no_rim(released: Network, label: str) -> None:
    sample = block(label, 8.0)
    scale = overall_nearest_neighbour_distance(block(label, 20.0))
    # In units of the bond, so that each box holds about as many atoms.
    box = 5.5 * scale if label != "graphene" else 9.0 * scale
    found = scan(sample, box, 0.6 * box, min_atoms=40, network=released, passes=PASSES)
    assert set(found["label"].values.ravel().tolist()) == {label}
    assert found["n_atoms"].values.min() >= 40


@pytest.mark.parametrize("label", ["fcc", "NaCl", "diamond"])
def test_a_free_block_is_right_inside(released: Network, label: str) -> None:
    sample = free_block(block(label, 26.0))
    scale = overall_nearest_neighbour_distance(sample)
    found = scan(sample, 5.5 * scale, 4.0, padding=0.0, network=released, passes=PASSES)
    middle = sample.positions.mean(axis=0)
    inside = found.sel(dict(zip("xyz", middle, strict=True)), method="nearest")
    assert inside["label"].item() == label


@given(
    repeats=st.tuples(*[st.integers(1, 3)] * 3),
    shift=st.tuples(*[st.floats(-30.0, 30.0)] * 3),
    oblique=st.booleans(),
)
def test_boxes_of_a_periodic_sample_hold_what_an_endless_crystal_holds(
    repeats: tuple[int, int, int], shift: tuple[float, float, float], oblique: bool
) -> None:
    sample = bulk("Cu", a=3.6, cubic=not oblique).repeat(repeats)
    sample.positions += shift  # out of the cell
    box = Sphere(4.1)
    axes = box_centres(sample, box, 3.0, padding=0.5)
    around = with_images(sample, axes, box)
    assert not around.pbc.any()
    counts = count_atoms(around.positions, axes, box)
    # A block that reaches beyond the boxes wherever the sample lies.
    endless = bulk("Cu", a=3.6, cubic=True).repeat(12)
    endless.positions -= 6 * 3.6
    offset = (np.asarray(shift) + 1.8) % 3.6 - 1.8
    for step in (1, 5, 11, 17):
        ix, iy, iz = (step % n for n in counts.shape)
        centre = np.array([axes[0][ix], axes[1][iy], axes[2][iz]])
        centre_in_cell = (centre - offset + 1.8) % 3.6 - 1.8
        distance = np.linalg.norm(endless.positions - centre_in_cell, axis=1)
        if not np.any(np.abs(distance - box.radius) < 1e-6):  # on the surface: rounding decides
            assert counts[ix, iy, iz] == (distance <= box.radius).sum()


def test_a_slab_has_a_rim_along_its_normal_only(released: Network) -> None:

    cubic = bulk("Cu", a=3.6, cubic=True).repeat((3, 3, 8))
    cubic.pbc = (True, True, False)
    x, y, z = box_centres(cubic, Cube(9.0), 3.6, padding=0.5)
    assert len(x) == len(y) == 3 and np.ptp(x) == pytest.approx(7.2)
    assert z[0] < 0.0 and z[-1] > cubic.positions[:, 2].max()
    found = scan(cubic, 12.0, 5.0, padding=0.0, network=released, passes=PASSES)
    assert set(found["label"].values.ravel().tolist()) == {"fcc"}


@pytest.mark.parametrize("pbc", [(True, True, False), (False, True, True), (False, False, True)])
@given(
    turn=st.tuples(*[st.floats(-90.0, 90.0)] * 3),
    lean=st.tuples(*[st.floats(-5.0, 5.0)] * 6),
    shift=st.tuples(*[st.floats(-30.0, 30.0)] * 3),
)
@settings(max_examples=20)
def test_boxes_of_a_slab_or_rod_in_any_cell_cover_it(
    pbc: tuple[bool, bool, bool],
    turn: tuple[float, float, float],
    lean: tuple[float, ...],
    shift: tuple[float, float, float],
) -> None:
    sample = bulk("Cu", a=3.6, cubic=True).repeat((3, 3, 3))
    sample.pbc = pbc
    cell = sample.cell.array.copy()
    cell[~np.eye(3, dtype=bool)] += lean
    sample.set_cell(cell)
    for angle, axis in zip(turn, "xyz", strict=True):
        sample.rotate(angle, axis, rotate_cell=True)
    sample.positions += shift
    box = Cube(6.0)
    axes = box_centres(sample, box, 4.0, padding=0.0)
    around = with_images(sample, axes, box)
    many = product(*(range(-20, 21) if flag else (0,) for flag in pbc))
    images = sample.positions + (np.array(list(many)) @ sample.cell.array)[:, None]
    low, high = (np.array([axis[end] for axis in axes]) for end in (0, -1))

    def held(positions: NDArray[np.float64], margin: float) -> NDArray[np.bool_]:
        reach = 3.0 + margin
        return np.all((positions >= low - reach) & (positions <= high + reach), axis=-1)

    assert held(images, 1e-9).any(axis=0).all()
    # No image is missing; of those on a face rounding decides.
    assert held(images, -1e-6).sum() == held(around.positions, -1e-6).sum()


def test_the_choice_of_the_cell_does_not_matter(released: Network) -> None:
    cubic = bulk("Cu", a=3.6, cubic=True).repeat(3)
    moved = cubic.copy()
    moved.positions += [3.6 * 3 * 5, 0.0, -3.6 * 3]  # unwrapped by whole cells
    options = {"network": released, "passes": PASSES}
    xr.testing.assert_allclose(scan(cubic, 12.0, 5.4, **options), scan(moved, 12.0, 5.4, **options))


def test_a_box_over_too_many_images_is_refused() -> None:
    tiny = bulk("Cu", a=3.6)
    axes = box_centres(tiny, Cube(900.0), 3.0, padding=0.0)
    with pytest.raises(InputError, match=r"reaches over [\d,]+ images of the 1 atoms"):
        with_images(tiny, axes, Cube(900.0))


def test_box_whose_species_are_all_too_rare(released: Network) -> None:
    # Left, far from a crystal, two atoms of one and two of another species.
    crystal = free_block(bulk("Fe", "bcc", a=2.87, cubic=True).repeat(3))
    rare = Atoms("Cu2Au2", positions=[[-30, 0, 0], [-30, 3, 0], [-30, 0, 3], [-30, 3, 3]])
    options = {"padding": 0.0, "network": released, "passes": 2}
    found = scan(crystal + rare, 10.0, 10.0, min_atoms=4, **options)
    left = found.sel(x=-30, method="nearest")
    assert int(left["n_atoms"].max()) == 4
    assert set(np.unique(left["label"].values)) == {""}
    assert left["mutual_information"].isnull().all()
    assert left["probability"].isnull().all()


def test_shares_of_labels() -> None:
    labels = np.array([[["fcc", "", "bcc", "fcc"], ["", "", "fcc", "hcp"]]])
    shares = label_shares(xr.Dataset({"label": (("z", "y", "x"), labels)}))
    assert list(shares.items()) == [("fcc", 0.6), ("bcc", 0.2), ("hcp", 0.2)]
    assert label_shares(xr.Dataset({"label": ("x", np.array(["", ""]))})) == {}


def test_public_name() -> None:
    assert arise_lib.scan is scan


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"box": 0.0}, {"box": -16.0}, {"box": np.nan}, {"stride": 0.0}, {"stride": -1.0},
        {"stride": np.inf}, {"padding": -0.5}, {"padding": np.nan}, {"padding": np.inf},
    ],
)  # fmt: skip
def test_geometry_that_makes_no_sense(released: Network, wrong: dict[str, float]) -> None:
    sample = free_block(bulk("Fe", cubic=True).repeat(6))
    ((name, value),) = wrong.items()
    said = f"box of edge {value}" if name == "box" else f"{name} = {value}"
    with pytest.raises(InputError, match=f"{said}.*box and stride must be"):
        scan(sample, network=released, **wrong)


def test_sphere_that_makes_no_sense(released: Network) -> None:
    with pytest.raises(InputError, match=r"A sphere of radius -1\.0.*box and stride must be"):
        scan(bulk("Fe", cubic=True), Sphere(-1.0), network=released)
    with pytest.raises(InputError, match=r"No sphere of radius 2\.0 holds 50 atoms"):
        scan(free_block(bulk("Fe", cubic=True).repeat(4)), Sphere(2.0), network=released)


def test_box_that_holds_too_little(bicrystal: Atoms, released: Network) -> None:
    with pytest.raises(
        InputError, match=r"No box of edge 5\.0 holds 50 atoms; the fullest holds \d+\. Enlarge"
    ):
        scan(bicrystal, 5.0, 5.0, network=released)


def test_boxes_that_hold_nothing(released: Network) -> None:
    # Two atoms far apart: a coarse grid of small boxes meets neither of them.
    sample = Atoms("Fe2", positions=[[0, 0, 0], [100.0, 0, 0]])
    with pytest.raises(
        InputError, match=r"No box of edge 1\.0 holds 50 atoms; the fullest holds 0"
    ):
        scan(sample, 1.0, 70.0, padding=0.0, network=released)


def test_file_that_is_not_there(released: Network, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.xyz"):
        scan(tmp_path / "absent.xyz", network=released)


@pytest.mark.parametrize(
    ("stride", "said"), [(0.01, "A stride of 0.01 makes"), (1e-9, "1e-09"), (5e-324, "inf boxes")]
)
def test_absurd_grids_are_refused_before_they_are_made(stride: float, said: str) -> None:
    atoms = free_block(bulk("Cu", cubic=True) * (8, 8, 8))
    tracemalloc.start()
    with pytest.raises(InputError, match=f"{said}.*at most {MAX_BOXES:,} are allowed"):
        box_centres(atoms, Cube(10.0), stride, 0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_scans_that_take_too_much_memory_are_refused(
    bicrystal: Atoms, released: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "MAX_MEMORY", 1_000_000)
    monkeypatch.setattr(lines, "describe_windows", None)  # it does not come to that
    with pytest.raises(InputError, match=r"[\d,]+ boxes, [\d,]+ of them filled, take .* 0\.001 GB"):
        scan(bicrystal, 12.0, 1.0, network=released)


@pytest.mark.parametrize("classes", [None, ["fcc"]])
def test_memory_is_what_is_counted(
    released: Network, monkeypatch: pytest.MonkeyPatch, classes: list[str] | None
) -> None:
    """A scan of some thousand boxes, most of them filled, takes what is stated."""
    monkeypatch.setattr(sweep, "_LOT", 1000)
    sample = free(np.random.default_rng(1).uniform(0.0, 25.0, (2000, 3)))
    options = {"padding": 0.0, "min_atoms": 2, "network": released, "passes": 2, "classes": classes}
    scan(sample, 3.0, 4.0, **options)  # what is made once
    tracemalloc.start()
    maps = scan(sample, 3.0, 1.5, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    n_filled = int(maps["mutual_information"].notnull().sum())
    assert n_filled > 2 * sweep._LOT
    sizes = (maps["n_atoms"].size, n_filled, 108, released.settings.n_features, len(maps["class"]))
    # What the passes need whatever the number of rows is some megabytes.
    for limit, fits in ((1.1 * peak + 10e6, True), (0.5 * (peak - 10e6), False)):
        monkeypatch.setattr(sweep, "MAX_MEMORY", limit)
        with nullcontext() if fits else pytest.raises(InputError):
            sweep._check_memory(*sizes)


# --- in lots, in part, and again ---------------------------------------------------------------


def lots_of(sample: Atoms, released: Network) -> list[list[lines.Task]]:
    """Divide the boxes of a scan as it does."""
    laid = plan(sample, 12.0, 6.0, 0.0, MIN_ATOMS)
    return [*sweep._lots(tasks(laid.sample, laid.axes, laid.shape, laid.filled, released.settings))]


def test_an_interrupted_scan_goes_on_and_ends_in_the_same_bits(
    bicrystal: Atoms, released: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "DERIVED", tmp_path)
    monkeypatch.setattr(sweep, "_LOT", 10)
    options = {"padding": 0.0, "network": released, "passes": PASSES, "tolerance": 0.05}
    whole = scan(bicrystal, 12.0, 6.0, **options)
    n_filled = int(whole["mutual_information"].notnull().sum())
    sizes = [sum(len(task.rows) for task in lot) for lot in lots_of(bicrystal, released)]
    kept = sum(sizes[:2])
    assert len(sizes) > 3 and sum(sizes) == n_filled
    described_so_far: list[int] = []

    def counted(task: lines.Task, **how: Any) -> NDArray[np.float32]:
        if sum(described_so_far) >= stop_at:
            raise KeyboardInterrupt
        described_so_far.extend([1] * len(task.rows))
        return describe(task, **how)

    describe = lines._describe
    monkeypatch.setattr(lines, "_describe", counted)
    stop_at = kept + 1
    with pytest.raises(KeyboardInterrupt):
        scan(bicrystal, 12.0, 6.0, resume=True, executor=Here(), **options)
    described_so_far.clear()
    stop_at = 10**9
    xr.testing.assert_identical(
        scan(bicrystal, 12.0, 6.0, resume=True, executor=Here(), **options), whole
    )
    assert len(described_so_far) == n_filled - kept  # two lots were there
    described_so_far.clear()
    xr.testing.assert_identical(scan(bicrystal, 12.0, 6.0, resume=True, **options), whole)
    assert not described_so_far
    for other in ({"seed": 1}, {"passes": 3}, {"tolerance": None}, {"min_of_species": 4}):
        scan(bicrystal, 12.0, 6.0, resume=True, **(options | other))
        assert len(described_so_far) == n_filled, f"{other} is another scan"
        described_so_far.clear()
    moved = bicrystal.copy()
    moved.positions[0, 0] += 1e-9
    scan(moved, 12.0, 6.0, resume=True, **options)
    assert len(described_so_far) == n_filled


def test_probabilities_of_some_classes(bicrystal: Atoms, released: Network) -> None:
    options = {"padding": 0.0, "network": released, "passes": PASSES}
    whole = scan(bicrystal, 12.0, 8.0, **options)
    some = scan(bicrystal, 12.0, 8.0, classes=["bcc", "fcc"], **options)
    xr.testing.assert_identical(some, whole.sel({"class": ["bcc", "fcc"]}))
    for wrong in (["fcc", "glass"], "fcc"):
        with pytest.raises(InputError, match="classes = "):
            scan(bicrystal, 12.0, 8.0, classes=wrong, **options)


def test_a_scan_is_its_two_halves(bicrystal: Atoms, released: Network) -> None:
    whole = scan(bicrystal, 12.0, 8.0, padding=0.0, network=released, passes=PASSES)
    boxes = describe_boxes(bicrystal, 12.0, 8.0, padding=0.0, settings=released.settings)
    found = classify_boxes(boxes, network=released, passes=PASSES)
    xr.testing.assert_equal(found, whole)
    assert found.attrs == {"box": 12.0, "passes": PASSES, "seed": 0}
    assert boxes.features.shape == (len(boxes.centres), released.settings.n_features)
    for row in (0, len(boxes.centres) // 2, -1):
        x, y, z = boxes.centres[row]
        here = whole.sel(x=x, y=y, z=z)
        own = predict(released, boxes.features[row][None], n_passes=PASSES)
        assert float(here["mutual_information"]) == own.mutual_information[0]


def test_the_halves_of_a_scan_are_kept_and_found_again(
    bicrystal: Atoms, released: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "DERIVED", tmp_path)
    where = {"padding": 0.0, "settings": released.settings}
    boxes = describe_boxes(bicrystal, 12.0, 8.0, **where)
    found = classify_boxes(boxes, network=released, passes=PASSES)
    counts = []
    for _ in range(2):
        again = describe_boxes(bicrystal, 12.0, 8.0, resume=True, **where)
        np.testing.assert_array_equal(again.features, boxes.features)
        kept = classify_boxes(again, network=released, passes=PASSES, resume=True)
        xr.testing.assert_identical(kept, found)
        counts.append(len(list(tmp_path.rglob("*.npz"))))
    assert counts == [2, 2]  # one file each, both times the same
    classify_boxes(boxes, network=released, passes=PASSES, seed=1, resume=True)
    moved = bicrystal.copy()
    moved.positions[0, 0] += 1e-9
    describe_boxes(moved, 12.0, 8.0, resume=True, **where)
    assert len(list(tmp_path.rglob("*.npz"))) == 4


def test_maps_are_the_same_when_read_again(
    bicrystal: Atoms, released: Network, tmp_path: Path
) -> None:
    found = scan(bicrystal, 12.0, 8.0, padding=0.5, min_atoms=80, network=released, passes=2)
    assert (found["label"] == "").any()
    found.to_netcdf(tmp_path / "maps.nc", engine="scipy")
    xr.testing.assert_equal(xr.load_dataset(tmp_path / "maps.nc", engine="scipy"), found)


def test_a_stride_for_each_axis_and_a_box_of_three_edges(
    bicrystal: Atoms, released: Network
) -> None:
    rod = Block((12.0, 40.0, 14.0))
    options = {"padding": 0.0, "network": released, "passes": 2}
    found = scan(bicrystal, rod, (6.0, 3.0, 40.0), **options)
    assert found.sizes["y"] == 1 and found.sizes["z"] == 1 and found.sizes["x"] > 3
    np.testing.assert_allclose(np.diff(found["x"]), 6.0)
    assert found.attrs["stride"] == [6.0, 3.0, 40.0] and found.attrs["shape"] == str(rod)
    for ix in range(found.sizes["x"]):
        here = found.isel(x=ix, y=0, z=0)
        offsets = np.abs(bicrystal.positions - [float(here[axis]) for axis in "xyz"])
        assert int(here["n_atoms"]) == (offsets <= [6.0, 20.0, 7.0]).all(axis=1).sum()
    for wrong in ((6.0, 0.0, 1.0), (6.0, np.nan, 1.0)):
        with pytest.raises(InputError, match="box and stride must be"):
            scan(bicrystal, rod, wrong, **options)


def test_label_shares_can_leave_out_uncertain_boxes() -> None:
    labels = np.array([["fcc", "fcc", "bcc", ""]])
    information = np.array([[0.01, 0.5, 0.02, np.nan]])
    maps = xr.Dataset(
        {"label": (("y", "x"), labels), "mutual_information": (("y", "x"), information)}
    )
    assert label_shares(maps) == pytest.approx({"fcc": 2 / 3, "bcc": 1 / 3})
    assert label_shares(maps, certain_below=0.1) == pytest.approx({"bcc": 0.5, "fcc": 0.5})


# --- what is no box, no stride -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"box": (11.0, 11.0, 11.0)}, r"box = \(11.0, 11.0, 11.0\) is no box; .* Block"),
        ({"box": "11"}, "box = '11' is no box"),
        ({"box": None}, "box = None is no box"),
        ({"stride": [9.0, 9.0]}, r"stride = \[9.0, 9.0\]: give one for all axes, or three"),
        ({"passes": 20.5}, "20.5 passes"),
        ({"seed": -1}, "A seed of -1"),
    ],
)
def test_settings_of_the_wrong_kind_are_refused(
    bicrystal: Atoms, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        scan(bicrystal, **({"box": 12.0, "stride": 9.0, "passes": 2} | wrong))


def test_a_block_has_three_edges() -> None:
    with pytest.raises(InputError, match="give three, along x, y and z"):
        Block((11.0, 11.0))  # type: ignore[arg-type]


def test_classes_may_be_handed_over_once(bicrystal: Atoms, released: Network) -> None:
    options = {"padding": 0.0, "network": released, "passes": 2}
    few = scan(bicrystal, 12.0, 12.0, classes=(c for c in ("fcc", "bcc")), **options)
    assert few["class"].values.tolist() == ["fcc", "bcc"]


def test_a_box_with_a_single_atom_has_no_answer(released: Network) -> None:
    positions = np.random.default_rng(0).random((59, 3)) * 10
    sample = Atoms("Cu60", np.vstack([positions, [[40.0, 0.0, 0.0]]]))
    few = {"min_atoms": 1, "min_of_species": 1, "padding": 0.0, "network": released, "passes": 2}
    for stride in (4.0, 11.0):  # lines, and boxes one by one
        maps = scan(sample, 11.0, stride, **few)
        alone = maps["n_atoms"] == 1
        assert alone.any() and maps["mutual_information"].where(alone).isnull().all()
        assert (maps["label"].where(alone, "") == "").all()
        assert maps["mutual_information"].where(~alone & (maps["n_atoms"] > 0)).notnull().any()


class Tube(Box):
    """A shape of a user, of which neither name nor attributes tell what it holds."""

    def __init__(self, radius: float) -> None:
        self.inner = lambda: radius

    def __repr__(self) -> str:
        return "Tube"

    @property
    def extent(self) -> float:
        return 14.0

    def holds(self, offsets: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.hypot(offsets[:, 0], offsets[:, 1]) <= self.inner()


def test_kept_answers_of_a_users_shape_are_those_of_what_it_holds(
    bicrystal: Atoms, released: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "DERIVED", tmp_path)
    options = {"padding": 0.0, "network": released, "passes": 2, "min_atoms": 10}
    for radius in (5.0, 7.0, 5.0):
        tube = Tube(radius)
        xr.testing.assert_identical(
            scan(bicrystal, tube, 9.0, resume=True, **options),
            scan(bicrystal, tube, 9.0, **options),
        )
