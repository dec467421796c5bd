"""Simulated experiments with known truth, on which networks are selected.

Accuracy on pristine and mildly defective structures is nearly saturated: it no
longer tells networks apart that differ widely on real samples. These structures
imitate how real samples differ from perfect ones: positions from an image or
from tomography, and pieces cut out of something larger. They are drawn for the
selection only; benchmark and experimental data are not touched by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from arise_lib.samples.alloys import fept_box
from arise_lib.samples.sheets import IMAGE_ERRORS, SHEETS, sheet_image
from arise_lib.structures import prototypes
from arise_lib.structures.supercells import cut_box


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
