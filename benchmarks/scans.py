"""What a scan costs, beside methods that look at atoms: lines of boxes are drawn at random.

Wall-clock times on all cores, on a machine that does nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
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
from arise_lib.strided import filled_share
from arise_lib.strided.described import Plan, plan
from arise_lib.strided.lines import Task, describe_tasks, one_by_one, tasks
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


def lay(scan: Scan) -> Plan:
    """Lay out the boxes of a scan, with their numbers of atoms and how full they are."""
    laid = plan(scan.atoms, scan.box, scan.stride, scan.padding, scan.min_atoms)
    filled_share(laid.sample, laid.axes, laid.shape, laid.filled)
    return laid


def drawn_lines(laid: Plan, settings: SoapSettings, n: int) -> list[Task]:
    """Draw lines of boxes at random until they have at least so many boxes."""
    lines = list(tasks(laid.sample, laid.axes, laid.shape, laid.filled, settings))
    drawn: list[Task] = []
    for number in np.random.default_rng(SEED).permutation(len(lines)):
        if sum(len(line.rows) for line in drawn) >= n:
            break
        drawn.append(lines[number])
    return drawn


def drawn_boxes(laid: Plan, n: int) -> list[Atoms]:
    """Cut filled boxes out of a sample, drawn at random."""
    centres = np.stack(np.meshgrid(*laid.axes, indexing="ij"), axis=-1)[laid.filled]
    chosen = np.random.default_rng(SEED).permutation(len(centres))[:n]
    offsets = (laid.sample.positions - centre for centre in centres[chosen])
    return [laid.sample[laid.shape.holds(offset)] for offset in offsets]


def seconds(task: Callable[[], Any]) -> tuple[float, Any]:
    """Return wall-clock time and result of a task."""
    start = time.perf_counter()
    result = task()
    return time.perf_counter() - start, result


def describe_all(waiting: Iterable[Task], settings: SoapSettings) -> NDArray[np.float32]:
    """Describe boxes as a scan does."""
    with workers(None) as pool:
        found = describe_tasks(pool, iter(waiting), settings, MIN_ATOMS_OF_SPECIES)
        return np.concatenate([features for _, features in found])


def costs(scan: Scan, model: Network, n: int) -> dict[str, float]:
    """Measure boxes, atoms of a box, the time to lay them out, and times of a box in s."""
    laid_in, laid = seconds(lambda: lay(scan))
    lines, settings = drawn_lines(laid, model.settings, n), model.settings
    described_in, features = seconds(lambda: describe_all(lines, settings))
    pieces = drawn_boxes(laid, n // 8)
    alone_in, _ = seconds(lambda: describe_all(one_by_one(pieces), settings))
    until, _ = seconds(lambda: bayes.predict(model, features, tolerance=TOLERANCE, stratified=True))
    whole, _ = seconds(lambda: bayes.predict(model, features))
    times = {"describe": described_in, "tolerance": until, "passes": whole}
    found = {step: t / len(features) for step, t in times.items()}
    found["alone"] = alone_in / len(pieces)
    atoms = float(laid.n_atoms[laid.filled].mean())
    return found | {"boxes": int(laid.filled.sum()), "atoms": atoms, "lay": laid_in}


def of_all(cost: dict[str, float], *steps: str) -> float:
    """Return the time of steps of all boxes, and of laying them out, in s."""
    return cost["lay"] + cost["boxes"] * sum(cost[step] for step in steps)


def published(scan: Scan, model: Network, n: int) -> float:
    """Return the time of a box in s on one core by the packages of the published route.

    QUIP's descriptors box by box, and passes through the network in Keras.
    """
    pieces = drawn_boxes(lay(scan), n)
    describe = peers.installed()["QUIP"]
    described = np.mean([cpu_time(lambda p=piece: describe(p), 1) for piece in pieces])
    rows = np.random.default_rng(SEED).random((256, model.settings.n_features), dtype=np.float32)
    make_pass = peers.keras_passes(model)
    one_pass = cpu_time(lambda: make_pass(rows), 5) / len(rows)
    return float(described + bayes.N_PASSES * one_pass)


def whole_scans(quick: bool) -> tuple[list[Row], dict[str, float]]:
    """Time the paper's scans, and PTM, a-CNA and the published route on the same atoms."""
    section, rows, results = "scans", [], {}
    model = network.load(NETWORK)
    first = drawn_lines(lay(paper_scans()[0]), model.settings, 8)
    bayes.predict(model, describe_all(first, model.settings), n_passes=2)  # compiles
    n = 200 if quick else 4000
    for scan in paper_scans():
        cost = costs(scan, model, n)
        until, whole = of_all(cost, "describe", "tolerance"), of_all(cost, "describe", "passes")
        rows += [
            row(section, scan.name, "boxes", cost["boxes"], ""),
            row(section, scan.name, "atoms in a box", cost["atoms"], ""),
            row(section, scan.name, "laying out", cost["lay"], "s"),
            row(section, scan.name, "descriptors", cost["boxes"] * cost["describe"], "s"),
            row(section, scan.name, "the same box by box", cost["boxes"] * cost["alone"], "s"),
            row(section, scan.name, f"all, {TOLERANCE:g} bit", until, "s"),
            row(section, scan.name, f"all, {bayes.N_PASSES} passes", whole, "s"),
        ]
        results[f"spm.{scan.key}_seconds"] = until
        results[f"spm.{scan.key}_seconds_all_passes"] = whole
        results[f"spm.{scan.key}_ratio_box_by_box"] = cost["alone"] / cost["describe"]
        for method, answer in {"PTM": ovito.ptm, "a-CNA": lambda a: ovito.cna(a, None)}.items():
            answer(scan.atoms[:100])  # loads OVITO
            took, _ = seconds(lambda a=answer, s=scan: a(s.atoms))
            rows.append(row(section, scan.name, method, took, "s"))
            results[f"spm.{scan.key}_seconds_{method.replace('-', '').lower()}"] = took
        if "QUIP" in peers.installed():
            other = cost["boxes"] * published(scan, model, 3 if quick else 12)
            rows.append(row(section, scan.name, "QUIP and Keras, one core", other / 3600, "h"))
            results[f"spm.{scan.key}_hours_published"] = other / 3600
            # The first scan, the four grains.
            results.setdefault("spm.ratio_vs_published", other / whole)
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
        rows += _row_of("scan against box", f"{box:g} Å", costs(scan, model, n))[1:5]
    return rows, {}


def _row_of(section: str, case: str, cost: dict[str, float]) -> list[Row]:
    """Return the lines of one scan."""
    return [
        row(section, case, "boxes", cost["boxes"], ""),
        row(section, case, "atoms in a box", cost["atoms"], ""),
        row(section, case, "descriptor, per box", 1e3 * cost["describe"], "ms"),
        row(section, case, "the same box by box", 1e3 * cost["alone"], "ms"),
        row(section, case, f"passes to {TOLERANCE:g} bit, per box", 1e3 * cost["tolerance"], "ms"),
        row(section, case, "all", of_all(cost, "describe", "tolerance"), "s"),
    ]
