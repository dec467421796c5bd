"""A network's answers beside those of the lattice fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from arise_lib.errors import InputError
from arise_lib.tomography.order import PHASES

#: Column of all classes of a network that are no phase of the fit.
OTHER_CLASS = "another class"


def confusion(
    labels: ArrayLike,
    phase: ArrayLike,
    *,
    amplitude: ArrayLike | None = None,
    above: float = 0.0,
) -> pd.DataFrame:
    """Count how a network names the boxes of each phase.

    Parameters
    ----------
    labels : array_like of str
        Classes that a network gives, as `maps["label"]`; empty where it gives none.
    phase : array_like of str, of the same shape
        From the fit; empty where it is undefined.
    amplitude : array_like of float, of the same shape, optional
        Largest superlattice amplitude of each box.
    above : float
        Only boxes with a larger amplitude are counted.

    Returns
    -------
    pandas.DataFrame
        Counts; index: the phases of the fit, columns: "L1_2", "L1_0", "fcc" and
        `OTHER_CLASS`. Boxes that either side leaves empty are left out.

    Raises
    ------
    InputError
        If the shapes differ, or if there is a limit but no amplitude.

    Examples
    --------
    >>> table = confusion(["L1_2", "fcc", "In", ""], ["L1_2", "L1_2", "fcc", "fcc"])
    >>> table.loc["L1_2"].to_list(), table.loc["fcc"].to_list()
    ([1, 0, 1, 0], [0, 0, 0, 1])
    """
    answers, truth = np.asarray(labels, dtype=str), np.asarray(phase, dtype=str)
    if answers.shape != truth.shape:
        raise InputError(
            f"Labels of shape {answers.shape}, phases of shape {truth.shape}: both must be of the "
            "same boxes."
        )
    counted = (answers != "") & (truth != "")
    if amplitude is not None:
        counted &= np.asarray(amplitude) > above
    elif above > 0:
        raise InputError(f"Which amplitudes are above {above}? Give `amplitude` as well.")
    named = PHASES[:-1]
    answers = np.where(np.isin(answers, named), answers, OTHER_CLASS)
    table = pd.crosstab(truth[counted], answers[counted])
    columns = pd.Index([*named, OTHER_CLASS], name="network")
    return table.reindex(index=pd.Index(PHASES, name="fit"), columns=columns, fill_value=0)


def agreement(table: pd.DataFrame) -> pd.Series:
    """Share of the boxes of each phase that the network names as the fit does.

    Parameters
    ----------
    table : pandas.DataFrame
        From `confusion`.

    Returns
    -------
    pandas.Series
        In %, by phase; `"all"` is the share of all boxes that have one. "mixed" boxes are no
        phase and not counted. NaN for a phase without boxes.

    Examples
    --------
    >>> table = confusion(["L1_2", "fcc", "In"], ["L1_2", "L1_2", "fcc"])
    >>> agreement(table).round(1).to_dict()
    {'L1_2': 50.0, 'L1_0': nan, 'fcc': 0.0, 'all': 33.3}
    """
    named = list(PHASES[:-1])
    right = pd.Series({phase: table.at[phase, phase] for phase in named}, dtype=float)
    total = table.loc[named].sum(axis=1).astype(float)
    right["all"], total["all"] = right.sum(), total.sum()
    return (100.0 * right / total.where(total > 0)).rename("agreement")
