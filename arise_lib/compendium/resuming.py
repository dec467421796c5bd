"""What a resumed run goes by: whether anything changed of what a notebook came from and wrote."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

from arise_lib import storage
from arise_lib.compendium import notebooks
from arise_lib.compendium.results import digest, read
from arise_lib.errors import InputError
from arise_lib.storage import ledger, paths
from arise_lib.storage.fingerprints import fingerprint


def input_hash(notebook: Path, profile: str) -> str:
    """Hash all that a notebook's outputs depend on.

    Parameters
    ----------
    notebook : pathlib.Path
        The notebook; its outputs do not count.
    profile : str
        Amount of work.

    Returns
    -------
    str
        SHA-256 of sources and tags of the notebook, profile, Python version, the library's modules,
        the project's own data, and which external data are there.
    """
    cells = [
        [cell.cell_type, cell.source, cell.metadata.get("tags", [])]
        for cell in notebooks.read(notebook).cells
    ]
    external = [str(name) for name in storage.registry().index if storage.available(str(name))]
    # What others derive from these facts is no fact.
    derived = (paths.DERIVED, paths.DATA / "derived")
    facts = [path for path in sorted(paths.DATA.iterdir()) if path not in derived]
    inputs = [cells, profile, platform.python_version(), external, fingerprint("arise_lib", *facts)]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def why_again(notebook: Path, profile: str, copy: Path) -> str:
    """Tell why a notebook has to be run, or run again.

    Parameters
    ----------
    notebook : pathlib.Path
        The notebook.
    profile : {"quick", "paper"}
        Amount of work.
    copy : pathlib.Path
        Executed copy; need not exist.

    Returns
    -------
    str
        A reason; empty if the copy is whole, and what it came from and all that it wrote (pictures,
        tables, recorded numbers) are as they were.
    """
    if not copy.exists():
        return "it has not been run"
    try:
        stored = notebooks.read(copy).metadata.get("arise", {})
    except InputError:
        return "its executed copy is damaged"
    if stored.get("state") != "done":
        return "it did not come to its end"
    if stored.get("inputs") != input_hash(notebook, profile):
        return "its sources, the library or the data have changed"
    return _difference(stored["manifest"], profile)


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


def _difference(stored: dict[str, Any], profile: str) -> str:
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
