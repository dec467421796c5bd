"""Label the atoms of a sample and draw them with OVITO's ray tracer.

    .venv/bin/python tools/ovito_picture.py sample.xyz picture.png --every 4

OVITO needs a Vulkan driver, if only a software renderer (libvulkan1 and mesa-vulkan-drivers on
Debian). The shares of the classes are written beside the picture, as CSV.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from arise_lib import label_atoms, plotting
from arise_lib.network import DEFAULT
from arise_lib.storage import atomic_write
from arise_lib.structures import load_structure


def main() -> None:
    """Label, count and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sample", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--every", type=int, default=1, help="label every n-th atom")
    parser.add_argument("--n-atoms", type=int, default=100, help="atoms of a neighbourhood")
    parser.add_argument("--network", default=DEFAULT)
    parser.add_argument("--passes", type=int, default=100)
    options = parser.parse_args()
    atoms = load_structure(options.sample)
    found = label_atoms(
        atoms,
        n_atoms=options.n_atoms,
        centres=np.arange(0, len(atoms), options.every),
        network=options.network,
        passes=options.passes,
    ).spread()
    shares = pd.Series(found.shares(), name="share / %").mul(100.0).rename_axis("class")
    with atomic_write(options.picture.with_suffix(".csv")) as temporary:
        shares.to_csv(temporary, float_format="%.6g")
    print(shares.round(2).to_string())
    plotting.ovito_picture(found, options.picture)


if __name__ == "__main__":
    main()
