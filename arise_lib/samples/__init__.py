"""Samples with known truth: grains, alloys, sheets, heat, unknown crystals; every one seeded."""

from arise_lib.samples.alloys import (
    FEPT_CONSTANT,
    FEPT_PHASES,
    TOMOGRAPHY_ERROR,
    WRONG_SPECIES,
    fept_box,
    ordered_core_particle,
)
from arise_lib.samples.boundaries import ANGLE, AXES, Plane, boundary_samples, grain_boundary
from arise_lib.samples.disorder import no_crystal
from arise_lib.samples.experiments import Sample, crystal_box, draw
from arise_lib.samples.grains import BICRYSTAL_GAP, BOUNDARY_GAP, bicrystal, join, random_boundary
from arise_lib.samples.heat import (
    HeatSample,
    heat_frames,
    heat_materials,
    heat_samples,
)
from arise_lib.samples.ordinary import ordinary_samples
from arise_lib.samples.particles import Particle, annealing_series, fept_particle
from arise_lib.samples.paths import BAIN_RATIOS, bain_crystals, bain_path
from arise_lib.samples.polycrystals import (
    SPACING,
    Cuboid,
    Grains,
    Truth,
    polycrystal,
    superalloy,
)
from arise_lib.samples.sheets import (
    FLAT_SHEETS,
    IMAGE_ERRORS,
    SHEETS,
    noisy_sheet,
    sheet_image,
)
from arise_lib.samples.unknown import one_step_away, unknown_prototypes, unseen_crystals

__all__ = [
    "ANGLE",
    "AXES",
    "BAIN_RATIOS",
    "BICRYSTAL_GAP",
    "BOUNDARY_GAP",
    "FEPT_CONSTANT",
    "FEPT_PHASES",
    "FLAT_SHEETS",
    "IMAGE_ERRORS",
    "SHEETS",
    "SPACING",
    "TOMOGRAPHY_ERROR",
    "WRONG_SPECIES",
    "Cuboid",
    "Grains",
    "HeatSample",
    "Particle",
    "Plane",
    "Sample",
    "Truth",
    "annealing_series",
    "bain_crystals",
    "bain_path",
    "bicrystal",
    "boundary_samples",
    "crystal_box",
    "draw",
    "fept_box",
    "fept_particle",
    "grain_boundary",
    "heat_frames",
    "heat_materials",
    "heat_samples",
    "join",
    "no_crystal",
    "noisy_sheet",
    "one_step_away",
    "ordered_core_particle",
    "ordinary_samples",
    "polycrystal",
    "random_boundary",
    "sheet_image",
    "superalloy",
    "unknown_prototypes",
    "unseen_crystals",
]
