"""External data: listed in a registry, brought once, checked at every call.

External data is not part of the repository: `registry` lists it, `fetch` brings a file into the
data cache once and checks its SHA-256 at every call.
"""

from __future__ import annotations

import difflib
import os
import re
import time
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pooch

from arise_lib.errors import DataError, InputError
from arise_lib.storage import ledger, paths
from arise_lib.storage.files import atomic_write

#: Seconds before the first, second and third attempt at a download.
PAUSES = (0.0, 2.0, 4.0)
#: Seconds without a byte after which an attempt has failed.
TIMEOUT = 30.0
#: Bytes per second that an attempt has to make on average; a server that trickles is no server.
SLOWEST = 20_000.0

_COLUMNS = ["sha256", "bytes", "url", "licence", "citation"]


def registry() -> pd.DataFrame:
    """List the external files.

    Returns
    -------
    pandas.DataFrame
        Indexed by name; columns ``sha256``, ``bytes``, ``url``, ``licence``, ``citation``.

    Raises
    ------
    DataError
        If ``data/registry.tsv`` cannot be read or is damaged.

    Examples
    --------
    >>> from arise_lib import storage
    >>> int(storage.registry().at["aet/fept_2017.xyz", "bytes"])
    997481
    """
    return _registry(paths.DATA / "registry.tsv").copy()


@lru_cache
def _registry(path: Path) -> pd.DataFrame:
    try:
        # quoting=3: no quotes, whatever a citation holds.
        table = pd.read_csv(
            path,
            sep="\t",
            index_col="name",
            quoting=3,
            encoding="utf-8",
            keep_default_na=False,
            dtype={name: str for name in ("name", "sha256", "url", "licence", "citation")},
        )
        problem = _problem(table)
    # pandas raises any of these for a table with a torn header.
    except (OSError, ValueError, LookupError, TypeError) as error:
        problem = repr(error)
    if problem:
        raise DataError(f"the registry {path} cannot be read ({problem}): restore it")
    return table


def _problem(table: pd.DataFrame) -> str:
    """Name what is wrong with the registry; empty if nothing."""
    if list(table.columns) != _COLUMNS:
        return f"its columns are {', '.join(map(str, table.columns))}"
    if not table.index.is_unique:
        return f"{table.index[table.index.duplicated()][0]} is listed twice"
    if not pd.api.types.is_integer_dtype(table["bytes"]):
        return "not all sizes are whole numbers of bytes"
    sound = {
        # It becomes a path below the data cache, and must not lead out of it.
        "name": [_is_inside(name) for name in table.index],
        "SHA-256": table["sha256"].str.fullmatch(r"[0-9a-f]{64}"),
        "size": table["bytes"] > 0,
        "URL": table["url"].str.fullmatch(r"https?://\S+"),
    }
    for what, right in sound.items():
        for name, fine in zip(table.index, right, strict=True):
            if not fine:
                return f"{name!r} has no valid {what}"
    return ""


def _is_inside(name: object) -> bool:
    """Tell whether a name is a plain relative path, on any system."""
    parts = str(name).split("/")
    return not any(part in ("", ".", "..") or re.search(r"[\\:\0]", part) for part in parts)


def data_dir() -> Path:
    """Return the folder of the external files.

    Returns
    -------
    pathlib.Path
        ``ARISE_DATA_DIR``, or the platform's cache folder where that is unset or empty. It may be
        read-only as long as nothing is missing in it.

    Examples
    --------
    >>> from arise_lib import storage
    >>> storage.data_dir().is_absolute()
    True
    """
    return Path(os.environ.get("ARISE_DATA_DIR") or pooch.os_cache("arise")).expanduser().absolute()


def available(name: str) -> bool:
    """Tell whether an external file can be had without a download; never raises.

    Parameters
    ----------
    name : str
        Name in the registry.

    Returns
    -------
    bool
        True if the file is in the cache with the registered size; its checksum is left to
        `fetch`. False for any other reason, an unknown name among them.

    Examples
    --------
    >>> from arise_lib import storage
    >>> storage.available("stem/no_such_file.xyz")
    False
    """
    try:
        table = registry()
        path = data_dir() / name
        return (
            name in table.index
            and path.is_file()
            and path.stat().st_size == int(table.at[name, "bytes"])
        )
    except (OSError, TypeError):
        return False


def offline() -> bool:
    """Tell whether ``ARISE_OFFLINE`` forbids downloads.

    Returns
    -------
    bool
        True if it is set, to anything but 0, false or no.
    """
    return os.environ.get("ARISE_OFFLINE", "").lower() not in ("", "0", "false", "no")


def fetch(name: str, *, attempts: int | None = None, timeout: float | None = None) -> Path:
    """Return the path of an external file, downloaded at the first call.

    Parameters
    ----------
    name : str
        Name in the registry, such as ``"stem/graphene_a.xyz"``.
    attempts : int, optional
        Attempts at a download, three at most and by default.
    timeout : float, optional
        Seconds without a byte after which an attempt has failed, 30 by default.

    Returns
    -------
    pathlib.Path
        The file in `data_dir`; its SHA-256 has just been checked.

    Raises
    ------
    InputError
        If the registry has no such name.
    DataError
        If the file in the cache is not the registered one; if it is absent and ``ARISE_OFFLINE=1``
        forbids downloads; if the attempts at the download failed; if the cache cannot be used.

    Examples
    --------
    >>> from arise_lib import storage
    >>> storage.fetch("stem/graphene_a.xyz").name  # doctest: +SKIP
    'graphene_a.xyz'
    """
    table = registry()
    if name not in table.index:
        near = difflib.get_close_matches(str(name), table.index, n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(near)}?" if near else "storage.registry() lists the names"
        )
        raise InputError(f"no external file is called {name!r}: {hint}")
    path, expected = data_dir() / name, str(table.at[name, "sha256"])
    if not os.path.exists(path):
        if offline():
            raise DataError(
                f"{name} is not in the data cache {data_dir()}, and ARISE_OFFLINE forbids "
                f"downloads: run `arise fetch {name}` without ARISE_OFFLINE, or set ARISE_DATA_DIR "
                "to a folder that holds it"
            )
        size = int(table.at[name, "bytes"])
        patience = (attempts or len(PAUSES), timeout or TIMEOUT)
        _download(name, str(table.at[name, "url"]), path, size, expected, *patience)
        ledger.note("external", name)
        return path
    try:
        found = pooch.file_hash(str(path))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}): check its permissions") from error
    if found != expected:
        raise DataError(
            f"{path} is not the registered file: SHA-256 found {found}, expected {expected}. "
            f"Delete it, then run `arise fetch {name}`"
        )
    ledger.note("external", name)
    return path


class _WrongContentError(Exception):
    """A download brought other bytes than registered."""


def _download(
    name: str, url: str, path: Path, size: int, expected: str, attempts: int, timeout: float
) -> None:
    """Bring one file into the cache; the pauses between attempts double."""
    # Imported at need: only a download uses it.
    from requests.exceptions import RequestException

    for attempt, pause in enumerate(PAUSES[:attempts], start=1):
        time.sleep(pause)
        try:
            with atomic_write(path) as temporary:
                _receive(url, temporary, size, timeout)
                found = pooch.file_hash(str(temporary))
                if found != expected:
                    raise _WrongContentError(f"SHA-256 found {found}, expected {expected}")
            return
        except (_WrongContentError, RequestException, ConnectionError, TimeoutError) as error:
            reason = f"{name} could not be downloaded from {url}, attempt {attempt}: {error!r}"
            status = getattr(getattr(error, "response", None), "status_code", 0)
            # Any other refusal, "not found" above all, comes again at every attempt.
            if 400 <= status < 500 and status not in (408, 429):
                break
        except OSError as error:
            raise DataError(
                f"{name} cannot be stored in {path.parent} ({error}): "
                "set ARISE_DATA_DIR to a folder that you may write to"
            ) from error
    raise DataError(
        f"{reason}. Check the network and try again, or set ARISE_DATA_DIR to a folder that "
        "holds the file"
    )


def _receive(url: str, path: Path, size: int, timeout: float) -> None:
    """Write what a server sends; no more bytes than registered, and no longer than they may take.

    `pooch.Pooch` has neither limit.
    """
    import requests

    allowed, received = timeout + size / SLOWEST, 0
    end = time.monotonic() + allowed
    # Compressed on the way, few bytes could become many.
    plain = {"Accept-Encoding": "identity"}
    with (
        requests.get(url, stream=True, timeout=timeout, headers=plain) as response,
        path.open("wb") as stream,
    ):
        response.raise_for_status()
        while True:
            try:
                # Not iter_content: it waits until a piece is full, however long that takes.
                piece = response.raw.read1(65_536)
            except Exception as error:  # urllib3's own kinds
                raise ConnectionError(f"cut off after {received} bytes: {error}") from error
            received += len(piece)
            if received > size:
                raise _WrongContentError(f"it sends more than the registered {size} bytes")
            if not piece:
                return
            if time.monotonic() > end:
                raise TimeoutError(f"{received} of {size} bytes after {allowed:.0f} s")
            stream.write(piece)
