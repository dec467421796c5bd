"""Particles seen atom by atom: lattice, order, and how networks agree (paper, Fig. 4)."""

from arise_lib.tomography.agreement import OTHER_CLASS, agreement, confusion
from arise_lib.tomography.alignment import Alignment, align
from arise_lib.tomography.boxes import majority, members
from arise_lib.tomography.lattice import Lattice, fit_lattice
from arise_lib.tomography.order import LATTICE, LEVEL, PHASES, box_order, order_maps
from arise_lib.tomography.shells import (
    CORE,
    SHELL,
    box_table,
    change_of_median,
    matched,
    radial_profile,
)

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
    "box_order",
    "box_table",
    "change_of_median",
    "confusion",
    "fit_lattice",
    "majority",
    "matched",
    "members",
    "order_maps",
    "radial_profile",
]
