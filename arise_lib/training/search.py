"""Hyper-parameter search: hyperopt's TPE, one row per trial, resumable to the same trials.

A trial's proposal depends on (seed, number of the trial) and on the rows of all
trials but the `IN_FLIGHT` just before it. Hence 20 trials, an interruption and
30 more are the same 50 as in one go, and several trials can be trained at once
without a change of any number (paper, Methods, "Hyper-parameter optimisation").
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np

from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.storage.jsonl import Row, read_rows, write_rows
from arise_lib.storage.parallel import Here
from arise_lib.training.datasets import DataSet
from arise_lib.training.fit import Training, train
from arise_lib.training.kept import EPOCHS, PATIENCE, keep, training_of, weights_name

#: What the published run tried: 2 to 5 hidden layers; one is added below it.
DEPTHS = (1, 2, 3, 4, 5)
WIDTHS = (256, 512)
BATCH_SIZES = (64, 128)
LEARNING_RATES = (1e-4, 1e-2)
DROPOUTS = (0.01, 0.05)

#: Trials that may still be running when the next one is proposed. TPE draws its first 20 points
#: at random anyway; of the later ones each misses the two latest results.
IN_FLIGHT = 2


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


def propose(rows: Sequence[Row], number: int, seed: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Propose a trial from those before it.

    Parameters
    ----------
    rows : sequence of dict
        Rows of the first trials, each with `draws` and `loss`; of these at least
        ``number - IN_FLIGHT`` are needed, and not more are used.
    number : int
        Number of the trial to propose, from 0.
    seed : int
        Base seed of the search.

    Returns
    -------
    point : dict
        `hidden`, `batch_size`, `learning_rate`, `dropout`.
    draws : dict of str to float
        The same in hyperopt's own terms, to be kept with the row.

    Examples
    --------
    >>> point, draws = propose([], number=0, seed=42)
    >>> sorted(point)
    ['batch_size', 'dropout', 'hidden', 'learning_rate']
    """
    from hyperopt import JOB_STATE_DONE, STATUS_OK, Trials, space_eval, tpe
    from hyperopt.base import Domain

    space = _space()
    domain = Domain(lambda point: 0.0, space)
    trials = Trials()
    names = list(domain.params)
    for known, row in enumerate(rows[: max(0, number - IN_FLIGHT)]):
        drawn = row["draws"]
        misc = {
            "tid": known,
            "cmd": domain.cmd,
            "workdir": None,
            "idxs": {name: [known] if name in drawn else [] for name in names},
            "vals": {name: [drawn[name]] if name in drawn else [] for name in names},
        }
        result = {"loss": row["loss"], "status": STATUS_OK}
        (document,) = trials.new_trial_docs([known], [None], [result], [misc])
        document["state"] = JOB_STATE_DONE
        trials.insert_trial_doc(document)
    trials.refresh()
    own_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    (document,) = tpe.suggest([number], domain, trials, own_seed, verbose=False)
    draws = {name: float(values[0]) for name, values in document["misc"]["vals"].items() if values}
    chosen = {name: int(value) if _is_choice(name) else value for name, value in draws.items()}
    return dict(space_eval(space, chosen)), draws


def _is_choice(name: str) -> bool:
    """Tell whether a parameter is the number of an alternative."""
    return name in ("depth", "batch_size") or name.startswith("width_")


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
        Folder in which the network is kept (`weights_name`).

    Returns
    -------
    dict of str to float
        `val_accuracy` and `accuracy` (validation rows and whole set, 0 to 1, no
        dropout), `best_epoch`, `epochs`, `seconds`.
    """
    start = time.perf_counter()
    trained, history = train(data, settings, training)
    if weights is not None:
        keep(weights / weights_name(training), trained, history)
    best = int(history["val_accuracy"].to_numpy().argmax())
    return {
        "val_accuracy": round(float(history["val_accuracy"][best]), 6),
        "accuracy": round(trained.accuracy(data), 6),
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
    executor: Executor | None = None,
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
    executor : concurrent.futures.Executor, optional
        Trains up to ``IN_FLIGHT + 1`` trials at once (`parallel.processes`, for
        instance); without it they are trained here, one by one. The rows are
        the same, and are kept in the order of their numbers.

    Yields
    ------
    dict
        The row of each new trial.

    Raises
    ------
    InputError
        If the rows that the file holds are of another search: of another seed, or
        trained with other `epochs` or `patience`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> def run(training):
    ...     return {"val_accuracy": 1.0 - training.dropout}
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "trials.jsonl"
    ...     first = list(search(path, 2, run))
    ...     [row["trial"] for row in search(path, 3, run)]
    [2]
    """
    rows = read_rows(path)
    _check_same_search(path, rows, epochs, patience, seed)
    running: deque[tuple[Training, dict[str, float], Future[dict[str, float]]]] = deque()
    pool, ahead = (Here(), 0) if executor is None else (executor, IN_FLIGHT)
    try:
        while len(rows) < n_trials:
            for number in range(len(rows) + len(running), min(len(rows) + ahead + 1, n_trials)):
                point, draws = propose(rows, number, seed)
                training = Training(
                    hidden=tuple(int(width) for width in point["hidden"]),
                    dropout=float(point["dropout"]),
                    learning_rate=float(point["learning_rate"]),
                    batch_size=int(point["batch_size"]),
                    epochs=epochs,
                    patience=patience,
                    seed=seed + number,
                )
                running.append((training, draws, pool.submit(run, training)))
            training, draws, outcome = running.popleft()
            figures = outcome.result()
            row = {
                "trial": len(rows),
                "hidden": training.hidden,
                "dropout": training.dropout,
                "learning_rate": training.learning_rate,
                "batch_size": training.batch_size,
                "seed": training.seed,
                "max_epochs": epochs,
                "patience": patience,
                **figures,
                "loss": 1.0 - figures["val_accuracy"],
                "draws": draws,
            }
            rows.append(row)
            write_rows(path, rows)
            yield row
    finally:
        for _, _, outcome in running:
            outcome.cancel()


def _check_same_search(
    path: Path, rows: Sequence[Row], epochs: int, patience: int, seed: int
) -> None:
    """Refuse to add to rows of another search: what comes out would be of neither."""
    for number, row in enumerate(rows):
        kept = training_of(row)
        found = (kept.seed - number, kept.epochs, kept.patience)
        if found != (seed, epochs, patience) or row["trial"] != number:
            raise InputError(
                f"Line {number} of {path.name} is trial {row['trial']} of a search with "
                "seed = {}, epochs = {}, patience = {}; ".format(*found)
                + f"asked for is trial {number} with seed = {seed}, epochs = {epochs}, "
                f"patience = {patience}. Go on with the same, or give the search a file of its own."
            )
