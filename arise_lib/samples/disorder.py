"""What is no crystal: liquids, glasses, random packings, gas, molecules, mixtures.

They make the class `other` of networks that know one. Liquids and glasses stand as packings of soft
spheres of several densities, and as crystals whose atoms were displaced so far that no order of
long range is left: those keep the neighbourhoods of compounds and of open structures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from ase import Atoms
from ase.build import molecule
from ase.collections import g2
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from arise_lib.samples.grains import BOUNDARY_GAP, join
from arise_lib.structures import prototypes
from arise_lib.structures.pieces import box_edge
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.structures.supercells import cut_box

#: Atoms of a sample.
SIZES = (50, 350)

#: Number density of a packing times the cube of the spheres' diameter, from a thin liquid to just
#: below random close packing (1.22); atoms of the periodic boxes that pieces are cut from, and how
#: many boxes there are in a pool.
DENSITIES, BOX_ATOMS, POOL = (0.65, 1.18), 800, 400

#: Steps that push spheres apart: after few of them some still overlap, as in a hot liquid. The
#: second pair is that of a destroyed crystal, whose atoms have less far to go.
STEPS, FEWER_STEPS = (15, 80), (5, 30)

#: Standard deviation of a coordinate in dNN: in a packing that is thermally excited, and in a
#: crystal that has become something else.
HEAT, DESTROYED = (0.0, 0.08), (0.25, 0.50)

#: No two atoms of a destroyed crystal stay nearer than this, in dNN.
CLOSEST = (0.6, 0.9)

#: The kinds and their shares.
KINDS = {"packing": 0.40, "destroyed": 0.30, "mixture": 0.12, "gas": 0.08, "molecules": 0.10}

#: Molecules of three atoms and more.
_MOLECULES = tuple(name for name in g2.names if len(g2[name]) >= 3)


def no_crystal(generator: np.random.Generator, kind: str | None = None, *, pool: int = 0) -> Atoms:
    """Draw a structure that belongs to none of the classes.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of the randomness.
    kind : str, optional
        One of `KINDS`; drawn by their shares if not given.
    pool : int
        Number of the pool of packings that pieces are cut from. What is drawn from
        different pools has nothing in common.

    Returns
    -------
    ase.Atoms
        A free cluster, or periodic if it is a whole packing. Lengths have no meaning.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib import samples
    >>> liquid = samples.no_crystal(np.random.default_rng(0), "packing")
    >>> len(liquid) > 40
    True
    """
    chosen = kind or str(generator.choice(list(KINDS), p=list(KINDS.values())))
    atoms = _packed(generator, pool) if chosen == "packing" else _DRAWN[chosen](generator)
    return _renamed(atoms, generator) if chosen in ("packing", "gas") else atoms


def packing(
    n_atoms: int, density: float, steps: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    r"""Pack soft spheres of diameter 1 in a periodic cube.

    From random positions, overlaps are pushed apart: each step moves both spheres of a pair at
    distance r < 1 by (1 - r) / 4.

    Parameters
    ----------
    n_atoms : int
        Spheres.
    density : float
        Number density; the cube's volume is ``n_atoms / density``.
    steps : int
        How often overlaps are pushed apart.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ndarray of shape (n_atoms, 3)
        Positions within the cube.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.samples.disorder import packing
    >>> points = packing(200, 0.8, 60, np.random.default_rng(0))
    >>> points.shape
    (200, 3)
    """
    edge = (n_atoms / density) ** (1 / 3)
    return _pushed_apart(generator.uniform(0.0, edge, (n_atoms, 3)), 1.0, steps, edge)


def _pushed_apart(
    points: NDArray[np.float64], diameter: float, steps: int, edge: float | None = None
) -> NDArray[np.float64]:
    """Push apart what is nearer than a diameter; with an edge, in a periodic cube."""
    for _ in range(steps):
        if edge is not None:
            points = points % edge
            points[points >= edge] = 0.0  # what the remainder of a tiny negative number rounds to
        pairs = cKDTree(points, boxsize=edge).query_pairs(diameter, output_type="ndarray")
        if len(pairs) == 0:
            break
        step = points[pairs[:, 0]] - points[pairs[:, 1]]
        if edge is not None:
            step -= edge * np.rint(step / edge)
        r = np.maximum(np.linalg.norm(step, axis=1), 1e-9)
        push = (0.25 * (diameter - r) / r)[:, None] * step
        moved = np.zeros_like(points)
        for axis in range(3):
            moved[:, axis] += np.bincount(pairs[:, 0], push[:, axis], len(points))
            moved[:, axis] -= np.bincount(pairs[:, 1], push[:, axis], len(points))
        points = points + moved
    return points


@lru_cache(maxsize=POOL)
def _box(pool: int, number: int) -> tuple[NDArray[np.float64], float]:
    """Return one of the periodic packings that pieces are cut from, and its edge."""
    generator = np.random.default_rng((pool, number))
    density = float(generator.uniform(*DENSITIES))
    points = packing(BOX_ATOMS, density, int(generator.integers(*STEPS)), generator)
    points.setflags(write=False)
    return points, (BOX_ATOMS / density) ** (1 / 3)


def _packed(generator: np.random.Generator, pool: int) -> Atoms:
    """Cut a box or a ball out of a packing, or take all of it, and excite it thermally."""
    points, edge = _box(pool, int(generator.integers(POOL)))
    shape = generator.random()
    if shape < 0.1:
        atoms = Atoms(np.full(len(points), 29), points, cell=[edge] * 3, pbc=True)
    else:
        volume = _size(generator) * edge**3 / len(points)
        around = (points - generator.uniform(0.0, edge, 3) + 0.5 * edge) % edge - 0.5 * edge
        if shape < 0.4:
            radius = (volume / (4.0 / 3.0 * np.pi)) ** (1 / 3)
            inside = around[np.linalg.norm(around, axis=1) <= radius]
        else:
            inside = around[np.all(np.abs(around) <= 0.5 * volume ** (1 / 3), axis=1)]
        atoms = Atoms(np.full(len(inside), 29), inside)
    atoms.positions += generator.normal(0.0, generator.uniform(*HEAT), (len(atoms), 3))
    return atoms


def _destroyed(generator: np.random.Generator) -> Atoms:
    """Displace the atoms of a crystal far, then push apart those that came too near."""
    cell = prototypes.build(str(generator.choice(_CRYSTALS)))
    atoms = cut_box(cell, box_edge(cell, _size(generator)), generator)
    spacing = overall_nearest_neighbour_distance(atoms)
    error = generator.uniform(*DESTROYED) * spacing
    atoms.positions += generator.normal(0.0, error, atoms.positions.shape)
    closest = generator.uniform(*CLOSEST) * spacing
    atoms.positions = _pushed_apart(atoms.positions, closest, int(generator.integers(*FEWER_STEPS)))
    return atoms


def _mixture(generator: np.random.Generator) -> Atoms:
    """Join three grains of different classes, none of which has half of the atoms."""
    grains = []
    for label in generator.choice(_CRYSTALS, size=3, replace=False):
        cell = prototypes.build(str(label))
        spacing = overall_nearest_neighbour_distance(cell.repeat(2))
        cell.set_cell(cell.cell.array / spacing, scale_atoms=True)
        grains.append(cell)
    edge = (_size(generator) / 1.2) ** (1 / 3)
    first, second, third = (cut_box(cell, edge, generator) for cell in grains)
    left = generator.uniform(-0.2, -0.13) * edge
    right = generator.uniform(0.13, 0.2) * edge
    return join(join(first, second, left, BOUNDARY_GAP)[0], third, right, BOUNDARY_GAP)[0]


def _gas(generator: np.random.Generator) -> Atoms:
    """Scatter atoms at random, none nearer than 1 to another one."""
    n = _size(generator)
    edge = (n / generator.uniform(0.02, 0.4)) ** (1 / 3)
    points = _pushed_apart(generator.uniform(0.0, edge, (n, 3)), 1.0, STEPS[1])
    return Atoms(np.full(len(points), 18), points)


def _molecules(generator: np.random.Generator) -> Atoms:
    """Scatter copies of a molecule, turned at random; now and then one alone."""
    one = molecule(str(generator.choice(_MOLECULES)))
    one.positions -= one.positions.mean(axis=0)
    copies = 1 if generator.random() < 0.1 else max(1, _size(generator) // len(one))
    size = 2.0 * float(np.linalg.norm(one.positions, axis=1).max()) + 2.5
    centres = size * packing(copies, 0.7, STEPS[1], generator) if copies > 1 else np.zeros((1, 3))
    turns = Rotation.random(copies, rng=generator).as_matrix()
    positions = centres[:, None, :] + np.einsum("kij,aj->kai", turns, one.positions)
    return Atoms(np.tile(one.numbers, copies), positions.reshape(-1, 3))


def _renamed(atoms: Atoms, generator: np.random.Generator) -> Atoms:
    """Give atoms of one species one to three species."""
    n = int(generator.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
    shares = generator.dirichlet(np.full(n, 2.0))
    atoms.numbers[:] = generator.choice(np.arange(29, 29 + n), size=len(atoms), p=shares)
    return atoms


def _size(generator: np.random.Generator) -> int:
    """Draw a number of atoms, evenly in its logarithm."""
    return int(np.exp(generator.uniform(*np.log(SIZES))))


_CRYSTALS = [label for label in prototypes.LABELS if all(prototypes.get(label).pbc)]

_DRAWN: dict[str, Callable[[np.random.Generator], Atoms]] = {
    "destroyed": _destroyed,
    "mixture": _mixture,
    "gas": _gas,
    "molecules": _molecules,
}
