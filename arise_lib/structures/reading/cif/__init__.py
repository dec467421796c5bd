"""CIF: sites of the asymmetric unit, expanded by the symmetry that the file states.

The syntax and the tables of space groups are gemmi's. What the file leaves open (origin,
rhombohedral or hexagonal axes, unique axis) is decided by its cell and by its declared formula;
the result is checked against cell, formula and multiplicities, and refused where it contradicts
them. `tags` takes the file apart, `sites` finds cell and sites, `symmetry` the operations,
`expansion` the atoms, `occupancy` makes whole atoms of parts.
"""

from arise_lib.structures.reading.cif.block import read_cif

__all__ = ["read_cif"]
