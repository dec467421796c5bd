"""An answer for each atom: its neighbourhood is classified, as a box of a scan is."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.bayes.inference import N_PASSES, check_passes, predict
from arise_lib.bayes.novelty import novelty_of
from arise_lib.errors import InputError, UncertainInputWarning
from arise_lib.network.model import Ensemble, most_probable
from arise_lib.network.released import DEFAULT, NetworkLike, as_ensemble
from arise_lib.storage.parallel import bar, workers
from arise_lib.strided.lines import describe_box
from arise_lib.strided.sweep import MAX_MEMORY
from arise_lib.structures.checks import FEW_ATOMS
from arise_lib.structures.pieces import nearest_centre, neighbourhoods
from arise_lib.structures.reading import load_structure
from arise_lib.structures.writing import DUMP, write_columns

#: Atoms of a neighbourhood unless another number is asked for.
N_ATOMS = 100

#: What stands in files for an atom that was given no label.
UNLABELLED = "unlabelled"

# Centres that are described and predicted together: memory does not grow with the sample, and the
# masks of the passes are drawn anew for each lot, which takes hundredths of the time.
_LOT = 4096


@dataclass(frozen=True, eq=False)
class AtomLabels:
    """What the network says about the neighbourhood of each atom.

    Attributes
    ----------
    atoms : ase.Atoms
        The sample.
    centres : ndarray of int, shape (n_centres,)
        Indices of the atoms that have an answer.
    classes : tuple of str
        Label of each column of the probabilities.
    probabilities : ndarray of shape (n_centres, n_classes)
        From 0 to 1; NaN where a neighbourhood has no species with enough atoms.
    mutual_information : ndarray of shape (n_centres,)
        In bits.
    novelty : ndarray of shape (n_centres,)
        Share, from 0 to 1, of known structures that are less unusual to the network; NaN if it has
        no reference (`arise_lib.bayes.novelty_of`).
    n_neighbours : ndarray of int, shape (n_centres,)
        Atoms of the neighbourhood, the centre included.

    Examples
    --------
    >>> from ase.build import bulk
    >>> import arise_lib as arise
    >>> found = arise.label_atoms(bulk("Cu", cubic=True), passes=10)
    >>> found.labels.tolist(), found.shares()
    (['fcc', 'fcc', 'fcc', 'fcc'], {'fcc': 1.0})
    """

    atoms: Atoms
    centres: NDArray[np.int64]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    mutual_information: NDArray[np.float64]
    novelty: NDArray[np.float64]
    n_neighbours: NDArray[np.int64]

    @property
    def labels(self) -> NDArray[np.str_]:
        """Most probable class of each centre; an empty string where it is not defined."""
        return most_probable(self.probabilities, self.classes)

    def table(self) -> pd.DataFrame:
        """Tabulate the answers.

        Returns
        -------
        pandas.DataFrame
            A row for each atom of the sample, indexed by its number: `label`, an empty string where
            there is none, its `probability` from 0 to 1, `mutual_information` in bits, `novelty`
            from 0 to 1, NaN where there is none, and `n_neighbours`, 0 where there are none.
        """
        n = len(self.atoms)
        label = np.full(n, "", dtype=self.labels.dtype)
        label[self.centres] = self.labels
        probability, information, novelty = np.full((3, n), np.nan)
        probability[self.centres] = self.probabilities.max(axis=1, initial=-np.inf)
        information[self.centres] = self.mutual_information
        novelty[self.centres] = self.novelty
        counts = np.zeros(n, dtype=np.int64)
        counts[self.centres] = self.n_neighbours
        columns = {
            "label": label,
            "probability": probability,
            "mutual_information": information,
            "novelty": novelty,
            "n_neighbours": counts,
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(n, name="atom"))

    def shares(self, *, certain_below: float | None = None) -> dict[str, float]:
        """Share of each class among the atoms that have an answer.

        Parameters
        ----------
        certain_below : float, optional
            Leave out atoms whose mutual information, in bits, is not below this.

        Returns
        -------
        dict of str to float
            Shares from 0 to 1, largest first.
        """
        counted = self.labels != ""
        if certain_below is not None:
            counted &= self.mutual_information < certain_below
        found = pd.Series(self.labels[counted]).value_counts(normalize=True, sort=False)
        ranked = found.sort_index().sort_values(ascending=False, kind="stable")
        return {str(name): float(share) for name, share in ranked.items()}

    def spread(self) -> AtomLabels:
        """Give every atom of the sample the answer of the nearest centre.

        Returns
        -------
        AtomLabels
            With all atoms as centres; a copy of an answer says less than an answer.

        Raises
        ------
        InputError
            If there is no centre.

        Examples
        --------
        >>> from ase.build import bulk
        >>> import arise_lib as arise
        >>> copper = bulk("Cu", cubic=True)
        >>> arise.label_atoms(copper, centres=[0], passes=10).spread().labels.tolist()
        ['fcc', 'fcc', 'fcc', 'fcc']
        """
        nearest = nearest_centre(self.atoms, self.centres)
        return replace(
            self,
            centres=np.arange(len(self.atoms)),
            probabilities=self.probabilities[nearest],
            mutual_information=self.mutual_information[nearest],
            novelty=self.novelty[nearest],
            n_neighbours=self.n_neighbours[nearest],
        )

    def write(self, path: str | PathLike[str]) -> None:
        """Write the sample with the answers as columns, for OVITO and other programs.

        Parameters
        ----------
        path : path-like
            ``.xyz``, ``.extxyz``: extended XYZ, in which the column `structure_type` has the labels
            (spaces as underscores, `UNLABELLED` where there is none). ``.dump``, ``.lammpstrj``:
            LAMMPS dump, which holds numbers only: `StructureType` is the place of the label in
            `classes`, counted from 1, or 0. OVITO takes either as its property *Structure Type*.
            The other columns are those of `table`.

        Raises
        ------
        InputError
            If the ending is none of these.
        """
        table = self.table()
        columns = {name: table[name].to_numpy() for name in table.columns[1:]}
        labels = table["label"].to_numpy(dtype=np.str_)
        if Path(path).suffix.lower() in DUMP:
            numbers = {name: number for number, name in enumerate(self.classes, start=1)}
            places = np.array([numbers.get(name, 0) for name in labels.tolist()], dtype=np.int64)
            write_columns(path, self.atoms, {"StructureType": places, **columns})
        else:
            words = np.array([name or UNLABELLED for name in labels.tolist()], dtype=np.str_)
            write_columns(path, self.atoms, {"structure_type": words, **columns})


def label_atoms(
    source: Atoms | str | PathLike[str],
    *,
    n_atoms: int = N_ATOMS,
    centres: Sequence[int] | NDArray[np.integer] | None = None,
    network: NetworkLike = DEFAULT,
    passes: int = N_PASSES,
    seed: int = 0,
    tolerance: float | None = None,
    executor: Executor | None = None,
) -> AtomLabels:
    """Classify the neighbourhood of each atom of a sample.

    Around each atom the `n_atoms` nearest ones are cut out, periodic where the sample's `pbc` says
    so, and described and classified as a free cluster, like a box of `scan`. Time and memory grow
    linearly with the number of centres: for each some 2 ms of one core for the descriptor, and 3 ms
    for every 100 passes of the default network (``make bench ARGS="--only labels"``); a
    `tolerance` saves most of the passes.

    Parameters
    ----------
    source : ase.Atoms or path
        The sample.
    n_atoms : int
        Atoms of a neighbourhood, the last shell in full (see `arise_lib.structures.neighbourhood`).
        About 100 do for elements and simple compounds, crystals with large cells need 200 to 300;
        the smaller, the sharper is a boundary.
    centres : sequence of int, optional
        Indices of the atoms to be labelled, all by default. `AtomLabels.spread` hands the answers
        to the others.
    network : NetworkLike
        The name of a released network, a network, or an ensemble.
    passes, seed, tolerance, executor
        As for `scan`.

    Returns
    -------
    AtomLabels
        Classes, probabilities, mutual information and novelty, with `table` and `write`.

    Raises
    ------
    InputError
        If the sample cannot be read, has fewer atoms than a neighbourhood, or has no such centre;
        if the answers need more memory than `MAX_MEMORY`.

    Warns
    -----
    UncertainInputWarning
        If a neighbourhood is so small that its answer is arbitrary.

    Examples
    --------
    >>> from ase.build import bulk
    >>> import arise_lib as arise
    >>> found = arise.label_atoms(bulk("Fe", cubic=True) * 3, centres=[0, 9], passes=10)
    >>> found.table().loc[9, "label"], found.n_neighbours.tolist()
    ('bcc', [113, 113])
    """
    atoms = load_structure(source)
    check_passes(passes, seed, tolerance)
    trained = as_ensemble(network)
    pieces = neighbourhoods(atoms, n_atoms, centres)
    if n_atoms < FEW_ATOMS:
        message = f"neighbourhoods of {n_atoms} atoms: below {FEW_ATOMS} the answer is arbitrary"
        warnings.warn(message, UncertainInputWarning, stacklevel=2)
    everyone = np.arange(len(atoms))
    chosen = everyone if centres is None else everyone[np.asarray(centres, dtype=np.int64)]
    _check_memory(len(chosen), len(trained.classes))
    counts, lots, novelty = np.empty(len(chosen), dtype=np.int64), [], [np.empty(0)]
    with workers(executor) as pool:
        rows = _described(pool, pieces, trained, counts)
        for lot in _lots(bar(rows, total=len(chosen), desc="atoms")):
            lots.append(predict(trained, lot, n_passes=passes, seed=seed, tolerance=tolerance))
            novelty.append(novelty_of(trained, lot))
    probabilities = [np.empty((0, len(trained.classes))), *(lot.probabilities for lot in lots)]
    information = [np.empty(0), *(lot.mutual_information for lot in lots)]
    return AtomLabels(
        atoms,
        chosen,
        tuple(trained.classes),
        np.concatenate(probabilities),
        np.concatenate(information),
        np.concatenate(novelty),
        counts,
    )


def _described(
    pool: Executor, pieces: Iterator[Atoms], trained: Ensemble, counts: NDArray[np.int64]
) -> Iterator[NDArray[np.float64]]:
    """Describe neighbourhoods in their order, and count their atoms."""
    job, place = partial(describe_box, settings=trained.settings), 0
    while lot := list(islice(pieces, _LOT)):
        counts[place : place + len(lot)] = [len(piece) for piece in lot]
        place += len(lot)
        yield from pool.map(job, lot)


def _lots(rows: Iterable[NDArray[np.float64]]) -> Iterator[NDArray[np.float32]]:
    """Gather rows until there are as many as are predicted together."""
    # A progress bar begins anew with each loop over it, and ends what it has begun.
    rows = iter(rows)
    while lot := [row.astype(np.float32) for row in islice(rows, _LOT)]:
        yield np.array(lot)


def _check_memory(n_centres: int, n_classes: int) -> None:
    """Refuse more answers than fit, before any time is spent; they are put together once."""
    needed = 2 * 8 * n_centres * n_classes
    if needed > MAX_MEMORY:
        raise InputError(
            f"the answers of {n_centres:,} atoms take {needed / 1e9:.1f} GB; at most "
            f"{MAX_MEMORY / 1e9:g} GB are allowed. Label a part of the atoms (centres)."
        )
