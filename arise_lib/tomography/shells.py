"""How a quantity runs from the core of a particle to its surface, and whether it changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from arise_lib.errors import InputError

#: Relative distances from the centre that bound the core and the shell; between them is "between".
CORE, SHELL = 0.4, 0.75

#: Boxes are matched in classes of so many atoms.
MATCHED = 5

#: Draws of a bootstrap.
N_DRAWS = 1000


def box_table(
    atoms: Atoms, maps: xr.Dataset, quantity: str, also: Sequence[str] = ()
) -> pd.DataFrame:
    """List the boxes of a scan with their place in the particle.

    Parameters
    ----------
    atoms : ase.Atoms
        The scanned particle.
    maps : xarray.Dataset
        From `arise_lib.scan` with a cube, or from `order_maps` of the same boxes with
        ``attrs["box"]``.
    quantity : str
        Name of a map (z, y, x).
    also : sequence of str
        Names of further maps of the same boxes; each becomes a column.

    Returns
    -------
    pandas.DataFrame
        One row per box for which the quantity is defined, and the `phase` where the maps have
        one: `value`; `distance` of its middle
        from that of the particle, divided by the radius of a ball with the same radius of
        gyration; `zone`, "core", "between" or "shell"; `n_atoms`; `block`, the number of the
        cube of one box edge in which it stands: boxes of one block share atoms.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from ase.build import bulk
    >>> atoms = bulk("Pt", cubic=True) * 5
    >>> axes = {axis: [10.0] for axis in "zyx"}
    >>> values = (("z", "y", "x"), np.full((1, 1, 1), 0.2))
    >>> maps = xr.Dataset({"mi": values, "n_atoms": values}, axes, attrs={"box": 12.0})
    >>> box_table(atoms, maps, "mi")["zone"].to_list()
    ['core']
    """
    middle = atoms.positions.mean(axis=0)
    radius = np.sqrt(5.0 / 3.0 * np.mean(((atoms.positions - middle) ** 2).sum(axis=1)))
    grid = np.meshgrid(*(maps[axis].values for axis in "zyx"), indexing="ij")
    offsets = np.stack(grid[::-1], axis=-1).reshape(-1, 3) - middle
    distance = np.linalg.norm(offsets, axis=1) / radius
    cubes = np.floor(offsets / float(maps.attrs["box"]))
    table = pd.DataFrame(
        {
            "value": maps[quantity].transpose("z", "y", "x").values.ravel(),
            "distance": distance,
            "zone": np.select([distance < CORE, distance > SHELL], ["core", "shell"], "between"),
            "n_atoms": maps["n_atoms"].transpose("z", "y", "x").values.ravel(),
            "block": np.unique(cubes, axis=0, return_inverse=True)[1].ravel(),
        }
    )
    for name in also:
        table[name] = maps[name].transpose("z", "y", "x").values.ravel()
    known = table["value"].notna()
    if "phase" in maps:
        known &= maps["phase"].transpose("z", "y", "x").values.ravel() != ""
    return table[known].reset_index(drop=True)


def radial_profile(
    table: pd.DataFrame, edges: ArrayLike, *, n_draws: int = N_DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Take the median in shells around the centre, with its interval.

    Parameters
    ----------
    table : pandas.DataFrame
        From `box_table`; boxes whose value is not finite are left out.
    edges : array_like of float
        Bounds of the shells, ascending, relative distances.
    n_draws, seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        Indexed by the middle of each shell: `median`, and `low` and `high`, the 95 %
        interval of a bootstrap over blocks; `boxes`. NaN for a shell without boxes.

    Examples
    --------
    >>> import pandas as pd
    >>> boxes = pd.DataFrame(
    ...     {"value": [1.0, 3.0], "distance": [0.1, 0.2], "block": [0, 1], "n_atoms": 60}
    ... )
    >>> radial_profile(boxes, [0.0, 0.5, 1.0])["median"].to_list()
    [2.0, nan]
    """
    bounds, table = np.asarray(edges, dtype=float), _with_value(table)
    rows = []
    for low, high in pairwise(bounds):
        here = table[(table["distance"] >= low) & (table["distance"] < high)]
        drawn = _medians(here, n_draws, np.random.default_rng(seed))
        known = len(here) > 0
        limits = np.quantile(drawn, [0.025, 0.975]) if known else [np.nan, np.nan]
        rows.append((here["value"].median(), *limits, len(here)))
    index = pd.Index(0.5 * (bounds[:-1] + bounds[1:]), name="distance")
    return pd.DataFrame(rows, index, columns=["median", "low", "high", "boxes"])


def matched(tables: Sequence[pd.DataFrame], *, seed: int = 0) -> list[pd.DataFrame]:
    """Draw as many boxes of each number of atoms from every table.

    A box with fewer atoms is noisier, whatever its order; a change may not come from that.

    Parameters
    ----------
    tables : sequence of pandas.DataFrame
        From `box_table`.
    seed : int
        Seed of the draw.

    Returns
    -------
    list of pandas.DataFrame
        Of equal length, and with the same number of boxes in each class of `MATCHED` atoms.

    Raises
    ------
    InputError
        If no class has boxes in all tables.

    Examples
    --------
    >>> import pandas as pd
    >>> first = pd.DataFrame({"n_atoms": [50, 51, 90]})
    >>> second = pd.DataFrame({"n_atoms": [52, 70]})
    >>> [len(table) for table in matched([first, second])]
    [1, 1]
    """
    generator = np.random.default_rng(seed)
    classes = [table["n_atoms"].to_numpy() // MATCHED for table in tables]
    counts = pd.concat([pd.Series(c).value_counts() for c in classes], axis=1).fillna(0)
    smallest = counts.min(axis=1).astype(int).sort_index()
    if smallest.sum() == 0:
        raise InputError("No two boxes have about the same number of atoms; nothing is compared.")
    found = []
    for table, of_class in zip(tables, classes, strict=True):
        rows: list[NDArray[np.int64]] = []
        for name, n in smallest.items():
            rows.append(generator.choice(np.flatnonzero(of_class == name), n, replace=False))
        found.append(table.iloc[np.sort(np.concatenate(rows))].reset_index(drop=True))
    return found


def change_of_median(
    first: pd.DataFrame, last: pd.DataFrame, *, n_draws: int = N_DRAWS, seed: int = 0
) -> pd.Series:
    """Tell by how much the median changes, and how sure that is.

    Parameters
    ----------
    first, last : pandas.DataFrame
        From `box_table`; boxes whose value is not finite are left out.
    n_draws, seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.Series
        `change`; `low` and `high`, the 95 % interval of a bootstrap over blocks, since
        neighbouring boxes share atoms; `p`, the probability, in two tails, of a change of the
        other sign. All are NaN where one of the tables is without boxes.

    Examples
    --------
    >>> import pandas as pd
    >>> first = pd.DataFrame({"value": [2.0] * 9, "block": range(9)})
    >>> last = pd.DataFrame({"value": [1.0] * 9, "block": range(9)})
    >>> float(change_of_median(first, last)["change"])
    -1.0
    """
    first, last = _with_value(first), _with_value(last)
    if first.empty or last.empty:
        return pd.Series(np.nan, ["change", "low", "high", "p"])
    generator = np.random.default_rng(seed)
    drawn = _medians(last, n_draws, generator) - _medians(first, n_draws, generator)
    low, high = np.quantile(drawn, [0.025, 0.975])
    tail = min((drawn >= 0).mean(), (drawn <= 0).mean())
    change = last["value"].median() - first["value"].median()
    # A bootstrap of n draws cannot tell less than one in n.
    p = min(1.0, 2.0 * max(tail, 1.0 / n_draws))
    return pd.Series({"change": change, "low": low, "high": high, "p": p})


def _with_value(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out boxes for which the quantity is undefined."""
    return table[np.isfinite(table["value"].astype(float))]


def _medians(
    table: pd.DataFrame, n_draws: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Medians of tables made of blocks that are drawn anew, with replacement."""
    groups = [part.to_numpy() for _, part in table.groupby("block")["value"]]
    if not groups:
        return np.full(n_draws, np.nan)
    drawn = generator.integers(0, len(groups), (n_draws, len(groups)))
    return np.array([np.median(np.concatenate([groups[k] for k in row])) for row in drawn])
