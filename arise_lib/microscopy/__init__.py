"""Images of an electron microscope: simulated, read, and turned into atoms (paper, Fig. 3)."""

from arise_lib.microscopy.classical import find_blobs
from arise_lib.microscopy.damage import DAMAGES, damaged
from arise_lib.microscopy.finder import Finder, find_atoms, finder_card, load_finder
from arise_lib.microscopy.found import Found, species_by_brightness
from arise_lib.microscopy.images import Image, read_image
from arise_lib.microscopy.matching import Match, match
from arise_lib.microscopy.multislice import (
    SCENES,
    Multislice,
    agreement,
    contrast_exponent,
    cross_sections,
    fit_probe,
    load_multislice,
    summed,
)
from arise_lib.microscopy.rings import rings
from arise_lib.microscopy.scenes import grain_boundary, random_packing, sheet
from arise_lib.microscopy.scores import FINDERS, SCORED, atomap_scores, score_doses
from arise_lib.microscopy.similarity import Blocks, blocks, cosine_similarity
from arise_lib.microscopy.simulate import Imaging, SimulatedImage, simulate

__all__ = [
    "DAMAGES",
    "FINDERS",
    "SCENES",
    "SCORED",
    "Blocks",
    "Finder",
    "Found",
    "Image",
    "Imaging",
    "Match",
    "Multislice",
    "SimulatedImage",
    "agreement",
    "atomap_scores",
    "blocks",
    "contrast_exponent",
    "cosine_similarity",
    "cross_sections",
    "damaged",
    "find_atoms",
    "find_blobs",
    "finder_card",
    "fit_probe",
    "grain_boundary",
    "load_finder",
    "load_multislice",
    "match",
    "random_packing",
    "read_image",
    "rings",
    "score_doses",
    "sheet",
    "simulate",
    "species_by_brightness",
    "summed",
]
