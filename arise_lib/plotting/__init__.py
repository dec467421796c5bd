"""Figures: one style, one function per kind of panel."""

from arise_lib.plotting.accuracy import (
    accuracy_curves,
    accuracy_heatmap,
    confusion_map,
    cost_scatter,
    like_for_like_curves,
    reliability_diagram,
)
from arise_lib.plotting.descriptors import class_map, descriptor_lines
from arise_lib.plotting.pipeline import matrix_panels, pass_histograms, pipeline, vector_matrix
from arise_lib.plotting.predictions import class_bars, flat_maps, map_table
from arise_lib.plotting.structures import GALLERY_ATOMS, draw_atoms, gallery
from arise_lib.plotting.style import FAMILY_COLOURS, use_style
from arise_lib.plotting.training import learning_curves, search_panels

__all__ = [
    "FAMILY_COLOURS",
    "GALLERY_ATOMS",
    "accuracy_curves",
    "accuracy_heatmap",
    "class_bars",
    "class_map",
    "confusion_map",
    "cost_scatter",
    "descriptor_lines",
    "draw_atoms",
    "flat_maps",
    "gallery",
    "learning_curves",
    "like_for_like_curves",
    "map_table",
    "matrix_panels",
    "pass_histograms",
    "pipeline",
    "reliability_diagram",
    "search_panels",
    "use_style",
    "vector_matrix",
]
