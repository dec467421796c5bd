"""What strain, surfaces and small size do to a crystal: pieces of a class as samples have them."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from arise_lib.samples.grains import BOUNDARY_GAP, join
from arise_lib.structures import prototypes
from arise_lib.structures.pieces import box_edge
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.structures.supercells import cut_box
from arise_lib.training.kin import ALIKE_IN_SPECIES, STRAINED_KIN

#: Largest component of the strain, and that of classes which a strain makes alike.
MAX_STRAIN, KIN_STRAIN = 0.04, 0.012

#: c/a of hexagonal close packing, from compressed (cadmium is 1.89) to the ideal 1.633 and below.
HCP_RATIO = (1.55, 1.90)

#: Layers of a slab.
LAYERS = (3, 10)

#: Distance between close-packed layers in dNN.
LAYER = np.sqrt(2.0 / 3.0)

#: The largest share of a piece's width that a grain of another class takes.
SECOND_GRAIN = 0.3

#: Volume of a cube over that of the ball in it.
_CUBE_TO_BALL = 6.0 / np.pi


def strained(label: str, generator: np.random.Generator) -> Atoms:
    """Build the cell of a class under a homogeneous strain, hcp with another c/a.

    Parameters
    ----------
    label : str
        One of `arise_lib.structures.prototypes.LABELS`.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ase.Atoms
        The strain tensor is symmetric, its components are drawn evenly up to a
        limit which is itself drawn; sheets are strained in their plane and
        nanotubes along their axis.

    Examples
    --------
    >>> import numpy as np
    >>> cell = strained("NaCl", np.random.default_rng(0))
    >>> len(cell), bool(np.ptp(cell.cell.lengths()) > 0)
    (2, True)
    """
    atoms = prototypes.build(label)
    if label == "hcp":
        a = float(atoms.cell.lengths()[0])
        stretch = generator.uniform(*HCP_RATIO) * a / float(atoms.cell.lengths()[2])
        atoms.set_cell(atoms.cell.array * [1.0, 1.0, stretch], scale_atoms=True)
    limit = KIN_STRAIN if label in (*ALIKE_IN_SPECIES, *STRAINED_KIN) else MAX_STRAIN
    strain = generator.uniform(-1.0, 1.0, (3, 3)) * generator.uniform(0.0, limit)
    strain = np.triu(strain) + np.triu(strain, 1).T
    flat = atoms.pbc.sum() == 2
    free = [True, True, False] if flat else [True] * 3 if atoms.pbc.any() else [False, False, True]
    deformation = np.eye(3) + strain * np.outer(free, free)
    atoms.positions = atoms.positions @ deformation
    atoms.cell = atoms.cell.array @ deformation
    return atoms


def periodic_slab(cell: Atoms, n_atoms: int, generator: np.random.Generator) -> Atoms:
    """Cut a slab of some layers that is periodic in its plane out of a crystal.

    Parameters
    ----------
    cell : ase.Atoms
        Crystal.
    n_atoms : int
        Atoms that are aimed at; thin cells have many layers, and then fewer atoms.
    generator : numpy.random.Generator
        Source of the randomness: direction and number of layers.

    Returns
    -------
    ase.Atoms
        Free in the direction of one of the cell vectors.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> slab = periodic_slab(bulk("Cu"), 200, np.random.default_rng(0))
    >>> slab.pbc.sum()
    np.int64(2)
    """
    axis = int(generator.integers(3))
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell.cell.array), axis=0)
    layers = max(1, round(_thickness(cell, generator) / heights[axis]))
    wide = max(1, round(np.sqrt(n_atoms / (layers * len(cell)))))
    repetitions = [wide] * 3
    repetitions[axis] = layers
    slab = cell.repeat(repetitions)
    slab.pbc[axis] = False
    return slab


def free_slab(cell: Atoms, n_atoms: int, generator: np.random.Generator) -> Atoms:
    """Cut a free slab with faces along any plane out of a crystal.

    Parameters
    ----------
    cell : ase.Atoms
        Crystal.
    n_atoms : int
        Atoms of the slab on average; it is never narrower than thick, and then has more.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ase.Atoms
        A free cluster.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> slab = free_slab(bulk("Cu"), 200, np.random.default_rng(3))
    >>> len(slab) > 100, bool(slab.pbc.any())
    (True, False)
    """
    thickness = _thickness(cell, generator)
    width = np.sqrt(n_atoms * cell.get_volume() / len(cell) / thickness)
    block = cut_box(cell, max(width, thickness), generator)
    # `cut_box` turned it at random: any fixed axis is a random one of the crystal.
    return block[np.abs(block.positions[:, 2]) <= 0.5 * thickness]


def particle(cell: Atoms, n_atoms: int, generator: np.random.Generator) -> Atoms:
    """Cut a ball out of a crystal, a round flake out of a sheet.

    Parameters
    ----------
    cell : ase.Atoms
        Crystal or sheet.
    n_atoms : int
        Atoms on average.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ase.Atoms
        A free cluster around any point of the crystal.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> 80 < len(particle(bulk("Cu"), 100, np.random.default_rng(0))) < 120
    True
    """
    d = int(cell.pbc.sum())
    edge = box_edge(cell, n_atoms * (_CUBE_TO_BALL if d == 3 else 4.0 / np.pi))
    block = cut_box(cell, edge, generator)
    return block[np.linalg.norm(block.positions[:, :d], axis=1) <= 0.5 * edge]


def with_second_grain(piece: Atoms, cell: Atoms, generator: np.random.Generator) -> Atoms:
    """Put a grain of another crystal to the side of a piece.

    Parameters
    ----------
    piece : ase.Atoms
        Free cluster, centred on the origin.
    cell : ase.Atoms
        The other crystal; it is scaled to the same nearest-neighbour distance.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ase.Atoms
        A cluster of the same size, of which the second grain takes up to 30 % of
        the width.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib.structures import cut_box
    >>> generator = np.random.default_rng(0)
    >>> piece = cut_box(bulk("Cu"), 15.0, generator)
    >>> both = with_second_grain(piece, bulk("Fe"), generator)
    >>> bool(0 < np.sum(both.symbols == "Fe") < 0.4 * len(both))
    True
    """
    spacing = overall_nearest_neighbour_distance(piece)
    other = cell.copy()
    scale = spacing / overall_nearest_neighbour_distance(other.repeat(2))
    other.set_cell(other.cell.array * scale, scale_atoms=True)
    width = float(np.ptp(piece.positions[:, 0]))
    second = cut_box(other, float(np.ptp(piece.positions, axis=0).max()), generator)
    plane = (0.5 - generator.uniform(0.0, SECOND_GRAIN)) * width
    return join(piece, second, plane, BOUNDARY_GAP * spacing)[0]


def _thickness(cell: Atoms, generator: np.random.Generator) -> float:
    """Draw the thickness of a slab, in the unit of the cell."""
    # A cell of one atom has no distance in it.
    spacing = overall_nearest_neighbour_distance(cell.repeat(2))
    return float(generator.integers(LAYERS[0], LAYERS[1] + 1) * LAYER * spacing)
