"""What an executed notebook used and wrote, by hash: a resumed run looks whether it is still so."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from arise_lib import storage
from arise_lib.compendium.results import digest, read
from arise_lib.storage import ledger, paths


def manifest(noted: Path, profile: str) -> dict[str, Any]:
    """Hash what a notebook has just used and written.

    Parameters
    ----------
    noted : pathlib.Path
        The ledger that was kept while it ran.
    profile : str
        Amount of work.

    Returns
    -------
    dict
        ``files`` and ``external``: hashes by name; ``results``: recorded numbers by key; ``read``:
        hashes of all recorded numbers, where the notebook shows them. To be stored as JSON.
    """
    recorded = read(profile)
    return {
        "files": {_relative(path): _hash(Path(path)) for path in ledger.noted(noted, "file")},
        "external": {
            name: _hash(storage.data_dir() / name) for name in ledger.noted(noted, "external")
        },
        "results": {key: recorded.get(key) for key in ledger.noted(noted, "result")},
        "read": ledger.noted(noted, "results"),
    }


def difference(stored: dict[str, Any], profile: str) -> str:
    """Tell what is no longer as a notebook left or found it.

    Parameters
    ----------
    stored : dict
        From `manifest`.
    profile : str
        Amount of work.

    Returns
    -------
    str
        What was altered or is gone; empty if nothing.
    """
    files = [(paths.ROOT / name, name, found) for name, found in stored["files"].items()]
    files += [
        (storage.data_dir() / name, f"external file {name}", found)
        for name, found in stored["external"].items()
    ]
    for path, name, found in files:
        now = _hash(path)
        if now != found:
            return f"{name} {'was altered' if now else 'is gone'}"
    recorded = read(profile)
    for key, value in stored["results"].items():
        if recorded.get(key) != value:
            return f"the recorded number {key} {'was altered' if key in recorded else 'is gone'}"
    if stored["read"] and digest(recorded) not in stored["read"]:
        return "other numbers have been recorded since"
    return ""


def _relative(path: str) -> str:
    """Name a path as seen from the checkout, which may be moved."""
    return os.path.relpath(path, paths.ROOT)


def _hash(path: Path) -> str:
    """SHA-256 of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
