"""The multilayer perceptron as plain arrays, and the released ones (paper, Table 1)."""

from arise_lib.network.model import Network, members, softmax
from arise_lib.network.released import (
    load,
    load_ensemble,
    member_names,
    release,
    release_ensemble,
    save,
)

__all__ = [
    "Network",
    "load",
    "load_ensemble",
    "member_names",
    "members",
    "release",
    "release_ensemble",
    "save",
    "softmax",
]
