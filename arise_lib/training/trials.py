"""Simulated experiments in three kinds of equal weight, by which robust networks are selected.

Sheets as a microscope shows them, alloys as tomography shows them, and pieces of crystals that are
hot, strained or impure. Beside them two shares that a robust network must not lose: what is no
crystal, and classes with a near relative. Networks that were released earlier were selected by
`arise_lib.samples.draw`, where nine groups of thirteen are sheets.

The rule, written down before any network was scored by it:

1. Candidates are the seeds of one recipe, and the ensemble of all of them.
2. A candidate's score is the mean of five shares in %: `sheets`, `alloys` and `crystals`, each the
   mean of its groups; `other`; and `kin`.
3. The best single seed is taken, or the ensemble if its score is at least `ENSEMBLE_GAIN` higher.
4. The structures are drawn from `SEED`, which nothing else uses; neither the benchmark's draws, nor
   published samples, nor the heat benchmark have a say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase import Atoms

from arise_lib.bayes.inference import predict
from arise_lib.network.released import NetworkLike, as_ensemble
from arise_lib.samples.alloys import FEPT_PHASES, TOMOGRAPHY_ERROR
from arise_lib.samples.disorder import no_crystal
from arise_lib.samples.experiments import Sample
from arise_lib.samples.sheets import FLAT_SHEETS, IMAGE_ERRORS, sheet_image
from arise_lib.structures import prototypes
from arise_lib.structures.pieces import box_edge
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.structures.supercells import cut_box
from arise_lib.training import chemistry, geometry
from arise_lib.training.kin import ALIKE_IN_SPECIES, NEAR_KIN, STRAINED_KIN
from arise_lib.training.noise import CRYSTALS
from arise_lib.training.selection import describe_all

#: Base seed of the trials, and the pool of packings; that of nothing else. A first draw, 400,
#: showed which near relatives the first recipe mixed up, and so had a say in the present one.
SEED = 401

#: An ensemble costs more to store and to explain; it has to be better by so many points.
ENSEMBLE_GAIN = 0.2

#: Kinds of equal weight.
KINDS = ("sheets", "alloys", "crystals", "other", "kin")

#: Standard deviation of a coordinate in dNN in hot crystals, and the strain of strained ones.
HEAT, STRAIN = (0.03, 0.07), 0.03

#: Order parameter of the alloys.
ORDER = (0.7, 1.0)

_BOX_ATOMS = 150


def draw_trials(
    seed: int = SEED,
    *,
    n_images: int = 8,
    n_boxes: int = 60,
    n_cuts: int = 2,
    n_other: int = 300,
    n_kin: int = 10,
) -> list[Sample]:
    """Draw the trials.

    Parameters
    ----------
    seed : int
        Base seed; trial i of a group has the seed (`seed`, kind, group, i).
    n_images : int
        Images of each of five sheets, per error, with a boundary and without.
    n_boxes : int
        Boxes of each of three phases of Fe-Pt.
    n_cuts : int
        Pieces of each of 50 crystals per condition: hot, strained, impure.
    n_other : int
        Structures that are no crystal.
    n_kin : int
        Pieces of each class with a near relative, slightly hot.

    Returns
    -------
    list of Sample
        `group` is the kind and the group, parted by a colon.

    Examples
    --------
    >>> drawn = draw_trials(0, n_images=0, n_boxes=1, n_cuts=0, n_other=1, n_kin=0)
    >>> [(one.group, one.label) for one in drawn][2:]
    [('alloys: fcc', 'fcc'), ('other: all', 'other')]
    """
    found = []
    for number, label in enumerate(FLAT_SHEETS):
        for step, error in enumerate(IMAGE_ERRORS):
            for boundary in (False, True):
                for i in range(n_images):
                    generator = np.random.default_rng((seed, 0, number, step, int(boundary), i))
                    image = sheet_image(label, error, generator, boundary=boundary)
                    found.append(Sample(f"sheets: {label}", label, image))
    for number, phase in enumerate(FEPT_PHASES):
        for i in range(n_boxes):
            generator = np.random.default_rng((seed, 1, number, i))
            found.append(Sample(f"alloys: {phase}", phase, _alloy(phase, generator)))
    for number, label in enumerate(CRYSTALS):
        for step, condition in enumerate(("hot", "strained", "impure")):
            for i in range(n_cuts):
                generator = np.random.default_rng((seed, 2, number, step, i))
                atoms = _crystal(label, condition, generator)
                found.append(Sample(f"crystals: {condition}", label, atoms))
    for i in range(n_other):
        atoms = no_crystal(np.random.default_rng((seed, 3, i)), pool=seed)
        found.append(Sample("other: all", prototypes.OTHER, atoms))
    for number, label in enumerate(NEAR_KIN):
        for i in range(n_kin):
            atoms = _kin(label, np.random.default_rng((seed, 4, number, i)))
            found.append(Sample(f"kin: {label}", label, atoms))
    return found


def score_trials(
    drawn: Sequence[Sample], network: NetworkLike, *, n_passes: int = 200
) -> pd.Series:
    """Score a network on the trials.

    Parameters
    ----------
    drawn : sequence of Sample
        From `draw_trials`.
    network : NetworkLike
        Candidate, or an ensemble.
    n_passes : int
        Stochastic passes.

    Returns
    -------
    pandas.Series
        Share in % of right answers per group, then per kind (the mean of its
        groups), then `score`, the mean of the kinds.

    Examples
    --------
    >>> drawn = draw_trials(0, n_images=0, n_boxes=1, n_cuts=0, n_other=1, n_kin=0)
    >>> shares = score_trials(drawn, "robust", n_passes=10)
    >>> list(shares.index)[-3:]
    ['alloys', 'other', 'score']
    """
    ensemble = as_ensemble(network)
    posterior = predict(ensemble, describe_all(drawn, ensemble.settings), n_passes=n_passes)
    right = pd.Series(posterior.labels == np.array([one.label for one in drawn]))
    groups = 100.0 * right.groupby([one.group for one in drawn], sort=False).mean()
    kinds = groups.groupby(groups.index.str.replace(r":.*", "", regex=True), sort=False).mean()
    return pd.concat([groups, kinds, pd.Series({"score": kinds.mean()})])


def best(scores: pd.Series, ensemble: float) -> str:
    """Choose among candidates by the rule of this module.

    Parameters
    ----------
    scores : pandas.Series
        Score of each single seed, by its name.
    ensemble : float
        Score of the ensemble of all.

    Returns
    -------
    str
        Name of the best seed, the first one of several that are equal, or
        ``"ensemble"``.

    Examples
    --------
    >>> import pandas as pd
    >>> best(pd.Series({"seed 0": 98.0, "seed 1": 98.4}), 98.5)
    'seed 1'
    """
    if ensemble >= scores.max() + ENSEMBLE_GAIN:
        return "ensemble"
    return str(scores.idxmax())


def _alloy(phase: str, generator: np.random.Generator) -> Atoms:
    """Cut a box out of Fe-Pt of one phase, as tomography sees it."""
    order = phase if phase in chemistry.ORDERS else "L1_2"
    cell = chemistry.order_cell(order, generator)
    box = cut_box(cell, box_edge(cell, _BOX_ATOMS), generator)
    between = (0.0, 0.0) if phase == "fcc" else ORDER
    box = chemistry.partly_ordered(box, order, between, generator)
    # The cell's edge is 4; that of Fe-Pt in Å nearly as well.
    error = TOMOGRAPHY_ERROR / np.sqrt(3)
    box.positions += generator.normal(0.0, error, box.positions.shape)
    return box


def _crystal(label: str, condition: str, generator: np.random.Generator) -> Atoms:
    """Cut a piece out of a crystal and make it hot, strained or impure."""
    cell = prototypes.build(label)
    if condition == "strained":
        kin = label in (*ALIKE_IN_SPECIES, *STRAINED_KIN)
        limit = geometry.KIN_STRAIN if kin else STRAIN
        strain = generator.uniform(-limit, limit, (3, 3))
        cell.set_cell(cell.cell.array @ (np.eye(3) + 0.5 * (strain + strain.T)), scale_atoms=True)
    piece = cut_box(cell, box_edge(cell, _BOX_ATOMS), generator)
    if condition == "impure":
        piece = chemistry.impure(piece, chemistry.limits(label)[0], generator)
    if condition == "hot":
        error = generator.uniform(*HEAT) * overall_nearest_neighbour_distance(piece)
        piece.positions += generator.normal(0.0, error, piece.positions.shape)
    return piece


def _kin(label: str, generator: np.random.Generator) -> Atoms:
    """Cut a piece out of a class with a near relative, and make it a little hot."""
    cell = prototypes.build(label)
    piece = cut_box(cell, box_edge(cell, _BOX_ATOMS), generator) if cell.pbc.any() else cell
    error = HEAT[0] * overall_nearest_neighbour_distance(piece)
    piece.positions += generator.normal(0.0, error, piece.positions.shape)
    return piece
