"""From outcomes to the numbers of Table 2: accuracies, intervals, and what they depend on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.baselines.counting import (
    PER_ATOM,
    PER_CELL,
    benchmark_units,
    perfect_group,
    rows_of,
)
from arise_lib.baselines.intervals import bootstrap_interval, wilson_interval
from arise_lib.baselines.methods import METHODS, get, require
from arise_lib.baselines.timing import fastest
from arise_lib.errors import InputError
from arise_lib.training.datasets import DataSet
from arise_lib.training.units import Unit


def scored(
    key: str, column: str, draw: int, piece: DataSet, predicted: NDArray[np.integer]
) -> pd.DataFrame:
    """Turn predicted classes of descriptors into outcomes.

    Parameters
    ----------
    key : str
        Method, "gnb", "bnb" or "arise".
    column : str
        One of `COLUMNS`.
    draw : int
        Number of the draw.
    piece : DataSet
        Descriptors with their true classes, one per structure.
    predicted : ndarray of int, shape (n_structures,)
        Predicted class of each.

    Returns
    -------
    pandas.DataFrame
        As of `outcomes`, and `periodic`; a structure counts as one atom.
    """
    get(key)
    right = predicted == piece.classes
    once = np.ones(len(right), dtype=np.int64)
    labels = piece.units["label"].tolist()
    rows = rows_of(key, column, draw, labels, once, right.astype(np.int64), right)
    return rows.assign(periodic=piece.units["periodic"].to_numpy())


def summary(found: pd.DataFrame, by: Sequence[str] = ("method", "column")) -> pd.DataFrame:
    """Accuracies with intervals, by each method's counting rule and by structures.

    Parameters
    ----------
    found : pandas.DataFrame
        Outcomes of one or more methods.
    by : sequence of str
        Columns that make a cell; "method" is one of them.

    Returns
    -------
    pandas.DataFrame
        Indexed by `by`: `right`, `total` (atoms or structures), `accuracy`, `low`, `high` (95 %
        interval: Wilson's per structure, bootstrap over the structures of each class per
        atom), `structures` (how many), and `by structure`, the accuracy per structure. All shares
        are in %.
    """
    rows = []
    for names, cell in found.groupby(list(by), sort=False):
        named = dict(zip(by, names, strict=True))
        right, total = int(cell["right"].sum()), len(cell)
        by_structure = 100.0 * right / total
        if METHODS[named["method"]].counted == "atom":
            low, high = bootstrap_interval(cell["right_atoms"], cell["atoms"], cell["label"])
            right, total = int(cell["right_atoms"].sum()), int(cell["atoms"].sum())
        else:
            low, high = wilson_interval(right, total)
        rows.append(
            named
            | {"right": right, "total": total, "accuracy": 100.0 * right / total}
            | {"low": low, "high": high, "structures": len(cell), "by structure": by_structure}
        )
    return pd.DataFrame(rows).set_index(list(by))


def order_dependence(
    key: str,
    column: str,
    draw: int = 0,
    n_orders: int = 8,
    *,
    executor: Executor | None = None,
) -> pd.DataFrame:
    """Ask for the space group of the same structures with their atoms listed in other orders.

    A structure does not depend on the order of its atoms; an algorithm that takes one of them as
    origin, and translations from the first that fit, may.

    Parameters
    ----------
    key : str
        A method that answers by the space group.
    column : str
        Kind and ratio of defects, one of `COLUMNS`.
    draw : int
        Number of the draw.
    n_orders : int
        Random orders beside the one as built.
    executor : concurrent.futures.Executor, optional
        As of `outcomes`.

    Returns
    -------
    pandas.DataFrame
        One row per class, smallest supercell: `as built` (right or wrong) and `orders right`
        (share of the random orders in which the answer is right).

    Raises
    ------
    InputError
        If the method does not answer by the space group.
    """
    if key not in PER_CELL:
        raise InputError(f"{get(key).name} does not give space groups: {', '.join(PER_CELL)} do.")
    require(get(key))
    smallest: dict[str, Unit] = {}
    for unit in benchmark_units(get(key), column, draw):
        smallest.setdefault(unit.label, unit)
    jobs = partial(_in_orders, key, n_orders)
    units = list(smallest.values())
    answers = list(map(jobs, units) if executor is None else executor.map(jobs, units))
    return pd.DataFrame(
        {"as built": [a[0] for a in answers], "orders right": [np.mean(a[1:]) for a in answers]},
        index=pd.Index(smallest, name="class"),
    )


def _in_orders(key: str, n_orders: int, unit: Unit) -> list[bool]:
    """Whether the space group is right, as built and in random orders of the atoms."""
    atoms, expected = unit.build(), perfect_group(key, unit.label, unit.size)
    generator = np.random.default_rng(unit.seed)
    orders = [np.arange(len(atoms)), *(generator.permutation(len(atoms)) for _ in range(n_orders))]
    return [PER_CELL[key](atoms[order]) == expected for order in orders]


def seconds_per_structure(key: str, structures: Sequence[Atoms]) -> float:
    """Time a method that answers per atom or by the space group.

    Parameters
    ----------
    key : str
        The method.
    structures : sequence of ase.Atoms
        What it looks at, one after the other.

    Returns
    -------
    float
        Processor time per structure in s, see `timing.fastest`.

    Raises
    ------
    InputError
        If there is no structure.
    """
    if not structures:
        raise InputError("No structure to time; give at least one.")
    answer: Callable[[Atoms], Any] = {**PER_ATOM, **PER_CELL}[key]
    return fastest(lambda: [answer(atoms) for atoms in structures]) / len(structures)
