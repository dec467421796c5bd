"""From structures to a trained and selected network (paper, Methods, "Dataset" and on)."""

from arise_lib.training.datasets import (
    DataSet,
    Unit,
    defective_set,
    defective_units,
    pristine_set,
    pristine_units,
)
from arise_lib.training.fit import SPLIT_STATE, Training, settle, split, train, train_on_one_core

__all__ = [
    "SPLIT_STATE",
    "DataSet",
    "Training",
    "Unit",
    "defective_set",
    "defective_units",
    "pristine_set",
    "pristine_units",
    "settle",
    "split",
    "train",
    "train_on_one_core",
]
