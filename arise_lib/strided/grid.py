"""Where the boxes of a scan stand, and which atoms each one holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.strided.boxes import Block, Box, Cube
from arise_lib.structures.neighbours import periodic_cell

#: Boxes of a grid, filled or not. The paper's finest grid, the Fe-Pt particle every ångström, has
#: 1.3 million.
MAX_BOXES = 2_000_000

#: Atoms and images that the boxes of a periodic sample may reach.
MAX_IMAGES = 10_000_000


def box_centres(
    atoms: Atoms, box: Box, stride: float | Sequence[float], padding: float
) -> list[NDArray[np.float64]]:
    """Lay the grid of box centres over a sample.

    Along a free axis the boxes cover the extent of the sample and `padding` boxes
    more on either side. They start every `stride`, the first one moved outwards
    by half of what the last one overhangs. If the sample fits into one box there
    is one, in its middle. Along an axis into which a periodic cell vector
    reaches, there is no rim: the boxes stand evenly over the cell, at most one
    `stride` apart.

    Parameters
    ----------
    atoms : ase.Atoms
        The sample.
    box : Box
        Its shape.
    stride : float or sequence of float, length 3
        Distance of neighbouring boxes, the same along all axes or one for each, in
        the unit of the positions.
    padding : float
        In boxes.

    Returns
    -------
    list of three ndarray
        Centres along x, y and z.

    Raises
    ------
    InputError
        If box or stride are not positive, padding is negative, one of them is not
        finite, if there are neither one nor three strides, or if they make more than
        `MAX_BOXES` boxes.

    Notes
    -----
    For the samples of the paper, which are free, this gives its numbers of boxes
    exactly: 7,968 for the four grains, 43,679 for the FePt particle.

    Examples
    --------
    >>> from ase import Atoms
    >>> from arise_lib.strided import Cube
    >>> sample = Atoms("H2", [[0.0, 0, 0], [10, 3, 0]])
    >>> x, y, z = box_centres(sample, Cube(4.0), 3.0, padding=0.0)
    >>> x.tolist(), y.tolist(), z.tolist()
    ([0.5, 3.5, 6.5, 9.5], [1.5], [0.0])
    >>> sample.cell, sample.pbc = [12.0, 12.0, 12.0], [True, False, False]
    >>> box_centres(sample, Cube(4.0), 3.0, padding=0.0)[0].tolist()
    [1.5, 4.5, 7.5, 10.5]
    """
    width, step = box.extents, np.asarray(stride, dtype=float)
    if step.shape not in ((), (3,)):
        raise InputError(f"stride = {stride}: give one for all axes, or three, along x, y and z.")
    step = np.broadcast_to(step, 3)
    finite = np.isfinite([*width, *step, padding]).all()
    if not (finite and width.min() > 0 and step.min() > 0 and padding >= 0):
        raise InputError(
            f"A {box}, stride = {stride}, padding = {padding}: box and stride must be "
            "positive, padding not negative, all of them finite."
        )
    periodic, lows, extents = _spans(atoms)
    lengths = np.where(periodic, extents, extents + 2.0 * padding * width)
    # As floating-point numbers: a tiny stride makes more boxes than an integer can count.
    with np.errstate(over="ignore"):
        numbers = np.maximum(
            np.floor(lengths / step) + 1.0, np.ceil((lengths - width) / step) + 1.0
        )
        numbers[extents <= width] = 1.0
        # A cell that is a whole number of strides long must not get one box more by rounding.
        even = np.maximum(np.ceil(extents / step * (1.0 - 1e-12)), 1.0)
        numbers = np.where(periodic, even, numbers)
        n_boxes = float(np.prod(numbers))
    if n_boxes > MAX_BOXES:
        raise InputError(
            f"A stride of {stride} makes {n_boxes:,.0f} boxes; at most {MAX_BOXES:,} are allowed. "
            "Take a larger stride (is it in the unit of the positions?) or scan in parts."
        )
    axes = []
    for k, (low, extent, length) in enumerate(zip(lows, extents, lengths, strict=True)):
        n = int(numbers[k])
        if periodic[k]:
            axes.append(low + extent * (np.arange(n) + 0.5) / n)
        elif extent <= width[k]:
            axes.append(np.array([low + 0.5 * extent]))
        else:
            overhang = (numbers[k] - 1) * step[k] + width[k] - length
            start = low - padding * width[k] - 0.5 * overhang
            axes.append(start + 0.5 * width[k] + step[k] * np.arange(n))
    return axes


def _spans(
    atoms: Atoms,
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Which axes the sample repeats along, and where it begins and how far it goes along each.

    There are as many of them as periodic cell vectors: those on which the vectors' shadow is
    largest. An oblique cell, which is no box, gets the grid of the box around it, and where a
    periodic vector leans into another axis, the grid covers there all atoms of one period.
    """
    vectors = atoms.cell.array[atoms.pbc]
    number = len(vectors)
    choices = [list(axes) for axes in combinations(range(3), number)]
    shadows = [abs(np.linalg.det(vectors[:, axes])) for axes in choices]
    # Of equal ones the first, also where they differ by rounding.
    chosen = next(
        c for c, s in zip(choices, shadows, strict=True) if s >= (1.0 - 1e-9) * max(shadows)
    )
    periodic = np.isin(np.arange(3), chosen)
    frame = np.concatenate([vectors, np.eye(3)[~periodic]])
    periods = np.floor(atoms.positions @ np.linalg.inv(frame))[:, :number]
    wrapped = atoms.positions - periods @ vectors
    low, high = np.minimum(vectors, 0.0).sum(axis=0), np.maximum(vectors, 0.0).sum(axis=0)
    lows = np.where(periodic, low, wrapped.min(axis=0))
    return periodic, lows, np.where(periodic, high, wrapped.max(axis=0)) - lows


def with_images(atoms: Atoms, axes: list[NDArray[np.float64]], box: Box) -> Atoms:
    """Surround a periodic sample with as many of its images as the boxes reach into.

    Parameters
    ----------
    atoms : ase.Atoms
        The sample.
    axes : list of three ndarray
        Box centres along x, y, z.
    box : Box
        Its shape.

    Returns
    -------
    ase.Atoms
        Without periodicity: a free sample as it is, a periodic one with the images
        that lie where the boxes are.

    Raises
    ------
    InputError
        If there are more than `MAX_IMAGES` of them.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.strided import Cube
    >>> copper = bulk("Cu", cubic=True)
    >>> axes = box_centres(copper, Cube(10.0), 4.0, padding=0.5)
    >>> len(with_images(copper, axes, Cube(10.0))) > 4
    True
    """
    if not atoms.pbc.any():
        return atoms
    half = 0.5 * box.extents
    low = np.array([axis[0] for axis in axes]) - half
    high = np.array([axis[-1] for axis in axes]) + half
    cell = periodic_cell(atoms)
    inverse = np.linalg.inv(cell)
    corners = np.array(list(product(*zip(low, high, strict=True)))) @ inverse
    first = np.where(atoms.pbc, np.floor(corners.min(axis=0)), 0.0)
    last = np.where(atoms.pbc, np.floor(corners.max(axis=0)), 0.0)
    n_images = len(atoms) * float(np.prod(last - first + 1.0))
    if n_images > MAX_IMAGES:
        raise InputError(
            f"A {box} reaches over {n_images:,.0f} images of the {len(atoms)} atoms; at most "
            f"{MAX_IMAGES:,} are allowed. Take a smaller box (is it in the unit of the positions?)."
        )
    wrapped = atoms.positions - np.where(atoms.pbc, np.floor(atoms.positions @ inverse), 0.0) @ cell
    shifts = product(*(np.arange(a, b + 1.0) for a, b in zip(first, last, strict=True)))
    numbers, positions = [], []
    for shift in shifts:
        moved = wrapped + np.array(shift) @ cell
        near = np.all((moved >= low) & (moved <= high), axis=1)
        numbers.append(atoms.numbers[near])
        positions.append(moved[near])
    return Atoms(np.concatenate(numbers), np.concatenate(positions))


def atoms_in_boxes(
    positions: NDArray[np.float64], axes: list[NDArray[np.float64]], box: Box
) -> Iterator[tuple[tuple[int, int, int], NDArray[np.int64]]]:
    """List the atoms of every box that holds any; boxes are closed on all sides.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the sample.
    axes : list of three ndarray
        Box centres along x, y, z.
    box : Box
        Its shape.

    Yields
    ------
    where : tuple of int
        Index of the box along x, y and z; z runs fastest.
    members : ndarray of int
        Its atoms, ascending.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.strided import Cube
    >>> positions = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    >>> axes = [np.array([0.0, 4.0]), np.zeros(1), np.zeros(1)]
    >>> {where: atoms.tolist() for where, atoms in atoms_in_boxes(positions, axes, Cube(4.0))}
    {(0, 0, 0): [0, 1], (1, 0, 0): [1, 2]}
    """
    half = 0.5 * box.extents
    for ix, x in enumerate(axes[0]):
        in_x = np.flatnonzero(np.abs(positions[:, 0] - x) <= half[0])
        if in_x.size == 0:
            continue
        of_layer = positions[in_x, 1]
        for iy, y in enumerate(axes[1]):
            column = in_x[np.abs(of_layer - y) <= half[1]]
            if column.size == 0:
                continue
            heights = positions[column, 2]
            for iz, z in enumerate(axes[2]):
                here = column[np.abs(heights - z) <= half[2]]
                if not isinstance(box, Cube | Block):  # of these, that is all
                    here = here[box.holds(positions[here] - (x, y, z))]
                if here.size:
                    yield (ix, iy, iz), here


def count_atoms(
    positions: NDArray[np.float64], axes: list[NDArray[np.float64]], box: Box
) -> NDArray[np.int64]:
    """Count the atoms of every box.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Atoms of the sample.
    axes : list of three ndarray
        Box centres along x, y, z.
    box : Box
        Its shape.

    Returns
    -------
    ndarray of int, shape (n_x, n_y, n_z)
        0 for empty boxes.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.strided import Cube
    >>> axes = [np.array([0.0, 4.0, 8.0]), np.zeros(1), np.zeros(1)]
    >>> count_atoms(np.array([[2.0, 0.0, 0.0]]), axes, Cube(4.0)).ravel().tolist()
    [1, 1, 0]
    """
    counts = np.zeros([len(axis) for axis in axes], dtype=np.int64)
    for where, members in atoms_in_boxes(positions, axes, box):
        counts[where] = members.size
    return counts
