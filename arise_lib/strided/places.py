"""Descriptors of boxes at chosen places: of those that a scan has named so, say."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.storage.parallel import workers
from arise_lib.strided.boxes import Box, as_box
from arise_lib.strided.lines import describe_tasks, one_by_one
from arise_lib.structures.pieces import MIN_ATOMS_OF_SPECIES


def describe_at(
    atoms: Atoms,
    centres: NDArray[np.float64],
    box: float | Box,
    settings: SoapSettings,
    *,
    min_of_species: int = MIN_ATOMS_OF_SPECIES,
    executor: Executor | None = None,
) -> NDArray[np.float32]:
    """Describe the boxes at some places.

    A scan keeps no descriptors; where a few of its boxes are to be looked at again, this
    describes them alone.

    Parameters
    ----------
    atoms : ase.Atoms
        A sample without periodicity.
    centres : ndarray of shape (n_boxes, 3)
        Middles of the boxes, in the unit of the positions.
    box : float or Box
        Edge of a cube, or another shape.
    settings : SoapSettings
        Of the network.
    min_of_species : int
        Species with fewer atoms in a box are left out of it.
    executor : concurrent.futures.Executor, optional
        Where to compute; by default threads, one per core.

    Returns
    -------
    ndarray of float32, shape (n_boxes, n_features)
        Those of a scan, to 1e-6 where that describes whole lines; NaN for a box that holds too
        little.

    Raises
    ------
    InputError
        If the sample is periodic.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib.descriptor import SoapSettings
    >>> sample = bulk("Cu", cubic=True) * 4
    >>> sample.pbc = False
    >>> places = np.array([[7.0, 7.0, 7.0], [90.0, 0.0, 0.0]])
    >>> np.isfinite(describe_at(sample, places, 11.0, SoapSettings())).all(axis=1).tolist()
    [True, False]
    """
    if atoms.pbc.any():
        raise InputError(
            "Boxes at chosen places are cut from a sample without periodicity: set its pbc to "
            "False, or use describe_boxes, which lays images around a periodic one."
        )
    shape = as_box(box)
    # Somewhat farther than the box reaches: what lies on its surface, the shape decides.
    reach = 0.5 * float(shape.extents.max()) * (1.0 + 1e-6)
    near = cKDTree(atoms.positions).query_ball_point(centres, reach, p=np.inf, return_sorted=True)

    def clusters() -> Iterator[Atoms]:
        for centre, members in zip(centres, near, strict=True):
            listed = np.asarray(members, dtype=np.int64)
            held = listed[shape.holds(atoms.positions[listed] - centre)]
            yield Atoms(atoms.numbers[held], atoms.positions[held])

    features = np.empty((len(centres), settings.n_features), dtype=np.float32)
    with workers(executor) as pool:
        for task, found in describe_tasks(pool, one_by_one(clusters()), settings, min_of_species):
            features[task.rows] = found
    return features
