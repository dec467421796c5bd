"""Maps of samples whose truth is known, box by box beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.bayes.calibration import auroc
from arise_lib.errors import InputError
from arise_lib.samples.polycrystals import Truth
from arise_lib.strided.boxes import Box, Cube
from arise_lib.strided.grid import atoms_in_boxes

#: Draws of the bootstrap.
N_DRAWS = 2000


def beside_truth(maps: xr.Dataset, truth: Truth) -> pd.DataFrame:
    """List the classified boxes of a map, each beside the truth at its centre.

    Parameters
    ----------
    maps : xarray.Dataset
        From `scan`.
    truth : Truth
        Which phase is where.

    Returns
    -------
    pandas.DataFrame
        One row for each box with an answer, z fastest: `x`, `y`, `z`, `n_atoms`,
        `label`, `mutual_information` (bit), `phase`, `distance` of the centre to the
        nearest boundary, and `right`, whether label and phase agree. With a class
        "other" among the probabilities also `p_other`.

    Examples
    --------
    >>> from arise_lib import samples, strided
    >>> atoms, truth = samples.polycrystal(["fcc", "bcc"], (40.0, 30.0, 14.0), seed=0)
    >>> maps = strided.scan(atoms, 14.0, 7.0, padding=0.0, passes=20)
    >>> table = strided.beside_truth(maps, truth)
    >>> list(table.columns)[:5], set(table["phase"]) == {"fcc", "bcc"}
    (['x', 'y', 'z', 'n_atoms', 'label'], True)
    """
    stacked = maps.stack(box=("x", "y", "z"))
    here = stacked.isel(box=np.flatnonzero(stacked["mutual_information"].notnull().values))
    centres = np.stack([here[axis].values for axis in "xyz"], axis=1)
    table = pd.DataFrame(centres, columns=list("xyz"))
    for name in ("n_atoms", "label", "mutual_information"):
        table[name] = here[name].values
    table["phase"] = truth.phase(centres)
    table["distance"] = truth.distance(centres)
    table["right"] = table["label"] == table["phase"]
    if "other" in here["class"].values:
        table["p_other"] = here["probability"].sel({"class": "other"}).values
    return table


def boundary_auc(
    table: pd.DataFrame, column: str = "mutual_information", *, near: float, far: float
) -> float:
    """Measure how well a number tells boxes at a boundary from boxes inside a grain.

    Parameters
    ----------
    table : pandas.DataFrame
        From `beside_truth`.
    column : str
        The number, larger at boundaries.
    near, far : float
        Boxes whose centre is nearer to a boundary than `near` are at one, those at
        least `far` from all are inside; in the unit of the positions.

    Returns
    -------
    float
        Area under the receiver operating characteristic: 0.5 tells nothing, 1 all.

    Raises
    ------
    InputError
        If there are no boxes of either kind.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"distance": [1, 2, 9, 9], "mutual_information": [0.9, 0.2, 0.3, 0.1]})
    >>> boundary_auc(table, near=4.0, far=8.0)
    0.75
    """
    at = table.loc[table["distance"] < near, column]
    inside = table.loc[table["distance"] >= far, column]
    if at.empty or inside.empty:
        raise InputError(
            f"{len(at)} boxes are nearer than {near} to a boundary, {len(inside)} at least {far} "
            "away; both must be there."
        )
    return auroc(at.to_numpy(), inside.to_numpy())


def auc_interval(
    table: pd.DataFrame,
    column: str = "mutual_information",
    *,
    near: float,
    far: float,
    block: float,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Estimate the interval of `boundary_auc` by drawing parts of the sample anew.

    Boxes that overlap hold the same atoms, so they are no independent draws: the sample is
    cut into tiles, and whole tiles are drawn with replacement (block bootstrap [1]_).

    Parameters
    ----------
    table : pandas.DataFrame
        From `beside_truth`.
    column, near, far
        As for `boundary_auc`.
    block : float
        Edge of the tiles along x, y and z, best that of the boxes; in the unit of the positions.
    confidence : float
        Between 0 and 1.
    seed : int
        Seed of the draws.

    Returns
    -------
    low, high : float
        Percentiles over `N_DRAWS` draws; those without boxes of both kinds do not count.

    Raises
    ------
    InputError
        If there are no boxes of either kind, or the edge is not positive.

    References
    ----------
    .. [1] H. R. Künsch, Ann. Stat. 17, 1217 (1989).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": [0.0, 9.0], "y": 0.0, "z": 0.0, "distance": [0.0, 9.0],
    ...     "mutual_information": [0.5, 0.1]})
    >>> auc_interval(table, near=4.0, far=8.0, block=5.0)
    (1.0, 1.0)
    """
    areas = _drawn_areas(table, column, near, far, block, seed)
    return _percentiles(areas, confidence)


def auc_difference(
    table: pd.DataFrame,
    other: pd.DataFrame,
    columns: tuple[str, str],
    *,
    near: float,
    far: float,
    block: float,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Compare two detectors on the same boxes: by how much the area of the first is larger.

    Both are looked at on the same tiles in each draw, so what makes a part of a sample hard
    for both does not count: the intervals of two areas may overlap where one is
    clearly the larger.

    Parameters
    ----------
    table, other : pandas.DataFrame
        From `beside_truth`, of the same boxes in the same order; they may be one.
    columns : tuple of str, length 2
        The detector in each of the tables.
    near, far, block, confidence, seed
        As for `auc_interval`.

    Returns
    -------
    difference, low, high : float
        Area of the first less area of the second, and percentiles over the draws.

    Raises
    ------
    InputError
        If the tables are of other boxes, or as by `auc_interval`.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": [0.0, 9.0], "y": 0.0, "z": 0.0, "distance": [0.0, 9.0],
    ...     "mutual_information": [0.5, 0.1], "novelty": [0.2, 0.8]})
    >>> columns = "mutual_information", "novelty"
    >>> auc_difference(table, table, columns, near=4.0, far=8.0, block=5.0)
    (1.0, 1.0, 1.0)
    """
    where = ["x", "y", "z", "distance"]
    if len(table) != len(other) or not (table[where].values == other[where].values).all():
        raise InputError(
            f"Tables of {len(table)} and {len(other)} boxes, which are not the same boxes in the "
            "same order: detectors are compared on one scan."
        )
    areas, values = [], []
    for one, column in zip((table, other), columns, strict=True):
        areas.append(_drawn_areas(one, column, near, far, block, seed))
        values.append(boundary_auc(one, column, near=near, far=far))
    return values[0] - values[1], *_percentiles(areas[0] - areas[1], confidence)


def _drawn_areas(
    table: pd.DataFrame, column: str, near: float, far: float, block: float, seed: int
) -> NDArray[np.float64]:
    """Find the area in each draw of tiles, the same ones for all columns; NaN without any pair."""
    if not 0.0 < block < np.inf:
        raise InputError(f"Tiles with an edge of {block}: give a positive length.")
    boundary_auc(table, column, near=near, far=far)  # refuses what has no area
    chosen = table[(table["distance"] < near) | (table["distance"] >= far)]
    corners = np.floor(chosen[["x", "y", "z"]].to_numpy() / block)
    tiles, of_box = np.unique(corners, axis=0, return_inverse=True)
    score, at = chosen[column].to_numpy(), (chosen["distance"] < near).to_numpy()
    # Of each pair of tiles: pairs of boxes, and those in the right order, ties as halves.
    order = 0.5 * (1.0 + np.sign(score[at][:, None] - score[~at]))
    members = np.eye(len(tiles))[of_box.ravel()]
    right = members[at].T @ order @ members[~at]
    pairs = np.outer(members[at].sum(axis=0), members[~at].sum(axis=0))
    generator = np.random.default_rng(seed)
    draws = generator.multinomial(len(tiles), np.full(len(tiles), 1 / len(tiles)), N_DRAWS)
    counted = np.einsum("di,ij,dj->d", draws, pairs, draws, optimize=True)
    areas = np.einsum("di,ij,dj->d", draws, right, draws, optimize=True)
    return np.where(counted > 0, areas / np.where(counted > 0, counted, 1.0), np.nan)


def _percentiles(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return the ends of the middle part of the values that are defined."""
    tail = 50.0 * (1.0 - confidence)
    low, high = np.nanpercentile(values, [tail, 100.0 - tail])
    return float(low), float(high)


def precision_recall(table: pd.DataFrame, label: str) -> tuple[float, float]:
    """Score how one phase is found.

    Parameters
    ----------
    table : pandas.DataFrame
        From `beside_truth`.
    label : str
        The phase.

    Returns
    -------
    precision, recall : float
        Share, from 0 to 1, of the boxes named so whose centre lies in the phase, and of
        the boxes with their centre there that are named so; NaN where there is none.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": ["a", "a", "b"], "phase": ["a", "b", "a"]})
    >>> [float(share) for share in precision_recall(table, "a")]
    [0.5, 0.5]
    """
    named, true = table["label"] == label, table["phase"] == label
    both = float((named & true).sum())
    return (
        both / named.sum() if named.any() else np.nan,
        both / true.sum() if true.any() else np.nan,
    )


def majority(
    found: NDArray[np.str_], atoms: Atoms, maps: xr.Dataset, box: Box | None = None
) -> NDArray[np.str_]:
    """Label the boxes of a map by a method that labels atoms.

    Parameters
    ----------
    found : ndarray of str, shape (n_atoms,)
        Class of each atom, an empty string where the method sees none.
    atoms : ase.Atoms
        The scanned sample, which is not periodic.
    maps : xarray.Dataset
        From `scan`.
    box : Box, optional
        Shape of the boxes; by default cubes of the edge that the map states.

    Returns
    -------
    ndarray of str, shape (n_boxes,)
        For each box with an answer, in the order of `beside_truth`, the class that most of
        its atoms have among those that have one; an empty string where none has.

    Raises
    ------
    InputError
        If there is not one class per atom.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib import strided
    >>> sample = bulk("Cu", cubic=True) * 4
    >>> sample.pbc = False
    >>> maps = strided.scan(sample, 11.0, 7.0, padding=0.0, passes=10)
    >>> set(strided.majority(["fcc"] * len(sample), sample, maps).tolist())
    {'fcc'}
    """
    names, number = np.unique(_one_each(np.asarray(found, np.str_), atoms), return_inverse=True)
    answered, boxes = _answered(atoms, maps, box)
    label = np.zeros(answered.shape, dtype=names.dtype)
    for where, members in boxes:
        counts = np.bincount(number[members], minlength=len(names))
        counts[names == ""] = 0
        if counts.any():
            label[where] = names[counts.argmax()]
    return label[answered]


def mean_in_boxes(
    values: NDArray[np.floating], atoms: Atoms, maps: xr.Dataset, box: Box | None = None
) -> NDArray[np.float64]:
    """Average a number of the atoms over each box of a map.

    Parameters
    ----------
    values : ndarray of shape (n_atoms,)
        One number per atom; NaN where it has none.
    atoms, maps, box
        As for `majority`.

    Returns
    -------
    ndarray of shape (n_boxes,)
        For each box with an answer, in the order of `beside_truth`, the mean over its atoms that
        have the number; NaN where none has.

    Raises
    ------
    InputError
        If there is not one value per atom.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib import strided
    >>> sample = bulk("Cu", cubic=True) * 4
    >>> sample.pbc = False
    >>> maps = strided.scan(sample, 11.0, 7.0, padding=0.0, passes=10)
    >>> strided.mean_in_boxes(np.full(len(sample), 0.5), sample, maps).tolist()
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    """
    numbers = _one_each(np.asarray(values, dtype=float), atoms)
    answered, boxes = _answered(atoms, maps, box)
    means = np.full(answered.shape, np.nan)
    for where, members in boxes:
        here = numbers[members]
        if (counted := np.isfinite(here)).any():
            means[where] = here[counted].mean()
    return means[answered]


def _one_each(values: NDArray[Any], atoms: Atoms) -> NDArray[Any]:
    """Return values of which each atom has one."""
    if values.shape != (len(atoms),):
        raise InputError(f"Values of shape {values.shape} for {len(atoms)} atoms: give one each.")
    return values


def _answered(
    atoms: Atoms, maps: xr.Dataset, box: Box | None
) -> tuple[NDArray[np.bool_], Iterator[tuple[tuple[int, int, int], NDArray[np.int64]]]]:
    """Say which boxes of a map have an answer, (n_x, n_y, n_z), and find what the boxes hold."""
    answered = maps["mutual_information"].notnull().transpose("x", "y", "z").values
    axes = [maps[axis].values for axis in "xyz"]
    shape = box or Cube(float(maps.attrs["box"]))
    return answered, atoms_in_boxes(atoms.positions, axes, shape)
