"""Data sets of descriptors: the paper's pristine one (39,204 vectors) and its defective ones.

`DataSet` holds vectors, the class of each, and the classes there are, which need not be the
paper's: `data_set` describes structures of any classes, and `DataSet.concatenate` adds them to a
set (paper, Methods, "Dataset").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from arise_lib.descriptor import SoapSettings, training_grid
from arise_lib.errors import InputError
from arise_lib.structures import prototypes
from arise_lib.training.units import Defect, Recipe, defective_units, pristine_units
from arise_lib.training.vectors import describe_units, described

#: Settings in which the vectors of a data set may differ, as its table names them.
_SETTINGS = ("cutoff", "sigma", "extrinsic", "pair_weights")


@dataclass(frozen=True)
class DataSet:
    """Descriptors with their classes.

    Attributes
    ----------
    features : ndarray of float32, shape (n_vectors, n_features)
        Descriptors.
    classes : ndarray of int, shape (n_vectors,)
        Index into `labels`.
    labels : tuple of str
        The classes, whether or not they all occur. A network that is trained on
        the set has them as its outputs.
    units : DataFrame of n_vectors rows
        Where each vector comes from: the numbers of its structure and the settings.

    Raises
    ------
    InputError
        If the numbers of rows differ, a label is there twice, or a class has no label.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> features = np.arange(8, dtype=np.float32).reshape(4, 2)
    >>> table = pd.DataFrame({"shape": ["round", "long", "long", "round"]})
    >>> data = DataSet(features, np.array([0, 1, 1, 0]), ("fcc", "bcc"), table)
    >>> len(data), data.select(data.units["shape"] == "long").classes.tolist()
    (4, [1, 1])
    >>> more = DataSet(features[:1], np.array([0]), ("hcp",), table[:1])
    >>> both = DataSet.concatenate(data, more)
    >>> both.labels, both.classes.tolist()
    (('fcc', 'bcc', 'hcp'), [0, 1, 1, 0, 2])
    """

    features: NDArray[np.float32]
    classes: NDArray[np.int64]
    labels: tuple[str, ...]
    units: pd.DataFrame

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together."""
        rows = {len(self.features), len(self.classes), len(self.units)}
        if len(rows) > 1:
            raise InputError(
                f"{len(self.features)} vectors, {len(self.classes)} classes and "
                f"{len(self.units)} rows of origin make no data set; give as many of each."
            )
        if len(set(self.labels)) < len(self.labels):
            raise InputError(f"A label stands twice in {self.labels}; name each class once.")
        known = range(len(self.labels))
        if len(self) and not (self.classes.min() in known and self.classes.max() in known):
            raise InputError(
                f"Classes {self.classes.min()} to {self.classes.max()} do not all have one of the "
                f"{len(self.labels)} labels; classes are counted from 0 in their order."
            )

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.classes)

    def select(self, rows: Any) -> DataSet:
        """Return some of the vectors, with all labels.

        Parameters
        ----------
        rows : array of int or bool, or slice
            As for an array.

        Returns
        -------
        DataSet
            In the order of `rows`.
        """
        chosen = np.arange(len(self))[rows]
        return DataSet(
            self.features[chosen],
            self.classes[chosen],
            self.labels,
            self.units.iloc[chosen].reset_index(drop=True),
        )

    def of(self, settings: SoapSettings) -> DataSet:
        """Return the vectors made with one setting.

        Parameters
        ----------
        settings : SoapSettings
            Cut-off, sigma, extrinsic scale and weights of the pairs are compared; radial
            functions, n_max and l_max are the same in all vectors of a set.

        Returns
        -------
        DataSet
            One vector per structure.

        Raises
        ------
        InputError
            If there is none.
        """
        wanted = {name: getattr(settings, name) for name in _SETTINGS}
        made = self.units.reindex(columns=list(wanted)).eq(pd.Series(wanted)).all(axis=1)
        if not made.any() or self.features.shape[1] != settings.n_features:
            raise InputError(
                f"None of the {len(self)} vectors of {self.features.shape[1]} features was made "
                f"with {settings}; ask for one of the settings of the set, see `units`."
            )
        return self.select(made.to_numpy())

    def numbered(self, labels: Sequence[str]) -> DataSet:
        """Return the same vectors with their classes numbered by other labels.

        Parameters
        ----------
        labels : sequence of str
            Any order; classes that do not occur may be left out, others added.

        Returns
        -------
        DataSet
            With these labels.

        Raises
        ------
        InputError
            If a class that occurs is not among them.
        """
        number = {label: k for k, label in enumerate(labels)}
        occurring = np.unique(self.classes)
        missing = [self.labels[k] for k in occurring if self.labels[k] not in number]
        if missing:
            raise InputError(f"The classes {missing} occur and are not among {tuple(labels)}.")
        new = np.zeros(len(self.labels), dtype=np.int64)
        new[occurring] = [number[self.labels[k]] for k in occurring]
        return DataSet(self.features, new[self.classes], tuple(labels), self.units)

    @staticmethod
    def concatenate(*sets: DataSet) -> DataSet:
        """Join data sets.

        Parameters
        ----------
        *sets : DataSet
            At least one, all of the same number of features.

        Returns
        -------
        DataSet
            All vectors in turn. Its labels are those of the first set, then
            those of the others that are new.

        Raises
        ------
        InputError
            If there is none, or if the vectors have different lengths.
        """
        widths = {data.features.shape[1] for data in sets}
        if len(widths) != 1:
            raise InputError(
                f"{len(sets)} data sets with vectors of {sorted(widths)} features cannot be "
                "joined; give at least one, described with the same n_max, l_max and functions."
            )
        labels = tuple(dict.fromkeys(label for data in sets for label in data.labels))
        return DataSet(
            np.concatenate([data.features for data in sets]),
            np.concatenate([data.numbered(labels).classes for data in sets]),
            labels,
            pd.concat([data.units for data in sets], ignore_index=True),
        )


def data_set(
    units: Sequence[Recipe],
    settings: Sequence[SoapSettings],
    *,
    labels: Sequence[str] | None = None,
    executor: Executor | None = None,
) -> DataSet:
    """Describe structures of any classes.

    Parameters
    ----------
    units : sequence of Recipe
        The structures.
    settings : sequence of SoapSettings
        Settings that share radial functions, n_max and l_max.
    labels : sequence of str, optional
        The classes; by default those of the units, in the order in which they come.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.

    Returns
    -------
    DataSet
        Unit by unit, settings fastest; units of which no pair of atoms is left
        are not in it. Nothing is kept in the cache.

    Raises
    ------
    InputError
        If there is no setting, or if a unit's class is not among the labels.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> from arise_lib.training import Unit
    >>> units = [Unit(label, 5, periodic=False) for label in ("fcc", "bcc")]
    >>> data = data_set(units, [SoapSettings()])
    >>> data.labels, data.features.shape
    (('fcc', 'bcc'), (2, 316))
    """
    if not settings:
        raise InputError("Vectors need settings; give at least one, SoapSettings() say.")
    chosen = tuple(labels) if labels is not None else tuple(dict.fromkeys(u.label for u in units))
    unknown = sorted({unit.label for unit in units} - set(chosen))
    if unknown:
        raise InputError(f"The classes {unknown} of some units are not among {chosen}.")
    features = describe_units(units, settings, executor=executor)
    whole = assemble(features, units, settings, chosen)
    return whole.select(np.isfinite(whole.features).all(axis=1))


def pristine_set(
    radial: str = "quip",
    *,
    settings: Sequence[SoapSettings] | None = None,
    labels: Sequence[str] = prototypes.LABELS,
    executor: Executor | None = None,
) -> DataSet:
    """Compute, or read from the cache, the pristine training set.

    Parameters
    ----------
    radial : str
        Name of the radial functions.
    settings : sequence of SoapSettings, optional
        Default: all 99 of the paper.
    labels : sequence of str
        Classes, all 108 by default.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.

    Returns
    -------
    DataSet
        39,204 vectors for all classes and settings, structure by structure. The
        labels are all 108, whichever occur.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> data = pristine_set(settings=[SoapSettings()], labels=["fcc", "graphene"])
    >>> len(data), len(data.labels), data.labels[data.classes[0]]
    (8, 108, 'fcc')
    """
    chosen = tuple(settings) if settings is not None else training_grid(radial)
    units = pristine_units(labels)
    return assemble(
        described("pristine", units, chosen, executor), units, chosen, prototypes.LABELS
    )


def defective_set(
    conditions: Iterable[tuple[Defect, int]],
    draws: Iterable[int],
    *,
    settings: SoapSettings | None = None,
    seed: int = 0,
    labels: Sequence[str] = prototypes.LABELS,
    executor: Executor | None = None,
) -> Iterator[tuple[Defect, int, int, DataSet]]:
    """Compute the defective sets one condition and one draw at a time.

    Each piece of 588 vectors is kept in the cache, so that an interrupted run
    goes on where it stopped, and only one piece is in memory.

    Parameters
    ----------
    conditions : iterable of (kind, step)
        Kind of defect and index of its ratio, see `defective_units`.
    draws : iterable of int
        Numbers of the draws.
    settings : SoapSettings, optional
        Default: the settings of the paper's predictions.
    seed : int
        Base seed.
    labels : sequence of str
        Classes, all 108 by default.
    executor : concurrent.futures.Executor, optional
        Where to run; by default threads, one per core.

    Yields
    ------
    kind, step, draw : str, int, int
        What the piece is.
    piece : DataSet
        588 vectors for all classes. The labels are all 108, whichever occur.

    Examples
    --------
    >>> for kind, step, draw, piece in defective_set([("both", 3)], [0], labels=["fcc"]):
    ...     print(kind, step, draw, len(piece))
    both 3 0 6
    """
    chosen = (settings or SoapSettings(),)
    numbers = list(draws)
    for kind, step in conditions:
        for draw in numbers:
            units = defective_units(kind, step, draw, seed=seed, labels=labels)
            features = described(f"{kind} {step} {draw}", units, chosen, executor)
            yield kind, step, draw, assemble(features, units, chosen, prototypes.LABELS)


def assemble(
    features: NDArray[np.float32],
    units: Sequence[Recipe],
    settings: Sequence[SoapSettings],
    labels: Sequence[str],
) -> DataSet:
    """Attach their classes and their origin to the vectors of units.

    Parameters
    ----------
    features : ndarray of float32, shape (n_units, n_settings, n_features)
        From `describe_units`.
    units, settings : sequence of Recipe, of SoapSettings
        What they were made from.
    labels : sequence of str
        The classes.

    Returns
    -------
    DataSet
        Unit by unit, settings fastest.
    """
    number = {label: k for k, label in enumerate(labels)}
    origin = [_origin(unit) for unit in units for _ in settings]
    made = [{name: getattr(s, name) for name in _SETTINGS} for s in settings] * len(units)
    return DataSet(
        features.reshape(len(units) * len(settings), features.shape[-1]),
        np.array([number[unit.label] for unit in units for _ in settings], dtype=np.int64),
        tuple(labels),
        pd.concat([pd.DataFrame(origin), pd.DataFrame(made)], axis=1),
    )


def _origin(unit: Recipe) -> dict[str, str | int | float]:
    """Return what a table can say of a unit: its label and its numbers, but for the seed."""
    fields = vars(unit).items()
    return {name: value for name, value in fields if isinstance(value, str | int | float)}
