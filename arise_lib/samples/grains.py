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
        that come nearer than 0.8 dNN to one of `left` are left out.
    on_the_right : ndarray of bool, shape (n_atoms,)
        The truth: which atoms belong to `right`.
    """
    generator = np.random.default_rng(seed)
    grains = []
    for cell, side in ((left, -1.0), (right, 1.0)):
        # A sphere of this radius holds the cube in any orientation.
        radius = 0.5 * np.sqrt(3.0) * edge
        volume = cell.get_volume() / len(cell)
        grain = round_cluster(cell, int(np.ceil(4.19 * (1.02 * radius) ** 3 / volume)))
        grain.positions = grain.positions @ Rotation.random(rng=generator).as_matrix().T
        inside = np.all(np.abs(grain.positions) <= 0.5 * edge, axis=1)
        grains.append(grain[inside & (side * grain.positions[:, 0] >= 0.0)])
    first, second = grains
    spacing = cKDTree(first.positions).query(second.positions)[0]
    second = second[spacing >= 0.8 * overall_nearest_neighbour_distance(first)]
    on_the_right = np.arange(len(first) + len(second)) >= len(first)
    return first + second, on_the_right
