"""Strided pattern matching: a box slides over a sample, and each box is classified.

Of the atoms in each box a free cluster is made, described and classified like
any structure; maps of class probabilities and of mutual information result
(paper, Fig. 1 and Methods, "Strided pattern matching").
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from os import PathLike

import numpy as np
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.bayes import N_PASSES, predict
from arise_lib.errors import InputError
from arise_lib.network import Network
from arise_lib.parallel import workers
from arise_lib.progress import bar
from arise_lib.recognition import load_ensemble, load_structure
from arise_lib.soap import SoapSettings, describe

#: A species with fewer atoms than this in a box is left out of it.
MIN_ATOMS_OF_SPECIES = 3

#: Five times the paper's finest grid; 108 probabilities for each box then take 4 GB.
MAX_BOXES = 5_000_000


def box_centres(
    positions: NDArray[np.float64], box: float, stride: float, padding: float
) -> list[NDArray[np.float64]]:
    """Lay the grid of box centres over a sample.

    Per axis the boxes cover the extent of the sample and `padding` boxes more on
    either side. They start every `stride`, the first one moved outwards by half
    of what the last one overhangs. An axis along which the sample fits into one
    box gets one, in its middle.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the sample.
    box, stride : float
        Edge of the cubic box and distance of neighbouring boxes, in the unit of
        the positions.
    padding : float
        In boxes.

    Returns
    -------
    list of three ndarray
        Centres along x, y and z.

    Notes
    -----
    For the samples of the paper this gives its numbers of boxes exactly: 7,968
    for the four grains, 43,679 for the FePt particle.
    """
    axes = []
    for coordinates in positions.T:
        low, extent = coordinates.min(), float(np.ptp(coordinates))
        if extent <= box:
            axes.append(np.array([low + 0.5 * extent]))
            continue
        length = extent + 2.0 * padding * box
        n = int(np.floor(length / stride)) + 1
        n = max(n, int(np.ceil((length - box) / stride)) + 1)
        overhang = (n - 1) * stride + box - length
        start = low - padding * box - 0.5 * overhang
        axes.append(start + 0.5 * box + stride * np.arange(n))
    return axes


def atoms_in_boxes(
    positions: NDArray[np.float64], axes: list[NDArray[np.float64]], box: float
) -> dict[tuple[int, int, int], NDArray[np.int64]]:
    """List the atoms of every box that holds any; boxes are closed on all sides.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the sample.
    axes : list of three ndarray
        Box centres along x, y, z.
    box : float
        Edge of the box.

    Returns
    -------
    dict of (ix, iy, iz) to ndarray of int
        Atom numbers, ascending.
    """
    inside = [
        [np.flatnonzero(np.abs(positions[:, k] - centre) <= 0.5 * box) for centre in axes[k]]
        for k in range(3)
    ]
    found = {}
    for ix, in_x in enumerate(inside[0]):
        for iy, in_y in enumerate(inside[1]):
            column = np.intersect1d(in_x, in_y, assume_unique=True)
            heights = positions[column, 2]
            for iz, centre in enumerate(axes[2]):
                here = column[np.abs(heights - centre) <= 0.5 * box]
                if here.size:
                    found[ix, iy, iz] = here
    return found


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
    network: Network | str | Sequence[Network] = "arise",
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
    network : Network, str or sequence of Network
        A network, the name of a released one, or an ensemble.
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
    networks = load_ensemble(network)
    trained = networks[0]
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
    with workers(executor) as pool:
        n = len(filled)
        vectors = pool.map(
            describe_box, [atoms] * n, [members[where] for where in filled], [trained.settings] * n
        )
        features = np.array(list(bar(vectors, total=n, desc="boxes")))
    posterior = predict(networks, features, n_passes=passes, seed=seed, tolerance=tolerance)

    index = tuple(np.array(filled).T)
    probability = np.full((*shape, len(trained.classes)), np.nan)
    probability[index] = posterior.probabilities
    information = np.full(shape, np.nan)
    information[index] = posterior.mutual_information
    label = np.full(shape, "", dtype=object)
    defined = np.isfinite(posterior.mutual_information)
    best = np.where(defined, np.nan_to_num(posterior.probabilities).argmax(1), -1)
    label[index] = [trained.classes[i] if i >= 0 else "" for i in best]
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


def label_shares(maps: xr.Dataset, *, certain_below: float | None = None) -> dict[str, float]:
    """Share of each class among the boxes that were classified.

    Parameters
    ----------
    maps : xarray.Dataset
        From `scan`.
    certain_below : float, optional
        Leave out boxes whose mutual information, in bits, is not below this.

    Returns
    -------
    dict of str to float
        Shares from 0 to 1, largest first; empty boxes do not count.
    """
    labels = maps["label"].values
    counted = labels != ""
    if certain_below is not None:
        # NaN, an empty box, is below nothing.
        counted &= maps["mutual_information"].values < certain_below
    names, counts = np.unique(labels[counted], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {str(names[i]): float(counts[i] / counts.sum()) for i in order}
