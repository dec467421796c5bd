"""Arrays in files, and derived results by key; without pickle."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from arise_lib.errors import DataError, InputError
from arise_lib.storage import paths
from arise_lib.storage.files import atomic_write

#: Version of the derived results; raise it when arrays change their meaning under the same key.
FORMAT = 1

Arrays = dict[str, np.ndarray]

_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
_KEY_MEMBER = "__key__"


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

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from arise_lib import storage
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     storage.save_arrays(f"{folder}/a.npz", {"labels": np.array(["fcc", "bcc"])})
    ...     storage.load_arrays(f"{folder}/a.npz")["labels"].tolist()
    ['fcc', 'bcc']
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

    Examples
    --------
    >>> from arise_lib import storage
    >>> from arise_lib.storage import paths
    >>> sorted(storage.load_arrays(paths.NETWORKS / "arise.npz"))[:2]
    ['bias_0', 'bias_1']
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

    Examples
    --------
    >>> from arise_lib import storage
    >>> storage.cached("example", {"n": 3}, lambda: {"x": [1, 2, 3]})["x"].sum().item()
    6
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
