"""Polycrystals and precipitates whose every atom knows its grain and its phase."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from arise_lib.errors import InputError
from arise_lib.samples.grains import BICRYSTAL_GAP
from arise_lib.structures import prototypes
from arise_lib.structures.filling import fill_box
from arise_lib.structures.scale import nearest_neighbour_distances
from arise_lib.typing import Seed

#: Nearest-neighbour distance of all grains of a polycrystal in Å, about that of iron.
SPACING = 2.5

#: Steps by which the centres of grains move to the middle of their grains, and the points by which
#: the middle is found. Grains drawn without them differ so much that some are thinner than a box.
_STEPS, _POINTS = 3, 4096

#: Lattice constant in Å that gives the paper's superalloy, 132,127 atoms in a cube of 120 Å.
SUPERALLOY_CONSTANT = 3.74

#: Share of aluminium, that of the ordered phase Ni3Al.
ALUMINIUM = 0.25


class Truth(ABC):
    """Which phase is where in a sample: inherit for a geometry of your own."""

    @abstractmethod
    def phase(self, points: NDArray[np.float64]) -> NDArray[np.str_]:
        """Name the phase at some points.

        Parameters
        ----------
        points : ndarray of shape (n_points, 3)
            In Å.

        Returns
        -------
        ndarray of str, shape (n_points,)
            Labels of classes.
        """

    @abstractmethod
    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Measure how far points are from the nearest boundary.

        Parameters
        ----------
        points : ndarray of shape (n_points, 3)
            In Å.

        Returns
        -------
        ndarray of shape (n_points,)
            In Å, not negative; surfaces of the sample are no boundaries.
        """


@dataclass(frozen=True, eq=False)
class Grains(Truth):
    """Grains of a Voronoi tessellation: each point belongs to the nearest centre.

    Attributes
    ----------
    centres : ndarray of shape (n_grains, 3)
        In Å.
    phases : tuple of str, length n_grains
        Class of each grain.

    Examples
    --------
    >>> import numpy as np
    >>> truth = Grains(np.array([[0.0, 0, 0], [10.0, 0, 0]]), ("fcc", "bcc"))
    >>> points = np.array([[1.0, 5.0, 0.0], [7.0, 0.0, 0.0]])
    >>> truth.phase(points).tolist(), truth.distance(points).tolist()
    (['fcc', 'bcc'], [4.0, 2.0])
    """

    centres: NDArray[np.float64]
    phases: tuple[str, ...]

    def grain(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the number of the grain at some points, shape (n_points,)."""
        return cKDTree(self.centres).query(points)[1]

    def phase(self, points: NDArray[np.float64]) -> NDArray[np.str_]:
        """Name the phase at some points; see `Truth.phase`."""
        return np.array(self.phases)[self.grain(points)]

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Measure how far points are from the nearest boundary; see `Truth.distance`."""
        own = self.centres[self.grain(points)]
        nearest = np.full(len(points), np.inf)
        for other in self.centres:
            apart = np.linalg.norm(other - own, axis=1)
            excess = ((points - other) ** 2).sum(axis=1) - ((points - own) ** 2).sum(axis=1)
            # Distance to the plane half-way between the two centres.
            with np.errstate(invalid="ignore", divide="ignore"):
                nearest = np.minimum(nearest, np.where(apart > 0, excess / (2 * apart), np.inf))
        return nearest


@dataclass(frozen=True)
class Cuboid(Truth):
    """A cuboid of one phase in a matrix of another.

    Attributes
    ----------
    low, high : tuple of float, length 3
        Corners of the cuboid in Å.
    inside, outside : str
        Classes of cuboid and matrix.

    Examples
    --------
    >>> import numpy as np
    >>> truth = Cuboid((0.0, 0.0, 0.0), (4.0, 4.0, 4.0), "L1_2", "fcc")
    >>> points = np.array([[2.0, 2.0, 3.0], [7.0, 8.0, 2.0]])
    >>> truth.phase(points).tolist(), truth.distance(points).tolist()
    (['L1_2', 'fcc'], [1.0, 5.0])
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    inside: str
    outside: str

    def holds(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell whether points lie in the cuboid or on its surface, shape (n_points,)."""
        return np.all((points >= self.low) & (points <= self.high), axis=1)

    def phase(self, points: NDArray[np.float64]) -> NDArray[np.str_]:
        """Name the phase at some points; see `Truth.phase`."""
        return np.where(self.holds(points), self.inside, self.outside)

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Measure how far points are from the nearest boundary; see `Truth.distance`."""
        # Along each axis how far outside a point is; negative inside.
        beyond = np.maximum(np.subtract(self.low, points), np.subtract(points, self.high))
        outside = np.linalg.norm(np.maximum(beyond, 0.0), axis=1)
        return np.where(self.holds(points), -beyond.max(axis=1), outside)


def polycrystal(
    phases: Sequence[str], size: ArrayLike, seed: Seed, *, spacing: float = SPACING
) -> tuple[Atoms, Grains]:
    """Build a Voronoi polycrystal, one grain per phase in random orientation (paper, Fig. 2a).

    Parameters
    ----------
    phases : sequence of str
        Class of each grain, elemental solids.
    size : array_like of shape (3,)
        Edges of the block in Å; a short one makes a slab.
    seed : int or sequence of int
        Seed of the centres and orientations.
    spacing : float
        Nearest-neighbour distance of all grains in Å.

    Returns
    -------
    atoms : ase.Atoms
        A free cluster of iron. Arrays `grain` (int) and `phase` (str) hold the truth
        for each atom; they stay with the atoms when some are removed. Where grains
        meet, atoms nearer than `BICRYSTAL_GAP` spacings to one of an earlier grain are
        left out.
    truth : Grains
        The same for any point.

    Raises
    ------
    InputError
        If a class has more than one species or is not periodic in three directions,
        or the block has no volume.

    Notes
    -----
    The centres are drawn evenly; then each moves to the middle of its grain, three times
    (Lloyd's algorithm), so that no grain is thinner than a box.

    Examples
    --------
    >>> from arise_lib import samples
    >>> atoms, truth = samples.polycrystal(["fcc", "bcc"], (30.0, 30.0, 15.0), seed=0)
    >>> sorted(set(atoms.arrays["phase"].tolist())), len(truth.centres)
    (['bcc', 'fcc'], 2)
    """
    cells = [_of_spacing(label, spacing) for label in phases]
    edges = np.asarray(size, dtype=float)
    generator = np.random.default_rng(seed)
    truth = Grains(_centres(len(phases), edges, generator), tuple(phases))
    pieces: list[Atoms] = []
    for number, (label, cell) in enumerate(zip(phases, cells, strict=True)):
        turn = Rotation.random(rng=generator).as_matrix()
        shift = generator.random(3) @ cell.cell.array
        piece = fill_box(cell, np.zeros(3), edges, turn, shift)
        piece = piece[truth.grain(piece.positions) == number]
        if pieces:
            before = np.concatenate([earlier.positions for earlier in pieces])
            apart = cKDTree(before).query(piece.positions)[0]
            piece = piece[apart >= BICRYSTAL_GAP * spacing]
        piece.set_array("grain", np.full(len(piece), number))
        piece.set_array("phase", np.full(len(piece), label, dtype="U32"))
        pieces.append(piece)
    atoms = pieces[0].copy()
    for piece in pieces[1:]:
        atoms += piece
    return atoms, truth


def _centres(
    number: int, edges: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the centres of grains that are of about the same size."""
    points = generator.random((_POINTS, 3)) * edges
    centres = generator.random((number, 3)) * edges
    for _ in range(_STEPS):
        nearest = cKDTree(centres).query(points)[1]
        for grain in np.unique(nearest):
            centres[grain] = points[nearest == grain].mean(axis=0)
    return centres


def _of_spacing(label: str, spacing: float) -> Atoms:
    """Return the cell of an elemental solid, as iron with this nearest-neighbour distance."""
    cell = prototypes.build(label)
    if len(set(cell.numbers)) != 1 or not cell.pbc.all():
        raise InputError(
            f"{label!r} is no elemental solid, which the grains of a polycrystal must be."
        )
    cell.numbers[:] = atomic_numbers["Fe"]
    (found,) = nearest_neighbour_distances(cell).values()
    cell.set_cell(cell.cell.array * spacing / found, scale_atoms=True)
    return cell


def superalloy(
    edge: float, precipitate: float, seed: Seed, *, constant: float = SUPERALLOY_CONSTANT
) -> tuple[Atoms, Cuboid]:
    """Build a nickel-based superalloy: an ordered L1_2 cube in a disordered fcc matrix.

    One lattice runs through the sample; only the order of the species changes, as in
    the paper (Fig. 2h), so that methods that look at positions alone see nothing.

    Parameters
    ----------
    edge : float
        Edge of the cube in Å; 120 in the paper.
    precipitate : float
        Edge of the ordered cube in its middle, in Å.
    seed : int or sequence of int
        Seed of the disorder.
    constant : float
        Lattice constant in Å.

    Returns
    -------
    atoms : ase.Atoms
        A free cluster of nickel and aluminium, a quarter of it aluminium inside and,
        at random, outside. Arrays `grain` (1 in the precipitate, else 0) and `phase`
        hold the truth for each atom.
    truth : Cuboid
        The same for any point.

    Raises
    ------
    InputError
        If the precipitate is not smaller than the sample, or an edge is not positive.

    Examples
    --------
    >>> from arise_lib import samples
    >>> atoms, truth = samples.superalloy(30.0, 16.0, seed=0)
    >>> sorted(set(atoms.symbols)), sorted(set(atoms.arrays["phase"].tolist()))
    (['Al', 'Ni'], ['L1_2', 'fcc'])
    """
    if not 0.0 < precipitate < edge < np.inf:
        raise InputError(
            f"A precipitate of {precipitate} Å in a cube of {edge} Å: both must be positive and "
            "the precipitate the smaller one."
        )
    corner = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    cell = Atoms("AlNi3", scaled_positions=corner, cell=[constant] * 3, pbc=True)
    atoms = fill_box(cell, [0.0] * 3, [edge] * 3)
    low, high = (0.5 * (edge - precipitate),) * 3, (0.5 * (edge + precipitate),) * 3
    truth = Cuboid(low, high, "L1_2", "fcc")
    ordered = truth.holds(atoms.positions)
    generator = np.random.default_rng(seed)
    species = np.array([atomic_numbers["Al"], atomic_numbers["Ni"]])
    drawn = species[(generator.random(len(atoms)) >= ALUMINIUM).astype(int)]
    atoms.numbers[:] = np.where(ordered, atoms.numbers, drawn)
    atoms.set_array("grain", ordered.astype(int))
    atoms.set_array("phase", truth.phase(atoms.positions))
    return atoms, truth
