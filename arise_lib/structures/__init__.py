"""Structures: read, checked, built, repeated, damaged, and their scale (paper, Methods, "Dataset").

`prototypes` holds the 108 classes, `reading` takes files, `checks` refuses what is no structure,
`scale` finds nearest-neighbour distances, `supercells` and `defects` make structures of others.
"""

from arise_lib.structures.checks import check_atoms, check_geometry, doubts
from arise_lib.structures.defects import displace, remove_atoms
from arise_lib.structures.neighbours import periodic_cell, periodic_images
from arise_lib.structures.pieces import (
    MIN_ATOMS_OF_SPECIES,
    box_edge,
    neighbourhood,
    neighbourhoods,
    of_common_species,
)
from arise_lib.structures.reading import (
    Source,
    load_structure,
    read_frames,
    read_source,
    read_structure,
)
from arise_lib.structures.scale import (
    mode_of_distances,
    nearest_neighbour_distances,
    overall_nearest_neighbour_distance,
    species_pairs,
)
from arise_lib.structures.supercells import (
    MIN_ATOMS,
    cut_box,
    cut_sphere,
    replication,
    round_cluster,
    supercell,
    supercell_series,
)

__all__ = [
    "MIN_ATOMS",
    "MIN_ATOMS_OF_SPECIES",
    "Source",
    "box_edge",
    "check_atoms",
    "check_geometry",
    "cut_box",
    "cut_sphere",
    "displace",
    "doubts",
    "load_structure",
    "mode_of_distances",
    "nearest_neighbour_distances",
    "neighbourhood",
    "neighbourhoods",
    "of_common_species",
    "overall_nearest_neighbour_distance",
    "periodic_cell",
    "periodic_images",
    "read_frames",
    "read_source",
    "read_structure",
    "remove_atoms",
    "replication",
    "round_cluster",
    "species_pairs",
    "supercell",
    "supercell_series",
]
