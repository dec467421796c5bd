"""Answers along a trajectory: shares of the classes and mutual information, frame by frame."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.bayes.inference import N_PASSES, check_passes, predict
from arise_lib.bayes.novelty import novelty_of
from arise_lib.descriptor import describe
from arise_lib.errors import InputError, UncertainInputWarning
from arise_lib.network.model import most_probable
from arise_lib.network.released import DEFAULT, NetworkLike, as_ensemble
from arise_lib.storage.parallel import bar, workers
from arise_lib.strided.labels import N_ATOMS
from arise_lib.strided.lines import describe_box
from arise_lib.structures.checks import check_atoms, doubts
from arise_lib.structures.pieces import neighbourhoods
from arise_lib.structures.reading import read_frames


@dataclass(frozen=True, eq=False)
class FrameAnswers:
    """What the network says about each frame of a trajectory.

    Attributes
    ----------
    frames : ndarray of int, shape (n_frames,)
        Numbers of the frames, counted from 0.
    classes : tuple of str
        Label of each column of the shares.
    shares : ndarray of shape (n_frames, n_classes)
        From 0 to 1: the class probabilities of the frame as a whole, or the shares of its
        neighbourhoods that have each label. NaN where neither is defined.
    mutual_information : ndarray of shape (n_frames,)
        In bits: of the frame as a whole, or the mean over its neighbourhoods.
    novelty : ndarray of shape (n_frames,)
        Of the frame as a whole, or the mean over its neighbourhoods, from 0 to 1; NaN if the
        network has no reference (`arise_lib.bayes.novelty_of`).
    n_atoms : ndarray of int, shape (n_frames,)
        Size of the frame.
    """

    frames: NDArray[np.int64]
    classes: tuple[str, ...]
    shares: NDArray[np.float64]
    mutual_information: NDArray[np.float64]
    novelty: NDArray[np.float64]
    n_atoms: NDArray[np.int64]

    @property
    def labels(self) -> NDArray[np.str_]:
        """Class with the largest share in each frame; an empty string where it is not defined."""
        return most_probable(self.shares, self.classes)

    def table(self) -> pd.DataFrame:
        """Tabulate the answers.

        Returns
        -------
        pandas.DataFrame
            Indexed by frame: `answer`, `share / %`, `mutual information / bit`, `novelty`, `atoms`.
        """
        columns = {
            "answer": self.labels,
            "share / %": 100.0 * self.shares.max(axis=1, initial=0.0),
            "mutual information / bit": self.mutual_information,
            "novelty": self.novelty,
            "atoms": self.n_atoms,
        }
        return pd.DataFrame(columns, index=pd.Index(self.frames, name="frame"))

    def leading(self, n: int = 6) -> pd.DataFrame:
        """Return the shares of the classes that are frequent in any frame.

        Parameters
        ----------
        n : int
            How many classes.

        Returns
        -------
        pandas.DataFrame
            Shares from 0 to 1, indexed by frame, a column for each class; the one with the largest
            share in any frame first.
        """
        largest = np.nan_to_num(self.shares).max(axis=0, initial=0.0)
        chosen = np.argsort(-largest, kind="stable")[:n]
        return pd.DataFrame(
            self.shares[:, chosen],
            index=pd.Index(self.frames, name="frame"),
            columns=pd.Index([self.classes[i] for i in chosen], name="class"),
        )


def classify_frames(
    source: str | PathLike[str] | Iterable[Atoms],
    index: int | slice | str = ":",
    *,
    centres: int | None = None,
    n_atoms: int = N_ATOMS,
    network: NetworkLike = DEFAULT,
    passes: int = N_PASSES,
    seed: int = 0,
    tolerance: float | None = None,
    executor: Executor | None = None,
    **reading: Any,
) -> FrameAnswers:
    """Recognise the structure in each frame of a trajectory.

    Parameters
    ----------
    source : path or iterable of ase.Atoms
        A file with several frames, or the frames.
    index : int, slice or str
        Which frames of a file, as ASE takes it: ``"::10"`` for every tenth.
    centres : int, optional
        Classify the neighbourhoods of so many atoms of each frame, taken evenly from all, and count
        their labels: for samples of several phases, and where a melt grows. By default each frame
        is classified as a whole.
    n_atoms : int
        Atoms of a neighbourhood, as for `label_atoms`.
    network, passes, seed, tolerance, executor
        As for `scan`; all frames share the passes.
    **reading
        Of `read_structure`, for a file: `format`, `types` and so on.

    Returns
    -------
    FrameAnswers
        Shares and mutual information of each frame, with `table` and `leading`.

    Raises
    ------
    InputError
        If a frame cannot be read or used, or there is none; if fewer than one centre is asked for.

    Warns
    -----
    UncertainInputWarning
        Once, if frames themselves are a reason why the answers mean little, see
        `arise_lib.structures.doubts`.

    Examples
    --------
    >>> from ase.build import bulk
    >>> import arise_lib as arise
    >>> found = arise.classify_frames([bulk("Cu"), bulk("Fe")], passes=10)
    >>> found.labels.tolist(), sorted(found.leading(2).columns)
    (['fcc', 'bcc'], ['bcc', 'fcc'])
    """
    if centres is not None and not (isinstance(centres, Integral) and centres >= 1):
        raise InputError(
            f"centres={centres}: a whole number, 1 or more, is needed, or None for whole frames"
        )
    check_passes(passes, seed, tolerance)
    trained = as_ensemble(network)
    frames: list[int] = []
    sizes: list[int] = []
    features: list[NDArray[np.float32]] = []
    doubtful: list[tuple[int, str]] = []
    with workers(executor) as pool:
        for number, atoms in bar(_frames(source, index, reading), desc="frames"):
            try:
                check_atoms(atoms)
                pieces = None if centres is None else list(_evenly(atoms, centres, n_atoms))
            except InputError as error:
                raise InputError(f"frame {number}: {error}") from error
            frames.append(number)
            sizes.append(len(atoms))
            doubtful += [(number, doubt) for doubt in (doubts(atoms) if pieces is None else [])]
            if pieces is None:
                rows = [describe(atoms, trained.settings)]
            else:
                rows = list(pool.map(partial(describe_box, settings=trained.settings), pieces))
            features.append(np.array(rows, dtype=np.float32))
    if not frames:
        raise InputError("there is no frame; at least one is needed")
    if doubtful:
        at, doubt = doubtful[0]
        more = len({number for number, _ in doubtful}) - 1
        text = f"frame {at}{f' and {more} more' if more else ''}: {doubt}"
        warnings.warn(text, UncertainInputWarning, stacklevel=2)
    rows_of_all = np.concatenate(features)
    posterior = predict(trained, rows_of_all, n_passes=passes, seed=seed, tolerance=tolerance)
    hits = posterior.probabilities
    if centres is not None:
        hits = (posterior.labels[:, None] == np.array(posterior.classes)).astype(float)
        hits[np.isnan(posterior.mutual_information)] = np.nan
    ends = np.cumsum([len(rows) for rows in features])[:-1]
    shares, information, novelty = (
        np.array([_mean(part) for part in np.split(values, ends)])
        for values in (hits, posterior.mutual_information, novelty_of(trained, rows_of_all))
    )
    classes = tuple(trained.classes)
    return FrameAnswers(np.array(frames), classes, shares, information, novelty, np.array(sizes))


def _frames(
    source: str | PathLike[str] | Iterable[Atoms],
    index: int | slice | str,
    reading: dict[str, Any],
) -> Iterator[tuple[int, Atoms]]:
    """Yield frames with their numbers."""
    if isinstance(source, str | PathLike):
        yield from read_frames(source, index, **reading)
        return
    if index != ":" or reading:
        raise InputError("index and options of reading are for files; select among the frames")
    for number, atoms in enumerate(source):
        if not isinstance(atoms, Atoms):
            raise InputError(f"frame {number} is a {type(atoms).__name__}: ase.Atoms are needed")
        yield number, atoms


def _evenly(atoms: Atoms, centres: int, n_atoms: int) -> Iterator[Atoms]:
    """Cut neighbourhoods of atoms that are taken evenly from all; of all if there are not more."""
    step = max(len(atoms) / centres, 1.0)
    places = np.arange(0.0, len(atoms), step).astype(np.int64)[:centres]
    return neighbourhoods(atoms, n_atoms, places)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the rows that are defined; NaN where none is."""
    defined = values[np.isfinite(values.reshape(len(values), -1)).all(axis=1)]
    return defined.mean(axis=0) if len(defined) else np.full(values.shape[1:], np.nan)
