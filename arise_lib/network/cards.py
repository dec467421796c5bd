"""Model cards: what a user must know of a released network, read in one place.

An ensemble is a card alone, which names its members. No card is used before its checksum is found
right.
"""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Any

from arise_lib import storage
from arise_lib.errors import DataError, InputError
from arise_lib.network._checksums import RESTORE, checksums, record, sums_file, verified
from arise_lib.storage import paths

#: Names of released networks: no folder, no "..".
_NAME = re.compile(r"\w[\w-]*", re.ASCII)


def released_names() -> tuple[str, ...]:
    """List the released networks and ensembles that a user may choose from.

    Returns
    -------
    tuple of str
        In alphabetical order, without those whose card says ``"internal": true``:
        they are there as members of an ensemble.

    Raises
    ------
    DataError
        If a card is damaged or missing.

    Examples
    --------
    >>> from arise_lib import network
    >>> network.released_names()
    ('arise', 'dscribe', 'ensemble', 'published', 'robust')
    """
    names = sorted(Path(file).stem for file in checksums() if file.endswith(".json"))
    return tuple(name for name in names if not card(name).get("internal", False))


def card(name: str) -> dict[str, Any]:
    """Read the model card of a released network or ensemble: what a user must know.

    Parameters
    ----------
    name : str
        A released name.

    Returns
    -------
    dict
        Training, data, versions, accuracies, limits; of an ensemble also its
        `members`, all of them released networks.

    Raises
    ------
    InputError
        If there is no network of that name.
    DataError
        If the card is missing, damaged, or not the one that was released.

    Examples
    --------
    >>> from arise_lib import network
    >>> network.card("arise")["parameters"]
    700268
    >>> network.card("ensemble")["members"]
    ['arise', 'trial_46']
    """
    if f"{name}.json" not in checksums():
        if _NAME.fullmatch(name) and any(_files(name)):
            raise DataError(
                f"The card of {name!r} has no checksum in {sums_file().name}; restore "
                "data/networks from the repository (git checkout)."
            )
        raise InputError(f"There is no network {name!r}; {choices(name)}")
    path = paths.NETWORKS / f"{name}.json"
    content = verified(path)
    try:
        found = json.loads(content)
    except ValueError as error:
        raise DataError(f"{path.name} is not readable ({error}); {RESTORE}") from error
    fault = _fault(found, name)
    if fault:
        raise DataError(f"{path.name} {fault}; {RESTORE}")
    return dict(found)


def choices(name: str) -> str:
    """Say which names there are, those like the one given first."""
    names = released_names()
    near = difflib.get_close_matches(name.lower(), names, n=3)
    hint = f"did you mean {' or '.join(repr(one) for one in near)}? " if near else ""
    return f"{hint}released are: {', '.join(names) or 'none'}."


def target(name: str) -> Path:
    """Return the path of a release without its ending."""
    if not _NAME.fullmatch(name):
        raise InputError(f"A network cannot be named {name!r}; use letters, digits, '_' and '-'.")
    return paths.NETWORKS / name


def write_card(name: str, facts: dict[str, Any]) -> Path:
    """Write a model card, in which its name stands, and its checksum."""
    path = target(name).with_suffix(".json")
    # First of all, and no other than the one it is found by.
    named = {"name": name} | facts | {"name": name}
    with storage.atomic_write(path) as temporary:
        text = json.dumps(named, indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    record(path)
    return path


def _fault(card: object, name: str) -> str | None:
    """Say what is wrong with a model card, if anything is."""
    if not isinstance(card, dict) or card.get("name") != name:
        return f"is not the model card of {name!r}"
    members = card.get("members")
    if "members" in card and not (isinstance(members, list) and members):
        return "names no members: a list of released networks is needed"
    for member in members or ():
        if not isinstance(member, str) or f"{member}.npz" not in checksums():
            return f"names the member {member!r}, which is no released network"
    return None


def _files(name: str) -> list[Path]:
    """List what is in the folder under a name."""
    return [path for path in paths.NETWORKS.glob(f"{name}.*") if path.suffix in (".json", ".npz")]
