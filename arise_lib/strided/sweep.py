"""Strided pattern matching: a box slides over a sample, and each box is classified.

Of the atoms in each box a free cluster is made, described and classified like
any structure; maps of class probabilities and of mutual information result
(paper, Fig. 1 and Methods, "Strided pattern matching").
"""

from __future__ import annotations

from concurrent.futures import Executor
from os import PathLike

import numpy as np
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.bayes.inference import N_PASSES, predict
from arise_lib.descriptor import SoapSettings, describe
from arise_lib.errors import InputError
from arise_lib.network.released import NetworkLike, as_ensemble
from arise_lib.storage.parallel import run
from arise_lib.strided.boxes import MAX_BOXES, MIN_ATOMS_OF_SPECIES, atoms_in_boxes, box_centres
from arise_lib.structures.reading import load_structure


def describe_box(
    atoms: Atoms, members: NDArray[np.int64], settings: SoapSettings
) -> NDArray[np.float64]:
    """Describe the atoms of one box as a free cluster.

    Parameters
    ----------
    atoms : ase.Atoms
        The sample.
    members : ndarray of int
        Atoms in the box.
    settings : SoapSettings
        Of the network.

    Returns
    -------
    ndarray of shape (n_features,)
        Species with fewer than 3 atoms are left out; NaN if none remains.
    """
    numbers = atoms.numbers[members]
    counts = np.bincount(numbers)
    members = members[counts[numbers] >= MIN_ATOMS_OF_SPECIES]
    if members.size == 0:
        return np.full(settings.n_features, np.nan)
    return describe(Atoms(atoms.numbers[members], atoms.positions[members]), settings)


def scan(
    source: Atoms | str | PathLike[str],
    box: float = 16.0,
    stride: float = 1.0,
    *,
    padding: float = 0.5,
    min_atoms: int = 50,
    network: NetworkLike = "arise",
    passes: int = N_PASSES,
    seed: int = 0,
    tolerance: float | None = None,
    executor: Executor | None = None,
) -> xr.Dataset:
    """Map the structural classes of a sample by strided pattern matching.

    Parameters
    ----------
    source : ase.Atoms or path
        The sample: a polycrystal, a particle, the atoms found in an image.
    box, stride : float
        Edge of the cubic box and distance of neighbouring boxes, in the unit of
        the positions. The paper uses 10 to 16 Å and 1 to 3 Å.
    padding : float
        How far boxes reach beyond the sample, in boxes.
    min_atoms : int
        Boxes with fewer atoms give NaN.
    network : NetworkLike
        The name of a released network, a network, or an ensemble.
    passes, seed : int
        Stochastic passes and their seed.
    tolerance : float, optional
        In bits: a box gets no more passes once its mutual information is known
        with this error. By default all boxes get `passes`.
    executor : concurrent.futures.Executor, optional
        Where to compute the descriptors; by default threads, one per core.

    Returns
    -------
    xarray.Dataset
        `probability` (class, z, y, x), `mutual_information` (z, y, x) in bits,
        `n_atoms` (z, y, x) and `label` (z, y, x), the most probable class or an
        empty string; coordinates are the box centres. With a tolerance also
        `n_passes` (z, y, x).

    Raises
    ------
    InputError
        If box or stride are not positive or not finite, if they make too many boxes, or if
        no box holds `min_atoms` atoms.
    """
    geometry = (box, stride, padding)
    if not (np.isfinite(geometry).all() and box > 0 and stride > 0 and padding >= 0):
        raise InputError(
            f"box = {box}, stride = {stride}, padding = {padding}: box and stride must be "
            "positive, padding not negative, all of them finite."
        )
    atoms = load_structure(source)
    trained = as_ensemble(network)
    axes = box_centres(atoms.positions, box, stride, padding)
    n_boxes = int(np.prod([len(axis) for axis in axes], dtype=float))
    if n_boxes > MAX_BOXES:
        raise InputError(
            f"A stride of {stride} makes {n_boxes:,} boxes; at most {MAX_BOXES:,} are allowed. "
            "Take a larger stride (is it in the unit of the positions?) or scan in parts."
        )
    members = atoms_in_boxes(atoms.positions, axes, box)
    shape = tuple(len(axis) for axis in axes)
    n_atoms = np.zeros(shape, dtype=np.int64)
    for where, found in members.items():
        n_atoms[where] = found.size
    filled = [where for where, found in members.items() if found.size >= min_atoms]
    if not filled:
        raise InputError(
            f"No box of edge {box} holds {min_atoms} atoms; the fullest holds {n_atoms.max()}. "
            "Enlarge the box (is it in the unit of the positions?) or lower min_atoms."
        )
    n = len(filled)
    jobs = [atoms] * n, [members[where] for where in filled], [trained.settings] * n
    features = np.array(list(run(describe_box, *jobs, executor=executor, description="boxes")))
    posterior = predict(trained, features, n_passes=passes, seed=seed, tolerance=tolerance)

    index = tuple(np.array(filled).T)
    probability = np.full((*shape, len(trained.classes)), np.nan)
    probability[index] = posterior.probabilities
    information = np.full(shape, np.nan)
    information[index] = posterior.mutual_information
    label = np.full(shape, "", dtype=object)
    label[index] = posterior.labels
    dims = ("z", "y", "x")
    maps = xr.Dataset(
        {
            "probability": (("class", *dims), probability.transpose(3, 2, 1, 0)),
            "mutual_information": (dims, information.transpose(2, 1, 0), {"units": "bit"}),
            "n_atoms": (dims, n_atoms.transpose(2, 1, 0)),
            "label": (dims, label.transpose(2, 1, 0).astype(str)),
        },
        coords={"x": axes[0], "y": axes[1], "z": axes[2], "class": list(trained.classes)},
        attrs={"box": box, "stride": stride, "padding": padding, "passes": passes, "seed": seed},
    )
    if tolerance is not None:
        made = np.zeros(shape, dtype=np.int64)
        made[index] = posterior.passes
        maps["n_passes"] = (dims, made.transpose(2, 1, 0))
        maps.attrs["tolerance"] = tolerance
    return maps
