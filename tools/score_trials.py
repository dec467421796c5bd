"""Score candidates for release by mild defects and by simulated experiments.

    .venv/bin/python tools/score_trials.py
    .venv/bin/python tools/score_trials.py --beside 20

The trials of the best validation accuracy, as in the paper fifteen, get two lines each in
data/search/scores.jsonl: as the search left them, and settled at a tenth of the learning rate.
A network that is not in the cache of derived results is trained first, one on each core. With
`--beside` each settled network is scored as an ensemble with that of the trial named: a line each
in data/search/ensembles.jsonl. Both files go on where the last run stopped.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import lru_cache

from arise_lib import training
from arise_lib.descriptor import SoapSettings
from arise_lib.network import Ensemble
from arise_lib.storage import parallel, paths
from arise_lib.storage.jsonl import read_rows, write_rows
from arise_lib.training import DataSet, selection
from arise_lib.training.kept import SETTLE, Row, kept, training_of

N_BEST = 15

SETTINGS = SoapSettings()


def main() -> None:
    """Parse the command line and score what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--best", type=int, default=N_BEST, help="number of trials")
    parser.add_argument("--beside", type=int, help="trial that is the other half of an ensemble")
    chosen = parser.parse_args()
    training.train_on_one_core()
    folder = paths.DATA / "search"
    trials = read_rows(folder / f"{SETTINGS.radial}.jsonl")
    best = sorted(trials, key=lambda row: -row["val_accuracy"])[: chosen.best]
    if chosen.beside is None:
        path = folder / "scores.jsonl"
        candidates = [([row], epochs) for epochs in (0, SETTLE) for row in best]
    else:
        path, first = folder / "ensembles.jsonl", trials[chosen.beside]
        candidates = [([first, row], SETTLE) for row in best if row != first]
    rows = read_rows(path)
    done = {(row["trial"], row["settle"]) for row in rows if row.get("beside") == chosen.beside}
    missing = [c for c in candidates if (c[0][-1]["trial"], c[1]) not in done]
    with parallel.processes() as executor:
        for row in executor.map(_scored, *zip(*missing, strict=True)) if missing else ():
            rows.append(row)
            write_rows(path, rows)
            print(row, flush=True)


def _scored(trials: list[Row], epochs: int) -> Row:
    """Score one network, or an ensemble, in a process of its own."""
    folder = paths.DERIVED / "search" / SETTINGS.radial
    networks = [
        kept(folder, _pristine(), SETTINGS, replace(training_of(trial), settle=epochs))
        for trial in trials
    ]
    row: Row = {"trial": trials[-1]["trial"], "hidden": trials[-1]["hidden"], "settle": epochs}
    if len(trials) > 1:
        row["beside"] = trials[0]["trial"]
    else:
        row["pristine"] = round(100 * networks[0].accuracy(_pristine()), 3)
    scores = selection.score(Ensemble(tuple(networks)), _mild())
    return row | {key: round(value, 3) for key, value in scores.items()}


@lru_cache(maxsize=1)
def _pristine() -> DataSet:
    return training.pristine_set(SETTINGS.radial)


@lru_cache(maxsize=1)
def _mild() -> DataSet:
    return selection.selection_set(SETTINGS)


if __name__ == "__main__":
    main()
