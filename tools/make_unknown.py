"""Write data/unknown: crystals outside the 108 classes, from AFLOW's encyclopedia of prototypes.

    python -m venv /tmp/pymatgen && /tmp/pymatgen/bin/pip install pymatgen -e .
    /tmp/pymatgen/bin/python tools/make_unknown.py

Needs pymatgen, which brings the encyclopedia (part 1, 288 prototypes) and a structure matcher, and
is no dependency of the library: hence an environment of its own. Which prototypes are left out, and
why, stands in data/unknown/README.md and, one by one, in data/unknown/left_out.csv.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import warnings
from collections.abc import Iterable
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arise_lib.structures import prototypes, replication

if TYPE_CHECKING:
    from pymatgen.core import Structure

FOLDER = Path(__file__).resolve().parents[1] / "data" / "unknown"

#: The largest cluster of the pristine training set has this many atoms.
MAX_ATOMS = 2_048

#: pymatgen's own defaults, relative lengths, relative displacement, degrees.
TOLERANCES = {"ltol": 0.2, "stol": 0.3, "angle_tol": 5.0}
#: Tolerance of the space group, Å.
SYMPREC = 1e-3

#: Factors on the tolerances, to find the nearest of several classes.
SHRUNK = tuple(0.8**k for k in range(16))


def encyclopedia() -> list[tuple[dict[str, str], Structure]]:
    """Read labels and structures, in the order of the AFLOW labels."""
    from pymatgen.core import Structure

    packed = files("pymatgen.analysis.prototypes") / "aflow_prototypes.json.gz"
    entries = json.loads(gzip.decompress(packed.read_bytes()))
    found = [(entry["tags"], Structure.from_dict(entry["snl"])) for entry in entries]
    return sorted(found, key=lambda pair: (pair[0]["aflow"], pair[1].composition.reduced_formula))


def reduced(structure: Structure) -> Structure:
    """Return the reduced primitive cell, as the matcher wants it."""
    return structure.get_reduced_structure().get_primitive_structure()


def classes() -> dict[str, Structure]:
    """Build the classes that are crystals: sheets and tubes are not among AFLOW's."""
    from pymatgen.io.ase import AseAtomsAdaptor

    cells = {label: prototypes.build(label) for label in prototypes.LABELS}
    crystals = {label: cell for label, cell in cells.items() if cell.pbc.all()}
    return {k: reduced(AseAtomsAdaptor.get_structure(cell)) for k, cell in crystals.items()}


def match(structure: Structure, known: dict[str, Structure]) -> str:
    """Name the class that a structure is, up to species and scale; empty if it is none.

    Of several it is the last one that still fits when the tolerances shrink.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher

    fits = {label: other for label, other in known.items() if len(other) == len(structure)}
    best = ""
    for shrunk in SHRUNK:
        tolerances = {name: shrunk * value for name, value in TOLERANCES.items()}
        matcher = StructureMatcher(**tolerances, primitive_cell=False, scale=True)
        fits = {k: other for k, other in fits.items() if matcher.fit_anonymous(structure, other)}
        best = next(iter(fits), best)
    return best


def write(name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write a table."""
    table = list(rows)
    with (FOLDER / name).open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, table[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def main() -> None:
    """Sort the prototypes, and write the tables."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    from pymatgen.symmetry import analyzer as symmetry

    warnings.simplefilter("ignore")
    known = classes()
    kept, sites, left_out, names = [], [], [], set()
    for tags, structure in encyclopedia():
        formula = structure.composition.reduced_formula
        name = f"{tags['aflow']} {formula}"
        numbered = (f"{name} ({k})" for k in range(2, 99))
        while name in names:
            name = next(islice(numbered, 1))
        names.add(name)
        facts = {
            "name": name,
            "aflow": tags["aflow"],
            "formula": formula,
            "strukturbericht": "" if tags["strukturbericht"] == "None" else tags["strukturbericht"],
            "mineral": tags["mineral"],
        }
        largest = (replication(len(structure), (True,) * 3) + 2) ** 3 * len(structure)
        label = match(reduced(structure), known)
        if label:
            left_out.append(facts | {"reason": "class", "class": label})
        elif largest > MAX_ATOMS:
            left_out.append(facts | {"reason": "size", "class": ""})
        else:
            cell = dict(zip("abc", structure.lattice.abc, strict=True))
            cell |= dict(zip(("alpha", "beta", "gamma"), structure.lattice.angles, strict=True))
            group = symmetry.SpacegroupAnalyzer(structure, SYMPREC).get_space_group_number()
            numbers = {key: f"{value:.8g}" for key, value in cell.items()}
            kept.append(facts | {"space_group": group} | numbers)
            for site in structure:
                xyz = {axis: f"{x:.8f}" for axis, x in zip("xyz", site.frac_coords, strict=True)}
                sites.append({"name": name, "element": site.specie.symbol} | xyz)
    write("prototypes.csv", kept)
    write("sites.csv", sites)
    write("left_out.csv", left_out)
    print(f"{len(kept)} kept, {len(left_out)} left out")


if __name__ == "__main__":
    main()
