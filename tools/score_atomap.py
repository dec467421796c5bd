"""Score Atomap on the images of notebook 05, and write data/microscopy/atomap.csv.

    python -m venv /tmp/atomap && /tmp/atomap/bin/pip install atomap==0.4.2 -e .
    /tmp/atomap/bin/python tools/score_atomap.py

Atomap (Nord et al., 2017) fits a Gaussian to each atom, as the blobs of the library do. It brings
HyperSpy and is no dependency: hence an environment of its own, and a table that is kept. It is told
the distance of atoms in pixels, and gets its first positions from the image blurred by the probe;
five pixels was the best of 5, 7 and 9, by recall on another image (seed 99). Some minutes.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from arise_lib import microscopy
from arise_lib.microscopy.scores import SHAKEN
from arise_lib.microscopy.simulate import FWHM

FILE = Path(__file__).resolve().parents[1] / "data" / "microscopy" / "atomap.csv"

#: Those of notebook 05 in its profile "quick".
DOSES = (1e2, 1e3, 3e3, 1e4, 3e4, 1e5, 1e6)
IMAGES = 2
SEED = 5

#: Least distance of two atoms, in pixels.
SEPARATION = 5


def main() -> None:
    """Score all images and write the table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    import hyperspy.api as hs

    warnings.simplefilter("ignore")
    hs.set_log_level("ERROR")
    imaging, rows = microscopy.SCORED, []
    width = imaging.pixel * imaging.rows
    for dose in DOSES:
        for number in range(IMAGES):
            atoms = microscopy.sheet("graphene", width, (SEED, number), displacement=SHAKEN)
            image = microscopy.simulate(
                atoms, replace(imaging, dose=dose), (SEED, number, round(dose))
            )
            pairs = microscopy.match(find(image), image.positions, pixel=image.pixel)
            scores = {"recall": 100 * pairs.recall, "precision": 100 * pairs.precision}
            rows.append({"dose": dose, "image": number, **scores, "error": pairs.error})
            print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(FILE, index=False, float_format="%.6g", lineterminator="\n")


def find(image: microscopy.Image) -> np.ndarray:
    """Find atoms as Atomap's tutorial does: maxima, centre of mass, Gaussian."""
    import atomap.api as am
    import hyperspy.api as hs

    sigma = microscopy.Imaging().probe / FWHM / image.pixel
    blurred = hs.signals.Signal2D(gaussian_filter(image.data, sigma))
    first = am.get_atom_positions(blurred, separation=SEPARATION)
    lattice = am.Sublattice(first, image=image.data)
    lattice.find_nearest_neighbors()
    try:
        lattice.refine_atom_positions_using_center_of_mass(show_progressbar=False)
        lattice.refine_atom_positions_using_2d_gaussian(show_progressbar=False)
    except ValueError as error:
        # Of images that are nearly noise; the maxima are what is left then.
        print(f"no fit ({error})", flush=True)
        return np.asarray(first, dtype=float)
    return np.column_stack([lattice.x_position, lattice.y_position])


if __name__ == "__main__":
    main()
