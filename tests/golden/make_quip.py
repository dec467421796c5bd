"""Make `quip_descriptors.npz`: the published descriptor, computed by quippy-ase 0.10.3.

    python tests/golden/make_quip.py

Needed again only when a prototype or a case below changes. The structures themselves are stored
beside their descriptors (the prototypes by the fingerprint of their table), so that the comparison
holds where quippy-ase is not installed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from arise_lib import storage
from arise_lib.descriptor import SoapSettings, describe_with_quip
from arise_lib.structures import prototypes
from arise_lib.structures.defects import displace, remove_atoms
from arise_lib.structures.supercells import supercell
from arise_lib.training.units import pristine_units

GOLDEN = Path(__file__).with_name("quip_descriptors.npz")


def class_structures() -> dict[str, Atoms]:
    """Periodic cell and smallest cluster of every class, nanotubes as they are: 204 structures."""
    found: dict[str, Atoms] = {}
    for unit in pristine_units():
        kind = "cell" if unit.periodic else "cluster"
        name = f"{kind} {unit.label}"
        if name not in found:
            found[name] = unit.build()
    return found


def special_cases() -> dict[str, tuple[Atoms, SoapSettings]]:
    """Structures that differ from the pristine ones, and settings at the ends of the grid."""
    base = SoapSettings()
    low = replace(base, cutoff=3.0, sigma=0.08, extrinsic=0.95)
    high = replace(base, cutoff=5.0, sigma=0.12, extrinsic=1.05)
    rng = np.random.default_rng(0)
    box = Atoms(
        rng.permutation(["Fe"] * 9 + ["Pt"] * 6 + ["Ni"] * 5),
        positions=displace(prototypes.build("sc").repeat((5, 2, 2)), 0.2, 1).positions,
        cell=[5 * 3.34, 2 * 3.34, 2 * 3.34],
    )
    box.pbc = True
    free = box.copy()
    free.pbc, free.cell = False, None
    perovskite = prototypes.build("AgNbO3 perovskite")
    sheet = displace(supercell(prototypes.build("MoS2"), 3, periodic=True), 0.05, 2)
    cubic = Atoms("Po", cell=[1.0, 1.0, 1.0], pbc=True)  # neighbours at exactly 3, 4 and 5 dNN
    copper = displace(supercell(prototypes.build("fcc"), 3, periodic=False), 0.04, 3)
    return {
        "random box, three species": (box, base),
        "random cluster, three species": (free, base),
        "missing and displaced": (
            displace(remove_atoms(supercell(perovskite, 2, periodic=True), 0.2, 4), 0.1, 5),
            base,
        ),
        "displaced sheet": (sheet, base),
        "atoms at the cut-off 3": (cubic, replace(base, cutoff=3.0)),
        "atoms at the cut-off 4": (cubic, base),
        "atoms where the fade begins": (cubic, replace(base, cutoff=4.5)),
        "lowest settings": (copper, low),
        "highest settings": (copper, high),
        "one of a species": (Atoms("CO2", [[0, 0, 0], [0, 0, 1.16], [0, 0.1, -1.2]]), base),
    }


def main() -> None:
    """Compute and store everything."""
    classes = {k: describe_with_quip(v, SoapSettings()) for k, v in class_structures().items()}
    arrays: dict[str, Any] = {
        "prototypes": np.array(prototypes.fingerprint()),
        "class_names": np.array(list(classes)),
        # float32 holds the tolerance of 1e-5 with ease, at half the size.
        "class_vectors": np.array(list(classes.values()), dtype=np.float32),
        "case_names": np.array(list(special_cases())),
    }
    for i, (atoms, settings) in enumerate(special_cases().values()):
        arrays[f"case_{i}_numbers"] = atoms.numbers
        arrays[f"case_{i}_positions"] = atoms.positions
        arrays[f"case_{i}_cell"] = atoms.cell.array
        arrays[f"case_{i}_pbc"] = atoms.pbc
        arrays[f"case_{i}_settings"] = np.array(
            [settings.cutoff, settings.sigma, settings.extrinsic]
        )
        arrays[f"case_{i}_vector"] = describe_with_quip(atoms, settings)
    storage.save_arrays(GOLDEN, arrays)


if __name__ == "__main__":
    main()
