"""Release a network to data/networks: weights, checksum, model card, learning curve.

    python tools/release_network.py arise --trial 20
    python tools/release_network.py dscribe --trial 20 --radial gto
    python tools/release_network.py trial_46 --trial 46 --internal
    python tools/release_network.py ensemble --members arise trial_46
    python tools/release_network.py arise --novelty
    python tools/release_network.py published_0 --published 0 --internal

(in `.venv`) takes some ten minutes each; an ensemble, which is a card only, one. Hyper-parameters
are those of a trial of the search, and the network then settles at a tenth of the learning rate.
With `--published` they are the paper's to the letter, with the seed that is given: 300 epochs, some
twenty minutes, no settling, and no structures for novelty, which the paper does not have.
Trained weights are kept in the cache of derived results and taken from there. `--internal` marks
what is released as a member of an ensemble only; `--novelty` gives a released network its known
structures anew, and leaves its weights as they are. For `robust` see tools/train_robust.py.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from arise_lib import bayes, compendium, network
from arise_lib.descriptor import RADIAL_BASES, SoapSettings
from arise_lib.network import Network
from arise_lib.storage import paths
from arise_lib.storage.jsonl import read_rows
from arise_lib.training import DataSet, known_sets, pristine_set, selection
from arise_lib.training.fit import SPLIT_STATE, Training, split, train_on_one_core
from arise_lib.training.kept import SETTLE, kept, training_of, weights_name

LIMITS = (
    "Trained on 108 classes only. A structure outside them gets the nearest classes; mutual "
    "information is the warning. Single-crystalline input, at least some tens of atoms; several "
    "grains or phases need arise_lib.scan."
)


def main() -> None:
    """Parse the command line, train, evaluate, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="name of the released network")
    parser.add_argument("--trial", type=int, help="trial of data/search/quip.jsonl")
    parser.add_argument("--published", type=int, metavar="SEED", help="the paper's architecture")
    parser.add_argument("--radial", choices=tuple(RADIAL_BASES), default="quip")
    parser.add_argument("--novelty", action="store_true", help="known structures anew, no training")
    parser.add_argument("--settle", type=int, default=SETTLE, help="epochs at a tenth of the rate")
    parser.add_argument("--members", nargs="+", default=[], help="released networks of an ensemble")
    parser.add_argument("--internal", action="store_true", help="not offered by its own name")
    parser.add_argument("--train-only", action="store_true", help="keep the weights, no release")
    chosen = parser.parse_args()
    given = [chosen.trial is not None, chosen.published is not None, bool(chosen.members)]
    if sum([*given, chosen.novelty]) != 1:
        parser.error("give one of --trial, --published, --members and --novelty")
    if chosen.novelty:
        _refit(chosen.name)
        return
    if chosen.members:
        card = _ensemble_card(chosen) | ({"internal": True} if chosen.internal else {})
        network.release_ensemble(chosen.name, chosen.members, card)
        return

    train_on_one_core()
    settings = SoapSettings(radial=chosen.radial)
    training, folder = _what(chosen)
    pristine = pristine_set(chosen.radial)
    trained = kept(folder, pristine, settings, training)
    if chosen.train_only:
        return
    history_file = (folder / weights_name(training)).with_suffix(".csv")
    history = pd.read_csv(history_file, index_col="epoch")
    card = _card(chosen, trained, training, pristine)
    if chosen.internal:
        card["internal"] = True
    if chosen.published is None:
        trained = bayes.fit_novelty(trained, *known_sets(settings))
    print(network.release(trained, chosen.name, card, history))


def _what(chosen: argparse.Namespace) -> tuple[Training, Path]:
    """Hyper-parameters, and the folder of the weights that are kept."""
    if chosen.published is not None:
        return Training(seed=chosen.published), paths.DERIVED / "published"
    trials = read_rows(paths.DATA / "search" / "quip.jsonl")
    training = replace(training_of(trials[chosen.trial]), settle=chosen.settle)
    return training, paths.DERIVED / "search" / chosen.radial


def _refit(name: str) -> None:
    """Give a released network the structures that novelty is measured by."""
    path = paths.NETWORKS / f"{name}.npz"
    one = network.load(path)
    fitted = bayes.fit_novelty(one, *known_sets(one.settings))
    history = pd.read_csv(path.with_suffix(".csv"), index_col="epoch")
    print(network.release(fitted, name, network.card(name), history))


def _ensemble_card(chosen: argparse.Namespace) -> dict[str, object]:
    """Write down what the ensemble is and does."""
    ensemble = network.Ensemble(tuple(network.load(name) for name in chosen.members))
    scores = selection.score(ensemble, selection.selection_set(ensemble.settings))
    return {
        "name": chosen.name,
        "members": chosen.members,
        "parameters": ensemble.n_parameters,
        "descriptor": asdict(ensemble.settings),
        "selection_percent": {key: round(value, 2) for key, value in scores.items()},
        "passes_at_prediction": bayes.N_PASSES,
        "versions": compendium.versions(),
        "limits": LIMITS,
        "licence": "CC BY 4.0",
    }


def _card(
    chosen: argparse.Namespace, trained: Network, training: Training, pristine: DataSet
) -> dict[str, object]:
    """Write down what a user must know."""
    fitted, held_out = split(pristine)
    right = trained.labels(pristine.features) == np.array(trained.classes)[pristine.classes]
    accuracies = {"whole pristine set": right.mean()}
    accuracies |= {
        "training rows": right[fitted].mean(),
        "validation rows": right[held_out].mean(),
    }
    scores = selection.score(trained, selection.selection_set(trained.settings))
    return {
        "name": chosen.name,
        "architecture": [len(k) for k in trained.kernels] + [len(trained.classes)],
        "parameters": trained.n_parameters,
        **({} if chosen.trial is None else {"trial": chosen.trial}),
        "training": asdict(training),
        "descriptor": asdict(trained.settings),
        "data": "39,204 pristine vectors (396 structures x 99 settings), 80/20 split by class, "
        f"state {SPLIT_STATE}",
        "accuracy_percent": {
            key: round(100 * float(value), 3) for key, value in accuracies.items()
        },
        "selection_percent": {key: round(value, 2) for key, value in scores.items()},
        "passes_at_prediction": bayes.N_PASSES,
        "versions": compendium.versions(),
        "limits": LIMITS,
        "licence": "CC BY 4.0",
    }


if __name__ == "__main__":
    main()
