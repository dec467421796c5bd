"""The paper's values beside ours, results readable by a machine, and the versions footer."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata

import numpy as np
import pandas as pd

from arise_lib import paths, store
from arise_lib.errors import DataError, InputError
from arise_lib.profiles import check_profile

#: Packages whose version can change a result.
_NUMERICAL = (
    "numpy", "scipy", "ase", "dscribe", "numba", "keras", "tensorflow-cpu", "tensorflow",
    "scikit-learn", "spglib", "moyopy", "ovito", "freud-analysis", "umap-learn", "xarray",
)  # fmt: skip


def paper_values() -> pd.DataFrame:
    """Read the headline numbers of the paper.

    Returns
    -------
    pandas.DataFrame
        Indexed by key; columns `paper`, `low`, `high`, `unit`, `where`, `rule`.
    """
    return pd.read_csv(paths.PAPER / "values.csv", index_col="key")


def paper_table2() -> pd.DataFrame:
    """Read the paper's Table 2.

    Returns
    -------
    pandas.DataFrame
        Indexed by method; accuracy in % per column of defects.
    """
    return pd.read_csv(paths.PAPER / "table2.csv", index_col="method")


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
        (``data/paper/table2_bands.csv``), "within noise" where only our interval reaches that
        band, "differs" where it does not, "-" where the paper has no value.
    """
    table = paper_table2().drop(columns=["name", "classes"])
    bands = pd.read_csv(paths.PAPER / "table2_bands.csv", index_col="method")
    rows = summary.copy()
    rows["paper"] = [
        table.at[method, column] if method in table.index and column in table else np.nan
        for method, column in rows.index
    ]
    rows["difference"] = rows["accuracy"] - rows["paper"]
    below, above = (
        bands[side].reindex(rows.index.get_level_values("method")).to_numpy()
        for side in ("below", "above")
    )
    low, high = rows["paper"] - below, rows["paper"] + above
    # Rounding to two decimals, as the paper does, must not decide.
    band = (rows["accuracy"] >= low - 0.005) & (rows["accuracy"] <= high + 0.005)
    noise = (rows["high"] >= low) & (rows["low"] <= high)
    rows["verdict"] = np.select(
        [rows["paper"].isna(), band, noise], ["-", "reproduced", "within noise"], "differs"
    )
    return rows


def record(profile: str, values: Mapping[str, float], *, replaces: Sequence[str] = ()) -> None:
    """Merge headline numbers into ``figures/results/<profile>.json``.

    Parameters
    ----------
    profile : str
        "quick" or "paper".
    values : mapping of str to float
        Percentages as 0 to 100, times in seconds. What was not measured is not
        given.
    replaces : sequence of str
        Beginnings of the keys that the caller owns: those recorded earlier are
        dropped, so that nothing stays that was not measured this time.

    Raises
    ------
    InputError
        If the profile is unknown or a value is not a finite number.
    """
    check_profile(profile)
    for key, value in values.items():
        if not np.isfinite(value):
            raise InputError(f"{key} = {value} is not a number; leave out what is not measured.")
    path = paths.RESULTS / f"{profile}.json"
    earlier = {
        key: value for key, value in results(profile).items() if not key.startswith(tuple(replaces))
    }
    merged = earlier | {key: _plain(value) for key, value in values.items()}
    with store.atomic_write(path) as temporary:
        temporary.write_text(json.dumps(merged, indent=1, sort_keys=True) + "\n")


def results(profile: str) -> dict[str, float]:
    """Read the headline numbers recorded so far.

    Parameters
    ----------
    profile : str
        "quick" or "paper".

    Returns
    -------
    dict of str to float
        Empty if nothing has been recorded.

    Raises
    ------
    InputError
        If the profile is unknown.
    DataError
        If the file is damaged.
    """
    check_profile(profile)
    path = paths.RESULTS / f"{profile}.json"
    if not path.is_file():
        return {}
    try:
        found: dict[str, float] = json.loads(path.read_text())
    except ValueError as error:
        raise DataError(
            f"{path.name} is not readable ({error}); delete it, the notebooks write it anew."
        ) from error
    return found


def _plain(value: float) -> float | int:
    """Return a number as JSON shows it: counts whole, others with six digits."""
    number = float(value)
    return int(number) if number.is_integer() else float(f"{number:.6g}")


def versions() -> str:
    """Name the versions of everything that can change a number.

    Returns
    -------
    str
        One line.
    """
    found = [f"Python {platform.python_version()}"]
    for package in _NUMERICAL:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return " · ".join(found)
