"""Whether an answer changes when the atoms of a structure are listed in another order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.baselines.base import METHODS, get, require
from arise_lib.baselines.columns import benchmark_units
from arise_lib.baselines.counting import perfect_group
from arise_lib.errors import InputError
from arise_lib.storage import paths
from arise_lib.storage.cache import cached
from arise_lib.storage.fingerprints import fingerprint
from arise_lib.storage.parallel import Here, run
from arise_lib.training.units import Unit


def order_dependence(
    key: str,
    column: str,
    draw: int = 0,
    n_orders: int = 4,
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
        Indexed by class and size, one row for each structure of the benchmark: `as built` (right or
        wrong) and `orders right` (share of the random orders in which the answer is right).

    Raises
    ------
    InputError
        If the method does not answer by the space group.

    Notes
    -----
    Answers are kept in the cache for the library's own methods, as by `outcomes`.

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
    units = benchmark_units(method, column, draw)
    compute = partial(_all_in_orders, method.group, units, n_orders, executor)
    if method.module.startswith("arise_lib."):
        cache_key = {
            "units": [asdict(unit) for unit in units],
            "orders": n_orders,
            "code": fingerprint(method.module, __name__, paths.PROTOTYPES),
        }
        right = cached(f"orders_{key}", cache_key, compute)["right"]
    else:
        right = compute()["right"]
    index = pd.MultiIndex.from_tuples([(u.label, u.size) for u in units], names=["class", "size"])
    columns = {"as built": right[:, 0], "orders right": right[:, 1:].mean(axis=1)}
    return pd.DataFrame(columns, index)


def _all_in_orders(
    group: Callable[[Atoms], int | None],
    units: list[Unit],
    n_orders: int,
    executor: Executor | None,
) -> dict[str, NDArray[Any]]:
    """Whether the answers are right: (n_structures, 1 + n_orders), as built first."""
    jobs = partial(_in_orders, group, n_orders)
    answers = run(jobs, units, executor=executor or Here(), description="orders", chunksize=2)
    return {"right": np.array(list(answers), dtype=bool)}


def _in_orders(group: Callable[[Atoms], int | None], n_orders: int, unit: Unit) -> list[bool]:
    """Whether the space group is right, as built and in random orders of the atoms."""
    atoms, expected = unit.build(), perfect_group(group, unit.label, unit.size)
    generator = np.random.default_rng(unit.seed)
    orders = [np.arange(len(atoms)), *(generator.permutation(len(atoms)) for _ in range(n_orders))]
    return [group(atoms[order]) == expected for order in orders]
