"""From structures to a trained and selected network (paper, Methods, "Dataset" and on).

`units` are the structures, `vectors` describes them, `datasets` are the paper's sets and your own,
`noise` is one of noisy structures, made by `chemistry` and `geometry`; `fit` trains, `kept` keeps
what was trained, `search` looks for hyper-parameters, `selection` and `trials` choose among what
there is; `trust` measures whether a network warns of what it does not know.
"""

from arise_lib.training.datasets import DataSet, data_set, defective_set, pristine_set
from arise_lib.training.fit import SPLIT_STATE, Training, settle, split, train, train_on_one_core
from arise_lib.training.noise import NoisyUnit, noisy_set, noisy_units
from arise_lib.training.trust import known_sets, trust_sets, warnings_table
from arise_lib.training.units import (
    Recipe,
    Unit,
    all_conditions,
    defective_units,
    pristine_units,
)

__all__ = [
    "SPLIT_STATE",
    "DataSet",
    "NoisyUnit",
    "Recipe",
    "Training",
    "Unit",
    "all_conditions",
    "data_set",
    "defective_set",
    "defective_units",
    "known_sets",
    "noisy_set",
    "noisy_units",
    "pristine_set",
    "pristine_units",
    "settle",
    "split",
    "train",
    "train_on_one_core",
    "trust_sets",
    "warnings_table",
]
