"""Tables that grow by a row at a time: one JSON object per line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from arise_lib.errors import DataError

Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a search; none if it has not begun.

    Parameters
    ----------
    path : Path
        JSON lines.

    Returns
    -------
    list of dict
        In the order of the trials.

    Raises
    ------
    DataError
        If a row cannot be read.
    """
    if not path.is_file():
        return []
    rows = []
    for number, line in enumerate(path.read_text().splitlines()):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise DataError(
                f"trial {number} in {path.name} is not readable ({error}); delete the line and "
                "those after it, the search then goes on from there."
            ) from error
    return rows
