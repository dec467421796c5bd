"""The atoms around one of a sample, as a free cluster."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, graphene
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from strategies import structures
from tolerances import ARITHMETIC

from arise_lib.errors import InputError
from arise_lib.structures import neighbourhood, neighbourhoods
from arise_lib.structures.pieces import SAME_SHELL


def by_force(atoms: Atoms, centre: int, n_atoms: int, repeats: int = 6) -> list[float]:
    """Distances of the nearest atoms among so many images that none can be missing."""
    cells = [np.arange(-repeats, repeats + 1) if flag else np.zeros(1) for flag in atoms.pbc]
    shifts = np.stack(np.meshgrid(*cells), axis=-1).reshape(-1, 3) @ atoms.cell.array
    images = (atoms.positions[:, None] + shifts).reshape(-1, 3)
    distances = np.sort(np.linalg.norm(images - atoms.positions[centre], axis=1))
    reach = distances[n_atoms - 1] * (1 + SAME_SHELL)
    return distances[distances <= reach].tolist()


@given(structures(), st.data())
def test_nearest_atoms_of_any_structure(atoms: Atoms, data: st.DataObject) -> None:
    most = 30 if atoms.pbc.any() else len(atoms)
    n_atoms = data.draw(st.integers(1, most))
    centre = data.draw(st.integers(0, len(atoms) - 1))
    piece = neighbourhood(atoms, centre, n_atoms)
    distances = np.linalg.norm(piece.positions, axis=1)
    np.testing.assert_allclose(distances, by_force(atoms, centre, n_atoms), atol=ARITHMETIC)
    assert piece.numbers[0] == atoms.numbers[centre] and not piece.pbc.any()
    assert not piece.cell.array.any()


@pytest.mark.parametrize(
    ("n_atoms", "count"), [(1, 1), (2, 13), (13, 13), (14, 19), (19, 19), (20, 43), (56, 79)]
)
def test_shells_are_whole(n_atoms: int, count: int) -> None:
    """The shells of fcc: 1, 12, 6, 24, 12, 24 atoms."""
    for atoms in (bulk("Cu", a=3.6), bulk("Cu", a=3.6, cubic=True) * (3, 2, 1)):
        assert len(neighbourhood(atoms, len(atoms) - 1, n_atoms)) == count


def test_order_of_the_atoms_does_not_matter() -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True) * (2, 2, 2)
    order = np.random.default_rng(3).permutation(len(atoms))
    for n_atoms in (10, 50, 100):
        for i in (0, 17):
            first = neighbourhood(atoms, int(order[i]), n_atoms)
            second = neighbourhood(atoms[order], i, n_atoms)
            assert first.get_chemical_formula() == second.get_chemical_formula()
            assert cdist(first.positions, second.positions).min(axis=1).max() < ARITHMETIC


def test_unwrapped_atoms_and_skew_cells_are_the_same_crystal() -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.6)
    other = atoms.copy()
    other.positions += np.array([[300, -200, 7], [0, 1000, -3]]) @ atoms.cell.array
    other.set_cell(other.cell.array + np.array([[0, 0, 0], [0, 0, 0], [9, -7, 0]]) @ other.cell)
    for i in range(2):
        first, second = neighbourhood(atoms, i, 100), neighbourhood(other, i, 100)
        assert first.get_chemical_formula() == second.get_chemical_formula()
        assert cdist(first.positions, second.positions).min(axis=1).max() < 1e-8


def test_surfaces_cut_and_periodic_directions_wrap() -> None:
    slab = fcc111("Ag", (1, 1, 8), vacuum=30.0)
    slab.pbc = (True, True, False)
    heights = [np.ptp(piece.positions[:, 2]) for piece in neighbourhoods(slab, 80)]
    assert max(heights) <= np.ptp(slab.positions[:, 2]) + ARITHMETIC
    assert len(neighbourhood(graphene(), 0, 10)) == 10  # 1 + 3 + 6
    # Vacuum of a periodic cell, in which the atoms do not stand everywhere alike.
    slab.pbc = True
    for i, piece in enumerate(neighbourhoods(slab, 80)):
        assert len(piece) == len(by_force(slab, i, 80))


def test_many_equals_one_by_one() -> None:
    atoms = bulk("Fe", cubic=True) * (3, 3, 3)
    atoms.rattle(0.05, seed=1)
    centres = [5, 0, -1, 5]
    for index, piece in zip(centres, neighbourhoods(atoms, 30, centres), strict=True):
        assert piece == neighbourhood(atoms, index, 30)
    assert len(list(neighbourhoods(atoms, 30))) == len(atoms)
    assert list(neighbourhoods(atoms, 30, [])) == []


@pytest.mark.parametrize(
    ("centre", "n_atoms", "message"),
    [
        (4, 3, "there is no atom 4: the sample has 4"),
        (-5, 3, "there is no atom -5"),
        (0.5, 3, "a list of indices"),
        (0, 0, "a whole number from 1 up"),
        (0, 2.5, "a whole number from 1 up"),
        (0, 5, "not periodic, has 4"),
    ],
)
def test_what_cannot_be_cut(centre: int, n_atoms: int, message: str) -> None:
    atoms = Atoms("Cu4", [[0, 0, 0], [0, 0, 2.5], [0, 2.5, 0], [2.5, 0, 0]])
    with pytest.raises(InputError, match=message):
        neighbourhood(atoms, centre, n_atoms)
