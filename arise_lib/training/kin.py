"""Classes that have a near relative among the others, where training must not blur the difference.

Two classes are near kin if one of their pristine structures, described as at prediction with pairs
weighted by abundance, is nearer than `NEAREST` to one of the other's, both vectors made of
length 1. `tests/test_noise.py` finds the same by measuring.
"""

from __future__ import annotations

#: Distance below which two classes are near kin; the descriptors of any two are at most 2 apart.
NEAREST = 0.08

#: Classes with a near relative, alphabetically.
NEAR_KIN = (
    "AgNbO3 perovskite",
    "C3N",
    "CrW3S8",
    "CrWS4",
    "CsSnI3 perovskite",
    "L1_2",
    "MoS2",
    "ScPSe3",
    "VPSe3",
    "alpha-Sm",
    "dhcp",
    "fcc",
    "graphene",
    "graphite (hex)",
    "graphite (rhomb)",
    "nanotube (5,2)",
    "nanotube (6,2)",
)

#: Those of them whose relative has as many species: it is their geometry alone that differs.
ALIKE_IN_SPECIES = (
    "AgNbO3 perovskite",
    "CrW3S8",
    "CrWS4",
    "CsSnI3 perovskite",
    "ScPSe3",
    "VPSe3",
    "alpha-Sm",
    "dhcp",
    "graphite (hex)",
    "graphite (rhomb)",
    "nanotube (5,2)",
    "nanotube (6,2)",
)

#: A homogeneous strain of less than 8 % turns fcc into it: c/a is 1.076 in the face-centred cell.
STRAINED_KIN = ("In",)
