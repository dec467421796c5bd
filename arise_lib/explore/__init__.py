"""What descriptors and networks have learnt, as maps (paper, Fig. 2 to 4)."""

from arise_lib.explore.clusters import MIN_CLUSTER_SIZES, OUTLIER, agreement, cluster
from arise_lib.explore.embedding import embed
from arise_lib.explore.linked import linked_boxes

__all__ = ["MIN_CLUSTER_SIZES", "OUTLIER", "agreement", "cluster", "embed", "linked_boxes"]
