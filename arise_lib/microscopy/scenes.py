"""What lies under the simulated microscope: sheets, defects, grain boundaries, random packings."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from arise_lib.errors import InputError
from arise_lib.structures import prototypes
from arise_lib.structures.supercells import round_cluster
from arise_lib.typing import Seed

#: Length of a bond of graphene, and the distance between the middles of its hexagons, in Å.
BOND = 1.42
SPACING = BOND * np.sqrt(3.0)

#: Middles of rings nearer than this, in `SPACING`, cannot both be rings.
_NEAREST_RINGS = 0.72

#: Draws of a grain boundary before it counts as impossible.
_DRAWS = 40


def sheet(
    label: str,
    width: float,
    seed: Seed,
    *,
    silicon: int = 0,
    vacancies: int = 0,
    displacement: float = 0.0,
) -> Atoms:
    """Lay a perfect sheet, turned and shifted at random, over a square field of view.

    Parameters
    ----------
    label : str
        A two-dimensional class, such as ``"graphene"``, ``"BN"`` or ``"MoS2"``.
    width : float
        Edge of the field in Å; the sheet reaches 4 Å beyond it.
    seed : int or sequence of int
        Seed of the draw.
    silicon : int
        Atoms within the field that are replaced by Si.
    vacancies : int
        Atoms within the field that are taken out.
    displacement : float
        Standard deviation of a random displacement of every atom, per coordinate of
        the plane, in Å.

    Returns
    -------
    ase.Atoms
        Not periodic; the field is 0 to `width` in x and y.

    Raises
    ------
    InputError
        If the class is not periodic in two directions, or if the field has too few atoms.

    Examples
    --------
    >>> field = sheet("graphene", 20.0, seed=0, silicon=2)
    >>> int((field.numbers == 14).sum())
    2
    """
    generator = np.random.default_rng(seed)
    positions, numbers = _lattice(label, width)
    angle = generator.uniform(0.0, 2.0 * np.pi)
    cosine, sine = np.cos(angle), np.sin(angle)
    positions = positions.copy()
    positions[:, :2] = positions[:, :2] @ np.array([[cosine, sine], [-sine, cosine]])
    positions[:, :2] += generator.uniform(-1.5, 1.5, 2) + width / 2.0
    near = ((positions[:, :2] > -4.0) & (positions[:, :2] < width + 4.0)).all(axis=1)
    positions, numbers = positions[near], numbers[near].copy()
    positions[:, :2] += generator.normal(0.0, displacement, (len(positions), 2))
    inside = np.flatnonzero(((positions[:, :2] > 1.0) & (positions[:, :2] < width - 1.0)).all(1))
    if silicon + vacancies > len(inside):
        raise InputError(
            f"{silicon} Si atoms and {vacancies} vacancies do not fit into {len(inside)} atoms."
        )
    chosen = generator.permutation(inside)
    numbers[chosen[:silicon]] = 14
    kept = np.setdiff1d(np.arange(len(numbers)), chosen[silicon : silicon + vacancies])
    return Atoms(numbers[kept], positions[kept])


def grain_boundary(width: float, angle: float, seed: Seed) -> Atoms:
    """Make two grains of graphene that meet along a line of pentagons and heptagons.

    The middles of the rings are drawn, not the atoms: two triangular lattices, turned
    against each other, meet at x = `width` / 2, and are relaxed there. Atoms sit in the
    triangles between the middles, so every atom has three bonds, and a middle with five
    or seven neighbours is a pentagon or a heptagon [1]_. At last the bonds are relaxed.

    Parameters
    ----------
    width : float
        Edge of the field in Å; the grains reach 4 Å beyond it.
    angle : float
        Misorientation in degrees, 5 to 30.
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    ase.Atoms
        Carbon at z = 0. ``info["rings"]`` are the middles of all rings within the field and
        their sizes, shape (n_rings, 3): x and y in Å, and 5, 6 or 7.

    Raises
    ------
    InputError
        If the angle is out of range, or if no boundary of 5-, 6- and 7-rings is found.

    References
    ----------
    .. [1] C. Ophus, A. Shekhawat, H. Rasool, A. Zettl, Phys. Rev. B 92, 205402 (2015).

    Examples
    --------
    >>> import numpy as np
    >>> boundary = grain_boundary(25.0, 25.0, seed=0)
    >>> sizes = boundary.info["rings"][:, 2]
    >>> bool((sizes == 5).any()), bool((sizes == 7).any())
    (True, True)
    """
    if not 5.0 <= angle <= 30.0:
        raise InputError(f"A misorientation of {angle:g} degrees is none; 5 to 30 are allowed.")
    generator = np.random.default_rng(seed)
    for _ in range(_DRAWS):
        rings = _two_lattices(width, np.radians(angle), generator)
        triangles = Delaunay(rings)
        sizes = np.bincount(triangles.simplices.ravel(), minlength=len(rings))
        field = ((rings > -2.0) & (rings < width + 2.0)).all(axis=1)
        if set(sizes[field]) <= {5, 6, 7} and {5, 7} <= set(sizes[field]):
            break
    else:
        raise InputError(
            f"No boundary of pentagons and heptagons was found for {angle:g} degrees; take another "
            "seed or a wider field."
        )
    corners = rings[triangles.simplices]
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    atoms = corners.mean(axis=1)
    # Slivers at the rim are no triangles between neighbours.
    kept = sides < 1.8 * SPACING
    positions = _relaxed(atoms, triangles.neighbors, kept)
    near = ((positions > -4.0) & (positions < width + 4.0)).all(axis=1)
    points = positions[near]
    inside = ((rings > 0.0) & (rings < width)).all(axis=1)
    made = Atoms(f"C{len(points)}", np.column_stack([points, np.zeros(len(points))]))
    made.info["rings"] = np.column_stack([rings[inside], sizes[inside]])
    return made


def random_packing(width: float, density: float, nearest: float, seed: Seed) -> Atoms:
    """Place atoms at random, none nearer to another than a given distance.

    Parameters
    ----------
    width : float
        Edge of the square field, in any unit of length.
    density : float
        Atoms per squared unit of length.
    nearest : float
        Shortest distance between two atoms.
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    ase.Atoms
        Carbon at z = 0.

    Raises
    ------
    InputError
        If so many do not fit in (random addition jams at about half of the plane).

    Examples
    --------
    >>> from scipy.spatial.distance import pdist
    >>> packing = random_packing(20.0, 0.3, 1.2, seed=0)
    >>> len(packing), bool(pdist(packing.positions).min() >= 1.2)
    (120, True)
    """
    generator = np.random.default_rng(seed)
    wanted = round(density * width**2)
    placed = np.zeros((0, 2))
    for _ in range(200):
        new = generator.uniform(0.0, width, (wanted, 2))
        if len(placed):
            new = new[cKDTree(placed).query(new)[0] >= nearest]
        # Of two new ones that are too near, the later goes.
        clashes = cKDTree(new).query_pairs(nearest, output_type="ndarray")
        new = (
            np.delete(new, np.unique(clashes.max(axis=1, initial=0)), axis=0)
            if len(clashes)
            else new
        )
        placed = np.vstack([placed, new])[:wanted]
        if len(placed) == wanted:
            return Atoms(f"C{wanted}", np.column_stack([placed, np.zeros(wanted)]))
    raise InputError(
        f"Only {len(placed)} of {wanted} atoms fit in at random with a distance of {nearest:g}: "
        "lower the density or the distance."
    )


@lru_cache(maxsize=32)
def _lattice(label: str, width: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Positions and atomic numbers of a sheet around the origin, wide enough to be turned."""
    cell = prototypes.build(label)
    if int(cell.pbc.sum()) != 2:
        raise InputError(f"{label!r} is no sheet; a two-dimensional class is needed.")
    area = float(np.linalg.norm(np.cross(cell.cell[0], cell.cell[1])))
    radius = (width / 2.0 + 6.0) * np.sqrt(2.0)
    flake = round_cluster(cell, int(len(cell) * np.pi * radius**2 / area) + len(cell))
    positions = flake.positions - flake.positions.mean(axis=0)
    return positions, flake.numbers.astype(np.int64)


def _two_lattices(
    width: float, angle: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Middles of the rings of two grains, relaxed where they meet."""
    reach = int((width + 24.0) / SPACING) + 2
    first, second = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    triangular = SPACING * np.column_stack([first + 0.5 * second, np.sqrt(0.75) * second])
    # Grains turned by half of the angle each, to either side of a common direction.
    common = generator.uniform(0.0, np.pi / 3.0)
    sides = []
    for turn in (common - angle / 2.0, common + angle / 2.0):
        cosine, sine = np.cos(turn), np.sin(turn)
        points = triangular @ np.array([[cosine, sine], [-sine, cosine]])
        sides.append(points + width / 2.0 + generator.uniform(-SPACING, SPACING, 2))
    shift = generator.uniform(-0.5, 0.5) * SPACING
    middle = width / 2.0 + shift
    left = sides[0][sides[0][:, 0] <= middle]
    right = sides[1][sides[1][:, 0] > middle]
    right = right[cKDTree(left).query(right)[0] >= _NEAREST_RINGS * SPACING]
    points = np.vstack([left, right])
    points = points[((points > -12.0) & (points < width + 12.0)).all(axis=1)]
    free = np.abs(points[:, 0] - middle) < 2.5 * SPACING
    for _ in range(60):
        pairs = cKDTree(points).query_pairs(1.4 * SPACING, output_type="ndarray")
        arms = points[pairs[:, 1]] - points[pairs[:, 0]]
        lengths = np.linalg.norm(arms, axis=1)
        # Soft discs of this diameter: pushed apart where nearer, and nothing else.
        push = (np.maximum(1.08 * SPACING - lengths, 0.0) / lengths)[:, None] * arms
        force = np.zeros_like(points)
        np.add.at(force, pairs[:, 0], -push)
        np.add.at(force, pairs[:, 1], push)
        points = points + 0.15 * np.where(free[:, None], force, 0.0)
    return points


def _relaxed(
    atoms: NDArray[np.float64], neighbours: NDArray[np.int32], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Relax the atoms of a three-fold network: bonds of one length, angles near 120 degrees."""
    number = np.full(len(atoms) + 1, -1)
    number[np.flatnonzero(kept)] = np.arange(int(kept.sum()))
    points = atoms[kept]
    bonded = number[neighbours[kept]]
    pairs = np.array(sorted({(min(i, j), max(i, j)) for i, row in enumerate(bonded)
                             for j in row if j >= 0}))  # fmt: skip
    whole = np.asarray((bonded >= 0).all(axis=1))
    for _ in range(150):
        arms = points[pairs[:, 1]] - points[pairs[:, 0]]
        lengths = np.linalg.norm(arms, axis=1)
        pull = ((lengths - BOND) / lengths)[:, None] * arms
        force = np.zeros_like(points)
        np.add.at(force, pairs[:, 0], pull)
        np.add.at(force, pairs[:, 1], -pull)
        # Three bonds at 120 degrees put an atom into the middle of its neighbours.
        middles = np.asarray(points[bonded].mean(axis=1))
        force += 0.3 * (middles - points)
        points = points + 0.3 * np.where(whole[:, None], force, 0.0)
    return points
