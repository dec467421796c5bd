"""Processor time per structure of all methods on the same structures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.baselines.base import get
from arise_lib.baselines.ovito import CLOSE_PACKED
from arise_lib.descriptor import SoapSettings, describe
from arise_lib.errors import InputError
from arise_lib.network.released import NetworkLike, as_ensemble
from arise_lib.recognition import classify
from arise_lib.training.units import defective_units

#: The fastest of so many runs counts: anything else on the machine only adds to a run.
REPEATS = 3


def common_structures() -> list[Atoms]:
    """Build structures that every method treats.

    Returns
    -------
    list of ase.Atoms
        fcc, bcc and hcp, three periodic supercells each, 1 % of the atoms missing.
    """
    units = defective_units("missing", 0, 0, labels=CLOSE_PACKED)
    return [unit.build() for unit in units if unit.periodic]


def fastest(job: Callable[[], Any]) -> float:
    """Time a job.

    Parameters
    ----------
    job : callable
        Called without arguments, once before the clock starts: the first call imports and compiles.

    Returns
    -------
    float
        Processor time in s, all threads added up, of the fastest of `REPEATS` runs.
    """
    job()
    runs = []
    for _ in range(REPEATS):
        start = time.process_time()
        job()
        runs.append(time.process_time() - start)
    return min(runs)


def seconds_per_structure(key: str, structures: Sequence[Atoms]) -> float:
    """Time a method that answers per atom or by the space group.

    Parameters
    ----------
    key : str
        The method.
    structures : sequence of ase.Atoms
        What it looks at, one after the other.

    Returns
    -------
    float
        Processor time per structure in s, see `fastest`.

    Raises
    ------
    InputError
        If there is no structure, or if the method answers from descriptors.

    Examples
    --------
    >>> from arise_lib.baselines import seconds_per_structure
    >>> from ase.build import bulk
    >>> seconds_per_structure("cna", [bulk("Cu", cubic=True).repeat(3)]) > 0
    True
    """
    if not structures:
        raise InputError("No structure to time; give at least one.")
    method = get(key)
    answer: Callable[[Atoms], Any] | None = method.answer or method.group
    if answer is None:
        raise InputError(
            f"{method.name} answers from descriptors: time its classifier and the descriptor."
        )
    return fastest(lambda: [answer(atoms) for atoms in structures]) / len(structures)


def seconds_to_classify(
    structures: Sequence[Atoms], network: NetworkLike, *, tolerance: float | None = None
) -> float:
    """Time a network that is asked for one structure after the other, as a user would.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        What it looks at.
    network : NetworkLike
        The network; loading it does not count.
    tolerance : float, optional
        In bits, as of `arise_lib.classify`. By default all 1,000 passes are made.

    Returns
    -------
    float
        Processor time per structure in s, see `fastest`: checks, descriptor and passes.

    Raises
    ------
    InputError
        If there is no structure.

    Examples
    --------
    >>> from arise_lib.baselines import seconds_to_classify
    >>> from ase.build import bulk
    >>> seconds_to_classify([bulk("Cu")], "arise", tolerance=0.05) > 0
    True
    """
    if not structures:
        raise InputError("No structure to time; give at least one.")
    loaded = as_ensemble(network)
    ask = partial(classify, network=loaded, tolerance=tolerance)
    return fastest(lambda: [ask(atoms) for atoms in structures]) / len(structures)


def features(structures: Sequence[Atoms], settings: SoapSettings) -> NDArray[np.float64]:
    """Describe structures one after the other: (n_structures, n_features)."""
    return np.array([describe(atoms, settings) for atoms in structures])


def seconds_to_describe(structures: Sequence[Atoms], settings: SoapSettings) -> float:
    """Processor time of the descriptor per structure, in s."""
    return fastest(lambda: features(structures, settings)) / len(structures)
