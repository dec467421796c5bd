"""Strided pattern matching: a sample becomes maps of classes (paper, Fig. 1 and 2)."""

from arise_lib.strided.boxes import (
    MAX_BOXES,
    Box,
    Cube,
    Sphere,
    atoms_in_boxes,
    box_centres,
    count_atoms,
    filled_boxes,
)
from arise_lib.strided.maps import label_shares
from arise_lib.strided.sweep import MAX_MEMORY, describe_box, scan

__all__ = [
    "MAX_BOXES",
    "MAX_MEMORY",
    "Box",
    "Cube",
    "Sphere",
    "atoms_in_boxes",
    "box_centres",
    "count_atoms",
    "describe_box",
    "filled_boxes",
    "label_shares",
    "scan",
]
