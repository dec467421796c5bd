"""Networks as files: what is released is found by its name, anything else by its path."""

from __future__ import annotations

import hashlib
import json
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
from arise_lib.network._checksums import record, verified
from arise_lib.network.cards import card, choices, target, write_card
from arise_lib.network.model import Ensemble, Network, Reference
from arise_lib.storage import paths

#: The network that answers where none is named: the best one on simulated experiments that were not
#: used in training (`arise_lib.training.trials`). The paper's is "arise".
DEFAULT = "robust"

#: What a prediction can be asked of: a network, an ensemble, the name of a released one, a file.
NetworkLike = Network | Ensemble | str | Path


@overload
def load(name: Path) -> Network: ...
@overload
def load(name: str | Path = ...) -> Network | Ensemble: ...
def load(name: str | Path = DEFAULT) -> Network | Ensemble:
    """Read a released network or ensemble by its name, or any network from its file.

    Parameters
    ----------
    name : str or Path
        Name of a released network or ensemble (the checksums of its card and of
        its weights are verified), `DEFAULT` if not given, or the path of an npz file.

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
            raise InputError(f"There is no file {path}; {choices(path.stem)}")
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
    path = target(name).with_suffix(".npz")
    save(network, path)
    record(path)
    write_card(name, facts)
    if history is not None:
        with storage.atomic_write(path.with_suffix(".csv")) as temporary:
            history.to_csv(temporary, float_format="%.6g", lineterminator="\n")
        record(path.with_suffix(".csv"))
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
    return write_card(name, facts | {"members": list(members)})


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
    if network.reference is not None:
        arrays["reference_vectors"] = network.reference.vectors
        arrays["reference_distances"] = network.reference.distances
    storage.save_arrays(path, arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _released(name: str) -> Network:
    """Read released weights, their checksum verified."""
    path = paths.NETWORKS / f"{name}.npz"
    verified(path)
    return _read(path)


def _read(path: Path) -> Network:
    """Read a network file."""
    try:
        arrays = storage.load_arrays(path)
        n_layers = sum(key.startswith("kernel_") for key in arrays)
        reference = None
        if "reference_vectors" in arrays:
            reference = Reference(arrays["reference_vectors"], arrays["reference_distances"])
        return Network(
            tuple(arrays[f"kernel_{layer}"] for layer in range(n_layers)),
            tuple(arrays[f"bias_{layer}"] for layer in range(n_layers)),
            float(arrays["dropout"]),
            tuple(str(label) for label in arrays["classes"]),
            SoapSettings(**json.loads(str(arrays["settings"]))),
            reference,
        )
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise DataError(
            f"{path.name} is not a network file written by this library ({error}); restore or "
            "retrain it."
        ) from error
