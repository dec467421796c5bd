"""What the notebooks leave behind: pictures with their numbers, tables, headline numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from arise_lib import storage
from arise_lib.compendium.profiles import check_profile
from arise_lib.errors import DataError, InputError
from arise_lib.storage import ledger, paths


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
    DataError
        If the file is damaged.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.record("quick", {"a.b": float("nan")})
    Traceback (most recent call last):
        ...
    arise_lib.errors.InputError: a.b = nan is not a number; leave out what is not measured.
    """
    check_profile(profile)
    for key, value in values.items():
        if not np.isfinite(value):
            raise InputError(f"{key} = {value} is not a number; leave out what is not measured.")
    path = paths.RESULTS / f"{profile}.json"
    measured = {key: _plain(value) for key, value in values.items()}
    # Several notebooks may run at once: between reading and writing the file is nobody else's.
    with storage.locked(path):
        earlier = {
            key: value
            for key, value in read(profile).items()
            if not key.startswith(tuple(replaces))
        }
        with storage.atomic_write(path) as temporary:
            text = json.dumps(earlier | measured, indent=1, sort_keys=True)
            temporary.write_text(text + "\n")
    ledger.note("result", *measured)


def recorded(profile: str) -> dict[str, float]:
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

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.recorded("quick")["dataset.classes"]
    108
    """
    found = read(profile)
    ledger.note("results", digest(found))
    return found


def digest(results: Mapping[str, float]) -> str:
    """Hash recorded numbers.

    Parameters
    ----------
    results : mapping of str to float
        From `recorded`.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    return hashlib.sha256(json.dumps(results, sort_keys=True).encode()).hexdigest()


def read(profile: str) -> dict[str, float]:
    """Read what has been recorded, for the machinery: the ledger does not note it.

    Parameters
    ----------
    profile : str
        "quick" or "paper".

    Returns
    -------
    dict of str to float
        As from `recorded`.
    """
    check_profile(profile)
    path = paths.RESULTS / f"{profile}.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found, problem = None, str(error)
    else:
        problem = f"a {type(found).__name__} instead of an object"
    if not isinstance(found, dict):
        raise DataError(
            f"{path.name} is not readable ({problem}); delete it, the notebooks write it anew."
        )
    return found


def _plain(value: float) -> float | int:
    """Return a number as JSON shows it: counts whole, others with six digits."""
    number = float(value)
    return int(number) if number.is_integer() else float(f"{number:.6g}")


def save_figure(figure: Figure, name: str, data: pd.DataFrame, profile: str = "quick") -> None:
    """Write a figure as PNG and the numbers it shows as CSV beside it.

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
    check_profile(profile)
    folder: Path = paths.FIGURES if profile == "quick" else paths.FIGURES / "paper"
    with storage.atomic_write(folder / f"{name}.png") as temporary:
        # No time stamp and no version in the file: the same picture is the same bytes.
        figure.savefig(temporary, metadata={"Software": None})
    with storage.atomic_write(folder / f"{name}.csv") as temporary:
        data.to_csv(temporary, float_format="%.6g", lineterminator="\n")
    ledger.note("file", folder / f"{name}.png", folder / f"{name}.csv")


def save_table(table: pd.DataFrame, name: str, profile: str = "quick") -> None:
    """Write a table as CSV and as Markdown.

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
    check_profile(profile)
    folder = paths.FIGURES if profile == "quick" else paths.FIGURES / "paper"
    with storage.atomic_write(folder / f"{name}.csv") as temporary:
        table.to_csv(temporary, float_format="%.6g", lineterminator="\n")
    with storage.atomic_write(folder / f"{name}.md") as temporary:
        temporary.write_text(_markdown(table), encoding="utf-8")
    ledger.note("file", folder / f"{name}.csv", folder / f"{name}.md")


def _markdown(table: pd.DataFrame) -> str:
    """Return a table in GitHub's notation."""
    header = [table.index.name or "", *map(str, table.columns)]
    # itertuples keeps each column's type; `values` would turn counts beside ratios into floats.
    rows = [[str(entry) for entry in row] for row in table.itertuples()]
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
