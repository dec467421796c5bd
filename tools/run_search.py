"""Run the hyper-parameter search of the paper profile, in as many sessions as it takes.

    nice .venv/bin/python tools/run_search.py --trials 50

Each finished trial is a line of data/search/quip.jsonl; a run goes on after the last line. Each
core trains a trial of its own; the lines are the same with any number of them. Weights of the
trials go to the cache of derived results and can be had again from a line's numbers.
"""

from __future__ import annotations

import argparse
from functools import partial

from arise_lib import training
from arise_lib.descriptor import RADIAL_BASES, SoapSettings
from arise_lib.storage import parallel, paths
from arise_lib.training.search import evaluate, search


def main() -> None:
    """Parse the command line and run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--radial", choices=tuple(RADIAL_BASES), default="quip")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--seed", type=int, default=42)
    chosen = parser.parse_args()

    training.train_on_one_core()
    settings = SoapSettings(radial=chosen.radial)
    data = training.pristine_set(chosen.radial)
    weights = paths.DERIVED / "search" / chosen.radial
    run = partial(evaluate, data=data, settings=settings, weights=weights)
    path = paths.DATA / "search" / f"{chosen.radial}.jsonl"
    with parallel.processes() as executor:
        for row in search(path, chosen.trials, run, seed=chosen.seed, executor=executor):
            print({key: value for key, value in row.items() if key != "draws"}, flush=True)


if __name__ == "__main__":
    main()
