"""Maps of samples whose truth is known, box by box beside it."""

from __future__ import annotations

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
    shape = box or Cube(float(maps.attrs["box"]))
    axes = [maps[axis].values for axis in "xyz"]
    answered = maps["mutual_information"].notnull().transpose("x", "y", "z").values
    names, number = np.unique(np.asarray(found, dtype=np.str_), return_inverse=True)
    label = np.zeros(answered.shape, dtype=names.dtype)
    for where, members in atoms_in_boxes(atoms.positions, axes, shape):
        counts = np.bincount(number[members], minlength=len(names))
        counts[names == ""] = 0
        if counts.any():
            label[where] = names[counts.argmax()]
    return label[answered]
