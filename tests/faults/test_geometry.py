"""Small structures that once ended in a crash of compiled code, or filled the memory."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st
from limits import ROOT, outcome
from strategies import periodic_structures

from arise_lib.descriptor import describe
from arise_lib.errors import InputError
from arise_lib.structures.checks import check_geometry
from arise_lib.structures.neighbours import (
    MAX_IMAGES,
    begin_of,
    cell_list,
    gather,
    periodic_images,
)
from arise_lib.structures.scale import mode_of_distances, overall_nearest_neighbour_distance

limited = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")

SQUARE = [[0, 0, 0], [0, 2.5, 0], [2.5, 0, 0], [2.5, 2.5, 0]]


# --- images beyond number --------------------------------------------------------------------


@limited
@pytest.mark.parametrize(
    ("symbols", "place", "cell", "message"),
    [
        # Counts of 64 bits wrapped around here, and compiled code wrote beyond its arrays.
        ("Cu2", 1.0, [1e-25, 1e-25, 3e10], r"cell vector 0, \[1e-25, .* as short as a rounding"),
        ("CuNi", 1.0, [1e-25, 1e-25, 3e10], r"cell vector 0, \[1e-25, .* as short as a rounding"),
        ("CuNi", 1.0, [1e-10, 1e-10, 3], r"images are within .* cell vector 0, .* repeated 2e\+10"),
        ("CuNi", 0.5, [1e-3, 1e-13, 1], r"atom 0 and its own image are .* 1e-13 apart"),
        (
            "CuNi",
            500.0,
            [0.1, 0.1, 1e3],
            r"atom 0 is 500 from the next one; 2e\+08 periodic images",
        ),
    ],
)
def test_too_many_images_are_refused(
    symbols: str, place: float, cell: list[float], message: str
) -> None:
    found = outcome(
        f"atoms = Atoms({symbols!r}, [[0, 0, 0], [0, 0, {place}]], cell={cell}, pbc=True)\n"
        "return describe(load_structure(atoms))"
    )
    assert found["error"] == "InputError"
    with pytest.raises(InputError, match=message):
        raise InputError(found["message"])


def test_atom_that_makes_so_many_images_is_named() -> None:
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True)
    atoms.positions[2] += [0.0, 0.0, 3.6e9]
    with pytest.raises(InputError, match=r"atom 2 is 1e\+09 cells away .* vector 2; bring it into"):
        periodic_images(atoms, np.ones(4, dtype=bool), 5.0)
    assert np.abs(describe(atoms) - describe(bulk("Cu", "fcc", a=3.6))).max() < 1e-5


def test_limit_is_one_of_images_not_of_atoms() -> None:
    # 21 x 21 x 21 images of 1,100 atoms are too many, but not those of an atom.
    cell, one = 3.0 * np.eye(3), np.ones(1, dtype=bool)
    found = periodic_images(Atoms("Cu", cell=cell, pbc=True), one, 30.0)
    assert len(found[0]) == 21**3
    n = MAX_IMAGES // 21**3 + 1
    crowd = Atoms(f"Cu{n}", np.zeros((n, 3)), cell=cell, pbc=True)
    with pytest.raises(InputError, match="10,000,000 are allowed"):
        periodic_images(crowd, np.ones(n, dtype=bool), 30.0)


@pytest.mark.parametrize("n", [1, 2])
def test_volume_too_small_or_large_for_a_number(n: int) -> None:
    expected = describe(
        Atoms(f"Cu{n}", np.arange(3 * n).reshape(n, 3) / 4, cell=np.eye(3), pbc=True)
    )
    for unit in (1e-120, 1e-60, 1e60, 1e120):
        atoms = Atoms(
            f"Cu{n}", unit * np.arange(3 * n).reshape(n, 3) / 4, cell=unit * np.eye(3), pbc=True
        )
        assert describe(atoms) == pytest.approx(expected, abs=1e-9)


def test_cell_vector_of_the_size_of_a_rounding_error() -> None:
    atoms = Atoms("Cu", cell=[1.0, 1e-13, 1.0], pbc=True)
    check_geometry(atoms)
    atoms.cell[1, 1] = 1e-15
    with pytest.raises(InputError, match=r"cell vector 1, \[0.0, 1e-15, 0.0\], is as short as"):
        check_geometry(atoms)
    atoms.pbc = (True, False, True)
    check_geometry(atoms)


# --- small structures that are spread widely -------------------------------------------------


@limited
@pytest.mark.parametrize(
    ("fault", "same"),
    [
        (
            f"corners = np.array({SQUARE})\n"
            "both = np.concatenate([corners, corners + 5000])\n"
            "return describe(load_structure(Atoms('Cu8', both)))",
            Atoms("Cu4", SQUARE),
        ),
        (
            "return describe(load_structure(Atoms('Cu2', [[0] * 3, [1001.0] * 3], cell=[3.6] * 3, "
            "pbc=True)))",
            Atoms("Cu2", [[0] * 3, [1001.0 % 3.6] * 3], cell=[3.6] * 3, pbc=True),
        ),
        (
            "atoms = bulk('Cu', 'fcc', a=3.6, cubic=True).repeat(8)\n"
            "steps = np.random.default_rng(0).integers(-15, 16, (len(atoms), 3))\n"
            "atoms.positions += steps @ atoms.cell.array\n"
            "return describe(load_structure(atoms))",
            bulk("Cu", "fcc", a=3.6, cubic=True).repeat(8),
        ),
        (
            "atoms = bulk('Cu', 'fcc', a=3.6, cubic=True).repeat(4)\n"
            "atoms.positions[7] += 60 * atoms.cell[1]\n"
            "return describe(load_structure(atoms))",
            bulk("Cu", "fcc", a=3.6, cubic=True).repeat(4),
        ),
        (
            "return describe(load_structure(Atoms('Cu', cell=[1e9, 1e9, 1e9], pbc=True)))",
            Atoms("Cu", cell=[1, 1, 1], pbc=True),
        ),
        (
            "return describe(load_structure(Atoms('Cu', cell=[1e12, 1e12, 3.0], pbc=True)))",
            Atoms("Cu", cell=[3e6, 3e6, 3.0], pbc=True),
        ),
        (
            "return describe(load_structure(Atoms('Cu', cell=[0.1, 0.1, 1000], pbc=True)))",
            Atoms("Cu", cell=[0.1, 0.1, 10], pbc=True),
        ),
        (
            "line = 2.5 * np.arange(30000)[:, None] * [1, 1, 1]\n"
            "return describe(load_structure(Atoms('Cu30000', line)))",
            Atoms("Cu", cell=2.5 * np.diag([np.sqrt(3), 1e3, 1e3]), pbc=(True, False, False)),
        ),
    ],
    ids=[
        "two groups 5,000 apart",
        "an atom at 1,001 in a small cell",
        "unwrapped over 31 cells",
        "one atom 60 cells away",
        "one atom in an enormous cell",
        "one atom in an enormous plate",
        "a long cell",
        "a diagonal",
    ],
)
def test_memory_goes_with_the_atoms(fault: str, same: Atoms) -> None:
    if same.cell.rank == 3 and len(same) == 1 and not same.pbc.all():
        same = same.copy()
        same.rotate([1, 0, 0], [1, 1, 1], rotate_cell=True)
    found = outcome(fault)
    assert "error" not in found, found
    limit = 1e-3 if "30000" in fault else 1e-9
    assert found["value"] == pytest.approx(describe(same), abs=limit)


@limited
def test_large_skew_cell_is_refused_with_advice() -> None:
    found = outcome(
        "cell = [[3, 0, 0], [3e5, 3, 0], [0, 0, 3]]\n"
        "return describe(load_structure(Atoms('Cu', cell=cell, pbc=True)))"
    )
    assert found["error"] == "InputError" and "another one of the same lattice" in found["message"]


OUTSIDE = """
import numpy as np
from numba import njit
from arise_lib.descriptor._engine.lanes import LANES, load, store

@njit
def copy(array, source, target):
    store(array, target, load(array, source))

copy(np.zeros(20), 0, 12)
for source, target in ((13, 0), (0, 13), (-1, 0), (0, -1)):
    try:
        copy(np.zeros(20), source, target)
    except IndexError:
        print("refused")
"""


def test_bounds_of_vectors_are_checked_where_bounds_are() -> None:
    """`make test-bounds` sees what the hot loops read and write, too."""
    done = subprocess.run(
        [sys.executable, "-c", OUTSIDE],
        env=os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_BOUNDSCHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == 4 * "refused\n", done.stderr


# --- bringing atoms into one cell ------------------------------------------------------------


@given(periodic_structures(), st.data())
def test_gathered_atoms_are_images(atoms: Atoms, data: st.DataObject) -> None:
    steps = data.draw(
        st.lists(st.tuples(*[st.integers(-99, 99)] * 3), min_size=len(atoms), max_size=len(atoms))
    )
    moved = atoms.copy()
    moved.positions += (np.array(steps) * atoms.pbc) @ atoms.cell.array
    before = moved.copy()
    gathered = gather(moved)
    assert moved == before
    shifts = np.linalg.solve(atoms.cell.array.T, (gathered.positions - atoms.positions).T).T
    assert np.abs(shifts - np.rint(shifts)).max() < 1e-9
    assert np.abs(shifts[:, ~atoms.pbc]).max(initial=0.0) < 1e-9
    extent = np.ptp(gathered.get_scaled_positions(wrap=False), axis=0)
    assert (extent[atoms.pbc] <= 2.5).all()
    assert describe(gathered) == pytest.approx(describe(atoms), abs=1e-8)


def test_atoms_that_are_near_stay_as_they_are() -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
    atoms.positions += [0.0, 1e4, 0.0]
    atoms.positions[3] += 1.4 * atoms.cell[0]
    assert gather(atoms) is atoms
    free = Atoms("Cu2", [[0, 0, 0], [1e6, 0, 0]], cell=[3, 3, 3], pbc=(False, True, True))
    assert gather(free) is free


# --- the cell list ---------------------------------------------------------------------------


@pytest.mark.parametrize("spread", [1.0, 30.0, 1e4, 1e9, 1e30])
@pytest.mark.parametrize("n", [1, 2, 500])
def test_cell_list_holds_every_point_in_its_cell(n: int, spread: float) -> None:
    points = np.random.default_rng(n).normal(size=(n, 3)) * spread
    order, start, listed, low, shape, size = cell_list(points, 1.0)
    assert sorted(order) == list(range(n))
    assert len(start) <= max(8 * n, 4096) + 1  # the memory
    assert size == 1.0 or spread > 1e5
    layer = np.minimum(np.floor((points - low) / size).astype(np.int64), shape - 1)
    number = (layer[:, 0] * shape[1] + layer[:, 1]) * shape[2] + layer[:, 2]
    assert np.array_equal(order, np.argsort(number, kind="stable"))
    for cell in {*number, *(number - 1).clip(0), 0}:
        begin, end = begin_of(cell, start, listed), begin_of(cell + 1, start, listed)
        assert np.array_equal(order[begin:end], np.flatnonzero(number == cell))


@pytest.mark.parametrize("spread", [1e-320, 1e300])
def test_cell_list_of_numbers_at_their_limits(spread: float) -> None:
    points = spread * np.array([[0.0, 0, 0], [1, 1, 1], [0.5, 0, 1]])
    order, *_ = cell_list(points, 1e-3)
    assert sorted(order) == [0, 1, 2]


# --- distances that are none -----------------------------------------------------------------


def test_coincident_atoms_have_no_scale() -> None:
    with pytest.raises(InputError, match="2 of 3 distances are not positive, the least is 0"):
        overall_nearest_neighbour_distance(Atoms("Cu3", [[0, 0, 0], [0, 0, 0], [1, 0, 0]]))
    with pytest.raises(InputError, match="1 of 2 distances are not positive"):
        mode_of_distances(np.array([0.0, 1.0]))


@pytest.mark.parametrize("pbc", [(True, True, False), (False, True, True), (True, False, False)])
@pytest.mark.parametrize("lift", [0.0, 1e-12, 1e-3, -4.0])
def test_a_vector_that_repeats_nothing_means_nothing(
    pbc: tuple[bool, bool, bool], lift: float
) -> None:
    atoms = bulk("Cu", cubic=True) * 3
    atoms.pbc = pbc
    expected = describe(atoms)
    leaning = atoms.copy()
    cell = atoms.cell.array.copy()
    free = np.flatnonzero(~np.array(pbc))
    normal = np.eye(3)[free[0]]
    # All vectors that are not periodic lie in, or close to, the plane or line of those that are.
    cell[free] = cell[np.array(pbc)].sum(axis=0) + lift * normal
    leaning.set_cell(cell)
    np.testing.assert_allclose(describe(leaning), expected, rtol=0, atol=1e-12)
