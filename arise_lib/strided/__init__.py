"""Strided pattern matching: a sample becomes maps of classes (paper, Fig. 1 and 2)."""

from arise_lib.strided.boxes import Block, Box, Cube, Sphere
from arise_lib.strided.described import Boxes, describe_boxes
from arise_lib.strided.frames import FrameAnswers, classify_frames
from arise_lib.strided.grid import (
    MAX_BOXES,
    MAX_IMAGES,
    atoms_in_boxes,
    box_centres,
    count_atoms,
    with_images,
)
from arise_lib.strided.labels import AtomLabels, label_atoms
from arise_lib.strided.layers import best_layering, layering
from arise_lib.strided.lines import describe_box
from arise_lib.strided.maps import label_shares
from arise_lib.strided.places import describe_at
from arise_lib.strided.rim import filled_share
from arise_lib.strided.scores import (
    auc_difference,
    auc_interval,
    beside_truth,
    boundary_auc,
    majority,
    mean_in_boxes,
    precision_recall,
)
from arise_lib.strided.sweep import MAX_MEMORY, classify_boxes, scan

__all__ = [
    "MAX_BOXES",
    "MAX_IMAGES",
    "MAX_MEMORY",
    "AtomLabels",
    "Block",
    "Box",
    "Boxes",
    "Cube",
    "FrameAnswers",
    "Sphere",
    "atoms_in_boxes",
    "auc_difference",
    "auc_interval",
    "beside_truth",
    "best_layering",
    "boundary_auc",
    "box_centres",
    "classify_boxes",
    "classify_frames",
    "count_atoms",
    "describe_at",
    "describe_box",
    "describe_boxes",
    "filled_share",
    "label_atoms",
    "label_shares",
    "layering",
    "majority",
    "mean_in_boxes",
    "precision_recall",
    "scan",
    "with_images",
]
