"""The numbers of Table 2: accuracies with their intervals, and what they depend on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

import numpy as np
import pandas as pd
from ase import Atoms

from arise_lib.baselines.base import METHODS, get, require
from arise_lib.baselines.columns import benchmark_units
from arise_lib.baselines.counting import perfect_group
from arise_lib.baselines.intervals import bootstrap_interval, wilson_interval
from arise_lib.errors import InputError
from arise_lib.training.units import Unit


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

    Examples
    --------
    >>> from arise_lib import baselines
    >>> cells = baselines.summary(baselines.outcomes("cna", ["pristine"]))
    >>> cells.loc[("cna", "pristine"), ["right", "total"]].tolist()
    [250, 378]
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

    Examples
    --------
    >>> from arise_lib.baselines import order_dependence
    >>> orders = order_dependence("spglib_loose", "pristine", n_orders=1)
    >>> bool(orders["as built"].all())
    True
    """
    method = get(key)
    if method.group is None:
        able = ", ".join(other.key for other in METHODS.values() if other.group is not None)
        raise InputError(f"{method.name} does not give space groups: {able} do.")
    require(method)
    smallest: dict[str, Unit] = {}
    for unit in benchmark_units(method, column, draw):
        smallest.setdefault(unit.label, unit)
    jobs = partial(_in_orders, method.group, n_orders)
    units = list(smallest.values())
    answers = list(map(jobs, units) if executor is None else executor.map(jobs, units))
    return pd.DataFrame(
        {"as built": [a[0] for a in answers], "orders right": [np.mean(a[1:]) for a in answers]},
        index=pd.Index(smallest, name="class"),
    )


def _in_orders(group: Callable[[Atoms], int | None], n_orders: int, unit: Unit) -> list[bool]:
    """Whether the space group is right, as built and in random orders of the atoms."""
    atoms, expected = unit.build(), perfect_group(group, unit.label, unit.size)
    generator = np.random.default_rng(unit.seed)
    orders = [np.arange(len(atoms)), *(generator.permutation(len(atoms)) for _ in range(n_orders))]
    return [group(atoms[order]) == expected for order in orders]
