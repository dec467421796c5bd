"""The list of checksums of what is released: weights, model cards, learning curves.

`data/networks/SHA256SUMS` says what is released; nothing is read that is not in it as it is.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from arise_lib import storage
from arise_lib.errors import DataError
from arise_lib.storage import paths

#: Names of released files: no folder, no "..".
_FILE = re.compile(r"\w[\w-]*\.(json|npz|csv)", re.ASCII)

#: What to do about a file that is not what was released.
RESTORE = "restore the file from the repository (git checkout)."


def sums_file() -> Path:
    """Return the path of the list."""
    return paths.NETWORKS / "SHA256SUMS"


def checksums() -> dict[str, str]:
    """SHA-256 of every released file, by its name."""
    path = sums_file()
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    rows = [line.split() for line in lines]
    return {row[1]: row[0] for row in rows if len(row) == 2 and _FILE.fullmatch(row[1])}


def verified(path: Path) -> bytes:
    """Return the bytes of a released file; refuse them unless they are those recorded."""
    expected = checksums().get(path.name)
    if not path.is_file():
        raise DataError(f"{path.name} is missing in data/networks; {RESTORE}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if expected != found:
        raise DataError(f"{path.name} has SHA-256 {found}, its record says {expected}; {RESTORE}")
    return content


def record(path: Path) -> None:
    """Enter the checksum of a released file into the list, in the notation of sha256sum."""
    sums = checksums() | {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    with storage.atomic_write(sums_file()) as temporary:
        temporary.write_text("".join(f"{sums[file]}  {file}\n" for file in sorted(sums)))
