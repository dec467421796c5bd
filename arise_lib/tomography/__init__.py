"""Particles seen atom by atom: lattice, order, and how networks agree (paper, Fig. 4)."""

from arise_lib.tomography.agreement import OTHER_CLASS, agreement, confusion
from arise_lib.tomography.alignment import Alignment, align, align_by_drift, align_series
from arise_lib.tomography.antiphase import antiphase
from arise_lib.tomography.boxes import average, centres, majority, members, of_nearest_box
from arise_lib.tomography.lattice import Lattice, fit_lattice
from arise_lib.tomography.order import LATTICE, LEVEL, PHASES, box_order, order_maps
from arise_lib.tomography.relations import rank_correlation, share_below
from arise_lib.tomography.shells import (
    CORE,
    SHELL,
    box_table,
    change_of_median,
    matched,
    radial_profile,
)
from arise_lib.tomography.spacings import spacing_difference

__all__ = [
    "CORE",
    "LATTICE",
    "LEVEL",
    "OTHER_CLASS",
    "PHASES",
    "SHELL",
    "Alignment",
    "Lattice",
    "agreement",
    "align",
    "align_by_drift",
    "align_series",
    "antiphase",
    "average",
    "box_order",
    "box_table",
    "centres",
    "change_of_median",
    "confusion",
    "fit_lattice",
    "majority",
    "matched",
    "members",
    "of_nearest_box",
    "order_maps",
    "radial_profile",
    "rank_correlation",
    "share_below",
    "spacing_difference",
]
