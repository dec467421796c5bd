"""Every number of the paper that this project keeps, with ours beside it: misses first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from arise_lib.compendium.paper import band_table2, paper_table2, paper_values
from arise_lib.compendium.results import networks, read
from arise_lib.network import released_names

#: Verdicts in the order of the scorecard.
VERDICTS = ("differs", "not measured", "reproduced")


def scorecard(profile: str, recorded: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Put all of the paper's numbers beside what the notebooks recorded.

    Parameters
    ----------
    profile : str
        "quick" or "paper".
    recorded : mapping of str to float, optional
        Our numbers; by default all that the notebooks recorded in this profile.

    Returns
    -------
    pandas.DataFrame
        Indexed by key, one row for each headline number and each cell of Table 2, what differs
        first and then what was not measured: `ours`, `paper`, `difference`, `unit`, `where`,
        `verdict` as of `arise_lib.compendium.compare`, `network`, the released network that ours is
        of, "-" where none is needed, and `robust`, the value of the network of that name for the
        same quantity, where it was recorded. Of methods that draw samples "reproduced" is
        a difference within the band of ``data/paper/table2_bands.csv``.

    Raises
    ------
    InputError
        If the profile is unknown.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> table = compendium.scorecard("quick", {"fig2a.boxes": 7968, "dataset.classes": 107})
    >>> table.loc[["dataset.classes", "fig2a.boxes"], "verdict"].tolist()
    ['differs', 'reproduced']
    """
    known = paper_values()[["paper", "low", "high", "unit", "where"]]
    rows = pd.concat([known, _rest_of_table2(known)])
    ours = dict(read(profile) if recorded is None else recorded)
    rows["ours"] = [float(ours.get(key, np.nan)) for key in rows.index]
    rows["difference"] = rows["ours"] - rows["paper"]
    inside = rows["ours"].between(rows["low"] - 0.005, rows["high"] + 0.005)
    rows["verdict"] = np.select(
        [rows["ours"].isna(), inside], ["not measured", "reproduced"], "differs"
    )
    of = networks(profile)
    rows["network"] = [_network(key, of) for key in rows.index]
    rows["robust"] = [float(ours.get(_of_robust(key), np.nan)) for key in rows.index]
    order = rows["verdict"].map(VERDICTS.index).argsort(kind="stable")
    columns = ["ours", "paper", "difference", "unit", "where", "network", "verdict", "robust"]
    return rows.iloc[order][columns].round({"ours": 2, "difference": 2, "robust": 2})


def _rest_of_table2(known: pd.DataFrame) -> pd.DataFrame:
    """Cells of Table 2 that are no headline numbers."""
    table = paper_table2().drop(columns=["name", "classes"])
    cells = pd.DataFrame(
        [
            (f"table2.{method}.{column}", value, *band_table2(str(method), value))
            for method, row in table.iterrows()
            for column, value in row.items()
        ],
        columns=["key", "paper", "low", "high"],
    ).set_index("key")
    cells = cells[~cells.index.isin(known.index)]
    return cells.assign(unit="%", where="Table 2")


def _network(key: str, of: Mapping[str, str]) -> str:
    """Network of a number; that of a row of Table 2 stands in its key."""
    if key.startswith("table2."):
        method = key.split(".")[1]
        return method if method in released_names() else "-"
    return "-" if key.startswith("dataset.") else of.get(key, "not stated")


def _of_robust(key: str) -> str:
    """Key of the same quantity by the network `robust`."""
    if key.startswith("table2."):
        return key.replace("table2.arise.", "table2.robust.") if ".arise." in key else ""
    return f"{key}_robust"
