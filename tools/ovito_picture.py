"""Label the atoms of a sample and draw them with OVITO's ray tracer.

    .venv/bin/python tools/ovito_picture.py sample.xyz picture.png --every 4

OVITO needs a Vulkan driver, if only a software renderer (libvulkan1 and mesa-vulkan-drivers on
Debian). The answers are written beside the picture as extended XYZ.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from arise_lib import label_atoms, plotting
from arise_lib.network import DEFAULT
from arise_lib.structures import load_structure


def main() -> None:
    """Label, write and draw."""
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
    found.write(options.picture.with_suffix(".xyz"))
    for label, share in found.shares().items():
        print(f"{100 * share:6.2f} %  {label}")
    plotting.ovito_picture(found, options.picture)


if __name__ == "__main__":
    main()
