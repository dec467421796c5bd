"""The scan: a box slides over a sample, and each box is classified.

Of the atoms in each box a free cluster is made, described and classified like
any structure; maps of class probabilities and of mutual information result
(paper, Fig. 1 and Methods, "Strided pattern matching").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from os import PathLike
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.bayes.inference import N_PASSES, check_passes, predict
from arise_lib.errors import InputError
from arise_lib.network.model import Ensemble
from arise_lib.network.released import DEFAULT, NetworkLike, as_ensemble
from arise_lib.storage.cache import Arrays, cached
from arise_lib.storage.fingerprints import fingerprint
from arise_lib.storage.parallel import bar, workers
from arise_lib.strided import _keys
from arise_lib.strided.boxes import Box, Cube
from arise_lib.strided.described import MIN_ATOMS, Boxes, Plan, plan
from arise_lib.strided.lines import Task, describe_tasks, tasks
from arise_lib.strided.maps import assemble
from arise_lib.strided.rim import filled_share
from arise_lib.structures.pieces import MIN_ATOMS_OF_SPECIES

#: Memory in bytes that a scan may take.
MAX_MEMORY = 4_000_000_000

#: Boxes, or a line more, that are described and classified together: enough to keep all cores busy,
#: and what is lost when a scan is interrupted.
_LOT = 4096


def scan(
    source: Atoms | str | PathLike[str],
    box: float | Box = 16.0,
    stride: float | Sequence[float] = 1.0,
    *,
    padding: float = 0.5,
    min_atoms: int = MIN_ATOMS,
    min_of_species: int = MIN_ATOMS_OF_SPECIES,
    network: NetworkLike = DEFAULT,
    passes: int = N_PASSES,
    seed: int = 0,
    tolerance: float | None = None,
    classes: Sequence[str] | None = None,
    resume: bool = False,
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
    stride : float or sequence of float, length 3
        Distance of neighbouring boxes, or one for each axis, in the same unit; 1 to
        3 Å in the paper.
    padding : float
        How far boxes reach beyond the sample, in boxes. Periodic directions, as the
        sample's `pbc` says, have no rim: boxes at the faces of the cell are filled
        with the images on the other side.
    min_atoms : int
        Boxes with fewer atoms give NaN.
    min_of_species : int
        Species with fewer atoms in a box are left out of it.
    network : NetworkLike
        The name of a released network, a network, or an ensemble.
    passes, seed : int
        Stochastic passes and their seed.
    tolerance : float, optional
        In bits: a box gets no more passes once its mutual information is known
        with this error. The masks of the passes are then stratified
        (`arise_lib.bayes.predict`), so that fewer are enough. By default all boxes get
        `passes`, with independent masks, as in the paper.
    classes : sequence of str, optional
        Classes whose probabilities are kept; by default all of them. Labels and
        mutual information are of all classes in any case. With a few, a map of
        millions of boxes fits into memory.
    resume : bool
        Keep what has been found, some thousand boxes at a time, in the cache of derived
        results, and take from there what an interrupted scan has left. The maps
        are the same, bit for bit.
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
        more memory than `MAX_MEMORY`, if no box holds `min_atoms` atoms, or if the network
        has no such class.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.strided import Sphere, scan
    >>> sample = bulk("Cu", cubic=True) * 5
    >>> maps = scan(sample, Sphere(7.0), stride=4.0, passes=10)  # periodic: no rim
    >>> sorted(set(maps["label"].values.ravel().tolist()))
    ['fcc']
    """
    check_passes(passes, seed, tolerance)
    trained = as_ensemble(network)
    kept = _kept(classes, trained.classes)
    laid = plan(source, box, stride, padding, min_atoms)
    n_filled, n_features = int(laid.filled.sum()), trained.settings.n_features
    _check_memory(laid.filled.size, n_filled, len(trained.classes), n_features, len(kept))
    waiting = tasks(laid.sample, laid.axes, laid.shape, laid.filled, trained.settings)
    how = {"n_passes": passes, "seed": seed, "tolerance": tolerance}
    key = _key(laid, trained, kept, how | {"min_of_species": min_of_species}) if resume else {}
    found: dict[str, NDArray[Any]] = {}
    done = 0
    with workers(executor) as pool:
        for lot in bar(_lots(waiting), desc=f"boxes, by {_LOT}"):

            def find(lot: list[Task] = lot) -> Arrays:
                vectors = describe_tasks(pool, iter(lot), trained.settings, min_of_species)
                features = np.concatenate([of_task for _, of_task in vectors])
                return _answers(features, trained, kept, passes, seed, tolerance)

            answers = cached("scan", key | {"first": done}, find) if resume else find()
            rows = np.concatenate([task.rows for task in lot])
            for name, values in answers.items():
                if name not in found:
                    found[name] = np.empty((n_filled, *values.shape[1:]), dtype=values.dtype)
                found[name][rows] = values
            done += len(rows)
    return _maps(laid, found, kept, stride, padding, passes, seed, tolerance)


def classify_boxes(
    boxes: Boxes,
    *,
    network: NetworkLike = DEFAULT,
    passes: int = N_PASSES,
    seed: int = 0,
    tolerance: float | None = None,
    resume: bool = False,
) -> xr.Dataset:
    """Classify boxes that have been described: the second half of a scan.

    Parameters
    ----------
    boxes : Boxes
        From `arise_lib.strided.describe_boxes`, with the settings of the network.
    network, passes, seed, tolerance
        As for `scan`.
    resume : bool
        Keep the answers in the cache of derived results, and take them from there if they
        are there.

    Returns
    -------
    xarray.Dataset
        The maps that `scan` returns.

    Raises
    ------
    InputError
        If the boxes were described with other settings than the network's, or as
        `scan` does.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import strided
    >>> boxes = strided.describe_boxes(bulk("Cu", cubic=True) * 4, 11.0, 7.0)
    >>> maps = strided.classify_boxes(boxes, passes=10)
    >>> sorted(set(maps["label"].values.ravel().tolist()))
    ['fcc']
    """
    trained = as_ensemble(network)
    if boxes.settings != trained.settings:
        raise InputError(
            f"These boxes were described with {boxes.settings}, the network wants "
            f"{trained.settings}: describe them with the settings of the network."
        )

    def find() -> Arrays:
        return _answers(boxes.features, trained, trained.classes, passes, seed, tolerance)

    how = {"n_passes": passes, "seed": seed, "tolerance": tolerance}
    key = {"code": fingerprint(__name__), "features": _keys.digest(boxes.features)} | how
    found = cached("scan", key | _keys.of_network(trained), find) if resume else find()
    maps = assemble(boxes.axes, boxes.n_atoms, boxes.filled, trained.classes, found)
    maps["filled"] = (("z", "y", "x"), boxes.share.transpose(2, 1, 0))
    maps.attrs = {"box": boxes.shape.extent, "passes": passes, "seed": seed}
    return maps if tolerance is not None else maps.drop_vars("n_passes")


def _lots(waiting: Iterator[Task]) -> Iterator[list[Task]]:
    """Gather tasks of some thousand boxes."""
    lot: list[Task] = []
    for task in waiting:
        lot.append(task)
        if sum(len(one.rows) for one in lot) >= _LOT:
            yield lot
            lot = []
    if lot:
        yield lot


def _kept(classes: Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes whose probabilities are kept."""
    if classes is None:
        return known
    chosen = tuple(classes)
    unknown = [label for label in chosen if label not in known]
    if unknown or isinstance(classes, str):
        raise InputError(
            f"classes = {classes!r}: the network does not have {', '.join(map(repr, unknown))}; "
            "give a list of some of its classes, or None for all."
        )
    return chosen


def _answers(
    features: NDArray[np.float32],
    trained: Ensemble,
    kept: tuple[str, ...],
    passes: int,
    seed: int,
    tolerance: float | None,
) -> Arrays:
    """Classify some boxes; of the probabilities only some classes are kept."""
    posterior = predict(
        trained, features, n_passes=passes, seed=seed, tolerance=tolerance,
        stratified=tolerance is not None,
    )  # fmt: skip
    columns = [posterior.classes.index(label) for label in kept]
    return {
        "probabilities": posterior.probabilities[:, columns],
        "mutual_information": posterior.mutual_information,
        "labels": posterior.labels,
        "passes": posterior.passes,
    }


def _maps(
    laid: Plan,
    found: Arrays,
    kept: tuple[str, ...],
    stride: float | Sequence[float],
    padding: float,
    passes: int,
    seed: int,
    tolerance: float | None,
) -> xr.Dataset:
    """Put the answers in their places, and note how they were found."""
    maps = assemble(laid.axes, laid.n_atoms, laid.filled, kept, found)
    share = filled_share(laid.sample, laid.axes, laid.shape, laid.filled)
    maps["filled"] = (("z", "y", "x"), share.transpose(2, 1, 0))
    steps = stride if np.ndim(stride) == 0 else [float(step) for step in np.asarray(stride)]
    maps.attrs = {"box": laid.shape.extent, "stride": steps, "padding": padding, "passes": passes}
    maps.attrs["seed"] = seed
    if not isinstance(laid.shape, Cube):
        maps.attrs["shape"] = str(laid.shape)
    if tolerance is None:
        return maps.drop_vars("n_passes")
    maps.attrs["tolerance"] = tolerance
    return maps


def _key(
    laid: Plan, trained: Ensemble, kept: tuple[str, ...], how: dict[str, float | None]
) -> dict[str, object]:
    """State all that the answers depend on."""
    boxes = _keys.of_boxes(laid.sample, laid.axes, laid.shape, laid.filled)
    code = {"code": fingerprint(__name__), "classes": list(kept), "lot": _LOT}
    return code | boxes | _keys.of_network(trained) | how


def _check_memory(
    n_boxes: int, n_filled: int, n_classes: int, n_features: int, n_kept: int
) -> None:
    """Refuse a scan that needs too much memory, before it takes any time.

    The numbers are measured: for the boxes in work up to two copies of the descriptors and
    five of the probabilities, beside what is kept of those before, of which there are two copies
    while it is put together; then the maps of all boxes (200 bytes each besides the probabilities)
    beside one.
    """
    in_work = min(n_filled, _LOT) * (2 * 4 * n_features + 5 * 8 * n_classes)
    kept = n_filled * (8 * n_kept + 150)
    needed = max(in_work + kept, 2 * kept, kept + n_boxes * (8 * n_kept + 200))
    if needed > MAX_MEMORY:
        raise InputError(
            f"{n_boxes:,} boxes, {n_filled:,} of them filled, take {needed / 1e9:.1f} GB; at most "
            f"{MAX_MEMORY / 1e9:g} GB are allowed. Keep the probabilities of a few classes only "
            "(classes=...), take a larger stride, less padding or a larger min_atoms, or scan in "
            "parts."
        )
