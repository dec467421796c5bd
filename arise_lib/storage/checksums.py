"""The project's own tables, compared with their checksums before they are read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from arise_lib.errors import DataError

#: Beside the files, in the notation of ``sha256sum``.
LIST = "SHA256SUMS"


def checked(path: Path) -> Path:
    """Return a path once the file's SHA-256 is that of the list beside it.

    Parameters
    ----------
    path : pathlib.Path
        A file whose folder holds a ``SHA256SUMS``.

    Returns
    -------
    pathlib.Path
        The same path.

    Raises
    ------
    DataError
        If the file or the list is missing or damaged, or the file is another one than listed.

    Examples
    --------
    >>> from arise_lib.storage import checksums, paths
    >>> checksums.checked(paths.PAPER / "table2.csv").name
    'table2.csv'
    """
    expected = listed(path.parent).get(path.name)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}): restore it (git checkout)") from error
    if found != expected:
        raise DataError(
            f"{path} has SHA-256 {found}, {LIST} beside it says {expected}: restore the file (git "
            f"checkout), or, if the change is meant, renew the list (sha256sum *.csv > {LIST})"
        )
    return path


def listed(folder: Path) -> dict[str, str]:
    """Read the checksums of a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Holds a ``SHA256SUMS``.

    Returns
    -------
    dict of str to str
        SHA-256 in hexadecimal by file name.

    Raises
    ------
    DataError
        If the list cannot be read.
    """
    try:
        lines = (folder / LIST).read_text(encoding="utf-8").splitlines()
        # Two blanks, or a blank and a star for what is read as bytes.
        return {line[66:]: line[:64] for line in lines if line[64:66] in ("  ", " *")}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{folder / LIST} cannot be read ({error}): restore it (git checkout)"
        ) from error
