"""Ordered alloys as tomography sees them: Fe-Pt boxes, and particles with an ordered core."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from arise_lib.structures.supercells import cut_box, cut_sphere, supercell
from arise_lib.typing import Seed

#: Error of positions from tomography in Å per atom, of which a coordinate has 1 / sqrt(3).
TOMOGRAPHY_ERROR = 0.2

#: Share of atoms that tomography takes for the other species.
WRONG_SPECIES = 0.03

#: Lattice constant of face-centred Fe-Pt in Å.
FEPT_CONSTANT = 3.85


def fept_box(truth: str, generator: np.random.Generator, *, box: float = 12.0) -> Atoms:
    """Simulate a box out of an iron-platinum particle seen by tomography.

    Parameters
    ----------
    truth : {"L1_0", "L1_2", "fcc"}
        Order of the phase: planes in turn, three Pt to one Fe, or at random.
    generator : numpy.random.Generator
        Source of the randomness.
    box : float
        Edge in Å.

    Returns
    -------
    ase.Atoms
        A free cluster; a third of the boxes is cut off by a surface.
    """
    sites = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    species = {"L1_0": ["Fe", "Pt", "Pt", "Fe"], "L1_2": ["Fe", "Pt", "Pt", "Pt"]}
    cell = Atoms(
        species.get(truth, ["Fe", "Pt", "Pt", "Pt"]),
        scaled_positions=sites,
        cell=[FEPT_CONSTANT] * 3,
        pbc=True,
    )
    atoms = cut_box(cell, box, generator)
    if truth == "fcc":
        share = generator.uniform(0.25, 0.5)
        atoms.symbols[:] = np.where(generator.random(len(atoms)) < share, "Fe", "Pt")
    else:
        swapped = generator.random(len(atoms)) < WRONG_SPECIES
        is_iron = (atoms.symbols == "Fe") ^ swapped
        atoms.symbols[:] = np.where(is_iron, "Fe", "Pt")
    atoms.positions += generator.normal(0.0, TOMOGRAPHY_ERROR / np.sqrt(3), (len(atoms), 3))
    if generator.random() < 1 / 3:
        normal = Rotation.random(rng=generator).as_matrix()[0]
        kept = atoms.positions @ normal < generator.uniform(0.1, 0.4) * box
        atoms = atoms[kept]
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
    """
    generator = np.random.default_rng(seed)
    edge = np.linalg.norm(ordered.cell.array, axis=1).min()
    block = supercell(ordered, int(np.ceil(2.0 * radius / edge)) + 1, periodic=False)
    block.positions -= block.positions.mean(axis=0)
    particle = cut_sphere(block, (0.0, 0.0, 0.0), radius)
    in_core = np.linalg.norm(particle.positions, axis=1) <= core_radius
    numbers = particle.numbers
    numbers[~in_core] = generator.permutation(numbers[~in_core])
    particle.numbers = numbers
    particle.positions += generator.normal(0.0, error, size=particle.positions.shape)
    return particle, in_core
