"""Grains of different orientation or structure, joined at a boundary."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.structures.supercells import round_cluster
from arise_lib.typing import Seed

#: Across the boundary of a bicrystal no two atoms are nearer than this, in dNN.
BICRYSTAL_GAP = 0.8

#: The same across a boundary that runs anywhere through a noisy sample.
BOUNDARY_GAP = 0.7

#: Such a boundary lies at most this share of the sample's width off its middle.
OFF_CENTRE = 0.3

#: A grain is cut out of a ball larger by this factor than the one around its cube: the ball is
#: counted in atoms, and as it is made of whole ones, it is not perfectly round.
_MARGIN = 1.02

#: Volume of a ball of radius 1, 4 pi / 3 rounded up.
_BALL = 4.19


def join(first: Atoms, second: Atoms, plane: float, gap: float) -> tuple[Atoms, NDArray[np.bool_]]:
    """Join two pieces at a plane across the x axis.

    Parameters
    ----------
    first : ase.Atoms
        Fills the side x <= `plane`.
    second : ase.Atoms
        Fills the side x >= `plane`, except for atoms nearer than `gap` to one of `first`.
    plane : float
        Position of the plane, in the unit of the positions.
    gap : float
        Shortest distance across it, in the same unit.

    Returns
    -------
    atoms : ase.Atoms
        The two sides, atoms of `first` first, with the cell of `first`.
    of_second : ndarray of bool, shape (n_atoms,)
        Which atoms are of `second`.

    Examples
    --------
    >>> from ase import Atoms
    >>> chain = Atoms("C5", positions=[[x, 0, 0] for x in (-2, -1, 0, 1, 2)])
    >>> other = Atoms("N5", positions=[[x + 0.3, 0, 0] for x in (-2, -1, 0, 1, 2)])
    >>> atoms, of_second = join(chain, other, plane=0.0, gap=0.5)
    >>> str(atoms.symbols), of_second.tolist()
    ('C3N2', [False, False, False, True, True])
    """
    left = first[first.positions[:, 0] <= plane]
    right = second[second.positions[:, 0] >= plane]
    right = right[cKDTree(left.positions).query(right.positions)[0] >= gap]
    return left + right, np.arange(len(left) + len(right)) >= len(left)


def random_boundary(
    first: Atoms, second: Atoms, gap: float, generator: np.random.Generator
) -> Atoms:
    """Join two pieces that are centred on the origin at a plane somewhere in their middle.

    Parameters
    ----------
    first, second : ase.Atoms
        The pieces, see `join`.
    gap : float
        Shortest distance across the boundary, in the unit of the positions.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ase.Atoms
        The plane lies at most `OFF_CENTRE` of the width of `first` off the origin.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib.structures import cut_box
    >>> generator = np.random.default_rng(0)
    >>> left, right = (cut_box(bulk("Cu"), 15.0, generator) for _ in range(2))
    >>> atoms = random_boundary(left, right, 1.8, generator)
    >>> 200 < len(atoms) < 320
    True
    """
    width = float(np.ptp(first.positions[:, 0]))
    plane = generator.uniform(-OFF_CENTRE, OFF_CENTRE) * width
    return join(first, second, plane, gap)[0]


def bicrystal(
    left: Atoms, right: Atoms, edge: float, seed: Seed
) -> tuple[Atoms, NDArray[np.bool_]]:
    """Join two crystals of random orientation at the plane x = 0.

    Parameters
    ----------
    left, right : ase.Atoms
        Cells of the two crystals.
    edge : float
        Edge of the cube that is filled, in Å.
    seed : int or sequence of int
        Seed of the orientations.

    Returns
    -------
    atoms : ase.Atoms
        A free cluster centred on the origin. At the boundary, atoms of `right`
        that come nearer than `BICRYSTAL_GAP` dNN to one of `left` are left out.
    on_the_right : ndarray of bool, shape (n_atoms,)
        The truth: which atoms belong to `right`.

    Examples
    --------
    >>> from ase.build import bulk
    >>> atoms, on_the_right = bicrystal(bulk("Cu"), bulk("Fe"), edge=20.0, seed=0)
    >>> set(atoms.symbols[on_the_right]), set(atoms.symbols[~on_the_right])
    ({'Fe'}, {'Cu'})
    """
    generator = np.random.default_rng(seed)
    grains = []
    for cell in (left, right):
        # A ball of this radius holds the cube in any orientation.
        radius = 0.5 * np.sqrt(3.0) * edge
        volume = cell.get_volume() / len(cell)
        grain = round_cluster(cell, int(np.ceil(_BALL * (_MARGIN * radius) ** 3 / volume)))
        grain.positions = grain.positions @ Rotation.random(rng=generator).as_matrix().T
        grains.append(grain[np.all(np.abs(grain.positions) <= 0.5 * edge, axis=1)])
    first, second = grains
    spacing = overall_nearest_neighbour_distance(first[first.positions[:, 0] <= 0.0])
    return join(first, second, 0.0, BICRYSTAL_GAP * spacing)
