"""Score the best trials of the search by mild defects and by simulated experiments.

    .venv/bin/python tools/score_trials.py

The networks of the best validation accuracy are scored, as in the paper fifteen; one whose weights
are not in the cache of derived results is trained again from its line. The table goes to
data/search/scores.jsonl and goes on where the last run stopped.
"""

from __future__ import annotations

import argparse
import json

from arise_lib import datasets, network, paths, selection, store
from arise_lib.search import read_trials, training_of
from arise_lib.soap import SoapSettings

N_BEST = 15


def main() -> None:
    """Parse the command line and score what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--best", type=int, default=N_BEST)
    chosen = parser.parse_args()
    settings = SoapSettings()
    weights = paths.DERIVED / "search" / settings.radial
    path = paths.DATA / "search" / "scores.jsonl"
    rows = read_trials(path)
    done = {row["trial"] for row in rows}
    trials = read_trials(paths.DATA / "search" / f"{settings.radial}.jsonl")
    trials.sort(key=lambda row: -row["val_accuracy"])
    mild = selection.selection_set(settings)
    for trial in trials[: chosen.best]:
        if trial["trial"] in done:
            continue
        file = weights / f"seed_{trial['seed']}.npz"
        if not file.is_file():
            data = datasets.pristine_set(settings.radial)
            network.save(network.train(data, settings, training_of(trial))[0], file)
        scores = selection.score(network.load(file), mild)
        row = {"trial": trial["trial"], "hidden": trial["hidden"]}
        row |= {key: round(value, 3) for key, value in scores.items()}
        rows.append(row)
        with store.atomic_write(path) as temporary:
            temporary.write_text("".join(json.dumps(kept) + "\n" for kept in rows))
        print(row, flush=True)


if __name__ == "__main__":
    main()
