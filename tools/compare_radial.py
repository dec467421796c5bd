"""Compare radial functions and fades at the cut-off on simulated experiments, several seeds each.

    .venv/bin/python tools/compare_radial.py

Each trained network is a line of data/search/radial.jsonl; a run goes on where the last one
stopped. One network takes about two minutes on one core.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from arise_lib import network, training
from arise_lib.descriptor import SoapSettings, training_grid
from arise_lib.storage import paths
from arise_lib.storage.jsonl import read_rows, write_rows
from arise_lib.training import selection
from arise_lib.training.fit import Training

#: Radial functions and width of the fade in dNN (0.5 is QUIP's) with the number of seeds.
VARIANTS = {("quip", 0.5): 5, ("gto", 0.5): 5, ("quip", 1.0): 3, ("gto", 1.0): 3}

#: Coarser than the released training: the differences looked for are large.
TRAINING = Training(learning_rate=6e-4, batch_size=128, epochs=100)


def main() -> None:
    """Parse the command line and train what is missing."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    path = paths.DATA / "search" / "radial.jsonl"
    rows = read_rows(path)
    done = {(row["radial"], row["fade"], row["seed"]) for row in rows}
    for seed in range(max(VARIANTS.values())):
        for (radial, fade), n_seeds in VARIANTS.items():
            if seed >= n_seeds or (radial, fade, seed) in done:
                continue
            settings = SoapSettings(radial=radial, fade=fade)
            grid = [replace(s, fade=fade) for s in training_grid(radial)]
            data = training.pristine_set(radial, settings=grid)
            trained, history = training.train(data, settings, replace(TRAINING, seed=seed))
            mild = selection.selection_set(settings, draws=[0])
            row = {
                "radial": radial,
                "fade": fade,
                "seed": seed,
                "val_accuracy": round(100 * float(history["val_accuracy"].max()), 3),
                **{key: round(value, 3) for key, value in selection.score(trained, mild).items()},
            }
            network.save(trained, paths.DERIVED / "radial" / f"{radial}_{fade}_{seed}.npz")
            rows.append(row)
            write_rows(path, rows)
            print(row, flush=True)


if __name__ == "__main__":
    main()
