"""Write data/microscopy/multislice.npz: HAADF images by multislice, to check the simulator against.

    python -m venv /tmp/abtem && /tmp/abtem/bin/pip install abtem==1.0.11
    /tmp/abtem/bin/python tools/make_multislice.py

abTEM solves the scattering of the electron wave (multislice, by the PRISM algorithm without
interpolation); `arise_lib.microscopy.simulate` adds up one probe for each atom. abTEM is needed for
this file alone and is no dependency of the library: hence an environment of its own. Some ten
minutes on two cores. What the images agree in stands in data/microscopy/README.md, and a test
measures it again.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.build import graphene, mx2

if TYPE_CHECKING:
    import abtem

FOLDER = Path(__file__).resolve().parents[1] / "data" / "microscopy"

#: The microscope of the default `Imaging`: 60 kV, aberration-corrected.
ENERGY = 60e3
SEMIANGLE = 31.0
DETECTOR = (54.0, 200.0)

#: Vibration of the atoms, Å per coordinate (graphene at 300 K, in the plane), and how many
#: frozen configurations are averaged.
VIBRATION = 0.06
CONFIGURATIONS = 8

#: Grid of the potential in Å, fine enough for scattering to 270 mrad.
SAMPLING = 0.06

#: The elements of the sheets that images are simulated of.
ELEMENTS = ("B", "C", "N", "Si", "S", "Mn", "Se", "Mo", "Pb")


def main() -> None:
    """Simulate every scene and write one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configurations", type=int, default=CONFIGURATIONS)
    n_configurations = parser.parse_args().configurations
    kept: dict[str, np.ndarray] = {
        "versions": np.array(f"abtem {version('abtem')}"),
        "microscope": np.array([ENERGY, SEMIANGLE, *DETECTOR, VIBRATION, n_configurations]),
    }
    for name, atoms in scenes().items():
        image = scan(atoms, n_configurations)
        # Rows are y, as in every image here; abTEM has x first.
        kept[f"{name}.image"] = image.array.T.astype(np.float32)
        kept[f"{name}.positions"] = atoms.positions[:, :2]
        kept[f"{name}.numbers"] = atoms.numbers
        kept[f"{name}.extent"] = np.array(atoms.cell.lengths()[:2])
        print(name, image.shape, f"{image.array.min():.2e} to {image.array.max():.2e}", flush=True)
    np.savez_compressed(FOLDER / "multislice.npz", **kept)


def scenes() -> dict[str, Atoms]:
    """Lay out single atoms, graphene with two Si, and MoS2: rectangular, periodic in the plane."""
    places = [(x, y, 0.0) for y in (3.5, 10.5, 17.5) for x in (3.5, 10.5, 17.5)]
    elements = Atoms(ELEMENTS, places, cell=[21.0, 21.0, 0.0])
    sheet = _rectangle(graphene(a=2.46), 9, 5)
    # Far from each other and from their own images.
    for x, y in ((6.0, 6.0), (16.0, 15.0)):
        sheet.numbers[np.argmin(np.hypot(*(sheet.positions[:, :2] - (x, y)).T))] = 14
    made = {"elements": elements, "graphene": sheet, "MoS2": _rectangle(mx2("MoS2", a=3.16), 6, 4)}
    for atoms in made.values():
        atoms.pbc = True
        atoms.center(vacuum=2.0, axis=2)
    return made


def _rectangle(cell: Atoms, columns: int, rows: int) -> Atoms:
    """Repeat a hexagonal sheet to a rectangle of whole cells."""
    cell = cell.copy()
    cell.cell[2] = (0.0, 0.0, 10.0)
    double = cell.repeat((1, 2, 1))
    a = cell.cell.lengths()[0]
    double.set_cell([[a, 0, 0], [0, a * np.sqrt(3.0), 0], [0, 0, 10.0]])
    double.wrap()
    return double.repeat((columns, rows, 1))


def scan(atoms: Atoms, n_configurations: int) -> abtem.Images:
    """Scan the whole cell as finely as the aperture can resolve."""
    import abtem

    vibrating = abtem.FrozenPhonons(atoms, n_configurations, sigmas=VIBRATION, seed=0)
    potential = abtem.Potential(vibrating, sampling=SAMPLING, slice_thickness=2.0)
    waves = abtem.SMatrix(potential=potential, energy=ENERGY, semiangle_cutoff=SEMIANGLE)
    positions = abtem.GridScan(
        (0.0, 0.0), (1.0, 1.0), fractional=True, potential=potential, endpoint=False,
        sampling=0.9 * waves.dummy_probes().aperture.nyquist_sampling,
    )  # fmt: skip
    return waves.scan(scan=positions, detectors=abtem.AnnularDetector(*DETECTOR)).compute()


if __name__ == "__main__":
    main()
