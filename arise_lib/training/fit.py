"""Training with Keras: the paper's split, dropout before every dense layer, best epoch kept.

The classes of a network are the labels of the data that it is trained on.
"""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.network.model import Network
from arise_lib.training.datasets import DataSet

#: Random state of the paper's stratified split, and the share of the rows it holds out.
SPLIT_STATE, HELD_OUT = 42, 0.2

#: Vectors that each class needs: fewer cannot be split 80/20.
MIN_VECTORS = 5

#: A network settles at its learning rate divided by this.
SETTLING = 10

#: Rows per step where a network is only evaluated.
_ROWS = 1024


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
    settle : int
        Epochs at a tenth of the learning rate that follow, from the best weights
        on. The paper has none.
    decay : bool
        Let the learning rate fall to zero over the epochs, along a cosine. In the
        paper it is constant.
    seed : int
        Seed of the initial weights, the shuffling and the dropout.

    Examples
    --------
    >>> Training(epochs=20).hidden
    (256, 512, 256)
    """

    hidden: tuple[int, ...] = (256, 512, 256)
    dropout: float = 0.0317
    learning_rate: float = 2.16e-4
    batch_size: int = 64
    epochs: int = 300
    patience: int | None = None
    settle: int = 0
    decay: bool = False
    seed: int = 0


def train_on_one_core() -> None:
    """Make TensorFlow train on one core, with its fastest kernels, here and in processes from here.

    For tools that train several networks at once. It has to be called before TensorFlow is first
    used. The kernels are not those of a plain training: their last digits differ, so a network
    trained with them is another one than without, of the same quality.

    Examples
    --------
    >>> train_on_one_core()  # doctest: +SKIP
    """
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"


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

    Examples
    --------
    >>> from arise_lib.descriptor import training_grid
    >>> from arise_lib.training import pristine_set
    >>> few = pristine_set(settings=training_grid()[::20], labels=["fcc", "bcc"])
    >>> fitted, held_out = split(few)
    >>> len(few), len(fitted), len(held_out)
    (40, 32, 8)
    """
    from sklearn.model_selection import train_test_split

    counts = np.bincount(data.classes)
    if counts.size == 0 or counts[counts > 0].min() < MIN_VECTORS:
        raise InputError(
            f"{len(data)} vectors cannot be split 80/20 by class: each class needs at least "
            f"{MIN_VECTORS}, enlarge the data set (more settings) or leave the small classes out."
        )
    fitted, held_out = train_test_split(
        np.arange(len(data)), test_size=HELD_OUT, stratify=data.classes, random_state=SPLIT_STATE
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
        The pristine set, or any other; its labels are the classes of the network.
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

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings, training_grid
    >>> from arise_lib.training import data_set, pristine_units
    >>> few = data_set(pristine_units(["fcc", "bcc"]), training_grid()[::20])
    >>> network, history = train(few, SoapSettings(), Training(hidden=(8,), epochs=2))
    >>> network.classes, len(history)
    (('fcc', 'bcc'), 2)
    """
    chosen = training or Training()
    model = _model(data, chosen)
    history = _fit(
        model, data, chosen, chosen.learning_rate, chosen.epochs, chosen.patience, verbose
    )
    network = Network(*_arrays(model), chosen.dropout, data.labels, settings)
    if not chosen.settle:
        return network, history
    network, more = settle(network, data, chosen, verbose=verbose)
    return network, pd.concat([history, more], ignore_index=True)


def settle(
    network: Network, data: DataSet, training: Training, *, verbose: bool = False
) -> tuple[Network, pd.DataFrame]:
    """Train a network for a few more epochs at a tenth of its learning rate.

    A constant rate keeps the weights moving about an optimum; with a smaller one
    they settle into it. `train` does the same at its end if ``training.settle``
    is set.

    Parameters
    ----------
    network : Network
        Result of `train` with these hyper-parameters.
    data : DataSet
        What it was trained on.
    training : Training
        Hyper-parameters; `settle` is the number of epochs.
    verbose : bool
        Print a line per epoch.

    Returns
    -------
    network : Network
        Weights of the epoch with the best validation accuracy; those given if no
        epoch is as good.
    history : DataFrame
        As from `train`.

    Raises
    ------
    InputError
        If ``training.settle`` is not positive, if the data have other classes than
        the network, or as `train` does.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings, training_grid
    >>> from arise_lib.training import data_set, pristine_units
    >>> few = data_set(pristine_units(["fcc", "bcc"]), training_grid()[::20])
    >>> recipe = Training(hidden=(8,), epochs=2)
    >>> network, _ = train(few, SoapSettings(), recipe)
    >>> settled, history = settle(network, few, replace(recipe, settle=1))
    >>> len(history)
    1
    """
    if training.settle < 1:
        raise InputError(f"settle = {training.settle}: at least one epoch is needed to settle.")
    if network.classes != data.labels:
        raise InputError(
            f"The network has {len(network.classes)} classes, from {network.classes[0]!r} on, the "
            f"data have {len(data.labels)}, from {data.labels[0]!r} on; settle it on the data "
            "that it was trained on."
        )
    model = _model(data, training)
    pairs = zip(network.kernels, network.biases, strict=True)
    model.set_weights([array for pair in pairs for array in pair])
    rate = training.learning_rate / SETTLING
    history = _fit(model, data, training, rate, training.settle, None, verbose)
    _, held_out = split(data)
    truth = np.array(network.classes)[data.classes[held_out]]
    before = float(np.mean(network.labels(data.features[held_out]) == truth))
    if history["val_accuracy"].max() < before - 1e-6:
        return network, history
    kernels, biases = _arrays(model)
    return replace(network, kernels=kernels, biases=biases), history


def _arrays(model: Any) -> tuple[tuple[NDArray[np.float32], ...], tuple[NDArray[np.float32], ...]]:
    """Return the kernels and the biases of a Keras model."""
    arrays = [np.asarray(array, dtype=np.float32) for array in model.get_weights()]
    return tuple(arrays[0::2]), tuple(arrays[1::2])


def _model(data: DataSet, training: Training) -> Any:
    """Set the seed and make a Keras model: dropout before every dense layer."""
    import keras

    # A model for each call is meant; TensorFlow takes it for an oversight and warns.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    undefined = int((~np.isfinite(data.features).all(axis=1)).sum())
    if undefined:
        raise InputError(f"{undefined} of the {len(data)} vectors are not finite; leave them out.")
    keras.utils.set_random_seed(training.seed)
    layers: list[keras.Layer] = [keras.Input((data.features.shape[1],))]
    for width in training.hidden:
        layers += [keras.layers.Dropout(training.dropout), keras.layers.Dense(width, "relu")]
    layers += [
        keras.layers.Dropout(training.dropout),
        keras.layers.Dense(len(data.labels), "softmax"),
    ]
    return keras.Sequential(layers)


def _fit(
    model: Any,
    data: DataSet,
    training: Training,
    learning_rate: float,
    epochs: int,
    patience: int | None,
    verbose: bool,
) -> pd.DataFrame:
    """Fit, leave the best weights in the model and return the history."""
    import keras

    fitted, held_out = split(data)
    model.compile(
        optimizer=keras.optimizers.Adam(_rate(training, learning_rate, epochs, len(fitted))),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,  # XLA on the CPU is several times slower for a network this small
        steps_per_execution=50,
    )
    keep_best = keras.callbacks.EarlyStopping(
        monitor="val_accuracy", mode="max", patience=patience or epochs, restore_best_weights=True
    )
    record = model.fit(
        _batches(data, fitted, training.batch_size, seed=training.seed),
        validation_data=_batches(data, held_out, _ROWS),
        epochs=epochs,
        shuffle=False,  # the batches are shuffled already
        callbacks=[keep_best],
        verbose=2 if verbose else 0,
    )
    return pd.DataFrame(record.history)


def _rate(training: Training, learning_rate: float, epochs: int, n_rows: int) -> Any:
    """Return the learning rate, or how it falls; a network settles at a constant one."""
    if not training.decay or learning_rate != training.learning_rate:
        return learning_rate
    import keras

    steps = epochs * math.ceil(n_rows / training.batch_size)
    return keras.optimizers.schedules.CosineDecay(learning_rate, steps)


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
