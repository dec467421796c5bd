"""Trained networks that are kept, so that none is trained twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.network.model import Network
from arise_lib.network.released import load, save
from arise_lib.storage.files import atomic_write
from arise_lib.storage.jsonl import Row
from arise_lib.training.datasets import DataSet
from arise_lib.training.fit import Training, settle, train

#: Epochs at a tenth of the learning rate for the networks that may be released. Not for the trials
#: of the search, which are the paper's: at a constant rate.
SETTLE = 40

#: Longest training of a trial, and epochs without a better validation accuracy that end it.
EPOCHS, PATIENCE = 300, 30


def training_of(row: Row) -> Training:
    """Return the training that a row of a search records, to run it again.

    Parameters
    ----------
    row : dict
        From `arise_lib.training.search.search`, or read from its file. A row that
        does not say how long its training may be had `EPOCHS` and `PATIENCE`.

    Returns
    -------
    Training
        Its hyper-parameters.

    Examples
    --------
    >>> from arise_lib.storage import jsonl, paths
    >>> row = jsonl.read_rows(paths.DATA / "search" / "quip.jsonl")[0]
    >>> training_of(row).hidden, training_of(row).patience
    ((512, 512), 30)
    """
    return Training(
        hidden=tuple(row["hidden"]),
        dropout=row["dropout"],
        learning_rate=row["learning_rate"],
        batch_size=row["batch_size"],
        epochs=row.get("max_epochs", EPOCHS),
        patience=row.get("patience", PATIENCE),
        seed=row["seed"],
    )


def kept(folder: Path, data: DataSet, settings: SoapSettings, training: Training) -> Network:
    """Return the network that a folder keeps; train it first if there is none.

    Parameters
    ----------
    folder : Path
        Of networks trained on these data; the files are `weights_name`, and what
        happened epoch by epoch is kept beside them (csv).
    data : DataSet
        Training set.
    settings : SoapSettings
        Descriptor at prediction.
    training : Training
        Hyper-parameters. If they make the network settle, the one before that is
        kept as well.

    Returns
    -------
    Network
        As read from the file.

    Raises
    ------
    InputError
        If the kept network has other classes than the data, or as `train` does.
    """
    path = folder / weights_name(training)
    if not path.is_file():
        if training.settle:
            before = replace(training, settle=0)
            trained, history = settle(kept(folder, data, settings, before), data, training)
            first = (folder / weights_name(before)).with_suffix(".csv")
            if first.is_file():
                earlier = pd.read_csv(first, index_col="epoch")
                history = pd.concat([earlier, history], ignore_index=True)
        else:
            trained, history = train(data, settings, training)
        keep(path, trained, history)
    network = load(path)
    if network.classes != data.labels:
        raise InputError(
            f"{path} keeps a network of {len(network.classes)} classes, from "
            f"{network.classes[0]!r} on, the data have {len(data.labels)}, from "
            f"{data.labels[0]!r} on; take another folder for other data."
        )
    return network


def weights_name(training: Training) -> str:
    """Return the name of the file that keeps a trained network: another for any other training.

    Parameters
    ----------
    training : Training
        Its hyper-parameters.

    Returns
    -------
    str
        Seed, and a hash of all of them.

    Examples
    --------
    >>> weights_name(Training(seed=3)).startswith("seed_3_")
    True
    """
    text = json.dumps(asdict(training), sort_keys=True)
    return f"seed_{training.seed}_{hashlib.sha256(text.encode()).hexdigest()[:8]}.npz"


def keep(path: Path, trained: Network, history: pd.DataFrame) -> None:
    """Write weights, and the epochs beside them.

    Parameters
    ----------
    path : Path
        Of the weights; what happened epoch by epoch goes to the same name with .csv.
    trained : Network
        The network.
    history : DataFrame
        As from `train`.
    """
    with atomic_write(path.with_suffix(".csv")) as temporary:
        history.to_csv(temporary, index_label="epoch", lineterminator="\n")
    save(trained, path)
