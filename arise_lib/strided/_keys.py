"""What the stored results of a scan depend on, as parts of the keys of the cache."""

from __future__ import annotations

import hashlib
from dataclasses import astuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.descriptor.settings import SoapSettings
from arise_lib.network.model import Ensemble
from arise_lib.strided.boxes import Block, Box, Cube, Sphere
from arise_lib.strided.grid import atoms_in_boxes


def digest(*arrays: NDArray[np.generic]) -> str:
    """Hash arrays with their shapes."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def of_boxes(
    sample: Atoms, axes: list[NDArray[np.float64]], shape: Box, filled: NDArray[np.bool_]
) -> dict[str, object]:
    """State what the contents of the boxes depend on."""
    if type(shape) in (Cube, Block, Sphere):
        box = f"{type(shape).__qualname__} {shape!r}"
    else:
        # What a user's own shape holds does not follow from its name and attributes.
        contents = hashlib.sha256()
        for where, members in atoms_in_boxes(sample.positions, axes, shape):
            if filled[where]:
                contents.update(digest(np.array(where), members).encode())
        box = contents.hexdigest()
    return {"sample": digest(sample.numbers, sample.positions, filled, *axes), "box": box}


def of_settings(settings: SoapSettings) -> dict[str, object]:
    """State the settings of a descriptor."""
    return {"settings": list(astuple(settings))}


def of_network(trained: Ensemble) -> dict[str, object]:
    """State what a prediction depends on besides its features and passes."""
    weights = [a for member in trained.members for a in (*member.kernels, *member.biases)]
    return {
        "network": digest(*weights),
        "dropout": [member.dropout for member in trained.members],
        "known": list(trained.classes),
    } | of_settings(trained.settings)
