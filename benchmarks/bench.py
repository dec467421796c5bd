"""Benchmark of the descriptor engine and of the Bayesian prediction: ``make bench``.

Everything is measured in one run on the same structures; the result is a table on the screen and
`bench.md`, `bench.csv`, `bench.json` and `bench.png` in `figures/`. See README.md beside this file.
"""

from __future__ import annotations

import os

# featomic reads this when it is imported; the threads of BLAS and OpenMP are limited in `cases`.
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import argparse
import json
import time

import matplotlib

matplotlib.use("Agg")

import cases
import masks
import matplotlib.pyplot as plt
import pandas as pd
import peers
import scans
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from arise_lib import compendium, plotting, storage
from arise_lib.compendium import machine
from arise_lib.storage import paths

#: Sections of the table in the order of the output, by the part of `--only` that they belong to.
PARTS = {
    "soap": ("one setting", "cost against atoms", "cost against settings"),
    "sets": ("99 settings", "pristine set", "defective sets"),
    "bayes": ("stochastic passes", "stopping at a tolerance"),
    "masks": ("masks", "masks with a tolerance"),
    "labels": ("labels of atoms",),
    "scans": ("scans", "scan against stride", "scan against box"),
}


def surroundings() -> dict[str, str | int]:
    """Return the facts about the machine and the packages that the times depend on."""
    found = {f"version.{peer.lower()}": peers.version(peer) for peer in peers.installed()}
    return {
        "machine.cores": os.cpu_count() or 1,
        "machine.cpu": machine.processor(),
        "machine.versions": compendium.versions(),
        **found,
    }


def measure(arguments: argparse.Namespace) -> tuple[pd.DataFrame, dict[str, float]]:
    """Run the chosen parts, each section shown as soon as it is done."""
    quick = arguments.quick
    tasks = {
        "soap": [lambda: cases.one_setting(quick), lambda: cases.scaling(quick)],
        "sets": [
            lambda: cases.many_settings(quick),
            lambda: cases.pristine_set(quick),
            lambda: cases.defective_sets(quick, arguments.full),
        ],
        "bayes": [lambda: cases.stochastic_passes(quick), lambda: cases.pass_saving(quick)],
        "masks": [lambda: masks.errors(quick)],
        "labels": [lambda: cases.labelled_atoms(quick)],
        "scans": [lambda: scans.whole_scans(quick), lambda: scans.against(quick)],
    }
    rows: list[cases.Row] = []
    results: dict[str, float] = {}
    for part in [arguments.only] if arguments.only else list(PARTS):
        for task in tasks[part]:
            new_rows, new_results = task()
            rows += new_rows
            results |= new_results
            print(text(pd.DataFrame(new_rows)), flush=True)
    return pd.DataFrame(rows), results


def text(table: pd.DataFrame) -> str:
    """Return the sections as Markdown tables: one line per case, one column per quantity."""
    pieces = []
    for section, lines in table.groupby("section", sort=False):
        named = lines["quantity"] + lines["unit"].map(lambda unit: f" / {unit}" if unit else "")
        wide = lines.assign(quantity=named).pivot(index="case", columns="quantity", values="value")
        wide = wide.loc[lines["case"].unique(), named.unique()]
        cells = wide.map(lambda value: "" if pd.isna(value) else f"{value:.3g}".replace("e+0", "e"))
        header = [str(section), *map(str, cells.columns)]
        body = [header, ["---"] * len(header)]
        body += [[str(case), *line] for case, line in zip(cells.index, cells.values, strict=True)]
        pieces.append("".join("| " + " | ".join(line) + " |\n" for line in body))
    return "\n".join(pieces)


def draw(table: pd.DataFrame) -> Figure:
    """Draw the times against the number of atoms and of settings."""
    plotting.use_style()
    figure, panels = plt.subplots(1, 3, figsize=(10.5, 3.2))
    one = table[table["section"] == "one setting"]
    numbers = one["case"].str.extract(r"(\d+) atoms, (\d+) species").astype(float)
    one = one.assign(atoms=numbers[0], species=numbers[1])[one["unit"] == "ms"]
    for k, (name, lines) in enumerate(one.groupby("quantity", sort=False)):
        for species, marker in ((1, "o-"), (4, "s--")):
            chosen = lines[lines["species"] == species]
            label = str(name) if species == 1 else None
            panels[0].loglog(chosen["atoms"], chosen["value"], marker, color=f"C{k}", label=label)
    panels[0].set(xlabel="atoms / 1", ylabel="time per vector / ms")
    panels[0].set_title("one setting; 1 species solid, 4 dashed")
    panels[0].set_ylim(bottom=0.02)  # room for the legend
    _lines(panels[1], table, "atoms", "time per structure / ms", "engine, one species, one setting")
    _lines(
        panels[2], table, "settings", "time per structure / ms", "engine, 300 atoms, one species"
    )
    for panel, place in zip(panels, ("lower right", "upper left", "upper left"), strict=True):
        panel.legend(fontsize=7, loc=place)
    figure.tight_layout()
    return figure


def _lines(panel: Axes, table: pd.DataFrame, kind: str, ylabel: str, title: str) -> None:
    """Draw the cost against `kind`, one line per number of cores."""
    chosen = table[table["section"] == f"cost against {kind}"]
    for name, lines in chosen.groupby("quantity", sort=False):
        panel.loglog(lines["case"].astype(float), lines["value"], "o-", label=str(name))
    panel.set(xlabel=f"{kind} / 1", ylabel=ylabel, title=title)


def write(table: pd.DataFrame, results: dict[str, float | str | int]) -> None:
    """Write the files into `figures/`; sections that were not run keep their last values."""
    csv, flat = paths.FIGURES / "bench.csv", paths.FIGURES / "bench.json"
    if csv.is_file():
        old = pd.read_csv(csv, dtype={"case": str}, keep_default_na=False, index_col=0)
        kept = old[~old["section"].isin(table["section"])]
        table = pd.concat([kept, table], ignore_index=True)
    order = [section for part in PARTS.values() for section in part]
    table = table.sort_values("section", key=lambda s: s.map(order.index), kind="stable")
    table = table.reset_index(drop=True)
    merged = (json.loads(flat.read_text()) if flat.is_file() else {}) | results
    compendium.save_figure(draw(table), "bench", table)
    facts = "".join(f"- {key}: {merged[key]}\n" for key in sorted(merged) if "." in key)
    with storage.atomic_write(paths.FIGURES / "bench.md") as temporary:
        temporary.write_text(f"# Benchmark\n\n{text(table)}\n{facts}", encoding="utf-8")
    with storage.atomic_write(flat) as temporary:
        temporary.write_text(json.dumps(merged, indent=1, sort_keys=True) + "\n")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Time the descriptor engine and the prediction.")
    parser.add_argument("--quick", action="store_true", help="smaller samples; writes no file")
    parser.add_argument("--full", action="store_true", help="also one whole draw of defective sets")
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    arguments = parser.parse_args()
    start = time.perf_counter()
    facts = surroundings()
    print(f"{facts['machine.cpu']}, {facts['machine.cores']} cores · {facts['machine.versions']}")
    for peer in ("QUIP", "featomic"):
        if peer not in peers.installed():
            print(f"{peer}: not installed (optional extra 'bench')")
    print(flush=True)
    table, results = measure(arguments)
    rounded = {key: float(f"{value:.4g}") for key, value in results.items()}
    print("\n".join(f"{key} = {value:g}" for key, value in sorted(rounded.items())))
    if not arguments.quick:
        write(table, {**facts, **rounded})
    print(f"\n{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
