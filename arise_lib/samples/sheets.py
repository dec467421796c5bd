"""Flat sheets as a microscope image shows them: positions in the plane, with errors."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.samples.grains import BOUNDARY_GAP, random_boundary
from arise_lib.structures import prototypes
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.structures.supercells import round_cluster
from arise_lib.typing import Seed

#: The classes that are flat, so that an image shows all there is to see.
FLAT_SHEETS = ("graphene", "BN", "C3N", "PbSe", "MnS2")

#: Those of the first selection of networks, which left one out.
SHEETS = FLAT_SHEETS[:4]

#: Error of positions found in an image, as a share of a bond (standard deviation per coordinate).
IMAGE_ERRORS = (0.05, 0.07, 0.10)

#: Largest share of the atoms that are missed, and of those found where there is none.
MAX_MISSED, MAX_FALSE = 0.03, 0.02

#: The finder of atoms does not report two maxima closer than this, in bonds.
RESOLUTION = 0.5


def sheet_image(
    label: str,
    error: float,
    generator: np.random.Generator,
    *,
    n_atoms: int = 250,
    boundary: bool = False,
) -> Atoms:
    """Simulate the atoms found in an image of a flat sheet.

    Parameters
    ----------
    label : str
        One of `FLAT_SHEETS`.
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

    Raises
    ------
    InputError
        If the class is none of `FLAT_SHEETS`.

    Examples
    --------
    >>> import numpy as np
    >>> image = sheet_image("graphene", 0.05, np.random.default_rng(0))
    >>> str(image.symbols)[0], bool((image.positions[:, 2] == 0).all())
    ('C', True)
    """
    if label not in FLAT_SHEETS:
        raise InputError(f"{label!r} is no flat sheet; those are {', '.join(FLAT_SHEETS)}.")
    flake, bond = _flake(prototypes.build(label), n_atoms)
    sheet = _turned(flake, generator.uniform(0, 2 * np.pi))
    if boundary:
        other = _turned(flake, generator.uniform(0, 2 * np.pi))
        sheet = random_boundary(sheet, other, BOUNDARY_GAP * bond, generator)
    sheet = sheet[generator.random(len(sheet)) >= generator.uniform(0.0, MAX_MISSED)]
    _misplace(sheet, error * bond, generator)
    false = _false_positions(sheet.positions[:, :2], RESOLUTION * bond, generator)
    numbers = generator.choice(sheet.numbers, size=len(false))
    return sheet + Atoms(numbers, np.column_stack([false, np.zeros(len(false))]))


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
        A free cluster with z = 0; no atom is missed, and none is found where there is none.

    Examples
    --------
    >>> from arise_lib.structures import prototypes
    >>> flake = noisy_sheet(prototypes.build("BN"), 60, 0.05, seed=0)
    >>> len(flake), bool(flake.pbc.any())
    (60, False)
    """
    generator = np.random.default_rng(seed)
    flake, bond = _flake(cell, n_atoms)
    # Not `_turned`: the two round differently, and flakes of a seed stay what they are.
    flake.rotate(generator.uniform(0.0, 360.0), "z")
    _misplace(flake, error * bond, generator)
    flake.positions[:, 2] = 0.0
    return flake


def _flake(cell: Atoms, n_atoms: int) -> tuple[Atoms, float]:
    """Cut a round flake out of a sheet, and measure its bond."""
    flake = round_cluster(cell, n_atoms)
    return flake, overall_nearest_neighbour_distance(flake)


def _turned(flake: Atoms, angle: float) -> Atoms:
    """Turn a flake in the plane about the origin, and lay it flat."""
    cosine, sine = np.cos(angle), np.sin(angle)
    points = flake.positions[:, :2] @ np.array([[cosine, sine], [-sine, cosine]])
    return Atoms(flake.numbers, np.column_stack([points, np.zeros(len(points))]))


def _misplace(sheet: Atoms, error: float, generator: np.random.Generator) -> None:
    """Move every atom within the plane by a Gaussian error of this deviation per coordinate."""
    sheet.positions[:, :2] += generator.normal(0.0, error, size=(len(sheet), 2))


def _false_positions(
    points: NDArray[np.float64], resolution: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw positions where there is no atom, anywhere in the round field of view: (n_false, 2)."""
    n_false = int(generator.uniform(0.0, MAX_FALSE) * len(points))
    if n_false == 0:
        return np.zeros((0, 2))
    radius = np.linalg.norm(points, axis=1).max() * np.sqrt(generator.random(n_false))
    angle = generator.uniform(0, 2 * np.pi, n_false)
    false = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return false[cKDTree(points).query(false)[0] > resolution]
