"""Simulated experiments with known truth, on which networks are selected.

Accuracy on pristine and mildly defective structures is nearly saturated: it no
longer tells networks apart that differ widely on real samples. These structures
imitate how real samples differ from perfect ones: positions from an image or
from tomography, and pieces cut out of something larger. They are drawn for the
selection only; benchmark and experimental data are not touched by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from arise_lib import prototypes
from arise_lib.bayes import Posterior, members, predict
from arise_lib.network import Network
from arise_lib.scaling import overall_nearest_neighbour_distance
from arise_lib.soap import SoapSettings, describe
from arise_lib.structures import cut_box, round_cluster

#: The classes that are flat, so that an image shows all there is to see.
SHEETS = ("graphene", "BN", "C3N", "PbSe")

#: Error of positions found in an image, as a share of a bond (standard deviation per coordinate).
IMAGE_ERRORS = (0.05, 0.07, 0.10)

#: Error of positions from tomography in Å per atom, of which a coordinate has 1 / sqrt(3).
TOMOGRAPHY_ERROR = 0.2

#: Share of atoms that tomography takes for the other species.
WRONG_SPECIES = 0.03

#: Lattice constant of face-centred Fe-Pt in Å.
FEPT_CONSTANT = 3.85


@dataclass(frozen=True)
class Experiment:
    """A simulated sample.

    Attributes
    ----------
    group : str
        Kind of experiment.
    truth : str
        Class label of the perfect structure behind it.
    atoms : ase.Atoms
        What the experiment would give.
    """

    group: str
    truth: str
    atoms: Atoms


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


def crystal_box(truth: str, generator: np.random.Generator, *, n_atoms: int = 150) -> Atoms:
    """Cut a box of random place and orientation out of a perfect crystal.

    Parameters
    ----------
    truth : str
        A class that is periodic in three directions.
    generator : numpy.random.Generator
        Source of the randomness.
    n_atoms : int
        Atoms that the box holds on average.

    Returns
    -------
    ase.Atoms
        A free cluster.
    """
    cell = prototypes.build(truth)
    box = float((n_atoms * cell.get_volume() / len(cell)) ** (1 / 3))
    return cut_box(cell, box, generator)


def draw(seed: int, *, n_images: int = 24, n_boxes: int = 40, n_cuts: int = 4) -> list[Experiment]:
    """Draw a set of simulated experiments.

    Parameters
    ----------
    seed : int
        Base seed; experiment i of a group has the seed (`seed`, group, i).
    n_images : int
        Images of graphene per error, with a boundary and without; a third as
        many of each other flat sheet.
    n_boxes : int
        Fe-Pt boxes per phase.
    n_cuts : int
        Boxes per crystal class (50 classes).

    Returns
    -------
    list of Experiment
        Images of graphene, of graphene with a boundary, of other sheets; Fe-Pt
        boxes; crystal boxes.
    """
    found = []
    for step, error in enumerate(IMAGE_ERRORS):
        for sheet, truth in enumerate(SHEETS):
            for boundary in (False, True) if truth == "graphene" else (False,):
                kind = "graphene" if truth == "graphene" else "other sheets"
                group = f"{kind} {100 * error:.0f} %" + (" + boundary" if boundary else "")
                for i in range(n_images if truth == "graphene" else n_images // 3):
                    generator = np.random.default_rng((seed, 0, step, int(boundary), sheet, i))
                    atoms = sheet_image(truth, error, generator, boundary=boundary)
                    found.append(Experiment(group, truth, atoms))
    for number, truth in enumerate(("L1_0", "L1_2", "fcc")):
        for i in range(n_boxes):
            generator = np.random.default_rng((seed, 1, number, i))
            found.append(Experiment(f"Fe-Pt {truth}", truth, fept_box(truth, generator)))
    crystals = [label for label in prototypes.LABELS if all(prototypes.get(label).pbc)]
    for number, truth in enumerate(crystals):
        for i in range(n_cuts):
            generator = np.random.default_rng((seed, 2, number, i))
            found.append(Experiment("crystal boxes", truth, crystal_box(truth, generator)))
    return found


def describe_all(experiments: list[Experiment], settings: SoapSettings) -> NDArray[np.float64]:
    """Describe all experiments: (n_experiments, n_features)."""
    return np.array([describe(experiment.atoms, settings) for experiment in experiments])


def score(
    experiments: list[Experiment],
    network: Network | Sequence[Network],
    features: NDArray[np.float64],
    *,
    n_passes: int = 100,
) -> tuple[pd.Series, Posterior]:
    """Count how often a network finds the truth.

    Parameters
    ----------
    experiments : list of Experiment
        From `draw`.
    network : Network or sequence of Network
        Candidate, or an ensemble.
    features : ndarray of shape (n_experiments, n_features)
        From `describe_all` with the network's settings.
    n_passes : int
        Stochastic passes.

    Returns
    -------
    shares : pandas.Series
        Accuracy in % per group.
    posterior : Posterior
        Of each experiment.
    """
    posterior = predict(network, features, n_passes=n_passes)
    best = np.array(members(network)[0].classes)[posterior.probabilities.argmax(axis=1)]
    right = best == np.array([experiment.truth for experiment in experiments])
    groups = pd.Series([experiment.group for experiment in experiments], name="group")
    return 100.0 * pd.Series(right).groupby(groups, sort=False).mean(), posterior
