"""Tables that grow by a row at a time: JSON lines, one object each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from arise_lib.errors import DataError, InputError
from arise_lib.storage.files import atomic_write

Row = dict[str, Any]


def read_rows(path: str | PathLike[str]) -> list[Row]:
    """Read the rows of a table.

    Parameters
    ----------
    path : path-like
        JSON lines; blank lines are passed over.

    Returns
    -------
    list of dict
        In the order of the lines; empty if there is no such file yet.

    Raises
    ------
    DataError
        If the file cannot be read, or a line holds no object.

    Examples
    --------
    >>> from arise_lib.storage import jsonl, paths
    >>> rows = jsonl.read_rows(paths.DATA / "search" / "quip.jsonl")
    >>> rows[0]["trial"], sorted(rows[0])[:3]
    (0, ['accuracy', 'batch_size', 'best_epoch'])
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}): restore or delete it") from error
    rows = []
    # Not splitlines: a JSON text may hold other line ends than \n.
    for number, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            row = json.loads(written)
        except ValueError as error:
            row, problem = None, str(error)
        else:
            problem = f"a {type(row).__name__} instead of an object"
        if not isinstance(row, dict):
            raise DataError(
                f"{path}, line {number} cannot be read ({problem}): delete it and the lines after "
                "it, and the work goes on from there"
            )
        rows.append(row)
    return rows


def write_rows(path: str | PathLike[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the rows of a table, whole or not at all.

    Parameters
    ----------
    path : path-like
        Replaced if it is there; missing folders are made.
    rows : iterable of mapping
        Texts, finite numbers, and lists and mappings of these.

    Raises
    ------
    InputError
        If a value has no place in JSON, NaN among them.

    Examples
    --------
    >>> import tempfile
    >>> from arise_lib.storage import jsonl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     jsonl.write_rows(f"{folder}/a.jsonl", [{"trial": 0, "loss": 0.5}])
    ...     jsonl.read_rows(f"{folder}/a.jsonl")
    [{'trial': 0, 'loss': 0.5}]
    """
    lines = []
    for number, row in enumerate(rows, start=1):
        try:
            lines.append(line(row))
        except (TypeError, ValueError) as error:
            raise InputError(f"row {number} of {path} cannot be written ({error})") from error
    with atomic_write(path) as temporary:
        temporary.write_bytes(b"".join(lines))


def line(row: Mapping[str, Any]) -> bytes:
    """Spell out one row, its line end included.

    Parameters
    ----------
    row : mapping
        As in `write_rows`.

    Returns
    -------
    bytes
        ASCII.
    """
    return json.dumps(row, allow_nan=False).encode() + b"\n"
