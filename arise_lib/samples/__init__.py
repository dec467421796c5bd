"""Samples with known truth: grains, alloys, sheets, unknown crystals; every one seeded."""

from arise_lib.samples.alloys import (
    FEPT_CONSTANT,
    TOMOGRAPHY_ERROR,
    WRONG_SPECIES,
    fept_box,
    ordered_core_particle,
)
from arise_lib.samples.experiments import Experiment, crystal_box, draw
from arise_lib.samples.grains import bicrystal
from arise_lib.samples.sheets import IMAGE_ERRORS, SHEETS, noisy_sheet, sheet_image
from arise_lib.samples.unknown import unseen_crystals

__all__ = [
    "FEPT_CONSTANT",
    "IMAGE_ERRORS",
    "SHEETS",
    "TOMOGRAPHY_ERROR",
    "WRONG_SPECIES",
    "Experiment",
    "bicrystal",
    "crystal_box",
    "draw",
    "fept_box",
    "noisy_sheet",
    "ordered_core_particle",
    "sheet_image",
    "unseen_crystals",
]
