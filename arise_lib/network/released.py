"""Networks as files: arrays, model cards, and the checksums of both.

What is released is what `data/networks/SHA256SUMS` lists: a card (json) for every name, weights
(npz) and a learning curve (csv) for every network. An ensemble is a card alone, which names its
members. Neither a card nor weights are used before their checksum is found right.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from arise_lib import storage
from arise_lib.descriptor.settings import SoapSettings
from arise_lib.errors import DataError, InputError
from arise_lib.network.model import Ensemble, Network
from arise_lib.storage import paths

#: What a prediction can be asked of: a network, an ensemble, the name of a released one, a file.
NetworkLike = Network | Ensemble | str | Path

#: Names of released networks, and of the files behind them: no folder, no "..".
_NAME = re.compile(r"\w[\w-]*", re.ASCII)
_FILE = re.compile(r"\w[\w-]*\.(json|npz|csv)", re.ASCII)


@overload
def load(name: Path) -> Network: ...
@overload
def load(name: str | Path = ...) -> Network | Ensemble: ...
def load(name: str | Path = "arise") -> Network | Ensemble:
    """Read a released network or ensemble by its name, or any network from its file.

    Parameters
    ----------
    name : str or Path
        Name of a released network or ensemble (the checksums of its card and of
        its weights are verified), or the path of an npz file.

    Returns
    -------
    Network or Ensemble
        Ready for prediction.

    Raises
    ------
    InputError
        If there is no network of that name.
    DataError
        If a file is damaged, is not what was released, or is not a network.

    Examples
    --------
    >>> from arise_lib import network
    >>> network.load("robust").settings.radial
    'quip'
    >>> len(network.load("ensemble").members)
    2
    """
    if isinstance(name, Path) or str(name).endswith(".npz"):
        path = Path(name)
        if not path.is_file():
            raise InputError(f"There is no file {path}; {_choices(path.stem)}")
        return _read(path)
    found = card(name)
    if "members" not in found:
        return _released(name)
    return Ensemble(tuple(_released(member) for member in found["members"]))


def as_ensemble(network: NetworkLike) -> Ensemble:
    """Return the ensemble that is meant; a single network is an ensemble of one.

    Parameters
    ----------
    network : NetworkLike
        A network, an ensemble, the name of a released one, or a file.

    Returns
    -------
    Ensemble
        At least one network, all with the same classes and the same descriptor.

    Raises
    ------
    InputError
        If it is nothing of that, or as `load` does.
    DataError
        As `load` does.

    Examples
    --------
    >>> from arise_lib import network
    >>> len(network.as_ensemble("arise").members)
    1
    """
    if isinstance(network, str | Path):
        network = load(network)
    if isinstance(network, Network):
        return Ensemble((network,))
    if isinstance(network, Ensemble):
        return network
    raise InputError(
        f"A {type(network).__name__} is no network: give the name of a released one, a Network, "
        "or several as arise_lib.network.Ensemble((first, second))."
    )


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
    ('arise', 'dscribe', 'ensemble', 'robust')
    """
    names = sorted(Path(file).stem for file in _checksums() if file.endswith(".json"))
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
    if f"{name}.json" not in _checksums():
        if _NAME.fullmatch(name) and any(_files(name)):
            raise DataError(
                f"The card of {name!r} has no checksum in {_sums().name}; restore data/networks "
                "from the repository (git checkout)."
            )
        raise InputError(f"There is no network {name!r}; {_choices(name)}")
    path = paths.NETWORKS / f"{name}.json"
    content = _verified(path)
    try:
        found = json.loads(content)
    except ValueError as error:
        raise DataError(f"{path.name} is not readable ({error}); {_restore()}") from error
    fault = _fault(found, name)
    if fault:
        raise DataError(f"{path.name} {fault}; {_restore()}")
    return dict(found)


def release(
    network: Network, name: str, facts: dict[str, Any], history: pd.DataFrame | None = None
) -> Path:
    """Write a network, its model card, its learning curve and their checksums to `data/networks`.

    Parameters
    ----------
    network : Network
        What to release.
    name : str
        Name by which `load` finds it: letters, digits, ``_`` and ``-``.
    facts : dict
        What the card says, all that a user must know: training, data, versions,
        accuracies, limits. With ``"internal": true`` the name is not among the
        `released_names`.
    history : DataFrame, optional
        What `arise_lib.training.train` returned beside the network.

    Returns
    -------
    Path
        The npz file.

    Raises
    ------
    InputError
        If the name is not allowed, or if the card is that of an ensemble.

    Examples
    --------
    >>> from arise_lib import network
    >>> network.release(trained, "mine", {"limits": "my own classes"})  # doctest: +SKIP
    """
    if "members" in facts:
        raise InputError("A network has no members; an ensemble is released by release_ensemble.")
    path = _target(name).with_suffix(".npz")
    save(network, path)
    _record(path)
    _write_card(name, facts)
    if history is not None:
        with storage.atomic_write(path.with_suffix(".csv")) as temporary:
            history.to_csv(temporary, float_format="%.6g", lineterminator="\n")
        _record(path.with_suffix(".csv"))
    return path


def release_ensemble(name: str, members: Sequence[str], facts: dict[str, Any]) -> Path:
    """Write the card of an ensemble of released networks, and its checksum, to `data/networks`.

    Parameters
    ----------
    name : str
        Name by which `load` finds it.
    members : sequence of str
        Released networks.
    facts : dict
        What the card says, all that a user must know.

    Returns
    -------
    Path
        The card.

    Raises
    ------
    InputError
        If a member is no released network, or if they do not fit together.

    Examples
    --------
    >>> from arise_lib import network
    >>> network.release_ensemble("both", ["arise", "robust"], {})  # doctest: +SKIP
    """
    for member in members:
        if "members" in card(member):
            raise InputError(f"{member!r} is an ensemble itself; name its members instead.")
    Ensemble(tuple(_released(member) for member in members))
    return _write_card(name, facts | {"members": list(members)})


def save(network: Network, path: Path) -> str:
    """Write a network as an npz file of plain arrays.

    Parameters
    ----------
    network : Network
        What to write.
    path : Path
        Target; written whole or not at all.

    Returns
    -------
    str
        SHA-256 of the file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from arise_lib import network
    >>> with TemporaryDirectory() as folder:
    ...     checksum = network.save(network.load("arise"), Path(folder) / "mine.npz")
    ...     network.load(Path(folder) / "mine.npz").n_parameters
    700268
    """
    arrays: dict[str, ArrayLike] = {
        "dropout": np.array(network.dropout),
        "classes": np.array(network.classes),
        "settings": np.array(json.dumps(asdict(network.settings), sort_keys=True)),
    }
    for layer, (kernel, bias) in enumerate(zip(network.kernels, network.biases, strict=True)):
        arrays[f"kernel_{layer}"], arrays[f"bias_{layer}"] = kernel, bias
    storage.save_arrays(path, arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _released(name: str) -> Network:
    """Read released weights, their checksum verified."""
    path = paths.NETWORKS / f"{name}.npz"
    _verified(path)
    return _read(path)


def _read(path: Path) -> Network:
    """Read a network file."""
    try:
        arrays = storage.load_arrays(path)
        n_layers = sum(key.startswith("kernel_") for key in arrays)
        return Network(
            tuple(arrays[f"kernel_{layer}"] for layer in range(n_layers)),
            tuple(arrays[f"bias_{layer}"] for layer in range(n_layers)),
            float(arrays["dropout"]),
            tuple(str(label) for label in arrays["classes"]),
            SoapSettings(**json.loads(str(arrays["settings"]))),
        )
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise DataError(
            f"{path.name} is not a network file written by this library ({error}); restore or "
            "retrain it."
        ) from error


def _sums() -> Path:
    return paths.NETWORKS / "SHA256SUMS"


def _checksums() -> dict[str, str]:
    """SHA-256 of every released file, by its name."""
    path = _sums()
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    rows = [line.split() for line in lines]
    return {row[1]: row[0] for row in rows if len(row) == 2 and _FILE.fullmatch(row[1])}


def _verified(path: Path) -> bytes:
    """Return the bytes of a released file; refuse them unless they are those recorded."""
    expected = _checksums().get(path.name)
    if not path.is_file():
        raise DataError(f"{path.name} is missing in data/networks; {_restore()}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if expected != found:
        raise DataError(
            f"{path.name} has SHA-256 {found}, its record says {expected}; {_restore()}"
        )
    return content


def _fault(card: object, name: str) -> str | None:
    """Say what is wrong with a model card, if anything is."""
    if not isinstance(card, dict) or card.get("name") != name:
        return f"is not the model card of {name!r}"
    members = card.get("members")
    if "members" in card and not (isinstance(members, list) and members):
        return "names no members: a list of released networks is needed"
    for member in members or ():
        if not isinstance(member, str) or f"{member}.npz" not in _checksums():
            return f"names the member {member!r}, which is no released network"
    return None


def _restore() -> str:
    return "restore the file from the repository (git checkout)."


def _files(name: str) -> list[Path]:
    """List what is in the folder under a name."""
    return [path for path in paths.NETWORKS.glob(f"{name}.*") if path.suffix in (".json", ".npz")]


def _choices(name: str) -> str:
    """Say which names there are, those like the one given first."""
    names = released_names()
    near = difflib.get_close_matches(name.lower(), names, n=3)
    hint = f"did you mean {' or '.join(repr(one) for one in near)}? " if near else ""
    return f"{hint}released are: {', '.join(names) or 'none'}."


def _target(name: str) -> Path:
    """Return the path of a release without its ending."""
    if not _NAME.fullmatch(name):
        raise InputError(f"A network cannot be named {name!r}; use letters, digits, '_' and '-'.")
    return paths.NETWORKS / name


def _write_card(name: str, facts: dict[str, Any]) -> Path:
    """Write a model card, in which its name stands, and its checksum."""
    path = _target(name).with_suffix(".json")
    # First of all, and no other than the one it is found by.
    named = {"name": name} | facts | {"name": name}
    with storage.atomic_write(path) as temporary:
        text = json.dumps(named, indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    _record(path)
    return path


def _record(path: Path) -> None:
    """Enter the checksum of a released file into the list, in the notation of sha256sum."""
    sums = _checksums() | {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    with storage.atomic_write(_sums()) as temporary:
        temporary.write_text("".join(f"{sums[file]}  {file}\n" for file in sorted(sums)))
