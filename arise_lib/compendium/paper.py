"""The paper's values beside ours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from arise_lib.storage import paths
from arise_lib.storage.checksums import checked


def paper_values() -> pd.DataFrame:
    """Read the headline numbers of the paper.

    Returns
    -------
    pandas.DataFrame
        Indexed by key; columns `paper`, `low`, `high`, `unit`, `where`, `rule`.

    Raises
    ------
    DataError
        If the table was altered.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.paper_values().at["network.accuracy_pristine", "paper"].item()
    99.66
    """
    return pd.read_csv(checked(paths.PAPER / "values.csv"), index_col="key")


def paper_table1() -> pd.DataFrame:
    """Read the paper's Table 1, its network.

    Returns
    -------
    pandas.DataFrame
        Indexed by layer: `units`.

    Raises
    ------
    DataError
        If the table was altered.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.paper_table1()["units"].tolist()
    [256, 512, 256, 108]
    """
    return pd.read_csv(checked(paths.PAPER / "table1.csv"), index_col="layer")


def paper_table2() -> pd.DataFrame:
    """Read the paper's Table 2.

    Returns
    -------
    pandas.DataFrame
        Indexed by method; accuracy in % per column of defects.

    Raises
    ------
    DataError
        If the table was altered.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.paper_table2().at["arise", "d4"].item()
    99.29
    """
    return pd.read_csv(checked(paths.PAPER / "table2.csv"), index_col="method")


def band_table2(method: str, value: float) -> tuple[float, float]:
    """Return the band within which our value of a cell of Table 2 counts as reproduced.

    Parameters
    ----------
    method : str
        Row of the table.
    value : float
        The paper's value in %.

    Returns
    -------
    low, high : float
        In %.

    Examples
    --------
    >>> from arise_lib.compendium.paper import band_table2
    >>> band_table2("ptm", 88.67)
    (87.67, 89.67)
    """
    bands = pd.read_csv(checked(paths.PAPER / "table2_bands.csv"), index_col="method")
    below, above = bands.loc[method, ["below", "above"]]
    return round(value - below, 6), round(value + above, 6)


def compare(results: Mapping[str, float]) -> pd.DataFrame:
    """Put our numbers beside the paper's, with a verdict.

    Parameters
    ----------
    results : mapping of str to float
        Our values by key; keys for which the paper has no number are left out.

    Returns
    -------
    pandas.DataFrame
        Indexed by key: `ours`, `paper`, `difference`, `unit`, `where` and
        `verdict`, "reproduced" where our value lies within the band of
        `data/paper/values.csv`, else "differs".

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.compare({"fig2a.boxes": 7968, "fig4a.boxes": 43680})["verdict"].to_dict()
    {'fig2a.boxes': 'reproduced', 'fig4a.boxes': 'differs'}
    """
    known = paper_values()
    rows = known.loc[[key for key in results if key in known.index]].copy()
    rows["ours"] = [float(results[key]) for key in rows.index]
    rows["difference"] = (rows["ours"] - rows["paper"]).round(2)
    inside = (rows["ours"] >= rows["low"]) & (rows["ours"] <= rows["high"])
    rows["verdict"] = np.where(inside, "reproduced", "differs")
    rows["ours"] = rows["ours"].round(2)
    return rows[["ours", "paper", "difference", "unit", "where", "verdict"]]


def compare_table2(summary: pd.DataFrame) -> pd.DataFrame:
    """Put every cell of our Table 2 beside the paper's, with a verdict.

    Parameters
    ----------
    summary : pandas.DataFrame
        Indexed by method and column: `accuracy`, `low`, `high` in %, the latter two the 95 %
        interval, as from `arise_lib.baselines.summary`.

    Returns
    -------
    pandas.DataFrame
        As `summary`, with `paper` and `difference` (NaN where the paper has no value) and
        `verdict`: "reproduced" where the difference lies within the row's band
        (``data/paper/table2_bands.csv``), "within noise" where it does not, but our interval holds
        the paper's value, "differs" where neither is so, "-" where the paper has no value.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import compendium
    >>> index = pd.MultiIndex.from_tuples([("arise", "d4")], names=["method", "column"])
    >>> ours = pd.DataFrame({"accuracy": [99.5], "low": [99.1], "high": [99.8]}, index)
    >>> compendium.compare_table2(ours)["verdict"].to_list()
    ['reproduced']
    """
    table = paper_table2().drop(columns=["name", "classes"])
    rows = summary.copy()
    rows["paper"] = [
        table.at[method, column] if method in table.index and column in table else np.nan
        for method, column in rows.index
    ]
    rows["difference"] = rows["accuracy"] - rows["paper"]
    bands = [
        band_table2(method, value) if method in table.index else (np.nan, np.nan)
        for (method, _), value in rows["paper"].items()
    ]
    low, high = (pd.Series(side, rows.index) for side in zip(*bands, strict=True))
    # Rounding to two decimals, as the paper does, must not decide.
    band = (rows["accuracy"] >= low - 0.005) & (rows["accuracy"] <= high + 0.005)
    # Of the paper's value, not of its band, which allows for the noise of the draws already.
    noise = (rows["high"] >= rows["paper"]) & (rows["low"] <= rows["paper"])
    rows["verdict"] = np.select(
        [rows["paper"].isna(), band, noise], ["-", "reproduced", "within noise"], "differs"
    )
    return rows
