"""External data by checksum, derived results by key, files written whole or not at all.

External data is not part of the repository: `registry` lists it, `fetch` brings a file into the
data cache once and checks its SHA-256 at every call. Derived results are kept by `cached`, one
npz file per key, without pickle.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import os
import re
import time
import uuid
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pooch
from numpy.typing import ArrayLike

from arise_lib import paths
from arise_lib.errors import DataError, InputError

#: Version of the derived results; raise it when arrays change their meaning under the same key.
FORMAT = 1

#: Seconds before the first, second and third attempt at a download.
PAUSES = (0.0, 2.0, 4.0)
#: Seconds without a byte after which an attempt has failed.
TIMEOUT = 30

Arrays = dict[str, np.ndarray]

_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
_KEY_MEMBER = "__key__"


def registry() -> pd.DataFrame:
    """List the external files.

    Returns
    -------
    pandas.DataFrame
        Indexed by name; columns ``sha256``, ``bytes``, ``url``, ``licence``, ``citation``.

    Raises
    ------
    DataError
        If ``data/registry.tsv`` cannot be read.
    """
    return _registry(paths.DATA / "registry.tsv").copy()


@lru_cache
def _registry(path: Path) -> pd.DataFrame:
    try:
        # quoting=3: no quotes, whatever a citation holds.
        return pd.read_csv(path, sep="\t", index_col="name", quoting=3, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(f"the registry {path} cannot be read ({error}): restore it") from error


def data_dir() -> Path:
    """Return the folder of the external files.

    Returns
    -------
    pathlib.Path
        ``ARISE_DATA_DIR``, or the platform's cache folder where that is unset or empty. It may be
        read-only as long as nothing is missing in it.
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


def fetch(name: str) -> Path:
    """Return the path of an external file, downloaded at the first call.

    Parameters
    ----------
    name : str
        Name in the registry, such as ``"stem/graphene_a.xyz"``.

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
        forbids downloads; if three attempts at the download failed; if the cache cannot be used.
    """
    table = registry()
    if name not in table.index:
        near = difflib.get_close_matches(str(name), table.index, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "store.registry() lists the names"
        raise InputError(f"no external file is called {name!r}: {hint}")
    path, expected = data_dir() / name, str(table.at[name, "sha256"])
    if not os.path.exists(path):
        if os.environ.get("ARISE_OFFLINE", "").lower() not in ("", "0", "false", "no"):
            raise DataError(
                f"{name} is not in the data cache {data_dir()}, and ARISE_OFFLINE forbids "
                f"downloads: run `arise fetch {name}` without ARISE_OFFLINE, or set ARISE_DATA_DIR "
                "to a folder that holds it"
            )
        _download(name, str(table.at[name, "url"]), path, expected)
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
    return path


class _WrongContentError(Exception):
    """A download came to its end with other bytes than registered."""


def _download(name: str, url: str, path: Path, expected: str) -> None:
    """Bring one file into the cache; the pauses between attempts double."""
    # Imported at need, as pooch does: only a download uses it.
    from requests.exceptions import RequestException

    for attempt, pause in enumerate(PAUSES, start=1):
        time.sleep(pause)
        try:
            with atomic_write(path) as temporary:
                pooch.HTTPDownloader(timeout=TIMEOUT)(url, str(temporary), None)
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


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file so that it is there whole or not at all.

    Parameters
    ----------
    path : path-like
        The final name; missing folders are made.

    Yields
    ------
    pathlib.Path
        A new name in the same folder, with the same ending. It replaces `path` when the block
        ends, and is removed when the block raises, ``KeyboardInterrupt`` included.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    # Same folder: a rename is atomic within one file system only. Same ending: numpy.savez,
    # matplotlib and gzip go by it.
    temporary = final.with_name(f".{uuid.uuid4().hex[:12]}-{final.name}")
    try:
        yield temporary
        os.replace(temporary, final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, ArrayLike]) -> None:
    """Write arrays as an npz file, whole or not at all.

    The same arrays give the same bytes, so a checksum over the file means something:
    `numpy.savez` stamps the time into its files.

    Parameters
    ----------
    path : path-like
        The final name, ending included.
    arrays : mapping of str to array_like
        Numbers or text.

    Raises
    ------
    InputError
        If a name or a value cannot be stored without pickle.
    """
    members = {member: np.asarray(value) for member, value in arrays.items()}
    for member, array in members.items():
        _check_name(member, "array name")
        if array.dtype.hasobject:
            raise InputError(f"{member!r} holds Python objects: numbers or text are allowed")
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for member, array in members.items():
            with archive.open(zipfile.ZipInfo(f"{member}.npy"), "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def load_arrays(path: str | os.PathLike[str]) -> Arrays:
    """Read all arrays of an npz file, its checksums verified, without pickle.

    Parameters
    ----------
    path : path-like
        A file of `save_arrays` or of `numpy.savez`.

    Returns
    -------
    dict of str to ndarray
        In the order of the file.

    Raises
    ------
    DataError
        If the file is missing, truncated, altered or not an npz file.
    """
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            # First of all: a damaged array header may ask for any amount of memory.
            damaged = archive.testzip()
            if damaged is not None:
                raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
            for entry in archive.namelist():
                with archive.open(entry) as stream:
                    array = np.lib.format.read_array(stream, allow_pickle=False)
                arrays[entry.removesuffix(".npy")] = array
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} cannot be read as npz ({error}): make it again") from error
    return arrays


def cached(
    name: str, key: Mapping[str, Any], compute: Callable[[], Mapping[str, ArrayLike]]
) -> Arrays:
    """Return the arrays stored under a key; compute and store them if there are none.

    They are kept in ``paths.DERIVED/name/HASH.npz``; the hash covers `FORMAT`, the name and the
    key. Several processes may ask for one key at once: each writes a file of its own, renamed.

    Parameters
    ----------
    name : str
        Letters, digits, ``_ . -``, and ``/`` between folders.
    key : mapping of str
        All that the result depends on: None, bool, int, finite float, str, numpy scalars, and
        lists, tuples and mappings of these. The order of a mapping does not matter; 1, 1.0, True
        and "1" differ; a list equals a tuple.
    compute : callable
        Called without arguments if nothing is stored; returns names and arrays. What it raises
        passes through, and nothing is stored.

    Returns
    -------
    dict of str to ndarray
        The arrays of `compute`.

    Raises
    ------
    InputError
        If the name, the key or the computed result is of another kind.

    Warns
    -----
    UserWarning
        If a stored file is damaged (it is computed anew), or if the folder cannot be written.
    """
    _check_name(name, "name of a cached result")
    if not isinstance(key, Mapping):
        raise InputError(f"the key of {name!r} is of type {type(key).__name__}, not a mapping")
    document = {"format": FORMAT, "name": name, "key": _plain(key, "key")}
    text = json.dumps(document, sort_keys=True, allow_nan=False)
    path = paths.DERIVED / name / f"{hashlib.sha256(text.encode()).hexdigest()}.npz"
    if os.path.exists(path):
        try:
            arrays = load_arrays(path)
            if str(arrays.pop(_KEY_MEMBER, "")) == "\n".join([text, *arrays]):
                return arrays
            problem = "it holds another key, or not all of its arrays"
        except DataError as error:
            problem = str(error)
        warnings.warn(f"cached result {path} is computed anew: {problem}", stacklevel=2)
    computed = compute()
    if not isinstance(computed, Mapping) or _KEY_MEMBER in computed:
        raise InputError(f"the result of {name!r} is no mapping of names (not __key__) to arrays")
    arrays = {member: np.asarray(value) for member, value in computed.items()}
    try:
        save_arrays(path, {**arrays, _KEY_MEMBER: np.array("\n".join([text, *arrays]))})
    except OSError as error:
        # Hours of work are not thrown away for a full disk.
        warnings.warn(f"{name!r} is not cached ({error}): see ARISE_CACHE_DIR", stacklevel=2)
    return arrays


def _check_name(name: object, what: str) -> None:
    """Refuse a name that is no plain relative path."""
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise InputError(f"{what} {name!r}: letters, digits, '_ . -' and '/' between are allowed")


def _plain(value: Any, where: str) -> Any:
    """Reduce a key to what JSON states without loss, or refuse it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{where} is {value}: only finite numbers can be part of a key")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        for name in value:
            # JSON would make 1 and "1" one key.
            if not isinstance(name, str):
                raise InputError(f"{where} has the name {name!r}: only str is allowed as a name")
        return {name: _plain(part, f"{where}[{name!r}]") for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, f"{where}[{i}]") for i, part in enumerate(value)]
    raise InputError(
        f"{where} is of type {type(value).__name__}: None, bool, int, float, str, and lists, "
        "tuples and mappings of these are allowed; turn an array into a list or into its hash"
    )
