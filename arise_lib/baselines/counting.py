"""What a method makes of one structure: right or wrong, and how many atoms were right.

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

from arise_lib import storage
from arise_lib.baselines import local_order, symmetry
from arise_lib.baselines.methods import Method, get, require, version
from arise_lib.baselines.steinhardt import steinhardt
from arise_lib.errors import InputError
from arise_lib.storage import paths
from arise_lib.storage.fingerprints import fingerprint
from arise_lib.storage.progress import bar
from arise_lib.structures import prototypes
from arise_lib.training.units import (
    DISPLACEMENTS,
    MISSING,
    Defect,
    Unit,
    defective_units,
    pristine_units,
)

#: Columns of the table: name, and kind and step of the defects; None for perfect structures.
COLUMNS: dict[str, tuple[Defect, int] | None] = {
    "pristine": None,
    **{f"d{100 * ratio:g}": ("displaced", step) for step, ratio in enumerate(DISPLACEMENTS)},
    **{f"m{100 * ratio:g}": ("missing", step) for step, ratio in enumerate(MISSING)},
    **{f"b{step + 1}": ("both", step) for step in range(len(MISSING))},
}

#: Answers per atom: labels of classes.
PER_ATOM: dict[str, Callable[[Atoms], NDArray[np.str_]]] = {
    "ptm": local_order.ptm,
    "cna": local_order.cna,
    "acna": local_order.acna,
    "baa": local_order.baa,
    "steinhardt": steinhardt,
}

#: Answers per structure: numbers of space groups.
PER_CELL: dict[str, Callable[[Atoms], int | None]] = {
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
        units = pristine_units(method.treats)
        if not method.periodic_only:
            return units
        smallest: dict[str, int] = {}
        for unit in units:
            if not unit.periodic:
                smallest.setdefault(unit.label, unit.size)
        return [Unit(label, size, periodic=True) for label, size in smallest.items()]
    units = defective_units(*condition, draw, labels=method.treats)
    return [unit for unit in units if unit.periodic or not method.periodic_only]


@cache
def perfect_group(key: str, label: str, size: int) -> int | None:
    """Space group of a perfect supercell, by the same method at the same setting."""
    return PER_CELL[key](Unit(label, size, periodic=True).build())


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
    if key in PER_ATOM:
        answers = PER_ATOM[key](atoms)
        names, votes = np.unique(answers, return_counts=True)
        return len(atoms), int(np.sum(answers == unit.label)), names[votes.argmax()] == unit.label
    expected = perfect_group(key, unit.label, unit.size)
    right = expected is not None and PER_CELL[key](atoms) == expected
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
    """
    method = get(key)
    if key not in {*PER_ATOM, *PER_CELL}:
        raise InputError(f"{method.name} answers from descriptors: see baselines.scored.")
    require(method)
    pieces = []
    for column in columns:
        for draw in draws if column != "pristine" else (0,):
            units = benchmark_units(method, column, draw)
            found = storage.cached(
                f"benchmark_{key}",
                {
                    "units": [asdict(unit) for unit in units],
                    "version": version(method),
                    "code": fingerprint(__name__, paths.PROTOTYPES),
                },
                partial(_count_all, key, units, executor, f"{method.name}, {column}"),
            )
            counts = (found["atoms"], found["right_atoms"], found["right"])
            pieces.append(rows_of(key, column, draw, [unit.label for unit in units], *counts))
    return pd.concat(pieces, ignore_index=True)


def _count_all(
    key: str, units: Sequence[Unit], executor: Executor | None, description: str
) -> dict[str, NDArray[Any]]:
    """Count many structures."""
    jobs = partial(count, key)
    answers = map(jobs, units) if executor is None else executor.map(jobs, units, chunksize=4)
    counts = list(bar(answers, total=len(units), desc=description))
    atoms, right_atoms, right = (np.array(part) for part in zip(*counts, strict=True))
    return {"atoms": atoms, "right_atoms": right_atoms, "right": right}


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
