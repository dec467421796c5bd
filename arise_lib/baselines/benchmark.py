"""The benchmark of Table 2: every method on the defective structures, counted by its own rule.

An *outcome* is what a method made of one structure: right or wrong as a whole, and, where it
answers per atom, how many atoms were right. Everything else is counting.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from arise_lib import datasets, prototypes, store
from arise_lib.baselines import local_order, symmetry
from arise_lib.baselines.intervals import bootstrap_interval, wilson_interval
from arise_lib.baselines.methods import METHODS, Method, get, require, version
from arise_lib.baselines.steinhardt import steinhardt
from arise_lib.datasets import DISPLACEMENTS, MISSING, DataSet, Defect, Unit
from arise_lib.errors import InputError
from arise_lib.progress import bar

#: Columns of the table: name, and kind and step of the defects; None for perfect structures.
COLUMNS: dict[str, tuple[Defect, int] | None] = {
    "pristine": None,
    **{f"d{100 * ratio:g}": ("displaced", step) for step, ratio in enumerate(DISPLACEMENTS)},
    **{f"m{100 * ratio:g}": ("missing", step) for step, ratio in enumerate(MISSING)},
    **{f"b{step + 1}": ("both", step) for step in range(len(MISSING))},
}

#: Answers per atom: labels of classes.
_PER_ATOM: dict[str, Callable[[Atoms], NDArray[np.str_]]] = {
    "ptm": local_order.ptm,
    "cna": local_order.cna,
    "acna": local_order.acna,
    "baa": local_order.baa,
    "steinhardt": steinhardt,
}

#: Answers per structure: numbers of space groups.
_PER_CELL: dict[str, Callable[[Atoms], int | None]] = {
    "spglib_loose": partial(
        symmetry.spglib_group, symprec=symmetry.LOOSE[0], angle_tolerance=symmetry.LOOSE[1]
    ),
    "spglib_tight": partial(
        symmetry.spglib_group, symprec=symmetry.TIGHT[0], angle_tolerance=symmetry.TIGHT[1]
    ),
    "moyo": partial(
        symmetry.moyo_group, symprec=symmetry.LOOSE[0], angle_tolerance=symmetry.LOOSE[1]
    ),
}


def column_of(kind: Defect, step: int) -> str:
    """Return the name of the column of one kind and ratio of defects."""
    return next(name for name, condition in COLUMNS.items() if condition == (kind, step))


def benchmark_units(method: Method, column: str, draw: int = 0) -> list[Unit]:
    """List the structures on which a method is counted.

    Parameters
    ----------
    method : Method
        Decides on classes, and whether clusters enter.
    column : str
        One of `COLUMNS`.
    draw : int
        Number of the draw, of base seed 0; there is only one of perfect structures.

    Returns
    -------
    list of Unit
        Of the defective sets, three sizes per class. Perfect structures: all 396 of the pristine
        set, or the smallest periodic supercell of each class for methods that are counted on
        periodic structures only.

    Raises
    ------
    InputError
        If there is no such column.
    """
    if column not in COLUMNS:
        raise InputError(f"Unknown column {column!r}; choose one of {', '.join(COLUMNS)}.")
    condition = COLUMNS[column]
    if condition is None:
        units = datasets.pristine_units(method.treats)
        if not method.periodic_only:
            return units
        smallest: dict[str, int] = {}
        for unit in units:
            if not unit.periodic:
                smallest.setdefault(unit.label, unit.size)
        return [Unit(label, size, periodic=True) for label, size in smallest.items()]
    units = datasets.defective_units(*condition, draw, labels=method.treats)
    return [unit for unit in units if unit.periodic or not method.periodic_only]


@cache
def _perfect_group(key: str, label: str, size: int) -> int | None:
    """Space group of a perfect supercell, by the same method at the same setting."""
    return _PER_CELL[key](Unit(label, size, periodic=True).build())


def count(key: str, unit: Unit) -> tuple[int, int, bool]:
    """Let a method look at one structure, and count.

    Parameters
    ----------
    key : str
        A method that answers per atom or by the space group.
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
    """
    atoms = unit.build()
    if key in _PER_ATOM:
        answers = _PER_ATOM[key](atoms)
        names, votes = np.unique(answers, return_counts=True)
        return len(atoms), int(np.sum(answers == unit.label)), names[votes.argmax()] == unit.label
    expected = _perfect_group(key, unit.label, unit.size)
    right = expected is not None and _PER_CELL[key](atoms) == expected
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
        main thread: processes (`arise_lib.parallel.processes`), not threads.

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
    """
    method = get(key)
    if key not in {*_PER_ATOM, *_PER_CELL}:
        raise InputError(f"{method.name} answers from descriptors: see baselines.scored.")
    require(method)
    pieces = []
    for column in columns:
        for draw in draws if column != "pristine" else (0,):
            units = benchmark_units(method, column, draw)
            found = store.cached(
                f"benchmark_{key}",
                {
                    "units": [asdict(unit) for unit in units],
                    "version": version(method),
                    "prototypes": prototypes.fingerprint(),
                    "code": _code(),
                },
                partial(_count_all, key, units, executor, f"{method.name}, {column}"),
            )
            counts = (found["atoms"], found["right_atoms"], found["right"])
            pieces.append(_rows(key, column, draw, [unit.label for unit in units], *counts))
    return pd.concat(pieces, ignore_index=True)


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
    rows = _rows(key, column, draw, labels, once, right.astype(np.int64), right)
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
        interval: Wilson's per structure, bootstrap over the structures of each class per atom), `structures`
        (how many), and `by structure`, the accuracy per structure, all shares in %.
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
    if key not in _PER_CELL:
        raise InputError(f"{get(key).name} does not give space groups: {', '.join(_PER_CELL)} do.")
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
    atoms, expected = unit.build(), _perfect_group(key, unit.label, unit.size)
    generator = np.random.default_rng(unit.seed)
    orders = [np.arange(len(atoms)), *(generator.permutation(len(atoms)) for _ in range(n_orders))]
    return [_PER_CELL[key](atoms[order]) == expected for order in orders]


def seconds_per_structure(key: str, structures: Sequence[Atoms], repeats: int = 3) -> float:
    """Time a method that answers per atom or by the space group.

    Parameters
    ----------
    key : str
        The method.
    structures : sequence of ase.Atoms
        What it looks at, one after the other.
    repeats : int
        The fastest of so many runs counts: anything else on the machine only adds to a run.

    Returns
    -------
    float
        Processor time per structure in s, all threads added up.

    Raises
    ------
    InputError
        If there is no structure.
    """
    if not structures:
        raise InputError("No structure to time; give at least one.")
    answer: Callable[[Atoms], Any] = {**_PER_ATOM, **_PER_CELL}[key]
    answer(structures[0])  # imports, and trains where there is something to train
    runs = []
    for _ in range(repeats):
        start = time.process_time()
        for atoms in structures:
            answer(atoms)
        runs.append(time.process_time() - start)
    return min(runs) / len(structures)


def _count_all(
    key: str, units: Sequence[Unit], executor: Executor | None, description: str
) -> dict[str, NDArray[Any]]:
    """Count many structures."""
    jobs = partial(count, key)
    answers = map(jobs, units) if executor is None else executor.map(jobs, units, chunksize=4)
    counts = list(bar(answers, total=len(units), desc=description))
    atoms, right_atoms, right = (np.array(part) for part in zip(*counts, strict=True))
    return {"atoms": atoms, "right_atoms": right_atoms, "right": right}


def _rows(
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


@cache
def _code() -> str:
    """SHA-256 of the modules that an outcome depends on: changed code must not meet old results."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    files = [here.parent / name for name in ("scaling.py", "structures.py", "datasets.py")]
    for path in [*files, *(here / f"{name}.py" for name in _COUNTING)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


#: Modules of this package that decide on an answer; tables and intervals do not.
_COUNTING = ("benchmark", "local_order", "symmetry", "steinhardt")
