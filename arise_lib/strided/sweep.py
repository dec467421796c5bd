"""The scan: a box slides over a sample, and each box is classified.

Of the atoms in each box a free cluster is made, described and classified like
any structure; maps of class probabilities and of mutual information result
(paper, Fig. 1 and Methods, "Strided pattern matching").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from itertools import islice, repeat
from os import PathLike

import numpy as np
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.bayes.inference import N_PASSES, predict
from arise_lib.descriptor import SoapSettings, describe
from arise_lib.errors import InputError
from arise_lib.network.released import DEFAULT, NetworkLike, as_ensemble
from arise_lib.storage.parallel import bar, workers
from arise_lib.strided.boxes import Box, Cube
from arise_lib.strided.grid import box_centres, count_atoms, filled_boxes, with_images
from arise_lib.strided.maps import assemble
from arise_lib.strided.rim import filled_share
from arise_lib.structures.pieces import of_common_species
from arise_lib.structures.reading import load_structure

#: Memory in bytes that a scan may take.
MAX_MEMORY = 4_000_000_000

#: Boxes that are cut out and handed to the workers together: enough to keep them busy.
_LOT = 4096


def describe_box(cluster: Atoms, settings: SoapSettings) -> NDArray[np.float64]:
    """Describe what one box holds.

    Parameters
    ----------
    cluster : ase.Atoms
        The atoms of the box, without periodicity.
    settings : SoapSettings
        Of the network.

    Returns
    -------
    ndarray of shape (n_features,)
        Species with fewer than 3 atoms are left out; NaN if none remains.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> from arise_lib.structures import prototypes, round_cluster
    >>> describe_box(round_cluster(prototypes.build("fcc"), 60), SoapSettings()).shape
    (316,)
    """
    counted = of_common_species(cluster.numbers)
    if not counted.any():
        return np.full(settings.n_features, np.nan)
    return describe(cluster[counted], settings)


def scan(
    source: Atoms | str | PathLike[str],
    box: float | Box = 16.0,
    stride: float = 1.0,
    *,
    padding: float = 0.5,
    min_atoms: int = 50,
    network: NetworkLike = DEFAULT,
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
    box : float or Box
        Edge of a cube, or another shape, in the unit of the positions. The paper
        uses cubes of 10 to 16 Å.
    stride : float
        Distance of neighbouring boxes, in the same unit; 1 to 3 Å in the paper.
    padding : float
        How far boxes reach beyond the sample, in boxes. Periodic directions, as the
        sample's `pbc` says, have no rim: boxes at the faces of the cell are filled
        with the images on the other side.
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
        `n_atoms` (z, y, x), `label` (z, y, x), the most probable class or an empty
        string, and `filled` (z, y, x), the share of the box that lies within the
        sample, below 1 at free surfaces; coordinates are the box centres. With a tolerance also
        `n_passes` (z, y, x).

    Raises
    ------
    InputError
        If box or stride are not positive or not finite, if they make too many boxes or need
        more memory than `MAX_MEMORY`, or if no box holds `min_atoms` atoms.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.strided import Sphere, scan
    >>> sample = bulk("Cu", cubic=True) * 5
    >>> maps = scan(sample, Sphere(7.0), stride=4.0, passes=10)  # periodic: no rim
    >>> sorted(set(maps["label"].values.ravel().tolist()))
    ['fcc']
    """
    shape = box if isinstance(box, Box) else Cube(box)
    atoms = load_structure(source)
    trained = as_ensemble(network)
    settings = trained.settings
    axes = box_centres(atoms, shape, stride, padding)
    sample = with_images(atoms, axes, shape)
    n_atoms = count_atoms(sample.positions, axes, shape)
    filled = n_atoms >= max(min_atoms, 1)
    n_filled = int(filled.sum())
    if n_filled == 0:
        raise InputError(
            f"No {shape} holds {min_atoms} atoms; the fullest holds {n_atoms.max()}. "
            "Enlarge the box (is it in the unit of the positions?) or lower min_atoms."
        )
    _check_memory(filled.size, n_filled, len(trained.classes), settings.n_features)
    clusters = filled_boxes(sample, axes, shape, max(min_atoms, 1))
    features = np.empty((n_filled, settings.n_features), dtype=np.float32)
    with workers(executor) as pool:
        vectors = _described(pool, clusters, settings)
        for row, vector in enumerate(bar(vectors, total=n_filled, desc="boxes")):
            features[row] = vector
    posterior = predict(trained, features, n_passes=passes, seed=seed, tolerance=tolerance)
    maps = assemble(axes, n_atoms, filled, posterior)
    share = filled_share(sample, axes, shape, filled)
    maps["filled"] = (("z", "y", "x"), share.transpose(2, 1, 0))
    maps.attrs = {"box": shape.extent, "stride": stride, "padding": padding, "passes": passes}
    maps.attrs["seed"] = seed
    if not isinstance(shape, Cube):
        maps.attrs["shape"] = str(shape)
    if tolerance is None:
        return maps.drop_vars("n_passes")
    maps.attrs["tolerance"] = tolerance
    return maps


def _described(
    pool: Executor, clusters: Iterable[Atoms], settings: SoapSettings
) -> Iterator[NDArray[np.float64]]:
    """Describe clusters in their order; only one lot of them is held at a time."""
    waiting = iter(clusters)
    while lot := list(islice(waiting, _LOT)):
        yield from pool.map(describe_box, lot, repeat(settings))


def _check_memory(n_boxes: int, n_filled: int, n_classes: int, n_features: int) -> None:
    """Refuse a scan that needs too much memory, before it takes any time.

    The numbers are measured: up to two copies of the descriptors and five of the probabilities
    while the passes are made; later the maps of all boxes (200 bytes each besides the
    probabilities), while descriptors and predictions of the filled ones are still there.
    """
    vector, probabilities = 4 * n_features, 8 * n_classes
    in_passes = n_filled * (2 * vector + 5 * probabilities)
    in_maps = n_boxes * (probabilities + 200) + n_filled * (vector + 2 * probabilities)
    needed = max(in_passes, in_maps)
    if needed > MAX_MEMORY:
        raise InputError(
            f"{n_boxes:,} boxes, {n_filled:,} of them filled, take {needed / 1e9:.1f} GB; at most "
            f"{MAX_MEMORY / 1e9:g} GB are allowed. Take a larger stride, less padding, a larger "
            "min_atoms, or scan in parts."
        )
