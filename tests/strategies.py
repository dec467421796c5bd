"""Hypothesis strategies for structures whose atoms keep a distance by construction.

Atoms stand on the sites of a grid, each moved by less than 0.3 of the grid's spacing along each
axis, so that no two come closer than 0.4 of it and nothing has to be rejected. The moves are
multiples of 1/64: zero among them (perfect grids, where many distances agree up to rounding), but
no moves of the size of a rounding error, for which no property of a histogram could hold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

SPACING = 2.5  # Å


@st.composite
def _sites(
    draw: st.DrawFn, shape: tuple[int, int, int], n_min: int, n_max: int
) -> NDArray[np.float64]:
    """Some of the sites of a grid in units of its spacing, each moved a little."""
    numbers = draw(
        st.lists(
            st.integers(0, int(np.prod(shape)) - 1), min_size=n_min, max_size=n_max, unique=True
        )
    )
    moves = draw(
        st.lists(
            st.tuples(*[st.integers(-19, 19)] * 3), min_size=len(numbers), max_size=len(numbers)
        )
    )
    return np.transpose(np.unravel_index(numbers, shape)) + np.array(moves) / 64.0


def _symbols(n: int, species: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(species), min_size=n, max_size=n)


@st.composite
def clusters(
    draw: st.DrawFn, *, n_min: int = 2, n_max: int = 14, species: Sequence[str] = ("Cu", "Ni", "O")
) -> Atoms:
    """Free clusters of 2 to 14 atoms of one to three species."""
    sites = draw(_sites((4, 4, 4), n_min, n_max))
    return Atoms(draw(_symbols(len(sites), species)), positions=SPACING * sites)


@st.composite
def crystals(draw: st.DrawFn, *, species: Sequence[str] = ("Cu", "Ni")) -> Atoms:
    """Skew cells of 1 to 5 atoms, periodic in three directions."""
    sites = draw(_sites((2, 2, 2), 1, 5))
    edges = draw(st.tuples(*[st.integers(32, 48)] * 3))
    skew = draw(st.tuples(*[st.integers(-12, 12)] * 3))
    cell = np.diag(np.array(edges) / 32.0)
    cell[1, 0], cell[2, 0], cell[2, 1] = np.array(skew) / 64.0
    return Atoms(
        draw(_symbols(len(sites), species)),
        scaled_positions=sites / 2.0,
        cell=2.0 * SPACING * cell,
        pbc=True,
    )


@st.composite
def sheets(draw: st.DrawFn, *, species: Sequence[str] = ("C", "N")) -> Atoms:
    """Corrugated sheets of 1 to 5 atoms, periodic in the plane."""
    sites = draw(_sites((3, 2, 1), 1, 5))
    skew = draw(st.integers(-16, 16)) / 64.0
    cell = SPACING * np.array([[3.0, 0.0, 0.0], [2.0 * skew, 2.0, 0.0], [0.0, 0.0, 6.0]])
    return Atoms(
        draw(_symbols(len(sites), species)),
        scaled_positions=sites / np.array([3.0, 2.0, 6.0]) + np.array([0.0, 0.0, 0.5]),
        cell=cell,
        pbc=(True, True, False),
    )


def periodic_structures() -> st.SearchStrategy[Atoms]:
    """Crystals and sheets."""
    return st.one_of(crystals(), sheets())


def structures() -> st.SearchStrategy[Atoms]:
    """Clusters, crystals and sheets."""
    return st.one_of(clusters(), crystals(), sheets())


def rotations() -> st.SearchStrategy[Rotation]:
    """Rotations, uniformly distributed."""
    return st.integers(0, 2**32 - 1).map(lambda seed: Rotation.random(rng=seed))
