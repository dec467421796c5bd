"""Recognition and analysis of crystal structures by Bayesian deep learning.

The library behind the notebooks: one module per idea of the paper (Leitherer, Ziletti,
Ghiringhelli, Nat. Commun. 12:6234, 2021, doi 10.1038/s41467-021-26511-5).

>>> import arise_lib as arise
>>> from ase.build import bulk
>>> nickel = bulk("Ni", cubic=True) * (4, 4, 4)
>>> prediction = arise.classify(nickel, passes=100)    # a structure as a whole
>>> prediction.label, prediction["fcc"] > 0.9
('fcc', True)
>>> maps = arise.scan(nickel, box=12.0, stride=6.0, passes=100)    # a sample, box by box
>>> sorted(maps.data_vars)
['filled', 'label', 'mutual_information', 'n_atoms', 'probability']
"""

from __future__ import annotations

import os

# TensorFlow and Keras read these once, at their first import: they have to stand before it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arise_lib.descriptor import describe
    from arise_lib.network.released import load
    from arise_lib.plotting.ovito import ovito_modifier
    from arise_lib.recognition import Prediction, classify, classify_many
    from arise_lib.strided.frames import FrameAnswers, classify_frames
    from arise_lib.strided.labels import AtomLabels, label_atoms
    from arise_lib.strided.sweep import scan

__version__ = "0.1.0"

__all__ = [
    "AtomLabels",
    "FrameAnswers",
    "Prediction",
    "__version__",
    "classify",
    "classify_frames",
    "classify_many",
    "describe",
    "label_atoms",
    "load",
    "ovito_modifier",
    "scan",
]

# Public name -> module; imported at first use, so that `import arise_lib` stays cheap.
_HOMES = {
    "AtomLabels": "arise_lib.strided",
    "FrameAnswers": "arise_lib.strided",
    "Prediction": "arise_lib.recognition",
    "classify": "arise_lib.recognition",
    "classify_frames": "arise_lib.strided",
    "classify_many": "arise_lib.recognition",
    "describe": "arise_lib.descriptor",
    "label_atoms": "arise_lib.strided",
    "load": "arise_lib.network",
    "ovito_modifier": "arise_lib.plotting",
    "scan": "arise_lib.strided",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module at first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names together with what is loaded already."""
    return sorted({*globals(), *__all__})
