"""Strided pattern matching: a sample becomes maps of classes (paper, Fig. 1 and 2)."""

from arise_lib.strided.boxes import Box, Cube, Sphere
from arise_lib.strided.frames import FrameAnswers, classify_frames
from arise_lib.strided.grid import (
    MAX_BOXES,
    MAX_IMAGES,
    atoms_in_boxes,
    box_centres,
    count_atoms,
    filled_boxes,
    with_images,
)
from arise_lib.strided.labels import AtomLabels, label_atoms
from arise_lib.strided.maps import label_shares
from arise_lib.strided.rim import filled_share
from arise_lib.strided.sweep import MAX_MEMORY, describe_box, scan

__all__ = [
    "MAX_BOXES",
    "MAX_IMAGES",
    "MAX_MEMORY",
    "AtomLabels",
    "Box",
    "Cube",
    "FrameAnswers",
    "Sphere",
    "atoms_in_boxes",
    "box_centres",
    "classify_frames",
    "count_atoms",
    "describe_box",
    "filled_boxes",
    "filled_share",
    "label_atoms",
    "label_shares",
    "scan",
    "with_images",
]
