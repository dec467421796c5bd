"""Pictures with their numbers, and tables, as the notebooks leave them behind."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from arise_lib import storage
from arise_lib.compendium import external_data
from arise_lib.compendium.profiles import check_profile
from arise_lib.storage import ledger, paths


def save_figure(figure: Figure, name: str, data: pd.DataFrame, profile: str = "quick") -> None:
    """Write a figure as PNG and the numbers it shows as CSV beside it.

    Where external data are missing and the stored numbers have rows or columns that these do not
    have, nothing is written, and one line says so.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The picture.
    name : str
        File name without suffix, such as ``"fig1e_prototypes"``.
    data : pandas.DataFrame
        The numbers that are drawn.
    profile : str
        "quick" writes to ``figures/``, "paper" to ``figures/paper/``.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.save_figure(figure, "fig1e_prototypes", table)  # doctest: +SKIP
    """
    path = _folder(profile) / f"{name}.png"
    if _may_write(path, data):
        with storage.atomic_write(path) as temporary:
            # No time stamp and no version in the file: the same picture is the same bytes.
            figure.savefig(temporary, metadata={"Software": None})
        _write_csv(path, data)
    ledger.note("file", path, path.with_suffix(".csv"))


def save_table(table: pd.DataFrame, name: str, profile: str = "quick") -> None:
    """Write a table as CSV and as Markdown; where external data are missing as `save_figure`.

    Parameters
    ----------
    table : pandas.DataFrame
        What to write.
    name : str
        File name without suffix.
    profile : str
        "quick" writes to ``figures/``, "paper" to ``figures/paper/``.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.save_table(table, "table2_benchmark", profile)  # doctest: +SKIP
    """
    path = _folder(profile) / f"{name}.md"
    if _may_write(path, table):
        _write_csv(path, table)
        with storage.atomic_write(path) as temporary:
            temporary.write_text(_markdown(table), encoding="utf-8")
    ledger.note("file", path.with_suffix(".csv"), path)


def _folder(profile: str) -> Path:
    check_profile(profile)
    return paths.FIGURES if profile == "quick" else paths.FIGURES / "paper"


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    with storage.atomic_write(path.with_suffix(".csv")) as temporary:
        table.to_csv(temporary, float_format="%.6g", lineterminator="\n")


def _may_write(path: Path, table: pd.DataFrame) -> bool:
    """Whether nothing that is stored would be lost for want of external data."""
    stored = path.with_suffix(".csv")
    if not (stored.is_file() and external_data.missing()):
        return True
    old = _columns_and_rows(stored.read_text(encoding="utf-8"))
    new = _columns_and_rows(table.to_csv())
    if old[0] <= new[0] and old[1] <= new[1]:
        return True
    print(f"{path.name} is kept as it was: it has more than can be had without the external data")
    return False


def _columns_and_rows(text: str) -> tuple[set[str], int]:
    table = pd.read_csv(io.StringIO(text), dtype=str)
    return set(table.columns), len(table)


def _markdown(table: pd.DataFrame) -> str:
    """Return a table in GitHub's notation."""
    header = [table.index.name or "", *map(str, table.columns)]
    # itertuples keeps each column's type; `values` would turn counts beside ratios into floats.
    rows = [[str(entry) for entry in row] for row in table.itertuples()]
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
