"""Finders of atoms scored against the dose, on images whose atoms are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from ase import Atoms

from arise_lib.errors import InputError
from arise_lib.microscopy.classical import find_blobs
from arise_lib.microscopy.finder import find_atoms
from arise_lib.microscopy.found import Found
from arise_lib.microscopy.images import Image
from arise_lib.microscopy.matching import match
from arise_lib.microscopy.scenes import sheet
from arise_lib.microscopy.simulate import Imaging, simulate
from arise_lib.storage.checksums import checked
from arise_lib.storage.paths import DATA

#: Who finds atoms: the network, blobs with fitted Gaussians, and the truth itself.
FINDERS = ("network", "blobs", "truth")

#: The images that are scored: 15 Å of graphene, with small errors of the scan.
SCORED = Imaging(192, 192, drift=(0.3, 0.2), distortion=0.03, jitter=0.03)

#: Fewer atoms are no structure that could be named.
MIN_ATOMS = 50

#: Displacement of the atoms of these sheets (thermal, frozen), in Å per coordinate.
SHAKEN = 0.03


def atomap_scores() -> pd.DataFrame:
    """Read how Atomap does on the images of notebook 05, as it was scored once.

    Atomap [1]_ is no dependency; ``tools/score_atomap.py`` wrote the table, with seed 5 and two
    images for each dose.

    Returns
    -------
    pandas.DataFrame
        Columns `dose`, `image`, `recall`, `precision` and `error` as `score_doses` has them,
        and `finder`, which is ``"atomap"``.

    Raises
    ------
    DataError
        If the table is missing or damaged.

    References
    ----------
    .. [1] M. Nord et al., Adv. Struct. Chem. Imaging 3, 9 (2017).

    Examples
    --------
    >>> set(atomap_scores()["finder"])
    {'atomap'}
    """
    table = pd.read_csv(checked(DATA / "microscopy" / "atomap.csv"))
    return table.assign(finder="atomap")


def score_doses(
    doses: Sequence[float], n_images: int, seed: int, *, imaging: Imaging = SCORED
) -> tuple[pd.DataFrame, dict[str, Atoms]]:
    """Find the atoms of graphene at several doses, and count what was found.

    Parameters
    ----------
    doses : sequence of float
        Electrons per Å².
    n_images : int
        Images per dose. The same sheets are imaged at each of them.
    seed : int
        Image i has the seeds (`seed`, i).
    imaging : Imaging
        How the images are taken, but for the dose.

    Returns
    -------
    scores : pandas.DataFrame
        One row for each dose, image and finder of `FINDERS`: `dose`, `image`, `finder`,
        `recall` and `precision` in %, `error` of the positions in pm, root mean square;
        NaN where nothing was found.
    structures : dict of str to ase.Atoms
        What was found, in the order of the rows, if it is at least `MIN_ATOMS`; the keys
        are the index of the table.

    Raises
    ------
    InputError
        If there is no dose or no image.

    Examples
    --------
    >>> scores, _ = score_doses([1e6], 1, seed=0, imaging=Imaging(96, 96))
    >>> scores["finder"].tolist()
    ['network', 'blobs', 'truth']
    """
    if not (len(doses) and n_images > 0):
        raise InputError("At least one dose and one image are needed.")
    width = imaging.pixel * max(imaging.rows, imaging.columns)
    rows, structures = {}, {}
    for dose in doses:
        for number in range(n_images):
            atoms = sheet("graphene", width, (seed, number), displacement=SHAKEN)
            image = simulate(atoms, replace(imaging, dose=dose), (seed, number, round(dose)))
            answers = {
                "network": find_atoms(image),
                "blobs": find_blobs(image, probe=imaging.probe),
                "truth": Found(
                    image.positions, np.ones(len(image.positions)), image.numbers, image.pixel
                ),
            }
            for name in FINDERS:
                key = f"{dose:g}, {number}, {name}"
                rows[key] = (dose, number, name, *_scored(answers[name], image.positions, image))
                if len(answers[name]) >= MIN_ATOMS:
                    structures[key] = answers[name].atoms()
    columns = ["dose", "image", "finder", "recall", "precision", "error"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns), structures


def _scored(found: Found, true: np.ndarray, image: Image) -> tuple[float, float, float]:
    """Recall and precision in %, error in pm."""
    pairs = match(found.positions, true, pixel=image.pixel)
    return 100.0 * pairs.recall, 100.0 * pairs.precision, pairs.error
