"""One structure in, ranked classes with an uncertainty out."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.bayes.inference import N_PASSES, check_passes, predict
from arise_lib.bayes.novelty import novelty_of
from arise_lib.descriptor import describe
from arise_lib.errors import InputError, UncertainInputWarning
from arise_lib.network.released import DEFAULT, NetworkLike, as_ensemble
from arise_lib.structures.checks import doubts
from arise_lib.structures.reading import load_structure
from arise_lib.typing import StructureLike


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network says about one structure.

    Attributes
    ----------
    classes : tuple of str
        All class labels, most probable first.
    probabilities : ndarray of shape (n_classes,)
        Their probabilities, in the same order.
    mutual_information : float
        Disagreement of the stochastic passes, in bits: the uncertainty.
    n_atoms : int
        Size of the structure.
    novelty : float
        Share, from 0 to 1, of known structures that are less unusual to the network
        than this one (`arise_lib.bayes.novelty_of`): above 0.95 it may well be none
        of the classes. NaN if the network has no reference for it.

    Examples
    --------
    >>> from ase.build import bulk
    >>> import arise_lib
    >>> prediction = arise_lib.classify(bulk("Ni"), passes=20)
    >>> prediction.label
    'fcc'
    >>> prediction["fcc"] > 0.9
    True
    >>> prediction.leading(3).index[0]
    'fcc'
    """

    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    mutual_information: float
    n_atoms: int
    novelty: float = float("nan")

    @property
    def label(self) -> str:
        """The most probable class."""
        return self.classes[0]

    def __getitem__(self, label: str) -> float:
        """Return the probability of one class, from 0 to 1.

        Parameters
        ----------
        label : str
            One of `classes`.

        Returns
        -------
        float
            Its probability.

        Raises
        ------
        InputError
            If the network does not know such a class.
        """
        if label not in self.classes:
            near = difflib.get_close_matches(str(label), self.classes, n=3)
            hint = f"near matches are {', '.join(map(repr, near))}; " if near else ""
            raise InputError(
                f"The network has no class {label!r}: {hint}`classes` lists all "
                f"{len(self.classes)}."
            )
        return float(self.probabilities[self.classes.index(label)])

    def leading(self, n: int = 6) -> pd.Series:
        """Return the most probable classes.

        Parameters
        ----------
        n : int
            How many.

        Returns
        -------
        pandas.Series
            Probability by class, from 0 to 1, largest first.
        """
        index = pd.Index(self.classes[:n], name="class")
        return pd.Series(self.probabilities[:n], index, name="probability")

    def __str__(self) -> str:
        """Return a short table of the leading classes: what is below 0.005 % is left out."""
        shown = self.leading(5)
        lines = [f"{100 * p:6.2f} %  {label}" for label, p in shown.items() if p >= 5e-5]
        novelty = "" if np.isnan(self.novelty) else f"novelty {self.novelty:.3f}, "
        information = f"mutual information {self.mutual_information:.4f} bit"
        lines.append(f"{information}, {novelty}{self.n_atoms} atoms")
        return "\n".join(lines)


def classify(
    source: StructureLike,
    *,
    network: NetworkLike = DEFAULT,
    passes: int = N_PASSES,
    seed: int = 0,
    tolerance: float | None = None,
) -> Prediction:
    """Recognise the crystal structure of a single-crystalline sample.

    The structure is described as it stands, periodic where its `pbc` says so,
    and sent through `passes` stochastic passes of the Bayesian network (paper,
    Fig. 1). Samples with several grains or phases are for `arise_lib.scan`.

    Parameters
    ----------
    source : ase.Atoms or path
        A structure or a file that ASE reads; any unit of length.
    network : NetworkLike
        The name of a released network, a network, or an ensemble, whose members
        take the passes in turn. The default may answer ``"other"``: none of the
        classes; the paper's network is ``"arise"``.
    passes : int
        Stochastic passes T; probabilities below 1 % need 100,000.
    seed : int
        Seed of the passes.
    tolerance : float, optional
        In bits: no more passes than needed to know the mutual information with
        this error, at most `passes`. By default all of them are made.

    Returns
    -------
    Prediction
        Ranked classes, probabilities and mutual information.

    Raises
    ------
    InputError
        If the structure cannot be read or has no pair of neighbours, if there is no
        such network, or if passes or tolerance are not positive.

    Warns
    -----
    UncertainInputWarning
        If the structure itself is a reason why the answer means little, see
        `arise_lib.structures.doubts`.

    Examples
    --------
    >>> from ase.build import bulk
    >>> import arise_lib
    >>> arise_lib.classify(bulk("Ni"), passes=10).label
    'fcc'
    """
    atoms = load_structure(source)
    for doubt in doubts(atoms):
        warnings.warn(doubt, UncertainInputWarning, stacklevel=2)
    (prediction,) = _classify([atoms], network, passes, seed, tolerance)
    return prediction


def classify_many(
    sources: Mapping[str, StructureLike],
    *,
    network: NetworkLike = DEFAULT,
    passes: int = N_PASSES,
    seed: int = 0,
    tolerance: float | None = None,
) -> pd.DataFrame:
    """Recognise several structures, each a single-crystalline sample, in one go.

    The stochastic passes are shared, which is much faster than one `classify`
    after the other; the numbers are the same.

    Parameters
    ----------
    sources : mapping of str to ase.Atoms or path
        Structures by name.
    network, passes, seed, tolerance
        As for `classify`.

    Returns
    -------
    pandas.DataFrame
        Indexed by name: `answer` (most probable class), `probability / %`,
        `mutual information / bit`, `novelty` and `atoms`.

    Raises
    ------
    InputError
        As for `classify`.

    Warns
    -----
    UncertainInputWarning
        As for `classify`, with the name of the structure.

    Examples
    --------
    >>> from ase.build import bulk
    >>> import arise_lib
    >>> metals = {metal: bulk(metal) for metal in ("Ni", "Fe")}
    >>> arise_lib.classify_many(metals, passes=20)["answer"].to_dict()
    {'Ni': 'fcc', 'Fe': 'bcc'}
    """
    structures = [load_structure(source) for source in sources.values()]
    for name, atoms in zip(sources, structures, strict=True):
        for doubt in doubts(atoms):
            warnings.warn(f"{name}: {doubt}", UncertainInputWarning, stacklevel=2)
    rows = [
        (p.label, 100.0 * p.probabilities[0], p.mutual_information, p.novelty, p.n_atoms)
        for p in _classify(structures, network, passes, seed, tolerance)
    ]
    columns = ["answer", "probability / %", "mutual information / bit", "novelty", "atoms"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(sources, name="structure"))


def classify_all(
    structures: Sequence[Atoms],
    *,
    network: NetworkLike = DEFAULT,
    passes: int = N_PASSES,
    seed: int = 0,
    tolerance: float | None = None,
) -> list[Prediction]:
    """Recognise checked structures, which share the passes; `classify_many` with all that is known.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures that `arise_lib.structures.check_atoms` accepts; nothing is warned of.
    network, passes, seed, tolerance
        As for `classify`.

    Returns
    -------
    list of Prediction
        In their order.

    Raises
    ------
    InputError
        If one of them has no pair of neighbours, or as `classify` does for the settings.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.recognition import classify_all
    >>> [found.label for found in classify_all([bulk("Ni"), bulk("Fe")], passes=20)]
    ['fcc', 'bcc']
    """
    return _classify(structures, network, passes, seed, tolerance)


def _classify(
    structures: Sequence[Atoms],
    network: NetworkLike,
    passes: int,
    seed: int,
    tolerance: float | None,
) -> list[Prediction]:
    """Describe structures and send them through the passes together."""
    if not structures:
        return []
    check_passes(passes, seed, tolerance)
    ensemble = as_ensemble(network)
    features = np.array([describe(atoms, ensemble.settings) for atoms in structures])
    posterior = predict(ensemble, features, n_passes=passes, seed=seed, tolerance=tolerance)
    novelty = novelty_of(ensemble, features)
    predictions = []
    for row, atoms in enumerate(structures):
        ranked = posterior.ranked(row)
        information = float(posterior.mutual_information[row])
        unusual = float(novelty[row])
        predictions.append(
            Prediction(tuple(ranked.index), ranked.to_numpy(), information, len(atoms), unusual)
        )
    return predictions
