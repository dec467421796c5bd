"""Samples with known truth: grains, alloys, sheets, unknown crystals; every one seeded."""

from arise_lib.samples.alloys import (
    FEPT_CONSTANT,
    FEPT_PHASES,
    TOMOGRAPHY_ERROR,
    WRONG_SPECIES,
    fept_box,
    ordered_core_particle,
)
from arise_lib.samples.disorder import no_crystal
from arise_lib.samples.experiments import Sample, crystal_box, draw
from arise_lib.samples.grains import BICRYSTAL_GAP, BOUNDARY_GAP, bicrystal, join, random_boundary
from arise_lib.samples.particles import Particle, annealing_series, fept_particle
from arise_lib.samples.sheets import (
    FLAT_SHEETS,
    IMAGE_ERRORS,
    SHEETS,
    noisy_sheet,
    sheet_image,
)
from arise_lib.samples.unknown import unseen_crystals

__all__ = [
    "BICRYSTAL_GAP",
    "BOUNDARY_GAP",
    "FEPT_CONSTANT",
    "FEPT_PHASES",
    "FLAT_SHEETS",
    "IMAGE_ERRORS",
    "SHEETS",
    "TOMOGRAPHY_ERROR",
    "WRONG_SPECIES",
    "Particle",
    "Sample",
    "annealing_series",
    "bicrystal",
    "crystal_box",
    "draw",
    "fept_box",
    "fept_particle",
    "join",
    "no_crystal",
    "noisy_sheet",
    "ordered_core_particle",
    "random_boundary",
    "sheet_image",
    "unseen_crystals",
]
