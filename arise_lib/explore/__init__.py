"""What descriptors and networks have learnt, as maps (paper, Fig. 2 to 4)."""

from arise_lib.explore.clusters import MIN_CLUSTER_SIZES, OUTLIER, agreement, cluster
from arise_lib.explore.embedding import embed
from arise_lib.explore.soft import MEMBERSHIP, soft_cluster
from arise_lib.explore.spread import group_spread

__all__ = [
    "MEMBERSHIP",
    "MIN_CLUSTER_SIZES",
    "OUTLIER",
    "agreement",
    "cluster",
    "embed",
    "group_spread",
    "soft_cluster",
]
