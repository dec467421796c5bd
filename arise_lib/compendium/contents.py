"""The list of the notebooks: one table, from which README and notebook 00 show theirs."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from arise_lib.compendium import notebooks
from arise_lib.errors import InputError
from arise_lib.storage import paths
from arise_lib.storage.files import atomic_write

#: What stands around the table in a text.
FIRST, LAST = "<!-- notebooks -->", "<!-- end of notebooks -->"

_BETWEEN = re.compile(rf"(?<={FIRST}\n).*?(?={LAST})", re.DOTALL)
_HEADER = ("notebook", "question", "regenerates", "`quick`, two cores")


def contents() -> pd.DataFrame:
    """Read the list of the notebooks.

    Returns
    -------
    pandas.DataFrame
        Indexed by file name without suffix: `title`, `question`, `regenerates` (figures and tables
        of the paper), `time` of the profile "quick" on two cores, and `memory` in GB, at most.

    Examples
    --------
    >>> from arise_lib.compendium import contents
    >>> contents.contents().at["03_benchmark", "question"]
    'How much disorder does it tolerate?'
    """
    path = paths.NOTEBOOKS / "contents.csv"
    return pd.read_csv(path, index_col="notebook", keep_default_na=False)


def table(folder: str = "") -> str:
    """Return the list as a table of Markdown.

    Parameters
    ----------
    folder : str
        Where the notebooks are, as seen from the text: "notebooks/" or nothing.

    Returns
    -------
    str
        One row for each notebook, linked.
    """
    rows = [_HEADER, ("---",) * len(_HEADER)]
    for name, row in contents().iterrows():
        link = f"[{str(name).partition('_')[0]} {row['title']}]({folder}{name}.ipynb)"
        rows.append((link, row["question"], row["regenerates"], row["time"]))
    return "\n".join(f"| {' | '.join(row)} |".replace("|  |", "| |") for row in rows)


def updated(text: str, folder: str = "") -> str:
    r"""Put the list into a text, between its two marks.

    Parameters
    ----------
    text : str
        Markdown that has the marks `FIRST` and `LAST`.
    folder : str
        As of `table`.

    Returns
    -------
    str
        The text with the table of today.

    Raises
    ------
    InputError
        If the marks are not there.

    Examples
    --------
    >>> from arise_lib.compendium import contents
    >>> text = contents.updated(f"{contents.FIRST}\nold\n{contents.LAST}")
    >>> "How much disorder" in text, "old" in text
    (True, False)
    """
    if not _BETWEEN.search(text):
        raise InputError(f"the text has no lines {FIRST!r} and {LAST!r}: put them in")
    return _BETWEEN.sub(lambda _: table(folder) + "\n", text)


def places() -> list[tuple[Path, str, str]]:
    """List the texts that show the table.

    Returns
    -------
    list of (pathlib.Path, str, str)
        File, its text (of notebook 00 the cell with the marks), and the folder as seen from it.
    """
    start = paths.NOTEBOOKS / "00_start_here.ipynb"
    (cell,) = [cell.source for cell in notebooks.read(start).cells if FIRST in cell.source]
    readme = paths.ROOT / "README.md"
    return [(readme, readme.read_text(encoding="utf-8"), "notebooks/"), (start, cell, "")]


def write() -> None:
    """Put the list of today into README and notebook 00."""
    for path, text, folder in places():
        new = updated(text, folder)
        if path.suffix == ".ipynb":
            notebook = notebooks.read(path)
            for cell in notebook.cells:
                if cell.source == text:
                    cell.source = new
            notebooks.write(notebook, path)
        else:
            with atomic_write(path) as temporary:
                temporary.write_text(new, encoding="utf-8")
