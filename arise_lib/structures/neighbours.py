"""Neighbours: cell lists, nearest distances and periodic images; compiled."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.storage.compiled import compiled

#: Periodic images that are made at most; with all that is made of them they take 0.8 GB.
MAX_IMAGES = 10_000_000

#: Images per atom that are always allowed: the cell of a large sample and all that touch it.
ALWAYS_ALLOWED = 27

#: Cells that a structure may extend over along a periodic direction before its atoms are brought
#: into one. Up to here nothing is moved, so that rounding changes no number of a usual structure;
#: the tabulated images of the class FeSi extend over 2.2 cells.
MAX_EXTENT = 2.5

_CROWDED = 100  # points in a cell above which a tree is faster
_FAR = 1e9  # cells between a point and the first one above which the same holds

_SPARSE = 8  # cells per point above which only those that hold any are listed
_FEW = 4096  # cells that may always be listed
_MOST = 2.0**60  # cells that can be numbered


@compiled
def cell_list(
    points: NDArray[np.float64], size: float
) -> tuple[
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.int64],
    float,
]:
    """Sort points into cubic cells.

    Parameters
    ----------
    points : ndarray of shape (n_points, 3)
        At least one.
    size : float
        Edge of a cell, positive.

    Returns
    -------
    order : ndarray of int, shape (n_points,)
        Points cell by cell, the last axis fastest.
    start : ndarray of int, shape (n_listed + 1,)
        Where each listed cell begins in `order`; see `begin_of`.
    listed : ndarray of int, shape (n_listed,)
        Numbers of the listed cells, ascending; empty where all are listed. Of points that are few
        for their extent only the cells that hold any are: memory goes with the points, not with
        the space between them.
    low : ndarray of shape (3,)
        Corner of the first cell.
    shape : ndarray of int, shape (3,)
        Cells along each axis.
    size : float
        Edge of a cell: that asked for, unless there would be more cells than can be numbered.
    """
    n = points.shape[0]
    low, high = points[0].copy(), points[0].copy()
    for i in range(n):
        for k in range(3):
            low[k] = min(low[k], points[i, k])
            high[k] = max(high[k], points[i, k])
    # In floating point, which does not wrap around.
    layers = np.floor((high - low) / size) + 1.0
    while not layers.prod() <= _MOST:
        size *= 2.0
        layers = np.floor((high - low) / size) + 1.0
    shape = layers.astype(np.int64)
    cell = np.empty(n, dtype=np.int64)
    for i in range(n):
        index = 0
        for k in range(3):
            index = index * shape[k] + min(int((points[i, k] - low[k]) / size), shape[k] - 1)
        cell[i] = index
    if layers.prod() > max(_SPARSE * n, _FEW):
        order = np.argsort(cell, kind="mergesort")  # keeps the order of points of one cell
        listed, start = np.empty(n, dtype=np.int64), np.empty(n + 1, dtype=np.int64)
        count = 0
        for place in range(n):
            if place == 0 or cell[order[place]] != cell[order[place - 1]]:
                listed[count], start[count] = cell[order[place]], place
                count += 1
        start[count] = n
        return order, start[: count + 1].copy(), listed[:count].copy(), low, shape, size
    start = np.zeros(shape[0] * shape[1] * shape[2] + 1, dtype=np.int64)
    for i in range(n):
        start[cell[i] + 1] += 1
    for k in range(len(start) - 1):
        start[k + 1] += start[k]
    filled = start[:-1].copy()
    order = np.empty(n, dtype=np.int64)
    for i in range(n):
        order[filled[cell[i]]] = i
        filled[cell[i]] += 1
    return order, start, np.empty(0, dtype=np.int64), low, shape, size


@compiled
def begin_of(cell: int, start: NDArray[np.int64], listed: NDArray[np.int64]) -> int:
    """Find where the points of a cell, or else of the next one that holds any, begin.

    Parameters
    ----------
    cell : int
        Number of the cell, or that of the last one plus 1.
    start, listed : ndarray of int
        From `cell_list`.

    Returns
    -------
    int
        Place in `order`.
    """
    if len(listed) > 0:
        cell = int(np.searchsorted(listed, cell))
    return start[cell]


@compiled
def _cell_size(points: NDArray[np.float64]) -> float:
    """Edge of a cell that makes about as many cells as points, in three dimensions or fewer."""
    extent = np.empty(3)
    for k in range(3):
        extent[k] = points[:, k].max() - points[:, k].min()
    extent.sort()
    n = len(points)
    size = max(
        extent[2] / n,
        (extent[1] * extent[2] / n) ** 0.5,
        (extent[0] * extent[1] * extent[2] / n) ** (1.0 / 3.0),
    )
    return size if size > 0.0 else 1.0


@compiled
def nearest_distances(
    points: NDArray[np.float64],
    images: NDArray[np.float64],
    owner: NDArray[np.int64],
    home: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], bool]:
    """Find the distance of each point to its nearest image, itself left out.

    Parameters
    ----------
    points : ndarray of shape (n_points, 3)
        Where to look from.
    images : ndarray of shape (n_images, 3)
        At least one.
    owner : ndarray of int, shape (n_images,)
        Index of the point that each one is an image of.
    home : ndarray of bool, shape (n_images,)
        Whether it is the point itself.

    Returns
    -------
    distances : ndarray of shape (n_points,)
        Infinite where there is no other image.
    found : bool
        False, and no distances, if the images are spread so unevenly that cells are no help.
    """
    order, start, listed, low, shape, size = cell_list(images, _cell_size(images))
    distances = np.full(len(points), np.inf)
    if len(listed) > 0:
        return distances, False
    for k in range(len(start) - 1):
        if start[k + 1] - start[k] > _CROWDED:
            return distances, False
    placed = images[order]
    centre = np.empty(3, dtype=np.int64)
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        ring, last_ring = 0, 0
        for k in range(3):
            cell = np.floor((points[i, k] - low[k]) / size)
            if abs(cell) > _FAR:
                return distances, False
            centre[k] = int(cell)
            ring = max(ring, -centre[k], centre[k] - shape[k] + 1)
            last_ring = max(last_ring, centre[k], shape[k] - 1 - centre[k])
        best = np.inf
        # All cells of the rings so far: whatever they do not hold is at least `ring` cells away.
        while ring <= last_ring and best > (max(ring - 1, 0) * size) ** 2:
            for cx in range(max(0, centre[0] - ring), min(shape[0], centre[0] + ring + 1)):
                edge_x = abs(cx - centre[0]) == ring
                for cy in range(max(0, centre[1] - ring), min(shape[1], centre[1] + ring + 1)):
                    inner = not edge_x and abs(cy - centre[1]) != ring
                    # A whole line of cells, or only its two ends if the rest has been seen.
                    for part in range(2 if inner and ring > 0 else 1):
                        z_from, z_to = centre[2] - ring, centre[2] + ring
                        if inner and ring > 0:
                            z_from = z_to = z_to if part else z_from
                        z_from, z_to = max(z_from, 0), min(z_to, shape[2] - 1)
                        if z_from > z_to:
                            continue
                        line = (cx * shape[1] + cy) * shape[2]
                        for q in range(start[line + z_from], start[line + z_to + 1]):
                            dx, dy, dz = placed[q, 0] - x, placed[q, 1] - y, placed[q, 2] - z
                            square = dx * dx + dy * dy + dz * dz
                            if square < best and not (home[order[q]] and owner[order[q]] == i):
                                best = square
            ring += 1
        distances[i] = np.sqrt(best)
    return distances, True


def gather(atoms: Atoms) -> Atoms:
    """Bring atoms into one cell where they are spread over several, as in unwrapped trajectories.

    Every number of the method is the same for all images of an atom; but all that lies between
    the atoms as they stand would have to be filled with images.

    Parameters
    ----------
    atoms : ase.Atoms
        Any structure; it is not changed.

    Returns
    -------
    ase.Atoms
        The structure itself where it extends over no more than `MAX_EXTENT` cells along each
        periodic direction, otherwise a copy in which it does not.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures.neighbours import gather
    >>> atoms = bulk("NaCl", "rocksalt", a=5.6)
    >>> gather(atoms) is atoms
    True
    >>> atoms.positions[1] += 100 * atoms.cell[0]
    >>> gather(atoms).positions.round(6).tolist()
    [[0.0, 0.0, 0.0], [2.8, 2.8, 2.8]]
    """
    if len(atoms) == 1 or not atoms.pbc.any():
        return atoms
    cell = periodic_cell(atoms)
    far = (_extents(atoms.positions, cell) > MAX_EXTENT) & atoms.pbc
    if not far.any():
        return atoms
    places = atoms.positions @ np.linalg.inv(cell)
    gathered = atoms.copy()
    gathered.positions -= np.where(far, np.floor(places), 0.0) @ cell
    return gathered


def periodic_cell(atoms: Atoms) -> NDArray[np.float64]:
    """Return the cell with its periodic vectors alone; in place of the others stand normal ones.

    What stands there in a file may lean in any way, or lie in the plane of the periodic vectors:
    it repeats nothing and means nothing.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure, not empty.

    Returns
    -------
    ndarray of shape (3, 3)
        Vectors that are not periodic are perpendicular to all others, and as long as the atoms
        extend along them, one unit at least.

    Examples
    --------
    >>> from ase import Atoms
    >>> from arise_lib.structures import periodic_cell
    >>> sheet = Atoms("C2", [[0, 0, 0], [0, 0, 3]], cell=[[2, 0, 0], [0, 2, 0], [2, 2, 0]])
    >>> sheet.pbc = True, True, False
    >>> periodic_cell(sheet).tolist()
    [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]]
    """
    own = atoms.cell.array
    if atoms.pbc.all():
        return own
    periodic = atoms.pbc[:, None]
    # Completed, periodic vectors may have changed by rounding.
    cell = np.where(periodic, own, complete_cell(np.where(periodic, own, 0.0)))
    extents = np.ptp(atoms.positions @ cell.T, axis=0)
    return np.where(periodic, cell, cell * np.maximum(extents, 1.0)[:, None])


def periodic_images(
    atoms: Atoms, target: NDArray[np.bool_], radius: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """List the periodic images of some atoms that can lie within `radius` of the cell.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure; directions that are not periodic get no images.
    target : ndarray of bool, shape (n_atoms,)
        Atoms to replicate.
    radius : float
        Every image within this distance of any atom of the structure is listed.

    Returns
    -------
    positions : ndarray of shape (n_images, 3)
        Atoms stand where they stand in `atoms`, their images around.
    owner : ndarray of int, shape (n_images,)
        Index of the atom that each one is an image of.
    home : ndarray of bool, shape (n_images,)
        Whether it is the atom itself.

    Raises
    ------
    InputError
        If there are more than `MAX_IMAGES`.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.structures import periodic_images
    >>> atoms = bulk("Po", "sc", a=3.0)
    >>> positions, owner, home = periodic_images(atoms, atoms.numbers == 84, radius=3.5)
    >>> len(positions), positions[home].tolist()
    (27, [[0.0, 0.0, 0.0]])
    """
    owner = np.flatnonzero(target)
    positions = atoms.positions[owner]
    if not atoms.pbc.any():
        return positions, owner, np.ones(len(owner), dtype=bool)
    cell = periodic_cell(atoms)
    inverse = np.linalg.inv(cell)
    reach = radius * np.linalg.norm(inverse, axis=0) * atoms.pbc  # in fractional coordinates
    everywhere = atoms.positions @ inverse
    low, high = everywhere.min(axis=0) - reach - 1e-9, everywhere.max(axis=0) + reach + 1e-9
    first = np.ceil(low - everywhere[owner]) * atoms.pbc
    last = np.floor(high - everywhere[owner]) * atoms.pbc
    # Counted in floating point: integers wrap around, and compiled code trusts its arrays.
    if not _count(first, last) <= max(MAX_IMAGES, ALWAYS_ALLOWED * len(atoms)):
        raise InputError(_too_many(atoms, radius, everywhere, reach, last - first + 1.0))
    images, index, home = _replicate(positions, first.astype(np.int64), last.astype(np.int64), cell)
    return images, owner[index], home


@compiled
def _extents(positions: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many cells the positions extend over along each cell vector, 0 in no cell."""
    extents = np.empty(3)
    for k in range(3):
        normal = np.cross(cell[(k + 1) % 3], cell[(k + 2) % 3])
        low, high = np.inf, -np.inf
        for i in range(len(positions)):
            height = np.dot(positions[i], normal)
            low, high = min(low, height), max(high, height)
        volume = abs(np.dot(cell[k], normal))
        extents[k] = (high - low) / volume if volume > 0.0 else 0.0
    return extents


@compiled
def _count(first: NDArray[np.float64], last: NDArray[np.float64]) -> float:
    """Count the images of all points with these ranges of lattice vectors."""
    total = 0.0
    for i in range(len(first)):
        steps = last[i] - first[i] + 1.0
        total += steps[0] * steps[1] * steps[2]
    return total


def _too_many(
    atoms: Atoms,
    radius: float,
    places: NDArray[np.float64],
    reach: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> str:
    """Say what makes so many images: an atom far away, or a short cell vector."""
    axis = int(counts.max(axis=0).argmax())
    away = np.abs(places[:, axis] - np.median(places[:, axis]))
    if away.max() > 2.0 * reach[axis]:
        cause = (
            f"atom {away.argmax()} is {away.max():.3g} cells away from the others along cell "
            f"vector {axis}; bring it into the cell (atoms.wrap())"
        )
    else:
        cause = (
            f"cell vector {axis}, {atoms.cell.array[axis].tolist()}, would be repeated "
            f"{counts[:, axis].max():.3g} times; correct the cell (is it in the unit of the "
            "positions?), take another one of the same lattice if it is very skew, or make the "
            "direction not periodic (atoms.pbc)"
        )
    return (
        f"{counts.prod(axis=1).sum():.3g} periodic images are within {radius:.3g} of the atoms, "
        f"{MAX_IMAGES:,} are allowed: {cause}"
    )


@compiled
def _replicate(
    positions: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    cell: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Shift each point by all lattice vectors of its own range; returns points, index, home."""
    n_images = 0
    for i in range(len(positions)):
        n_images += np.prod(last[i] - first[i] + 1)
    images = np.empty((n_images, 3))
    index = np.empty(n_images, dtype=np.int64)
    home = np.empty(n_images, dtype=np.bool_)
    count = 0
    for i in range(len(positions)):
        for u in range(first[i, 0], last[i, 0] + 1):
            for v in range(first[i, 1], last[i, 1] + 1):
                for w in range(first[i, 2], last[i, 2] + 1):
                    for k in range(3):
                        shift = u * cell[0, k] + v * cell[1, k] + w * cell[2, k]
                        images[count, k] = positions[i, k] + shift
                    index[count] = i
                    home[count] = u == 0 and v == 0 and w == 0
                    count += 1
    return images, index, home
