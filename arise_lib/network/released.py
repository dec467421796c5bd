"""Networks as files: arrays, checksums and model cards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from arise_lib import storage
from arise_lib.descriptor import SoapSettings
from arise_lib.errors import DataError, InputError
from arise_lib.network.model import Network, members
from arise_lib.storage import paths


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


def release(
    network: Network, name: str, card: dict[str, object], history: pd.DataFrame | None = None
) -> Path:
    """Write a network, its checksum, its model card and its learning curve to `data/networks`.

    Parameters
    ----------
    network : Network
        What to release.
    name : str
        Name by which `load` finds it.
    card : dict
        What a user must know: training, data, versions, accuracies, limits.
    history : DataFrame, optional
        What `train` returned beside the network.

    Returns
    -------
    Path
        The npz file.
    """
    path = paths.NETWORKS / f"{name}.npz"
    sums = paths.NETWORKS / "SHA256SUMS"
    lines = sums.read_text().splitlines() if sums.is_file() else []
    kept = [line for line in lines if not line.endswith(f" {path.name}")]
    kept.append(f"{save(network, path)}  {path.name}")
    with storage.atomic_write(sums) as temporary:
        temporary.write_text("\n".join(sorted(kept, key=lambda line: line.split()[1])) + "\n")
    with storage.atomic_write(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    if history is not None:
        with storage.atomic_write(path.with_suffix(".csv")) as temporary:
            history.to_csv(temporary, float_format="%.6g", lineterminator="\n")
    return path


def release_ensemble(name: str, members: Sequence[str], card: dict[str, object]) -> Path:
    """Write the card of an ensemble of released networks to `data/networks`.

    Parameters
    ----------
    name : str
        Name by which `arise_lib.classify` finds it.
    members : sequence of str
        Released networks.
    card : dict
        What a user must know.

    Returns
    -------
    Path
        The card.
    """
    path = paths.NETWORKS / f"{name}.json"
    for member in members:
        load(member)  # refuses what is not there
    with storage.atomic_write(path) as temporary:
        text = json.dumps(card | {"members": list(members)}, indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n")
    return path


def member_names(name: str) -> tuple[str, ...]:
    """Return the names of the networks behind a released name.

    Parameters
    ----------
    name : str
        A released network, or a released ensemble, whose card lists its members.

    Returns
    -------
    tuple of str
        The members of an ensemble, otherwise the name itself.
    """
    card = paths.NETWORKS / f"{name}.json"
    listed = json.loads(card.read_text()).get("members", ()) if card.is_file() else ()
    return tuple(listed) or (name,)


def load(name: str | Path = "arise") -> Network:
    """Read a released network by name, or any network file by path.

    Parameters
    ----------
    name : str or Path
        Name of a released network (its checksum in `data/networks/SHA256SUMS`
        is verified) or path of an npz file.

    Returns
    -------
    Network
        Ready for prediction.

    Raises
    ------
    InputError
        If there is no network of that name, or if it is an ensemble.
    DataError
        If the file is damaged or not a network.

    See Also
    --------
    arise_lib.recognition.load_ensemble : the networks of a released ensemble.
    """
    released = paths.NETWORKS / f"{name}.npz"
    path = released if released.is_file() else Path(name)
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in paths.NETWORKS.glob("*.npz"))) or "none"
        raise InputError(f"There is no network {str(name)!r}; released are: {known}.")
    if path == released:
        _verify(path)
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


def _verify(path: Path) -> None:
    """Compare a released file with its checksum."""
    sums = paths.NETWORKS / "SHA256SUMS"
    rows = [line.split() for line in sums.read_text().splitlines()] if sums.is_file() else []
    expected = {row[1]: row[0] for row in rows if len(row) == 2}
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if expected.get(path.name) != found:
        raise DataError(
            f"{path.name} has SHA-256 {found}, its record says {expected.get(path.name)}; restore "
            "the file from the repository (git checkout)."
        )


def load_ensemble(network: Network | str | Sequence[Network]) -> tuple[Network, ...]:
    """Return the networks of an ensemble, or the single one that is meant.

    Parameters
    ----------
    network : Network, str or sequence of Network
        A network, the name of a released network or ensemble, or an ensemble.

    Returns
    -------
    tuple of Network
        At least one, all with the same classes and the same descriptor.

    Raises
    ------
    InputError
        If there is no such network, or if those of an ensemble do not fit together.
    """
    if isinstance(network, str):
        return members([load(name) for name in member_names(network)])
    return members(network)
