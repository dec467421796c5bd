"""Columns of Table 2: kind and ratio of the defects, and the structures a method is counted on."""

from __future__ import annotations

from arise_lib.baselines.base import Method
from arise_lib.errors import InputError
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


def column_of(kind: Defect, step: int) -> str:
    """Return the name of the column of one kind and ratio of defects.

    Parameters
    ----------
    kind : {"displaced", "missing", "both"}
        Kind of defect.
    step : int
        Index of its ratio.

    Returns
    -------
    str
        One of `COLUMNS`.

    Examples
    --------
    >>> from arise_lib.baselines import column_of
    >>> column_of("missing", 0)
    'm1'
    """
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

    Examples
    --------
    >>> from arise_lib.baselines import METHODS, benchmark_units
    >>> len(benchmark_units(METHODS["ptm"], "m1")), len(benchmark_units(METHODS["arise"], "m1"))
    (36, 588)
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
