"""What novelty is fitted to and measured on: known structures of several kinds, and unknown ones.

A network's reference are known structures of some sizes and some noise; what is usual is found on
others, of a size and with noise that are not among them; and what it is worth on a third draw of
these and on crystals outside the classes. The three have no random number in common with each
other, with the training, the selection or the benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import cache

import numpy as np
import pandas as pd

from arise_lib.bayes.calibration import auroc, false_accept
from arise_lib.bayes.inference import N_PASSES, predict
from arise_lib.bayes.novelty import OUTSIDE, novelty_of
from arise_lib.descriptor import SoapSettings
from arise_lib.network.released import NetworkLike, as_ensemble
from arise_lib.structures import prototypes
from arise_lib.structures.supercells import replication
from arise_lib.training.datasets import DataSet, assemble
from arise_lib.training.units import Defect, Unit, defective_units, pristine_units
from arise_lib.training.unknown import TEST_NOISE, TEST_SEED, unknown_set
from arise_lib.training.vectors import described

#: Base seeds; those of benchmark, selection and noisy training structures are 0, 100 and 200.
REFERENCE_SEED, HELD_OUT_SEED = 300, 301

#: Noise of known structures: displaced by 1, 2 and 4 %, 2, 5 and 10 % of the atoms missing.
NOISE: tuple[tuple[Defect, int], ...] = (
    ("displaced", 3),
    ("displaced", 4),
    ("displaced", 5),
    ("missing", 1),
    ("missing", 2),
    ("missing", 3),
)


def known_sets(
    settings: SoapSettings, *, executor: Executor | None = None
) -> tuple[DataSet, DataSet]:
    """Describe known structures: those to compare with, and held-out ones.

    Parameters
    ----------
    settings : SoapSettings
        Of the network.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.

    Returns
    -------
    known : DataSet
        Of every class the periodic cell, the smallest and the largest of its three
        supercells, perfect and with `NOISE`.
    held_out : DataSet
        Of every class the supercell of middle size, perfect as a cluster, and with
        other `NOISE` as a cluster and periodic. Nanotubes, which have one size,
        with noise only.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> known, held_out = known_sets(SoapSettings())  # doctest: +SKIP
    >>> len(known), len(held_out)  # doctest: +SKIP
    (2676, 1320)
    """
    perfect = pristine_units()
    kept = [unit for unit in perfect if unit.size != _middle(unit.label)]
    tested = [unit for unit in perfect if unit.size == _middle(unit.label)]
    return (
        _described("known", kept + _noisy(NOISE, REFERENCE_SEED, middle=False), settings, executor),
        _described("held-out", tested + _noisy(NOISE, HELD_OUT_SEED), settings, executor),
    )


def trust_sets(
    settings: SoapSettings, *, executor: Executor | None = None
) -> tuple[DataSet, DataSet]:
    """Describe the known and the unknown structures by which a warning is measured.

    Parameters
    ----------
    settings : SoapSettings
        Of the network.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.

    Returns
    -------
    known : DataSet
        As the held-out ones of `known_sets`, with `TEST_NOISE` of another draw.
    unknown : DataSet
        Of each of the `arise_lib.samples.unknown_prototypes` the periodic cell and
        three clusters, perfect, and the middle one, free and periodic, with
        `TEST_NOISE`; the labels are the names.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> known, unknown = trust_sets(SoapSettings())  # doctest: +SKIP
    >>> len(known), len(unknown)  # doctest: +SKIP
    (504, 1760)
    """
    tested = [unit for unit in pristine_units() if unit.size == _middle(unit.label)]
    known = tested + _noisy(TEST_NOISE, TEST_SEED)
    return (
        _described("known test", known, settings, executor),
        unknown_set(settings, executor=executor),
    )


def warnings_table(
    network: NetworkLike, known: DataSet, unknown: DataSet, *, n_passes: int = N_PASSES
) -> pd.DataFrame:
    """Measure how well a network warns of unknown structures.

    Parameters
    ----------
    network : NetworkLike
        A network, an ensemble, or the name of a released one.
    known, unknown : DataSet
        From `trust_sets` with the network's settings.
    n_passes : int
        Stochastic passes.

    Returns
    -------
    DataFrame
        One row per warning, "novelty", "mutual information" and "1 - p" (p is the
        probability of the best class that is a structure): `auroc` (0 to 1) and
        `false accept / %` (share of the unknown structures that pass when 95 % of the
        known ones do). NaN where the network has no reference.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> warnings_table("arise", *trust_sets(SoapSettings()))  # doctest: +SKIP
    """
    high, low = (scores(network, data, n_passes=n_passes) for data in (unknown, known))
    rows = {
        name: (auroc(high[name], low[name]), 100.0 * false_accept(high[name], low[name]))
        if high[name].notna().all()
        else (np.nan, np.nan)
        for name in high
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["auroc", "false accept / %"])


def scores(network: NetworkLike, data: DataSet, *, n_passes: int = N_PASSES) -> pd.DataFrame:
    """Return what warns of each structure, and is the higher the less it is known.

    Parameters
    ----------
    network : NetworkLike
        A network, an ensemble, or the name of a released one.
    data : DataSet
        Structures.
    n_passes : int
        Stochastic passes.

    Returns
    -------
    DataFrame
        One row per structure: "novelty", "mutual information" and "1 - p".

    Examples
    --------
    >>> from arise_lib import network, training
    >>> data = training.pristine_set(settings=[network.load("arise").settings], labels=["fcc"])
    >>> bool(scores("arise", data, n_passes=10)["mutual information"].max() < 0.1)
    True
    """
    ensemble = as_ensemble(network)
    posterior = predict(ensemble, data.features, n_passes=n_passes)
    structures = ~np.isin(ensemble.classes, OUTSIDE)
    return pd.DataFrame(
        {
            "novelty": novelty_of(ensemble, data.features),
            "mutual information": posterior.mutual_information,
            "1 - p": 1.0 - posterior.probabilities[:, structures].max(axis=1),
        }
    )


@cache
def _middle(label: str) -> int:
    """Return the middle one of the sizes of a class's clusters; -1 for nanotubes."""
    cell = prototypes.build(label)
    return replication(len(cell), cell.pbc) + 1 if cell.pbc.any() else -1


def _noisy(noise: Sequence[tuple[Defect, int]], seed: int, *, middle: bool = True) -> list[Unit]:
    """List noisy structures of the middle size, or of the others; nanotubes in either case."""
    units = [unit for kind, step in noise for unit in defective_units(kind, step, 0, seed=seed)]
    return [u for u in units if not u.size or (u.size == _middle(u.label)) == middle]


def _described(
    name: str, units: Sequence[Unit], settings: SoapSettings, executor: Executor | None
) -> DataSet:
    """Describe structures of the 108 classes, kept in the cache."""
    features = described(name, units, (settings,), executor)
    whole = assemble(features, units, (settings,), prototypes.LABELS)
    return whole.select(np.isfinite(whole.features).all(axis=1))
