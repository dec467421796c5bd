"""Strided pattern matching: a sample becomes maps of classes (paper, Fig. 1 and 2)."""

from arise_lib.strided.boxes import MAX_BOXES, MIN_ATOMS_OF_SPECIES, atoms_in_boxes, box_centres
from arise_lib.strided.maps import label_shares
from arise_lib.strided.sweep import describe_box, scan

__all__ = [
    "MAX_BOXES",
    "MIN_ATOMS_OF_SPECIES",
    "atoms_in_boxes",
    "box_centres",
    "describe_box",
    "label_shares",
    "scan",
]
