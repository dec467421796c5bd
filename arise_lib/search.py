"""Hyper-parameter search: hyperopt's TPE, one row per trial, resumable to the same trials.

A trial's proposal depends on the rows before it and on (seed, number of the
trial) alone. Hence 20 trials, an interruption and 30 more are the same 50 as in
one go (paper, Methods, "Hyper-parameter optimisation").
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from arise_lib import store
from arise_lib.datasets import DataSet
from arise_lib.errors import DataError
from arise_lib.network import Training, save, train
from arise_lib.soap import SoapSettings

#: What the published run tried: 2 to 5 hidden layers; one is added below it.
DEPTHS = (1, 2, 3, 4, 5)
WIDTHS = (256, 512)
BATCH_SIZES = (64, 128)
LEARNING_RATES = (1e-4, 1e-2)
DROPOUTS = (0.01, 0.05)

Row = dict[str, Any]


def _space() -> dict[str, Any]:
    """Return the search space in hyperopt's terms."""
    from hyperopt import hp

    hidden = [
        [hp.choice(f"width_{depth}_{layer}", WIDTHS) for layer in range(depth)] for depth in DEPTHS
    ]
    return {
        "hidden": hp.choice("depth", hidden),
        "batch_size": hp.choice("batch_size", BATCH_SIZES),
        "learning_rate": hp.loguniform("learning_rate", *np.log(LEARNING_RATES)),
        "dropout": hp.uniform("dropout", *DROPOUTS),
    }


def propose(rows: Sequence[Row], seed: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Propose the next trial from all trials so far.

    Parameters
    ----------
    rows : sequence of dict
        Rows of the trials so far, each with `draws` and `loss`.
    seed : int
        Base seed of the search.

    Returns
    -------
    point : dict
        `hidden`, `batch_size`, `learning_rate`, `dropout`.
    draws : dict of str to float
        The same in hyperopt's own terms, to be kept with the row.
    """
    from hyperopt import JOB_STATE_DONE, STATUS_OK, Trials, space_eval, tpe
    from hyperopt.base import Domain

    space = _space()
    domain = Domain(lambda point: 0.0, space)
    trials = Trials()
    names = list(domain.params)
    for number, row in enumerate(rows):
        drawn = row["draws"]
        misc = {
            "tid": number,
            "cmd": domain.cmd,
            "workdir": None,
            "idxs": {name: [number] if name in drawn else [] for name in names},
            "vals": {name: [drawn[name]] if name in drawn else [] for name in names},
        }
        result = {"loss": row["loss"], "status": STATUS_OK}
        (document,) = trials.new_trial_docs([number], [None], [result], [misc])
        document["state"] = JOB_STATE_DONE
        trials.insert_trial_doc(document)
    trials.refresh()
    number = len(rows)
    own_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    (document,) = tpe.suggest([number], domain, trials, own_seed, verbose=False)
    draws = {name: float(values[0]) for name, values in document["misc"]["vals"].items() if values}
    chosen = {name: int(value) if _is_choice(name) else value for name, value in draws.items()}
    return dict(space_eval(space, chosen)), draws


def _is_choice(name: str) -> bool:
    """Tell whether a parameter is the number of an alternative."""
    return name in ("depth", "batch_size") or name.startswith("width_")


def read_trials(path: Path) -> list[Row]:
    """Read the rows of a search; none if it has not begun.

    Parameters
    ----------
    path : Path
        JSON lines.

    Returns
    -------
    list of dict
        In the order of the trials.

    Raises
    ------
    DataError
        If a row cannot be read.
    """
    if not path.is_file():
        return []
    rows = []
    for number, line in enumerate(path.read_text().splitlines()):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise DataError(
                f"trial {number} in {path.name} is not readable ({error}); delete the line and "
                "those after it, the search then goes on from there."
            ) from error
    return rows


#: Longest training of a trial, and epochs without a better validation accuracy that end it.
EPOCHS, PATIENCE = 300, 30


def training_of(row: Row) -> Training:
    """Return the training that a row records, to run it again."""
    return Training(
        hidden=tuple(row["hidden"]),
        dropout=row["dropout"],
        learning_rate=row["learning_rate"],
        batch_size=row["batch_size"],
        epochs=EPOCHS,
        patience=PATIENCE,
        seed=row["seed"],
    )


def evaluate(
    training: Training, data: DataSet, settings: SoapSettings, weights: Path | None = None
) -> dict[str, float]:
    """Train one network and return its figures.

    Parameters
    ----------
    training : Training
        Hyper-parameters of the trial.
    data : DataSet
        Pristine set.
    settings : SoapSettings
        Descriptor at prediction.
    weights : Path, optional
        Folder in which the network is kept, as `seed_SEED.npz`.

    Returns
    -------
    dict of str to float
        `val_accuracy` and `accuracy` (validation rows and whole set, 0 to 1, no
        dropout), `best_epoch`, `epochs`, `seconds`.
    """
    start = time.perf_counter()
    trained, history = train(data, settings, training)
    if weights is not None:
        save(trained, weights / f"seed_{training.seed}.npz")
    best = int(history["val_accuracy"].to_numpy().argmax())
    return {
        "val_accuracy": round(float(history["val_accuracy"][best]), 6),
        "accuracy": round(float(trained.accuracy(data)) / 100, 6),
        "best_epoch": best + 1,
        "epochs": len(history),
        "seconds": round(time.perf_counter() - start, 1),
    }


def search(
    path: Path,
    n_trials: int,
    run: Callable[[Training], dict[str, float]],
    *,
    epochs: int = EPOCHS,
    patience: int = PATIENCE,
    seed: int = 0,
) -> Iterator[Row]:
    """Run the trials that are still missing, keeping each one as it ends.

    Parameters
    ----------
    path : Path
        JSON lines; rows that it holds already are not run again.
    n_trials : int
        Number of trials in all.
    run : callable
        Trains one network and returns its figures (`evaluate`, for instance);
        `val_accuracy` (0 to 1) is what the search maximises.
    epochs, patience : int
        Longest training; epochs without a better validation accuracy after
        which it is stopped.
    seed : int
        Base seed of the search and of each training.

    Yields
    ------
    dict
        The row of each new trial.
    """
    rows = read_trials(path)
    while len(rows) < n_trials:
        point, draws = propose(rows, seed)
        training = Training(
            hidden=tuple(int(width) for width in point["hidden"]),
            dropout=float(point["dropout"]),
            learning_rate=float(point["learning_rate"]),
            batch_size=int(point["batch_size"]),
            epochs=epochs,
            patience=patience,
            seed=seed + len(rows),
        )
        figures = run(training)
        row = {
            "trial": len(rows),
            "hidden": training.hidden,
            "dropout": training.dropout,
            "learning_rate": training.learning_rate,
            "batch_size": training.batch_size,
            "seed": training.seed,
            **figures,
            "loss": 1.0 - figures["val_accuracy"],
            "draws": draws,
        }
        rows.append(row)
        with store.atomic_write(path) as temporary:
            temporary.write_text("".join(json.dumps(kept) + "\n" for kept in rows))
        yield row
