"""Train a network on the whole pristine set and release it to data/networks.

    .venv/bin/python tools/release_network.py arise --radial quip

takes some ten minutes on two cores. Weights, checksum and model card are written at the end.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace

from arise_lib import bayes, datasets, network, report
from arise_lib.soap import SoapSettings


def main() -> None:
    """Parse the command line, train, evaluate, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="name of the released network")
    parser.add_argument("--radial", choices=("quip", "gto"), default="quip")
    parser.add_argument("--epochs", type=int, default=network.Training().epochs)
    parser.add_argument("--seed", type=int, default=network.Training().seed)
    chosen = parser.parse_args()

    settings = SoapSettings(radial=chosen.radial)
    training = replace(network.Training(), epochs=chosen.epochs, seed=chosen.seed)
    data = datasets.pristine_set(chosen.radial)
    trained, history = network.train(data, settings, training, verbose=True)
    fitted, held_out = network.split(data)
    right = trained.probabilities(data.features).argmax(1) == data.classes
    card = {
        "name": chosen.name,
        "architecture": [len(k) for k in trained.kernels] + [len(trained.classes)],
        "parameters": trained.n_parameters,
        "training": asdict(training),
        "descriptor": asdict(settings),
        "data": "39,204 pristine vectors (396 structures x 99 settings), 80/20 split, state 42",
        "epochs_to_best": int(history["val_accuracy"].to_numpy().argmax()) + 1,
        "accuracy_percent": {
            "training rows": round(100 * float(right[fitted].mean()), 3),
            "validation rows": round(100 * float(right[held_out].mean()), 3),
            "whole pristine set": round(100 * float(right.mean()), 3),
        },
        "passes_at_prediction": bayes.N_PASSES,
        "versions": report.versions(),
        "limits": (
            "Trained on perfect structures of 108 classes only. A structure outside them gets the "
            "nearest classes; mutual information is the warning. Single-crystalline input, at "
            "least some tens of atoms; several grains or phases need arise_lib.scan."
        ),
        "licence": "CC BY 4.0",
    }
    print(network.release(trained, chosen.name, card))


if __name__ == "__main__":
    main()
