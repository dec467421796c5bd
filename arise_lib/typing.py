"""Types that several rooms of the library share."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Protocol

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

#: What seeds a random draw: the same seed gives the same draw on every machine.
Seed = int | Sequence[int]

#: A structure, or a file that holds one.
StructureLike = Atoms | str | PathLike[str]


class Labelled(Protocol):
    """Vectors with the number of the class of each, such as a data set."""

    @property
    def features(self) -> NDArray[np.float32]:
        """Descriptors, shape (n_vectors, n_features)."""
        ...

    @property
    def classes(self) -> NDArray[np.int64]:
        """Numbers of the classes, shape (n_vectors,)."""
        ...
