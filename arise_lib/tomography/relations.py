"""How quantities of the same boxes go together, and how many boxes are below a limit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from arise_lib.errors import InputError
from arise_lib.tomography.shells import N_DRAWS


def rank_correlation(
    table: pd.DataFrame, first: str, second: str, *, n_draws: int = N_DRAWS, seed: int = 0
) -> pd.Series:
    """Correlate the ranks of two quantities (Spearman), with an interval.

    Parameters
    ----------
    table : pandas.DataFrame
        From `arise_lib.tomography.box_table`: one row per box, with the column `block`.
    first, second : str
        Columns; rows in which either is not finite are left out.
    n_draws, seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.Series
        `correlation`, from -1 to 1; `low` and `high`, the 95 % interval of a bootstrap over
        blocks, since neighbouring boxes share atoms (the ranks are those of all boxes);
        `boxes`. NaN where one of the two does not vary.

    Raises
    ------
    InputError
        If fewer than three boxes have both.

    Examples
    --------
    >>> import pandas as pd
    >>> boxes = pd.DataFrame({"a": range(40), "b": range(40, 0, -1), "block": range(40)})
    >>> rank_correlation(boxes, "a", "b").round(2).to_list()
    [-1.0, -1.0, -1.0, 40.0]
    """
    both = table[np.isfinite(table[[first, second]].astype(float)).all(axis=1)]
    if len(both) < 3:
        raise InputError(f"{len(both)} boxes have both {first} and {second}; 3 are needed at least")
    a, b = (rankdata(both[name]) for name in (first, second))
    a, b = a - a.mean(), b - b.mean()
    sums = np.column_stack([np.ones(len(both)), a, b, a * a, b * b, a * b])
    of_blocks, drawn = _drawn_blocks(both, sums, n_draws, seed)
    low, high = np.nanquantile(_pearson(drawn), [0.025, 0.975])
    value = float(_pearson(of_blocks.sum(axis=0)[None, :])[0])
    return pd.Series({"correlation": value, "low": low, "high": high, "boxes": len(both)})


def share_below(
    table: pd.DataFrame, limit: float, *, n_draws: int = N_DRAWS, seed: int = 0
) -> pd.Series:
    """Count the boxes whose value is below a limit.

    Parameters
    ----------
    table : pandas.DataFrame
        From `arise_lib.tomography.box_table`; boxes without a finite value are left out.
    limit : float
        In the unit of the value.
    n_draws, seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.Series
        `share` in %; `low` and `high`, the 95 % interval of a bootstrap over blocks; `boxes`.

    Raises
    ------
    InputError
        If there is no box with a value.

    Examples
    --------
    >>> import pandas as pd
    >>> boxes = pd.DataFrame({"value": [0.1, 0.1, 0.1, 0.9], "block": [0, 1, 2, 3]})
    >>> float(share_below(boxes, 0.5)["share"])
    75.0
    """
    table = table[np.isfinite(table["value"])]
    if table.empty:
        raise InputError(f"There is no box with a value, so no share below {limit}")
    sums = np.column_stack([np.ones(len(table)), table["value"].to_numpy() < limit])
    of_blocks, drawn = _drawn_blocks(table, sums, n_draws, seed)
    low, high = np.quantile(drawn[:, 1] / drawn[:, 0], [0.025, 0.975])
    n, below = of_blocks.sum(axis=0)
    return pd.Series(
        {"share": 100.0 * below / n, "low": 100.0 * low, "high": 100.0 * high, "boxes": len(table)}
    )


def _drawn_blocks(
    table: pd.DataFrame, sums: NDArray[np.float64], n_draws: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of the columns in each block, and over blocks that are drawn anew."""
    block = np.unique(table["block"].to_numpy(), return_inverse=True)[1]
    of_blocks = np.zeros((block.max() + 1, sums.shape[1]))
    np.add.at(of_blocks, block, sums)
    n = len(of_blocks)
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), n_draws)
    return of_blocks, times.astype(np.float64) @ of_blocks


def _pearson(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation from the number, sums, squares and products; NaN where a square is 0."""
    n, a, b, aa, bb, ab = sums.T
    spread = (aa - a * a / n) * (bb - b * b / n)
    return (ab - a * b / n) / np.sqrt(np.where(spread > 0.0, spread, np.nan))
