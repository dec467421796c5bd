r"""Whether groups differ in a quantity by more than chance, or than their places, make them.

The spread of the centres of groups is measured by the share of the variance that lies between
them,

.. math:: \eta^2 = \frac{\sum_g n_g (\bar d_g - \bar d)^2}{\sum_i (d_i - \bar d)^2},

which is 0 where all groups have one mean, and 1 where nothing varies within a group. Any
groups whatever have some; sorted by their centres, any have a trend. So it is compared with
groups of the same sizes: of points drawn at random, or of neighbours, since what changes
slowly in space differs between any groups that are compact there.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from arise_lib.errors import InputError
from arise_lib.explore.clusters import OUTLIER


def group_spread(
    values: ArrayLike,
    groups: ArrayLike,
    *,
    places: ArrayLike | None = None,
    n_draws: int = 1000,
    seed: int = 0,
) -> pd.Series:
    """Test whether the centres of groups are farther apart than those of random groups.

    Parameters
    ----------
    values : array_like of float, shape (n_rows,)
        The quantity; rows where it is not finite are left out.
    groups : array_like of int, shape (n_rows,)
        Number of each row's group, such as its cluster; rows of `OUTLIER` are left out.
    places : array_like of shape (n_rows, n_dimensions), optional
        Where each row stands. With places the random groups are compact: each is a row and
        those nearest to it that are in no group yet. By default they are drawn from all rows.
    n_draws, seed : int
        Random groupings, each with the sizes of the groups.

    Returns
    -------
    pandas.Series
        `groups`, their number; `spread`, the share of the variance between them, from 0 to 1;
        `expected`, its mean over random groupings; `p_value`, the share of groupings, this one
        included, whose spread is at least as large. The last three are NaN where all values
        are one.

    Raises
    ------
    InputError
        If the lengths differ, or if there are fewer than two groups.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib import explore
    >>> found = explore.group_spread([0.0, 0.1, 5.0, 5.1] * 5, [0, 0, 1, 1] * 5)
    >>> bool(found["spread"] > 0.99), float(found["p_value"].round(3))
    (True, 0.001)
    """
    numbers, names = np.asarray(values, dtype=float), np.asarray(groups)
    points = None if places is None else np.asarray(places, dtype=float)
    if numbers.shape != names.shape or numbers.ndim != 1 or (
        points is not None and len(points) != len(numbers)
    ):  # fmt: skip
        raise InputError(
            f"{numbers.shape} values, {names.shape} groups"
            + ("" if points is None else f", {points.shape} places")
            + ": one of each per row is needed."
        )
    counted = np.isfinite(numbers) & (names != OUTLIER)
    numbers, group = numbers[counted], np.unique(names[counted], return_inverse=True)[1]
    if group.size == 0 or group.max() == 0:
        raise InputError("Fewer than two groups: there is nothing to compare.")
    generator = np.random.default_rng(seed)
    sizes = np.bincount(group)
    measured = _between(numbers, group, sizes)
    if np.isnan(measured):
        return pd.Series(
            {"groups": len(sizes), "spread": np.nan, "expected": np.nan, "p_value": np.nan}
        )
    drawn = np.empty(n_draws)
    for k in range(n_draws):
        if points is None:
            other = generator.permutation(group)
        else:
            other = _compact(points[counted], sizes, generator)
        drawn[k] = _between(numbers, other, sizes)
    # Rounding must not make the same grouping another one.
    p_value = (1 + np.sum(drawn >= measured * (1.0 - 1e-12))) / (1 + n_draws)
    found = {"groups": len(sizes), "spread": measured, "expected": drawn.mean()}
    return pd.Series(found | {"p_value": p_value}, dtype=float)


def _between(
    values: NDArray[np.float64], group: NDArray[np.int64], sizes: NDArray[np.int64]
) -> float:
    """Share of the variance between groups; NaN where nothing varies."""
    # Where nothing varies, the mean may still be off by rounding.
    if np.ptp(values) == 0.0:
        return np.nan
    centred = values - values.mean()
    sums = np.bincount(group, centred, minlength=len(sizes))
    return float((sums**2 / sizes).sum()) / float((centred**2).sum())


def _compact(
    points: NDArray[np.float64], sizes: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Form groups of given sizes, each of a random row and its nearest ones that are free."""
    group = np.full(len(points), -1, dtype=np.int64)
    for name in generator.permutation(len(sizes)):
        free = np.flatnonzero(group < 0)
        start = points[generator.choice(free)]
        distance = ((points[free] - start) ** 2).sum(axis=1)
        group[free[np.argsort(distance, kind="stable")[: sizes[name]]]] = name
    return group
