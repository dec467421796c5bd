"""Score candidates for release by mild defects and by simulated experiments.

    .venv/bin/python tools/score_trials.py
    .venv/bin/python tools/score_trials.py --again 3 15 --seeds 2

First, the trials of the best validation accuracy, as in the paper fifteen: a line each in
data/search/scores.jsonl. Then, for the trials named, trainings for all epochs, without an early
end, from seeds of their own: a line each in data/search/finals.jsonl. A network whose weights are
not in the cache of derived results is trained first, one on each core. Both files go on where the
last run stopped.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arise_lib import datasets, network, parallel, paths, selection, store
from arise_lib.network import Training
from arise_lib.search import Row, kept, read_trials, training_of
from arise_lib.soap import SoapSettings

N_BEST = 15

SETTINGS = SoapSettings()

#: Seeds of the trainings for all epochs: apart from those of the search, and one set per trial.
FINAL_SEED = 1000


def main() -> None:
    """Parse the command line and score what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--best", type=int, default=N_BEST, help="number of trials")
    parser.add_argument("--again", type=int, nargs="+", default=[], help="trials to train in full")
    parser.add_argument("--seeds", type=int, default=2, help="trainings in full of each trial")
    chosen = parser.parse_args()
    network.train_on_one_core()
    folder = paths.DATA / "search"
    trials = read_trials(folder / f"{SETTINGS.radial}.jsonl")
    best = sorted(trials, key=lambda row: -row["val_accuracy"])[: chosen.best]
    if not chosen.again:
        path = folder / "scores.jsonl"
        candidates = [(row, training_of(row)) for row in best]
    else:
        path = folder / "finals.jsonl"
        candidates = [
            (row, replace(training_of(row), patience=None, seed=FINAL_SEED + 10 * number + k))
            for k in range(chosen.seeds)
            for number, row in ((number, trials[number]) for number in chosen.again)
        ]
    rows = read_trials(path)
    done = {(row["trial"], row["seed"]) for row in rows}
    missing = [c for c in candidates if (c[0]["trial"], c[1].seed) not in done]
    with parallel.processes() as executor:
        for row in executor.map(_scored, *zip(*missing, strict=True)) if missing else ():
            rows.append(row)
            with store.atomic_write(path) as temporary:
                temporary.write_text("".join(json.dumps(line) + "\n" for line in rows))
            print(row, flush=True)


def _scored(trial: Row, training: Training) -> Row:
    """Score one network, in a process of its own."""
    trained = kept(_weights(trial, training), _pristine(), SETTINGS, training)
    scores = selection.score(trained, _mild()) | {"pristine": trained.accuracy(_pristine())}
    row = {"trial": trial["trial"], "hidden": trial["hidden"], "seed": training.seed}
    return row | {key: round(value, 3) for key, value in scores.items()}


def _weights(trial: Row, training: Training) -> Path:
    """Return where `tools/release_network.py` looks for the weights as well."""
    if training == training_of(trial):
        return paths.DERIVED / "search" / SETTINGS.radial / f"seed_{training.seed}.npz"
    folder = paths.DERIVED / "release" / f"{SETTINGS.radial}_{trial['trial']}_0"
    return folder / f"seed_{training.seed}.npz"


@lru_cache(maxsize=1)
def _pristine() -> datasets.DataSet:
    return datasets.pristine_set(SETTINGS.radial)


@lru_cache(maxsize=1)
def _mild() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return selection.selection_set(SETTINGS)


if __name__ == "__main__":
    main()
