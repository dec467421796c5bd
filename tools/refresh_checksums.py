"""Renew the checksums of the project's own tables and frames after a change that is meant.

    .venv/bin/python tools/refresh_checksums.py

Writes SHA256SUMS in data/prototypes, data/paper, data/unknown, data/heat and data/microscopy, in
the notation of ``sha256sum``.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

FOLDERS = ("data/prototypes", "data/paper", "data/unknown", "data/heat", "data/microscopy")


def refresh(folder: Path) -> None:
    """Write the checksums of all tables and arrays of a folder."""
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted([*folder.glob("*.csv"), *folder.glob("*.npz")])
    ]
    # The same bytes on every system.
    (folder / "SHA256SUMS").write_bytes("".join(sums).encode())


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    for name in FOLDERS:
        refresh(Path(__file__).resolve().parents[1] / name)
