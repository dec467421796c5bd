"""The multilayer perceptron: training, and storage as plain arrays."""

from arise_lib.network.model import Network, softmax
from arise_lib.network.storage import load, member_names, release, release_ensemble, save
from arise_lib.network.training import (
    SPLIT_STATE,
    Training,
    settle,
    split,
    train,
    train_on_one_core,
)

__all__ = [
    "SPLIT_STATE",
    "Network",
    "Training",
    "load",
    "member_names",
    "release",
    "release_ensemble",
    "save",
    "settle",
    "softmax",
    "split",
    "train",
    "train_on_one_core",
]
