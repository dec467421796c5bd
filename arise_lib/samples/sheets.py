"""Flat sheets as a microscope image shows them: positions in the plane, with errors."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib.structures import prototypes
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.structures.supercells import round_cluster
from arise_lib.typing import Seed

#: The classes that are flat, so that an image shows all there is to see.
SHEETS = ("graphene", "BN", "C3N", "PbSe")

#: Error of positions found in an image, as a share of a bond (standard deviation per coordinate).
IMAGE_ERRORS = (0.05, 0.07, 0.10)


def sheet_image(
    truth: str,
    error: float,
    generator: np.random.Generator,
    *,
    n_atoms: int = 250,
    boundary: bool = False,
) -> Atoms:
    """Simulate the atoms found in an image of a flat sheet.

    Parameters
    ----------
    truth : str
        One of `SHEETS`.
    error : float
        Standard deviation of a coordinate as a share of a bond.
    generator : numpy.random.Generator
        Source of the randomness.
    n_atoms : int
        Atoms in the field of view.
    boundary : bool
        Whether a grain boundary runs through it.

    Returns
    -------
    ase.Atoms
        A free sheet at z = 0: up to 3 % of the atoms missed, up to 2 % found
        where there is none.
    """
    flake = round_cluster(prototypes.build(truth), n_atoms)
    bond = overall_nearest_neighbour_distance(flake)
    points, numbers = _turn(flake.positions[:, :2], generator.uniform(0, 2 * np.pi)), flake.numbers
    if boundary:
        other = _turn(flake.positions[:, :2], generator.uniform(0, 2 * np.pi))
        edge = generator.uniform(-0.3, 0.3) * np.ptp(points[:, 0])
        left, right = points[:, 0] < edge, other[:, 0] >= edge
        if left.any():
            right &= cKDTree(points[left]).query(other)[0] > 0.7 * bond
        points = np.concatenate([points[left], other[right]])
        numbers = np.concatenate([numbers[left], numbers[right]])
    keep = generator.random(len(points)) >= generator.uniform(0.0, 0.03)
    points = points[keep] + generator.normal(0.0, error * bond, size=(int(keep.sum()), 2))
    numbers = numbers[keep]
    false = _false_atoms(points, 0.5 * bond, generator)
    numbers = np.append(numbers, generator.choice(numbers, size=len(false)))
    points = np.concatenate([points, false])
    return Atoms(numbers, np.column_stack([points, np.zeros(len(points))]))


def _false_atoms(
    points: NDArray[np.float64], resolution: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw up to 2 % atoms more, anywhere in the round field of view: (n_false, 2)."""
    n_false = int(generator.uniform(0.0, 0.02) * len(points))
    if n_false == 0:
        return np.zeros((0, 2))
    radius = np.linalg.norm(points, axis=1).max() * np.sqrt(generator.random(n_false))
    angle = generator.uniform(0, 2 * np.pi, n_false)
    false = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    # The finder of atoms does not report two maxima closer than its own resolution.
    return false[cKDTree(points).query(false)[0] > resolution]


def _turn(points: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Rotate points in the plane about the origin."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return points @ np.array([[cosine, sine], [-sine, cosine]])


def noisy_sheet(cell: Atoms, n_atoms: int, error: float, seed: Seed) -> Atoms:
    """Simulate a flat monolayer as it is reconstructed from a microscope image.

    A round flake of `n_atoms` atoms, turned at random in its plane, each atom
    misplaced in the plane by a Gaussian error, and all heights set to zero.

    Parameters
    ----------
    cell : ase.Atoms
        Sheet, periodic in its plane (the first two cell vectors).
    n_atoms : int
        Size of the flake.
    error : float
        Standard deviation of the error per coordinate, in units of dNN.
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    ase.Atoms
        A free cluster with z = 0.
    """
    generator = np.random.default_rng(seed)
    flake = round_cluster(cell, n_atoms)
    scale = overall_nearest_neighbour_distance(flake)
    flake.rotate(generator.uniform(0.0, 360.0), "z")
    flake.positions[:, :2] += generator.normal(0.0, error * scale, size=(len(flake), 2))
    flake.positions[:, 2] = 0.0
    return flake
