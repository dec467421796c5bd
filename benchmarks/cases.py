"""What is timed, and on which structures: each function returns rows of one section of the table.

Single-threaded work is measured in CPU time of the process, so that other jobs on the machine do
not count; work on several threads in wall-clock time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import peers
from ase import Atoms
from ase.build import bulk
from threadpoolctl import threadpool_limits

from arise_lib import bayes, network, samples, storage, training
from arise_lib.descriptor import (
    SoapSettings,
    describe,
    describe_settings,
    describe_with_dscribe,
    training_grid,
)
from arise_lib.strided import Cube, atoms_in_boxes, box_centres, label_atoms
from arise_lib.structures import prototypes
from arise_lib.structures.defects import displace
from arise_lib.structures.reading import read_structure
from arise_lib.structures.supercells import round_cluster
from arise_lib.training import vectors

Row = dict[str, Any]

SEED = 0
SPECIES = ("Cu", "Ni", "Al", "Zn")
SETTINGS = (SoapSettings(),)
N_DRAW = 24 * 588  # structures of one draw of all conditions
PARTICLE = "aet/fept_2017.xyz"
TOLERANCES = (0.02, 0.06)  # in bits; the last one is the headline
CLEAR = 0.1  # a label is clear where its probability leads by this


def cluster(n_atoms: int, n_species: int) -> Atoms:
    """Cut a round piece of fcc, displace its atoms by 2 % of dNN, and mix the species."""
    atoms = displace(round_cluster(prototypes.build("fcc"), n_atoms), 0.02, SEED)
    mixed = np.resize(SPECIES[:n_species], n_atoms)
    atoms.set_chemical_symbols(np.random.default_rng(SEED).permutation(mixed).tolist())
    return atoms


def cpu_time(task: Callable[[], Any], repeats: int, budget: float = 2.0) -> float:
    """Median CPU time of a task in s, after a warm-up; fewer repeats where the budget is spent."""
    if repeats > 1:
        task()
    times: list[float] = []
    while len(times) < repeats and sum(times) < budget:
        start = time.process_time()
        task()
        times.append(time.process_time() - start)
    return float(np.median(times))


def row(section: str, case: str, quantity: str, value: float, unit: str) -> Row:
    """Return one line of the table."""
    return {"section": section, "case": case, "quantity": quantity, "value": value, "unit": unit}


def one_setting(quick: bool) -> tuple[list[Row], dict[str, float]]:
    """Time one vector by the engine and by each peer on the same clusters."""
    section, rows = "one setting", []
    ratios: dict[str, list[float]] = {}
    describers = peers.installed()
    sizes, species = ((100, 300), (1, 4)) if quick else ((100, 300, 1000), (1, 2, 3, 4))
    for describer in describers.values():
        describer(cluster(60, 2))  # loads the libraries whose threads are limited next
    with threadpool_limits(1):
        for n_atoms in sizes:
            for n_species in species:
                atoms, case = cluster(n_atoms, n_species), f"{n_atoms} atoms, {n_species} species"
                engine = {
                    radial: cpu_time(lambda a=atoms, r=radial: describe(a, SoapSettings(r)), 15)
                    for radial in ("gto", "quip")
                }
                for radial, seconds in engine.items():
                    rows.append(row(section, case, f"engine ({radial})", 1e3 * seconds, "ms"))
                for peer, describer in describers.items():
                    slow = peer == "QUIP" and n_atoms >= 300
                    seconds = cpu_time(lambda a=atoms, d=describer: d(a), 1 if slow else 7)
                    ratio = seconds / engine["quip" if peer == "QUIP" else "gto"]
                    rows.append(row(section, case, peer, 1e3 * seconds, "ms"))
                    rows.append(row(section, case, f"{peer} : engine", ratio, ""))
                    ratios.setdefault(peer, []).append(ratio)
    results = {}
    for peer, values in ratios.items():
        results[f"soap.ratio_vs_{peer.lower()}"] = float(np.exp(np.mean(np.log(values))))
        results[f"soap.ratio_vs_{peer.lower()}_min"] = min(values)
        results[f"soap.ratio_vs_{peer.lower()}_max"] = max(values)
    return rows, results


def many_settings(quick: bool) -> tuple[list[Row], dict[str, float]]:
    """Time a vector of the 99-setting set: the engine's one pass, DScribe once per setting."""
    section = "99 settings"
    grid, units = training_grid("gto"), training.pristine_units()
    generator = np.random.default_rng(SEED)
    chosen = generator.choice(len(units), 24 if quick else 132, replace=False)
    samples: list[tuple[str, Atoms]] = [("pristine set", units[i].build()) for i in chosen]
    samples += [("rattled clusters", cluster(n, k)) for n in (100, 300) for k in (1, 2, 4)]
    times: dict[str, list[tuple[float, float]]] = {}
    with threadpool_limits(1):
        describe_settings(cluster(60, 2), grid)
        describe_with_dscribe(cluster(60, 2), grid[0])
        for name, atoms in samples:
            engine = cpu_time(lambda a=atoms: describe_settings(a, grid), 1 if quick else 3)
            n_peer = 1 if name == "pristine set" else 9
            peer = [
                cpu_time(lambda a=atoms, k=k: describe_with_dscribe(a, grid[k]), 1)
                for k in generator.choice(len(grid), n_peer, replace=False)
            ]
            times.setdefault(name, []).append((engine / len(grid), float(np.mean(peer))))
    rows, ratios = [], {}
    for name, pairs in times.items():
        engine, peer = np.mean(pairs, axis=0)
        case = f"{name} ({len(pairs)} structures)"
        rows.append(row(section, case, "engine (gto), per vector", 1e3 * engine, "ms"))
        rows.append(row(section, case, "DScribe, per vector", 1e3 * peer, "ms"))
        rows.append(row(section, case, "DScribe : engine", peer / engine, ""))
        ratios[name] = float(peer / engine)
    return rows, {
        "soap.ratio_vs_dscribe_99_settings": ratios["pristine set"],
        "soap.ratio_vs_dscribe_99_settings_rattled": ratios["rattled clusters"],
        "soap.dscribe_sample_vectors": float(len(chosen)),
    }


def pristine_set(quick: bool) -> tuple[list[Row], dict[str, float]]:
    """Time the whole pristine set, 396 structures x 99 settings, past the cache."""
    section, rows, results = "pristine set", [], {}
    units, grid = training.pristine_units(), training_grid()
    vectors.describe_unit(units[0], grid)
    case = f"{len(units)} structures x {len(grid)} settings"
    with threadpool_limits(1):
        for n_workers in (2,) if quick else (1, 2):
            with ThreadPoolExecutor(n_workers) as pool:
                start, cpu = time.perf_counter(), time.process_time()
                vectors.describe_units(units, grid, executor=pool)
                wall, cpu = time.perf_counter() - start, time.process_time() - cpu
            quantity = f"{n_workers} worker" + "s" * (n_workers > 1)
            rows.append(row(section, case, f"{quantity}, wall", wall, "s"))
            rows.append(row(section, case, f"{quantity}, CPU", cpu, "s"))
            results[f"soap.pristine_set_seconds{'_1_worker' if n_workers == 1 else ''}"] = wall
    return rows, results


def defective_sets(quick: bool, full: bool) -> tuple[list[Row], dict[str, float]]:
    """Time defective structures of all 24 conditions, building included."""
    section, every = "defective sets", 48 if quick else 12
    conditions = training.all_conditions()
    sample = [
        unit
        for k, (kind, step) in enumerate(conditions)
        for unit in training.defective_units(kind, step, 0)[k % every :: every]
    ]
    with threadpool_limits(1):
        vectors.describe_unit(sample[0], SETTINGS)
        times = [cpu_time(lambda u=u: vectors.describe_unit(u, SETTINGS), 1) for u in sample]
        mean = float(np.mean(times))
        case = f"{len(sample)} structures of {len(conditions)} conditions"
        rows = [
            row(section, case, "mean, 1 core", 1e3 * mean, "ms"),
            row(section, case, "median, 1 core", 1e3 * float(np.median(times)), "ms"),
            row(section, case, "slowest, 1 core", 1e3 * max(times), "ms"),
            row(
                section,
                f"one draw, {N_DRAW} structures",
                "1 core, from the mean",
                N_DRAW * mean,
                "s",
            ),
        ]
        results = {"soap.defective_ms_per_structure": 1e3 * mean}
        if full:
            units = [
                u for kind, step in conditions for u in training.defective_units(kind, step, 0)
            ]
            with ThreadPoolExecutor(2) as pool:
                start = time.perf_counter()
                vectors.describe_units(units, SETTINGS, executor=pool)
                wall = time.perf_counter() - start
            rows.append(
                row(section, f"one draw, {len(units)} structures", "2 workers, wall", wall, "s")
            )
            results["soap.defective_draw_seconds"] = wall
    return rows, results


def scaling(quick: bool) -> tuple[list[Row], dict[str, float]]:
    """Time the engine against the number of atoms and of settings, on one and two cores."""
    grid, rows = training_grid(), []
    sizes = (30, 100, 300, 1000) if quick else (30, 100, 300, 1000, 3000)
    cases = [("atoms", n, cluster(n, 1), (SoapSettings(),)) for n in sizes]
    cases += [
        ("settings", n, cluster(300, 1), grid[:: -(-len(grid) // n)][:n]) for n in (1, 3, 9, 33)
    ]
    cases += [("settings", 99, cluster(300, 1), grid)]
    with threadpool_limits(1):
        for kind, n, atoms, settings in cases:
            seconds = cpu_time(lambda a=atoms, s=settings: describe_settings(a, s), 3)
            copies = 2 * max(2, int(0.25 / seconds))
            for n_workers in (1, 2):
                walls = []
                with ThreadPoolExecutor(n_workers) as pool:
                    for _ in range(3):
                        start = time.perf_counter()
                        list(pool.map(describe_settings, [atoms] * copies, [settings] * copies))
                        walls.append((time.perf_counter() - start) / copies)
                quantity = f"{n_workers} core" + "s" * (n_workers > 1)
                value = 1e3 * float(np.min(walls))
                rows.append(row(f"cost against {kind}", str(n), quantity, value, "ms"))
    return rows, {}


def stochastic_passes(quick: bool) -> tuple[list[Row], dict[str, float]]:
    """Time Bayesian prediction against the bare float32 matrix products of the same shapes."""
    section, n_rows, n_passes = "stochastic passes", 1024, 100 if quick else 400
    model = network.load()
    generator = np.random.default_rng(SEED)
    features = generator.random((n_rows, len(model.kernels[0])), dtype=np.float32)
    inputs = [generator.random((n_rows, len(kernel)), dtype=np.float32) for kernel in model.kernels]

    def products() -> None:
        for _ in range(n_passes):
            for rows_in, kernel in zip(inputs, model.kernels, strict=True):
                rows_in @ kernel

    def timed(task: Callable[[], Any], clock: Callable[[], float]) -> float:
        start = clock()
        task()
        return clock() - start

    def passes() -> None:
        bayes.predict(model, features, n_passes=n_passes)

    bayes.predict(model, features, n_passes=5)
    predicted, bare, predicted_cpu, bare_cpu = [], [], [], []
    for _ in range(5):  # by turns, so that both meet the same load of the machine
        predicted.append(timed(passes, time.perf_counter))
        bare.append(timed(products, time.perf_counter))
        predicted_cpu.append(timed(passes, time.process_time))
        with threadpool_limits(1):  # threads that wait for each other count as CPU time
            bare_cpu.append(timed(products, time.process_time))
    flops = 2 * n_rows * n_passes * sum(kernel.size for kernel in model.kernels)
    case, fraction = f"{n_rows} rows x {n_passes} passes", min(bare) / min(predicted)
    fraction_cpu = min(bare_cpu) / min(predicted_cpu)
    rate = n_rows * n_passes / min(predicted)
    single = 1e3 * cpu_time(lambda: bayes.predict(model, features[:1]), 5)
    return [
        row(section, case, "bayes.predict", rate, "passes x rows / s"),
        row(
            section,
            case,
            "bare matrix products",
            n_rows * n_passes / min(bare),
            "passes x rows / s",
        ),
        row(section, case, "bare matrix products", 1e-9 * flops / min(bare), "GFLOP/s"),
        row(section, case, "fraction of the bare rate", fraction, ""),
        row(section, case, "fraction, CPU time", fraction_cpu, ""),
        row(section, f"1 row x {bayes.N_PASSES} passes", "bayes.predict, CPU", single, "ms"),
    ], {
        "bayes.fraction_of_matmul": fraction,
        "bayes.fraction_of_matmul_cpu": fraction_cpu,
        "bayes.passes_rows_per_second": rate,
        "bayes.single_row_cpu_ms": single,
    }


def particle_boxes(n_boxes: int) -> tuple[str, list[Atoms]]:
    """Draw boxes of 12 Å out of the measured Fe-Pt particle, or simulate them without it."""
    if not storage.available(PARTICLE):
        per_phase = -(-n_boxes // 3)
        drawn = samples.draw(SEED, n_images=0, n_boxes=per_phase, n_cuts=0)
        return "simulated Fe-Pt", [sample.atoms for sample in drawn]
    atoms = read_structure(storage.fetch(PARTICLE))
    box, at_least = Cube(12.0), 50
    axes = box_centres(atoms, box, stride=2.0, padding=1.0)
    boxes = atoms_in_boxes(atoms.positions, axes, box)
    filled = [held for _, held in boxes if held.size >= at_least]
    chosen = np.sort(np.random.default_rng(SEED).choice(len(filled), n_boxes, replace=False))
    return "Fe-Pt particle", [
        Atoms(atoms.numbers[h], atoms.positions[h]) for h in (filled[i] for i in chosen)
    ]


def pass_saving(quick: bool) -> tuple[list[Row], dict[str, float]]:
    """Count the passes that a tolerance saves, and what changes by it, or by another seed."""
    section, rows, results = "stopping at a tolerance", [], {}
    model = network.load()
    sample, boxes = particle_boxes(150 if quick else 600)
    features = np.array([describe(atoms, model.settings) for atoms in boxes])
    whole, other = (bayes.predict(model, features, seed=seed) for seed in (SEED, SEED + 1))
    clear = np.diff(np.sort(whole.probabilities, axis=1)[:, -2:], axis=1)[:, 0] > CLEAR
    runs = {
        f"{tolerance:g} bit": bayes.predict(model, features, seed=SEED, tolerance=tolerance)
        for tolerance in TOLERANCES
    }
    for name, found in (runs | {"all passes, another seed": other}).items():
        difference = found.mutual_information - whole.mutual_information
        relabelled = found.labels != whole.labels
        saving = bayes.N_PASSES / float(found.passes.mean())
        rms = float(np.sqrt(np.mean(difference**2)))
        labels = f"other labels where p leads by {CLEAR}"
        quantities = (
            ("saving", saving, ""),
            ("change of mutual information, mean", float(difference.mean()), "bit"),
            ("rms", rms, "bit"),
            ("99.9 % within", float(np.quantile(np.abs(difference), 0.999)), "bit"),
            ("largest", float(np.abs(difference).max()), "bit"),
            ("other labels", 100.0 * float(relabelled.mean()), "%"),
            (labels, 100.0 * float(relabelled[clear].mean()), "%"),
        )
        case = f"{sample}, {len(boxes)} boxes, {name}"
        rows += [row(section, case, *quantity) for quantity in quantities]
        if found is other:
            results["bayes.seed_rms_change_bit"] = rms
        elif name == f"{TOLERANCES[-1]:g} bit":
            results["bayes.pass_saving"] = saving
            results["bayes.pass_saving_rms_change_bit"] = rms
    return rows, results


def labelled_atoms(quick: bool) -> tuple[list[Row], dict[str, float]]:
    """Time the labels of all atoms of periodic copper blocks, displaced by 2 % of dNN."""
    section, rows, costs = "labels of atoms", [], {}
    with threadpool_limits(1):
        label_atoms(bulk("Cu", cubic=True) * 4, centres=[0], passes=10)
        for n_cells in (5, 8) if quick else (5, 8, 13, 17):
            atoms = displace(bulk("Cu", cubic=True) * n_cells, 0.02, SEED)
            # Passes cost the same for each atom: the largest blocks need not show it again.
            for passes in (100, bayes.N_PASSES) if n_cells <= 8 else (100,):
                seconds = cpu_time(lambda a=atoms, n=passes: label_atoms(a, passes=n), 1)
                costs[passes] = 1e3 * seconds / len(atoms)
                quantity = f"{passes} passes, per atom, CPU"
                rows.append(row(section, f"{len(atoms)} atoms", quantity, costs[passes], "ms"))
    return rows, {f"labels.cpu_ms_per_atom_{passes}": cost for passes, cost in costs.items()}
