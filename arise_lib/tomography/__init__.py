"""Particles seen atom by atom: lattice, order, and how networks agree (paper, Fig. 4)."""

from arise_lib.tomography.agreement import OTHER_CLASS, agreement, confusion
from arise_lib.tomography.boxes import majority, members
from arise_lib.tomography.lattice import Lattice, fit_lattice
from arise_lib.tomography.order import LATTICE, LEVEL, PHASES, box_order, order_maps

__all__ = [
    "LATTICE",
    "LEVEL",
    "OTHER_CLASS",
    "PHASES",
    "Lattice",
    "agreement",
    "box_order",
    "confusion",
    "fit_lattice",
    "majority",
    "members",
    "order_maps",
]
