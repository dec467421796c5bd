"""Ordered alloys as tomography sees them: Fe-Pt boxes, and particles with an ordered core."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from arise_lib.errors import InputError
from arise_lib.structures.supercells import cut_box, cut_sphere, supercell
from arise_lib.typing import Seed

#: Error of positions from tomography in Å per atom, of which a coordinate has 1 / sqrt(3).
TOMOGRAPHY_ERROR = 0.2

#: Share of atoms that tomography takes for the other species.
WRONG_SPECIES = 0.03

#: Lattice constant of face-centred Fe-Pt in Å.
FEPT_CONSTANT = 3.85

#: Phases of Fe-Pt: the species at the corner and at the three face centres of the cubic cell. What
#: stands there does not matter for fcc, whose sites are occupied at random.
FEPT_PHASES = {
    "L1_0": ("Fe", "Pt", "Pt", "Fe"),
    "L1_2": ("Fe", "Pt", "Pt", "Pt"),
    "fcc": ("Fe", "Pt", "Pt", "Pt"),
}

#: Share of iron in fcc, drawn between those of the two ordered phases.
IRON_IN_FCC = (0.25, 0.5)

#: Share of the boxes that a surface cuts, and how far from the middle it does, in edges.
AT_SURFACE, SURFACE = 1 / 3, (0.1, 0.4)

_FE, _PT = atomic_numbers["Fe"], atomic_numbers["Pt"]


def fept_box(label: str, generator: np.random.Generator, *, box: float = 12.0) -> Atoms:
    """Simulate a box out of an iron-platinum particle seen by tomography.

    Parameters
    ----------
    label : {"L1_0", "L1_2", "fcc"}
        Order of the phase: planes in turn, three Pt to one Fe, or at random.
    generator : numpy.random.Generator
        Source of the randomness.
    box : float
        Edge in Å.

    Returns
    -------
    ase.Atoms
        A free cluster; a third of the boxes is cut off by a surface.

    Raises
    ------
    InputError
        If there is no such phase.

    Examples
    --------
    >>> import numpy as np
    >>> atoms = fept_box("L1_0", np.random.default_rng(0))
    >>> sorted(set(atoms.symbols))
    ['Fe', 'Pt']
    """
    if label not in FEPT_PHASES:
        raise InputError(f"There is no Fe-Pt phase {label!r}; there are {', '.join(FEPT_PHASES)}.")
    cell = Atoms(
        FEPT_PHASES[label],
        scaled_positions=[[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
        cell=[FEPT_CONSTANT] * 3,
        pbc=True,
    )
    atoms = cut_box(cell, box, generator)
    if label == "fcc":
        share = generator.uniform(*IRON_IN_FCC)
        atoms.numbers[:] = np.where(generator.random(len(atoms)) < share, _FE, _PT)
    else:
        swapped = generator.random(len(atoms)) < WRONG_SPECIES
        atoms.numbers[swapped] = _FE + _PT - atoms.numbers[swapped]
    _misplace(atoms, TOMOGRAPHY_ERROR / np.sqrt(3), generator)
    if generator.random() < AT_SURFACE:
        normal = Rotation.random(rng=generator).as_matrix()[0]
        atoms = atoms[atoms.positions @ normal < generator.uniform(*SURFACE) * box]
    return atoms


def ordered_core_particle(
    ordered: Atoms,
    radius: float,
    core_radius: float,
    error: float,
    seed: Seed,
) -> tuple[Atoms, NDArray[np.bool_]]:
    """Simulate a particle with an ordered core in a shell of random occupation.

    Core and shell share one lattice and one composition: `ordered` fills the
    sphere, and outside the core the species are shuffled among the sites.
    Positions get a Gaussian error, as tomography leaves it.

    Parameters
    ----------
    ordered : ase.Atoms
        Cubic or tetragonal cell of the ordered phase.
    radius, core_radius : float
        Radii in Å.
    error : float
        Standard deviation of the positional error per coordinate in Å.
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    atoms : ase.Atoms
        A free cluster around the origin.
    in_core : ndarray of bool, shape (n_atoms,)
        The truth: which atoms belong to the ordered core.

    Examples
    --------
    >>> from arise_lib.structures import prototypes
    >>> ordered = prototypes.build("L1_2")
    >>> atoms, in_core = ordered_core_particle(ordered, 12.0, 8.0, error=0.1, seed=0)
    >>> bool(0 < in_core.sum() < len(atoms))
    True
    """
    generator = np.random.default_rng(seed)
    edge = np.linalg.norm(ordered.cell.array, axis=1).min()
    block = supercell(ordered, int(np.ceil(2.0 * radius / edge)) + 1, periodic=False)
    block.positions -= block.positions.mean(axis=0)
    particle = cut_sphere(block, (0.0, 0.0, 0.0), radius)
    in_core = np.linalg.norm(particle.positions, axis=1) <= core_radius
    particle.numbers[~in_core] = generator.permutation(particle.numbers[~in_core])
    _misplace(particle, error, generator)
    return particle, in_core


def _misplace(atoms: Atoms, error: float, generator: np.random.Generator) -> None:
    """Move every atom by a Gaussian error of this standard deviation per coordinate."""
    atoms.positions += generator.normal(0.0, error, size=atoms.positions.shape)
