"""From units to vectors: built and described in parallel, kept in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor import SoapSettings, describe_settings
from arise_lib.storage import paths
from arise_lib.storage.cache import cached
from arise_lib.storage.fingerprints import fingerprint
from arise_lib.storage.parallel import run
from arise_lib.training.units import Recipe


def describe_unit(unit: Recipe, settings: tuple[SoapSettings, ...]) -> NDArray[np.float32]:
    """Build one structure and describe it with all settings.

    Parameters
    ----------
    unit : Recipe
        The structure.
    settings : tuple of SoapSettings
        Settings that share radial functions, n_max and l_max.

    Returns
    -------
    ndarray of float32, shape (n_settings, n_features)
        Computed in double precision; NaN where the defects have left nothing
        that could be described.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> from arise_lib.training import Unit
    >>> describe_unit(Unit("fcc", 1, periodic=True), (SoapSettings(),)).shape
    (1, 316)
    """
    atoms = unit.build()
    if len(atoms) < 2 and not atoms.pbc.any():
        return np.full((len(settings), settings[0].n_features), np.nan, dtype=np.float32)
    return describe_settings(atoms, settings).astype(np.float32)


def describe_units(
    units: Sequence[Recipe],
    settings: Sequence[SoapSettings],
    *,
    executor: Executor | None = None,
    description: str = "descriptors",
) -> NDArray[np.float32]:
    """Describe many structures in parallel.

    Parameters
    ----------
    units : sequence of Recipe
        The structures.
    settings : sequence of SoapSettings
        Settings that share radial functions, n_max and l_max.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.
    description : str
        Shown on the progress bar.

    Returns
    -------
    ndarray of float32, shape (n_units, n_settings, n_features)
        In the order of `units`, the same bytes whatever the executor.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> from arise_lib.training import pristine_units
    >>> describe_units(pristine_units(["bcc"]), [SoapSettings()]).shape
    (4, 1, 316)
    """
    fixed = tuple(settings)
    result = np.empty((len(units), len(fixed), fixed[0].n_features), dtype=np.float32)
    jobs = units, [fixed] * len(units)
    vectors = run(describe_unit, *jobs, executor=executor, description=description)
    for row, vector in enumerate(vectors):
        result[row] = vector
    return result


def described(
    name: str,
    units: Sequence[Recipe],
    settings: tuple[SoapSettings, ...],
    executor: Executor | None,
) -> NDArray[np.float32]:
    """Describe units of the library's own, or read their vectors from the cache.

    Parameters
    ----------
    name : str
        Of the result in the cache, and on the progress bar.
    units : sequence of Recipe
        Defined in this library: the key of the result follows the code behind them.
    settings : tuple of SoapSettings
        Settings that share radial functions, n_max and l_max.
    executor : concurrent.futures.Executor or None
        Where to run; by default threads, one per core.

    Returns
    -------
    ndarray of float32, shape (n_units, n_settings, n_features)
        As from `describe_units`.
    """
    key = {
        "units": [asdict(unit) for unit in units],
        "settings": [asdict(s) for s in settings],
        "code": fingerprint(__name__, *{type(unit).__module__ for unit in units}, paths.PROTOTYPES),
    }
    stored = cached(
        name.replace(" ", "_"),
        key,
        lambda: {"features": describe_units(units, settings, executor=executor, description=name)},
    )
    return stored["features"]
