"""Counting rules: whether a method is right about a structure, and about how many of its atoms.

An *outcome* is one row of such counts. Pieces of one column and one draw are kept in the cache, so
that an interrupted benchmark goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.baselines.base import Method, get, require
from arise_lib.baselines.columns import COLUMNS, benchmark_units
from arise_lib.errors import InputError
from arise_lib.storage import paths
from arise_lib.storage.cache import cached
from arise_lib.storage.fingerprints import fingerprint
from arise_lib.storage.parallel import Here, run
from arise_lib.structures import prototypes
from arise_lib.training.datasets import DataSet
from arise_lib.training.units import Unit


@cache
def perfect_group(group: Callable[[Atoms], int | None], label: str, size: int) -> int | None:
    """Space group of a perfect supercell, by the same method at the same setting."""
    return group(Unit(label, size, periodic=True).build())


def count(method: Method, unit: Unit) -> tuple[int, int, bool]:
    """Let a method look at one structure, and count.

    Parameters
    ----------
    method : Method
        One that answers per atom or by the space group.
    unit : Unit
        The structure.

    Returns
    -------
    atoms, right_atoms : int
        Atoms of the structure, and those with the right answer; for a method that answers per
        structure all or none.
    right : bool
        Whether the structure as a whole is right: for answers per atom by majority, "none" being
        an answer as well.

    Raises
    ------
    InputError
        If the method answers from descriptors.
    """
    atoms = unit.build()
    if method.answer is not None:
        answers = np.asarray(method.answer(atoms))
        names, votes = np.unique(answers, return_counts=True)
        right = bool(names[votes.argmax()] == unit.label)
        return len(atoms), int(np.sum(answers == unit.label)), right
    if method.group is None:
        raise InputError(f"{method.name} answers from descriptors: see baselines.scored.")
    expected = perfect_group(method.group, unit.label, unit.size)
    right = expected is not None and method.group(atoms) == expected
    return len(atoms), len(atoms) * int(right), right


def outcomes(
    key: str,
    columns: Iterable[str] = COLUMNS,
    draws: Sequence[int] = (0,),
    *,
    executor: Executor | None = None,
) -> pd.DataFrame:
    """Send the defective structures through a method, one cached piece per column and draw.

    Parameters
    ----------
    key : str
        A method that answers per atom or by the space group.
    columns : iterable of str
        Names from `COLUMNS`.
    draws : sequence of int
        Numbers of the draws.
    executor : concurrent.futures.Executor, optional
        Where to run, by default one structure after the other in this process. OVITO wants the
        main thread: processes (`arise_lib.storage.parallel.processes`), not threads.

    Returns
    -------
    pandas.DataFrame
        One row per structure: `method`, `column`, `draw`, `label`, `family`, `atoms`,
        `right_atoms` and `right`.

    Raises
    ------
    InputError
        If the method or a column is unknown, the method works on descriptors (see `scored`), or
        its package is not installed.

    Notes
    -----
    Pieces of the library's own methods are kept. A method that a user registers is counted anew
    every time: what its code depends on lies outside of the library and could change unseen.

    Examples
    --------
    >>> from arise_lib import baselines
    >>> found = baselines.outcomes("acna", ["pristine"])
    >>> found.groupby("label")["right"].sum().to_dict()
    {'bcc': 1, 'fcc': 1, 'hcp': 1}
    """
    method = get(key)
    if method.estimator is not None:
        raise InputError(f"{method.name} answers from descriptors: see baselines.scored.")
    require(method)
    pieces = []
    for column in columns:
        for draw in draws if column != "pristine" else (0,):
            units = benchmark_units(method, column, draw)
            found = _counts(method, units, executor, f"{method.name}, {column}")
            pieces.append(rows_of(key, column, draw, [unit.label for unit in units], **found))
    return pd.concat(pieces, ignore_index=True)


def _counts(
    method: Method, units: Sequence[Unit], executor: Executor | None, description: str
) -> dict[str, NDArray[Any]]:
    """Count many structures, or read what was counted before."""
    compute = partial(_count_all, method, units, executor, description)
    if not method.module.startswith("arise_lib."):
        return compute()
    key = {
        "units": [asdict(unit) for unit in units],
        # Of this method only: another one may change without a new count of this one.
        "code": fingerprint(method.module, __name__, paths.PROTOTYPES),
    }
    return cached(f"benchmark_{method.key}", key, compute)


def _count_all(
    method: Method, units: Sequence[Unit], executor: Executor | None, description: str
) -> dict[str, NDArray[Any]]:
    """Count many structures."""
    pool = executor or Here()
    jobs = run(partial(count, method), units, executor=pool, description=description, chunksize=4)
    atoms, right_atoms, right = (np.array(part) for part in zip(*jobs, strict=True))
    return {"atoms": atoms, "right_atoms": right_atoms, "right": right}


def scored(key: str, column: str, draw: int, piece: DataSet, classifier: Any) -> pd.DataFrame:
    """Let a classifier of descriptors look at a piece of a data set, and count.

    Parameters
    ----------
    key : str
        A method that answers from descriptors, "gnb", "bnb" or "arise".
    column : str
        One of `COLUMNS`.
    draw : int
        Number of the draw.
    piece : DataSet
        Descriptors with their true classes, one per structure.
    classifier : sklearn.base.ClassifierMixin
        Fitted, with labels of classes: what the method's `estimator` gives.

    Returns
    -------
    pandas.DataFrame
        As of `outcomes`, a structure counting as one atom; further `periodic`, `answer`, the label
        that was given, and `information`, the mutual information in bits, of classifiers
        that tell it.

    Raises
    ------
    InputError
        If the method does not answer from descriptors.

    Examples
    --------
    >>> from arise_lib import baselines
    >>> from arise_lib.descriptor import SoapSettings
    >>> from arise_lib import training
    >>> perfect = training.pristine_set(settings=[SoapSettings()], labels=["fcc", "bcc"])
    >>> classifier = baselines.METHODS["bnb"].estimator()
    >>> classifier = classifier.fit(perfect.features, perfect.units["label"])
    >>> baselines.scored("bnb", "pristine", 0, perfect, classifier)["right"].sum()
    np.int64(8)
    """
    if get(key).estimator is None:
        raise InputError(f"{get(key).name} does not answer from descriptors: see outcomes.")
    if hasattr(classifier, "mutual_information"):
        answers, information = classifier.predict(piece.features, return_information=True)
    else:
        answers, information = classifier.predict(piece.features), None
    right = answers == piece.units["label"].to_numpy()
    once = np.ones(len(right), dtype=np.int64)
    labels = piece.units["label"].tolist()
    rows = rows_of(key, column, draw, labels, once, right.astype(np.int64), right)
    rows = rows.assign(periodic=piece.units["periodic"].to_numpy(), answer=answers)
    return rows if information is None else rows.assign(information=information)


def rows_of(
    key: str,
    column: str,
    draw: int,
    labels: Sequence[str],
    atoms: NDArray[np.integer],
    right_atoms: NDArray[np.integer],
    right: NDArray[np.bool_],
) -> pd.DataFrame:
    """Put the outcomes of one piece into a table."""
    return pd.DataFrame(
        {
            "method": key,
            "column": column,
            "draw": draw,
            "label": list(labels),
            "family": [prototypes.get(label).family for label in labels],
            "atoms": atoms,
            "right_atoms": right_atoms,
            "right": right,
        }
    )
