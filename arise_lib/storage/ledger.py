"""What a notebook used and wrote, noted while it runs, so that a resumed run knows what it lost.

The runner names a file in the variable ``ARISE_LEDGER``; without it nothing is noted.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from arise_lib.storage import jsonl

#: External files read, pictures and tables written, keys of recorded numbers, and the hash of all
#: recorded numbers where these were read.
Kind = Literal["external", "file", "result", "results"]

VARIABLE = "ARISE_LEDGER"


def note(kind: Kind, *names: str | os.PathLike[str]) -> None:
    """Note what is being used or written.

    Parameters
    ----------
    kind : {"external", "file", "result", "results"}
        What it is.
    *names : str or path-like
        Name in the registry, path, key, or hash.
    """
    ledger = os.environ.get(VARIABLE)
    if ledger:
        # One call of the system for each: lines of several processes do not mix.
        with open(ledger, "ab", buffering=0) as stream:
            stream.write(b"".join(jsonl.line({kind: os.fspath(name)}) for name in names))


def noted(ledger: Path, kind: Kind) -> list[str]:
    """List what has been noted of a kind.

    Parameters
    ----------
    ledger : pathlib.Path
        The file; need not exist.
    kind : {"external", "file", "result", "results"}
        What to list.

    Returns
    -------
    list of str
        Each name once, sorted.
    """
    return sorted({row[kind] for row in jsonl.read_rows(ledger) if kind in row})
