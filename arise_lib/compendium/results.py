"""The headline numbers that the notebooks leave behind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from arise_lib import storage
from arise_lib.compendium import external_data
from arise_lib.compendium.profiles import check_profile
from arise_lib.errors import DataError, InputError
from arise_lib.storage import ledger, paths

#: How keys begin whose numbers are of published samples.
_PUBLISHED = ("fig",)


def record(
    profile: str,
    values: Mapping[str, float],
    *,
    replaces: Sequence[str] = (),
    network: str | None = None,
) -> None:
    """Merge headline numbers into ``figures/results/<profile>.json``.

    Parameters
    ----------
    profile : str
        "quick" or "paper".
    values : mapping of str to float
        Percentages as 0 to 100, times in seconds. What was not measured is not
        given.
    replaces : sequence of str
        Beginnings of the keys that the caller owns: those recorded earlier are
        dropped, so that nothing stays that was not measured this time. Where external
        data are missing, keys of published samples (``fig...``) stay: this run could
        not measure them.
    network : str, optional
        Released network that the values are of, shown in the scorecard and kept in
        ``<profile>_networks.json``.

    Raises
    ------
    InputError
        If the profile is unknown or a value is not a finite number.
    DataError
        If the file is damaged.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.record("quick", {"a.b": float("nan")})
    Traceback (most recent call last):
        ...
    arise_lib.errors.InputError: a.b = nan is not a number; leave out what is not measured.
    """
    check_profile(profile)
    for key, value in values.items():
        if not np.isfinite(value):
            raise InputError(f"{key} = {value} is not a number; leave out what is not measured.")
    path = paths.RESULTS / f"{profile}.json"
    measured = {key: _plain(value) for key, value in values.items()}
    # Several notebooks may run at once: between reading and writing the file is nobody else's.
    with storage.locked(path):
        recorded_before = read(profile)
        kept = _PUBLISHED if external_data.missing() else ()
        earlier = {
            key: value
            for key, value in recorded_before.items()
            if not key.startswith(tuple(replaces)) or key.startswith(kept)
        }
        _write(path, earlier | measured)
        before = networks(profile)
        of = {key: name for key, name in before.items() if key in earlier and key not in measured}
        of |= dict.fromkeys(measured, network) if network else {}
        if of != before:
            _write(path.with_name(f"{profile}_networks.json"), of)
    ledger.note("result", *measured)


def _write(path: Path, values: Mapping[str, float | str]) -> None:
    with storage.atomic_write(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")


def networks(profile: str) -> dict[str, str]:
    """Tell which released network each recorded number is of.

    Parameters
    ----------
    profile : str
        "quick" or "paper".

    Returns
    -------
    dict of str to str
        Network by key; keys of which it was not said are left out.

    Raises
    ------
    InputError
        If the profile is unknown.
    DataError
        If the file is damaged.

    Examples
    --------
    >>> from arise_lib.compendium import results
    >>> results.networks("quick")["fig3a.graphene"]
    'arise'
    """
    check_profile(profile)
    return _object(paths.RESULTS / f"{profile}_networks.json")


def recorded(profile: str) -> dict[str, float]:
    """Read the headline numbers recorded so far.

    Parameters
    ----------
    profile : str
        "quick" or "paper".

    Returns
    -------
    dict of str to float
        Empty if nothing has been recorded.

    Raises
    ------
    InputError
        If the profile is unknown.
    DataError
        If the file is damaged.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.recorded("quick")["dataset.classes"]
    108
    """
    found = read(profile)
    ledger.note("results", digest(found))
    return found


def digest(results: Mapping[str, float]) -> str:
    """Hash recorded numbers.

    Parameters
    ----------
    results : mapping of str to float
        From `recorded`.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    return hashlib.sha256(json.dumps(results, sort_keys=True).encode()).hexdigest()


def read(profile: str) -> dict[str, float]:
    """Read what has been recorded, for the machinery: the ledger does not note it.

    Parameters
    ----------
    profile : str
        "quick" or "paper".

    Returns
    -------
    dict of str to float
        As from `recorded`.
    """
    check_profile(profile)
    return _object(paths.RESULTS / f"{profile}.json")


def _object(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty if there is no file."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found, problem = None, str(error)
    else:
        problem = f"a {type(found).__name__} instead of an object"
    if not isinstance(found, dict):
        raise DataError(
            f"{path.name} is not readable ({problem}); delete it, the notebooks write it anew."
        )
    return found


def _plain(value: float) -> float | int:
    """Return a number as JSON shows it: counts whole, others with six digits."""
    number = float(value)
    return int(number) if number.is_integer() else float(f"{number:.6g}")
