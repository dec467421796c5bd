"""The multilayer perceptron: training, and storage as plain arrays."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from arise_lib import paths, prototypes, store
from arise_lib.datasets import DataSet
from arise_lib.errors import DataError, InputError
from arise_lib.soap import SoapSettings

#: Random state of the paper's stratified 80/20 split.
SPLIT_STATE = 42


@dataclass(frozen=True)
class Training:
    """Hyper-parameters of one training; the defaults are the paper's (Methods; Table 1).

    Attributes
    ----------
    hidden : tuple of int
        Widths of the hidden layers.
    dropout : float
        Share of inputs dropped before every dense layer, in training and in
        prediction.
    learning_rate : float
        Of Adam.
    batch_size, epochs : int
        Rows per step, passes over the training rows.
    patience : int or None
        Stop after so many epochs without a better validation accuracy.
    seed : int
        Seed of the initial weights, the shuffling and the dropout.
    """

    hidden: tuple[int, ...] = (256, 512, 256)
    dropout: float = 0.0317
    learning_rate: float = 2.16e-4
    batch_size: int = 64
    epochs: int = 300
    patience: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Network:
    """A trained network as arrays.

    Attributes
    ----------
    kernels : tuple of ndarray of float32
        One matrix of shape (n_in, n_out) per dense layer.
    biases : tuple of ndarray of float32
        One vector of shape (n_out,) per dense layer.
    dropout : float
        Share of each dense layer's inputs that a stochastic pass drops.
    classes : tuple of str
        Label of each output.
    settings : SoapSettings
        Descriptor at prediction.
    """

    kernels: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    dropout: float
    classes: tuple[str, ...]
    settings: SoapSettings

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return sum(array.size for array in (*self.kernels, *self.biases))

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities of the deterministic network (no dropout).

        Parameters
        ----------
        features : ndarray of float32, shape (n_rows, n_features)
            Descriptors.

        Returns
        -------
        ndarray of float32, shape (n_rows, n_classes)
            Rows sum to one.
        """
        activations = np.asarray(features, dtype=np.float32)
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            activations = np.maximum(activations @ kernel + bias, 0.0)
        return softmax(activations @ self.kernels[-1] + self.biases[-1])

    def accuracy(self, data: DataSet) -> float:
        """Share of the vectors of a data set whose most probable class is right, in %."""
        p = self.probabilities(data.features)
        # Of a vector that is not defined, argmax makes class 0.
        right = (p.argmax(1) == data.classes) & np.isfinite(p).all(1)
        return 100.0 * float(np.mean(right))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalise exponentials along the last axis, without overflow."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def split(data: DataSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split a data set as the paper does: 80/20, stratified by class, random state 42.

    Parameters
    ----------
    data : DataSet
        At least five vectors of each class that occurs.

    Returns
    -------
    training, validation : ndarray of int
        Row numbers.

    Raises
    ------
    InputError
        If a class has too few vectors.
    """
    from sklearn.model_selection import train_test_split

    counts = np.bincount(data.classes)
    if counts.size == 0 or counts[counts > 0].min() < 5:
        raise InputError(
            f"{len(data)} vectors cannot be split 80/20 by class: each class needs at least 5, "
            "enlarge the data set (more settings) or leave the small classes out."
        )
    fitted, held_out = train_test_split(
        np.arange(len(data)), test_size=0.2, stratify=data.classes, random_state=SPLIT_STATE
    )
    return fitted, held_out


def train(
    data: DataSet,
    settings: SoapSettings,
    training: Training | None = None,
    *,
    verbose: bool = False,
) -> tuple[Network, pd.DataFrame]:
    """Train a network with Keras and keep the weights of the best validation accuracy.

    Parameters
    ----------
    data : DataSet
        Pristine set.
    settings : SoapSettings
        Descriptor at prediction, stored with the weights.
    training : Training, optional
        Hyper-parameters; the paper's by default.
    verbose : bool
        Print a line per epoch.

    Returns
    -------
    network : Network
        Weights of the epoch with the best validation accuracy.
    history : DataFrame
        Per epoch: `loss`, `accuracy`, `val_loss`, `val_accuracy` (0 to 1);
        `accuracy` is taken with dropout on and while the weights change.

    Raises
    ------
    InputError
        If a class has too few vectors for the split, or a vector is not finite.
    """
    import keras

    # A model for each call is meant; TensorFlow takes it for an oversight and warns.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    undefined = int((~np.isfinite(data.features).all(axis=1)).sum())
    if undefined:
        raise InputError(f"{undefined} of the {len(data)} vectors are not finite; leave them out.")
    chosen = training or Training()
    fitted, held_out = split(data)
    keras.utils.set_random_seed(chosen.seed)
    layers: list[keras.Layer] = [keras.Input((data.features.shape[1],))]
    for width in chosen.hidden:
        layers += [keras.layers.Dropout(chosen.dropout), keras.layers.Dense(width, "relu")]
    layers += [
        keras.layers.Dropout(chosen.dropout),
        keras.layers.Dense(len(prototypes.LABELS), "softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile(
        optimizer=keras.optimizers.Adam(chosen.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,  # XLA on the CPU is several times slower for a network this small
        steps_per_execution=50,
    )
    keep_best = keras.callbacks.EarlyStopping(
        monitor="val_accuracy",
        mode="max",
        patience=chosen.patience or chosen.epochs,
        restore_best_weights=True,
    )
    record = model.fit(
        _batches(data, fitted, chosen.batch_size, seed=chosen.seed),
        validation_data=_batches(data, held_out, 1024),
        epochs=chosen.epochs,
        shuffle=False,  # the batches are shuffled already
        callbacks=[keep_best],
        verbose=2 if verbose else 0,
    )
    arrays = [np.asarray(array, dtype=np.float32) for array in model.get_weights()]
    network = Network(
        tuple(arrays[0::2]), tuple(arrays[1::2]), chosen.dropout, prototypes.LABELS, settings
    )
    return network, pd.DataFrame(record.history)


def _batches(
    data: DataSet, rows: NDArray[np.int64], batch_size: int, *, seed: int | None = None
) -> Any:
    """Feed rows as a `tf.data.Dataset`, shuffled anew in every epoch if a seed is given.

    Keras makes such a pipeline of arrays by itself, but one whose threads look for a better
    setting all the time: an epoch on one core then takes half as long again.
    """
    import tensorflow as tf

    features, classes = tf.constant(data.features[rows]), tf.constant(data.classes[rows])
    numbers = tf.data.Dataset.range(len(rows))
    if seed is not None:
        numbers = numbers.shuffle(len(rows), seed=seed)
    options = tf.data.Options()
    options.autotune.enabled = False
    options.threading.private_threadpool_size = 1
    return (
        numbers.batch(batch_size)
        .map(lambda chosen: (tf.gather(features, chosen), tf.gather(classes, chosen)))
        .with_options(options)
    )


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
    store.save_arrays(path, arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def release(network: Network, name: str, card: dict[str, object]) -> Path:
    """Write a network, its checksum and its model card to `data/networks`.

    Parameters
    ----------
    network : Network
        What to release.
    name : str
        Name by which `load` finds it.
    card : dict
        What a user must know: training, data, versions, accuracies, limits.

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
    with store.atomic_write(sums) as temporary:
        temporary.write_text("\n".join(sorted(kept, key=lambda line: line.split()[1])) + "\n")
    with store.atomic_write(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
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
    with store.atomic_write(path) as temporary:
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
        arrays = store.load_arrays(path)
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
