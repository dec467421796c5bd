"""Figures: one style, one function per kind of panel."""

from arise_lib.plotting.accuracy import (
    accuracy_curves,
    accuracy_heatmap,
    cost_scatter,
    like_for_like_curves,
    reliability_diagram,
)
from arise_lib.plotting.colours import (
    CLASS_COLOURS,
    OTHER,
    class_colour,
    class_colours,
    coloured,
)
from arise_lib.plotting.descriptors import class_map, descriptor_lines
from arise_lib.plotting.heat import heat_panels
from arise_lib.plotting.intervals import interval_dots
from arise_lib.plotting.labels import atom_map, frame_lines
from arise_lib.plotting.layers import layers_along, profile
from arise_lib.plotting.maps import class_maps, compared_maps, middle_layer, sample_view
from arise_lib.plotting.microscopy import (
    beside_multislice,
    micrographs,
    ring_map,
    score_curves,
    similarity_matrices,
)
from arise_lib.plotting.order import label_maps, label_table, radial_profiles
from arise_lib.plotting.ovito import add_to_ovito, ovito_modifier, ovito_picture, to_ovito
from arise_lib.plotting.particles import (
    central_slices,
    cluster_histograms,
    particle_views,
    slice_table,
)
from arise_lib.plotting.paths import path_panels
from arise_lib.plotting.pipeline import matrix_panels, pass_histograms, pipeline, vector_matrix
from arise_lib.plotting.points import coloured_points, point_panels
from arise_lib.plotting.predictions import class_bars, flat_maps, map_table
from arise_lib.plotting.sliding import sliding_box
from arise_lib.plotting.space import boxes_in_space
from arise_lib.plotting.structures import GALLERY_ATOMS, draw_atoms, gallery
from arise_lib.plotting.style import FAMILY_COLOURS, use_style
from arise_lib.plotting.training import learning_curves, search_panels
from arise_lib.plotting.views import linked_view

__all__ = [
    "CLASS_COLOURS",
    "FAMILY_COLOURS",
    "GALLERY_ATOMS",
    "OTHER",
    "accuracy_curves",
    "accuracy_heatmap",
    "add_to_ovito",
    "atom_map",
    "beside_multislice",
    "boxes_in_space",
    "central_slices",
    "class_bars",
    "class_colour",
    "class_colours",
    "class_map",
    "class_maps",
    "cluster_histograms",
    "coloured",
    "coloured_points",
    "compared_maps",
    "cost_scatter",
    "descriptor_lines",
    "draw_atoms",
    "flat_maps",
    "frame_lines",
    "gallery",
    "heat_panels",
    "interval_dots",
    "label_maps",
    "label_table",
    "layers_along",
    "learning_curves",
    "like_for_like_curves",
    "linked_view",
    "map_table",
    "matrix_panels",
    "micrographs",
    "middle_layer",
    "ovito_modifier",
    "ovito_picture",
    "particle_views",
    "pass_histograms",
    "path_panels",
    "pipeline",
    "point_panels",
    "profile",
    "radial_profiles",
    "reliability_diagram",
    "ring_map",
    "sample_view",
    "score_curves",
    "search_panels",
    "similarity_matrices",
    "slice_table",
    "sliding_box",
    "to_ovito",
    "use_style",
    "vector_matrix",
]
