"""What descriptors and networks have learnt, as maps (paper, Fig. 2 to 4)."""

from arise_lib.explore.embedding import embed

__all__ = ["embed"]
