"""Train the finder of atoms on simulated images, and release it.

    python tools/train_finder.py --folder build/finder

One core, two minutes; started again with the same folder, it goes on where it stopped. Weights
and card go to data/microscopy.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from arise_lib import storage
from arise_lib.compendium import versions
from arise_lib.microscopy.finder import RELEASED, Finder
from arise_lib.microscopy.learning import DOSES, SHEETS, FinderTraining, train_finder
from arise_lib.training.fit import train_on_one_core


def main() -> None:
    """Train, and write weights and card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="for the checkpoint")
    parser.add_argument("--steps", type=int, default=FinderTraining.steps)
    parser.add_argument("--target", type=Path, default=RELEASED, help="npz file to write")
    arguments = parser.parse_args()
    train_on_one_core()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    training = FinderTraining(steps=arguments.steps)
    start = time.process_time()
    finder = train_finder(training, arguments.folder, verbose=True)
    release(finder, training, arguments.target, time.process_time() - start)


def release(finder: Finder, training: FinderTraining, target: Path, seconds: float) -> None:
    """Write weights and card side by side."""
    arrays: dict[str, np.ndarray] = {}
    for k, (kernel, bias) in enumerate(zip(finder.kernels, finder.biases, strict=True)):
        arrays[f"kernel_{k}"], arrays[f"bias_{k}"] = kernel, bias
    target.parent.mkdir(parents=True, exist_ok=True)
    storage.save_arrays(target, arrays)
    card = {
        "name": target.stem,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "what": "finds atoms in HAADF images; chance of an atom within 0.3 Å of each pixel, offset",
        "parameters": finder.n_parameters,
        "training": asdict(training),
        "data": {
            "images": "simulated only (arise_lib.microscopy.learning.example_image)",
            "number": training.examples,
            "sheets": ["graphene", *SHEETS],
            "doses / electrons per Å^2": list(DOSES),
        },
        "processor seconds of the last run": round(seconds),
        "limits": "sheets one to three atoms thick, pixels of 0.02 to 0.25 Å, bright atoms; "
        "species by brightness, C or Si only; atoms nearer than 0.6 Å are one",
        "versions": versions(),
    }
    with storage.atomic_write(target.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
