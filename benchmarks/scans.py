"""What a scan costs, beside methods that look at atoms: boxes are drawn at random where it is long.

Wall-clock times on all cores, on a machine that does nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import peers
from ase import Atoms
from cases import SEED, Row, cpu_time, row
from numpy.typing import NDArray

from arise_lib import bayes, network, samples, storage
from arise_lib.baselines import ovito
from arise_lib.descriptor import SoapSettings
from arise_lib.network import Network
from arise_lib.storage.parallel import workers
from arise_lib.strided import Cube, box_centres, count_atoms
from arise_lib.strided.lines import describe_tasks, one_by_one
from arise_lib.structures.pieces import MIN_ATOMS_OF_SPECIES
from arise_lib.structures.reading import read_structure

TOLERANCE = 0.05  # bit, as the notebooks have it in their small amount of work
NETWORK = "arise"  # of the paper's kind


@dataclass(frozen=True)
class Scan:
    """A sample and how it is scanned: as in the paper."""

    name: str
    key: str
    atoms: Atoms
    box: float
    stride: float
    padding: float
    min_atoms: int


def paper_scans() -> list[Scan]:
    """Return the scans of the paper; where a published sample is not there, one like it."""
    found = []
    name = "polycrystals/four_grains.xyz"
    if storage.available(name):
        grains = read_structure(storage.fetch(name))
    else:
        phases = ["fcc", "bcc", "hcp", "diamond"]
        grains, _ = samples.polycrystal(phases, (104.0, 102.0, 15.0), seed=SEED)
    found.append(Scan("four grains, 1 Å", "fig2a", grains, 16.0, 1.0, 0.5, 51))
    name = "aet/fept_2017.xyz"
    if storage.available(name):
        particle = read_structure(storage.fetch(name))
        found.append(Scan("Fe-Pt particle, 2 Å", "fept_2A", particle, 12.0, 2.0, 1.0, 50))
    alloy, _ = samples.superalloy(120.0, 60.0, seed=SEED)
    found.append(Scan("superalloy, 3 Å", "superalloy", alloy, 16.0, 3.0, 0.5, 100))
    return found


def drawn_boxes(scan: Scan, n: int) -> tuple[int, list[Atoms]]:
    """Count the filled boxes of a scan, and cut some of them out, drawn at random."""
    box = Cube(scan.box)
    axes = box_centres(scan.atoms, box, scan.stride, scan.padding)
    filled = count_atoms(scan.atoms.positions, axes, box) >= scan.min_atoms
    centres = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)[filled]
    chosen = np.random.default_rng(SEED).permutation(len(centres))[:n]
    offsets = (scan.atoms.positions - centre for centre in centres[chosen])
    pieces = [scan.atoms[box.holds(offset)] for offset in offsets]
    for piece in pieces:
        piece.pbc = False
    return len(centres), pieces


def seconds(task: Callable[[], Any]) -> tuple[float, Any]:
    """Return wall-clock time and result of a task."""
    start = time.perf_counter()
    result = task()
    return time.perf_counter() - start, result


def describe_all(pieces: list[Atoms], settings: SoapSettings) -> NDArray[np.float32]:
    """Describe boxes as a scan does."""
    with workers(None) as pool:
        tasks = one_by_one(pieces)
        found = describe_tasks(pool, tasks, settings, MIN_ATOMS_OF_SPECIES)
        return np.concatenate([features for _, features in found])


def costs(scan: Scan, model: Network, n: int) -> dict[str, float]:
    """Measure boxes, atoms of a box, and the times per box in s of each step."""
    n_boxes, pieces = drawn_boxes(scan, n)
    described_in, features = seconds(lambda: describe_all(pieces, model.settings))
    until, _ = seconds(lambda: bayes.predict(model, features, tolerance=TOLERANCE))
    whole, _ = seconds(lambda: bayes.predict(model, features))
    found = {"boxes": n_boxes, "atoms": float(np.mean([len(piece) for piece in pieces]))}
    times = {"describe": described_in, "tolerance": until, "passes": whole}
    return found | {step: t / len(pieces) for step, t in times.items()}


def whole_scans(quick: bool) -> tuple[list[Row], dict[str, float]]:
    """Time the paper's scans, and PTM, a-CNA and QUIP on the same atoms."""
    section, rows, results = "scans", [], {}
    model = network.load(NETWORK)
    describe_all(drawn_boxes(paper_scans()[0], 8)[1], model.settings)  # compiles
    n = 200 if quick else 4000
    for scan in paper_scans():
        cost = costs(scan, model, n)
        until = cost["boxes"] * (cost["describe"] + cost["tolerance"])
        whole = cost["boxes"] * (cost["describe"] + cost["passes"])
        rows += [
            row(section, scan.name, "boxes", cost["boxes"], ""),
            row(section, scan.name, "atoms in a box", cost["atoms"], ""),
            row(section, scan.name, "descriptors", cost["boxes"] * cost["describe"], "s"),
            row(section, scan.name, f"all, {TOLERANCE:g} bit", until, "s"),
            row(section, scan.name, f"all, {bayes.N_PASSES} passes", whole, "s"),
        ]
        results[f"spm.{scan.key}_seconds"] = until
        results[f"spm.{scan.key}_seconds_all_passes"] = whole
        for method, answer in {"PTM": ovito.ptm, "a-CNA": lambda a: ovito.cna(a, None)}.items():
            answer(scan.atoms[:100])  # loads OVITO
            took, _ = seconds(lambda a=answer, s=scan: a(s.atoms))
            rows.append(row(section, scan.name, method, took, "s"))
            results[f"spm.{scan.key}_seconds_{method.replace('-', '').lower()}"] = took
        if "QUIP" in peers.installed():
            pieces = drawn_boxes(scan, 3 if quick else 12)[1]
            describe = peers.installed()["QUIP"]
            per_box = np.mean([cpu_time(lambda p=piece, d=describe: d(p), 1) for piece in pieces])
            quip = float(cost["boxes"] * per_box)
            rows.append(row(section, scan.name, "QUIP, descriptors, one core", quip / 3600, "h"))
            results[f"spm.{scan.key}_hours_quip"] = quip / 3600
            results.setdefault("spm.ratio_vs_quip", quip / whole)
    return rows, results


def against(quick: bool) -> tuple[list[Row], dict[str, float]]:
    """Time the four grains with several strides and boxes: cost per box and in all."""
    rows: list[Row] = []
    model = network.load(NETWORK)
    first = paper_scans()[0]
    n = 100 if quick else 1000
    for stride in (4.0, 2.0, 1.0):
        scan = replace(first, stride=stride)
        rows += _row_of("scan against stride", f"{stride:g} Å", costs(scan, model, n))
    for box in (10.0, 12.0, 14.0, 16.0, 20.0):
        scan = replace(first, box=box, padding=0.0, min_atoms=50)
        # How many boxes there are depends on the sample; a box costs what its atoms cost.
        rows += _row_of("scan against box", f"{box:g} Å", costs(scan, model, n))[1:4]
    return rows, {}


def _row_of(section: str, case: str, cost: dict[str, float]) -> list[Row]:
    """Return the lines of one scan."""
    per_box = cost["describe"] + cost["tolerance"]
    return [
        row(section, case, "boxes", cost["boxes"], ""),
        row(section, case, "atoms in a box", cost["atoms"], ""),
        row(section, case, "descriptor, per box", 1e3 * cost["describe"], "ms"),
        row(section, case, f"passes to {TOLERANCE:g} bit, per box", 1e3 * cost["tolerance"], "ms"),
        row(section, case, "all", cost["boxes"] * per_box, "s"),
    ]
