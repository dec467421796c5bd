"""Simulated experiments with known truth, on which networks are selected.

Accuracy on pristine and mildly defective structures is nearly saturated: it no
longer tells networks apart that differ widely on real samples. These samples
imitate how real ones differ from perfect structures: positions from an image or
from tomography, and pieces cut out of something larger. They are drawn for the
selection only; benchmark and experimental data are not touched by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from arise_lib.samples.alloys import FEPT_PHASES, fept_box
from arise_lib.samples.sheets import IMAGE_ERRORS, SHEETS, sheet_image
from arise_lib.structures import prototypes
from arise_lib.structures.pieces import box_edge
from arise_lib.structures.supercells import cut_box


@dataclass(frozen=True)
class Sample:
    """A sample whose class is known.

    Attributes
    ----------
    group : str
        Kind of experiment.
    label : str
        Class of the perfect structure behind it.
    atoms : ase.Atoms
        What the experiment would give.

    Examples
    --------
    >>> from arise_lib.structures import prototypes
    >>> Sample("as tabulated", "fcc", prototypes.build("fcc")).label
    'fcc'
    """

    group: str
    label: str
    atoms: Atoms


def crystal_box(label: str, generator: np.random.Generator, *, n_atoms: int = 150) -> Atoms:
    """Cut a box of random place and orientation out of a perfect crystal.

    Parameters
    ----------
    label : str
        A class that is periodic in two or three directions.
    generator : numpy.random.Generator
        Source of the randomness.
    n_atoms : int
        Atoms that the box holds on average.

    Returns
    -------
    ase.Atoms
        A free cluster.

    Examples
    --------
    >>> import numpy as np
    >>> atoms = crystal_box("diamond", np.random.default_rng(0))
    >>> 130 < len(atoms) < 170, bool(atoms.pbc.any())
    (True, False)
    """
    cell = prototypes.build(label)
    return cut_box(cell, box_edge(cell, n_atoms), generator)


def draw(seed: int, *, n_images: int = 24, n_boxes: int = 40, n_cuts: int = 4) -> list[Sample]:
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
    list of Sample
        Images of graphene, of graphene with a boundary, of other sheets; Fe-Pt
        boxes; crystal boxes.

    Examples
    --------
    >>> drawn = draw(0, n_images=0, n_boxes=1, n_cuts=0)
    >>> [(sample.group, sample.label) for sample in drawn]
    [('Fe-Pt L1_0', 'L1_0'), ('Fe-Pt L1_2', 'L1_2'), ('Fe-Pt fcc', 'fcc')]
    """
    found = []
    for step, error in enumerate(IMAGE_ERRORS):
        for number, label in enumerate(SHEETS):
            for boundary in (False, True) if label == "graphene" else (False,):
                kind = "graphene" if label == "graphene" else "other sheets"
                group = f"{kind} {100 * error:.0f} %" + (" + boundary" if boundary else "")
                for i in range(n_images if label == "graphene" else n_images // 3):
                    generator = np.random.default_rng((seed, 0, step, int(boundary), number, i))
                    atoms = sheet_image(label, error, generator, boundary=boundary)
                    found.append(Sample(group, label, atoms))
    for number, label in enumerate(FEPT_PHASES):
        for i in range(n_boxes):
            generator = np.random.default_rng((seed, 1, number, i))
            found.append(Sample(f"Fe-Pt {label}", label, fept_box(label, generator)))
    crystals = [label for label in prototypes.LABELS if all(prototypes.get(label).pbc)]
    for number, label in enumerate(crystals):
        for i in range(n_cuts):
            generator = np.random.default_rng((seed, 2, number, i))
            found.append(Sample("crystal boxes", label, crystal_box(label, generator)))
    return found
