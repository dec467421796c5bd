"""Ordinary physics with known truth: impure, alloyed, strained, thin and twinned crystals.

What a user's sample may be without any defect of the paper's kind. The structures are built by
ASE's builders, not by what makes training structures, and nothing is trained or selected on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from ase import Atoms, build

from arise_lib.samples.experiments import Sample

#: Share of foreign atoms, and draws of each.
IMPURITIES, DRAWS = (0.003, 0.01, 0.03, 0.10), 3

#: Metals of equiatomic random alloys.
METALS = ("Cr", "Mn", "Fe", "Co", "Ni")

#: Layers of slabs, and strains.
LAYERS, STRAINS = (4, 6, 8, 10), (-0.03, -0.02, -0.01, 0.01, 0.02, 0.03)

#: c/a of hexagonal close packing.
RATIOS = tuple(np.linspace(1.57, 1.88, 12).round(4).tolist())

#: Least number of atoms, before a slab is cut.
N_ATOMS = 250

_SLABS = {
    "fcc": (("fcc111", "Cu"), ("fcc100", "Cu"), ("fcc110", "Cu")),
    "bcc": (("bcc110", "Fe"), ("bcc100", "Fe")),
    "hcp": (("hcp0001", "Mg"),),
    "diamond": (("diamond100", "Si"), ("diamond111", "Si")),
}


def ordinary_samples(seed: int = 0) -> list[Sample]:
    """Build them all.

    Parameters
    ----------
    seed : int
        Base seed of what is random: which sites, which species.

    Returns
    -------
    list of Sample
        Periodic supercells, slabs with two free faces; `group` is one of
        ``"impurities"``, ``"random alloys"``, ``"slabs"``, ``"strain"``, ``"c/a"``
        and ``"twins"``.

    Examples
    --------
    >>> from collections import Counter
    >>> from arise_lib.samples import ordinary_samples
    >>> Counter(one.group for one in ordinary_samples())["slabs"]
    32
    """
    kinds = {
        "impurities": _impurities(seed),
        "random alloys": _alloys(seed),
        "slabs": _slabs(),
        "strain": _strained(),
        "c/a": _ratios(),
        "twins": _twins(),
    }
    return [Sample(group, label, atoms) for group, drawn in kinds.items() for label, atoms in drawn]


def _crystals() -> dict[str, Atoms]:
    """Conventional or primitive cells of five common crystals, by their class."""
    return {
        "fcc": build.bulk("Cu", cubic=True),
        "bcc": build.bulk("Fe", cubic=True),
        "hcp": build.bulk("Mg"),
        "diamond": build.bulk("Si", cubic=True),
        "NaCl": build.bulk("MgO", "rocksalt", a=4.21, cubic=True),
    }


def _repeated(cell: Atoms) -> Atoms:
    """Repeat a cell to at least `N_ATOMS` atoms."""
    return cell * int(np.ceil((N_ATOMS / len(cell)) ** (1 / 3)))


def _impurities(seed: int) -> Iterator[tuple[str, Atoms]]:
    for number, (label, cell) in enumerate(_crystals().items()):
        for step, share in enumerate(IMPURITIES):
            for draw in range(DRAWS):
                generator = np.random.default_rng((seed, 0, number, step, draw))
                atoms = _repeated(cell)
                n = max(1, round(share * len(atoms)))
                atoms.symbols[generator.choice(len(atoms), n, replace=False)] = "Ag"
                yield label, atoms


def _alloys(seed: int) -> Iterator[tuple[str, Atoms]]:
    cells = list(_crystals().items())[:3]
    for (number, (label, cell)), n, draw in product(enumerate(cells), range(2, 6), range(DRAWS)):
        generator = np.random.default_rng((seed, 1, number, n, draw))
        atoms = _repeated(cell)
        atoms.set_chemical_symbols(generator.permutation(np.resize(METALS[:n], len(atoms))))
        yield label, atoms


def _slabs() -> Iterator[tuple[str, Atoms]]:
    for label, faces in _SLABS.items():
        for (face, element), layers in product(faces, LAYERS):
            # Two atomic planes of diamond make one layer of its {111} faces.
            planes = 2 * layers if label == "diamond" else layers
            yield label, getattr(build, face)(element, (6, 6, planes), vacuum=10.0)


def _strained() -> Iterator[tuple[str, Atoms]]:
    uniaxial, biaxial = np.diag([1.0, 0.0, 0.0]), np.diag([1.0, 1.0, 0.0])
    shear = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    for (label, cell), mode, strain in product(
        _crystals().items(), (uniaxial, biaxial, shear), STRAINS
    ):
        atoms = _repeated(cell)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain * mode), scale_atoms=True)
        yield label, atoms


def _ratios() -> Iterator[tuple[str, Atoms]]:
    for ratio in RATIOS:
        yield "hcp", _repeated(build.bulk("Mg", "hcp", a=3.2, c=3.2 * ratio))


def _twins() -> Iterator[tuple[str, Atoms]]:
    """Stack close-packed layers of fcc with two coherent twin boundaries in a period."""
    for apart in (4, 6, 8):
        period = 2 * apart
        stacking = [(k if k < apart else period - k) % 3 for k in range(period)]
        layer = build.fcc111("Cu", (5, 5, 1), periodic=True)
        step = layer.cell.array[:2].sum(axis=0) / 15.0  # a third of the way to the next hollow
        height = 3.61 / np.sqrt(3.0)
        atoms = Atoms(cell=[*layer.cell.array[:2], [0, 0, period * height]], pbc=True)
        for level, site in enumerate(stacking):
            plane = layer.copy()
            plane.positions += site * step + [0.0, 0.0, level * height - layer.positions[0, 2]]
            atoms += plane
        yield "fcc", atoms
