"""The multilayer perceptron as plain arrays, ensembles of it, and the released ones (Table 1)."""

from arise_lib.network.cards import card, released_names
from arise_lib.network.layers import layers
from arise_lib.network.model import Ensemble, Network, Reference, most_probable, softmax
from arise_lib.network.released import (
    DEFAULT,
    NetworkLike,
    as_ensemble,
    load,
    release,
    release_ensemble,
    save,
)

__all__ = [
    "DEFAULT",
    "Ensemble",
    "Network",
    "NetworkLike",
    "Reference",
    "as_ensemble",
    "card",
    "layers",
    "load",
    "most_probable",
    "release",
    "release_ensemble",
    "released_names",
    "save",
    "softmax",
]
