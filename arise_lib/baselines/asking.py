"""The same structures put to several networks, and to methods that answer for each atom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.bayes.inference import predict
from arise_lib.descriptor import SoapSettings, describe
from arise_lib.network.released import NetworkLike, as_ensemble
from arise_lib.storage.parallel import run
from arise_lib.structures import prototypes

#: Answers with more probability and less mutual information, in bits, are called certain.
CERTAIN_PROBABILITY, CERTAIN_INFORMATION = 0.9, 0.1

#: Passes at most, and the error in bits at which a structure gets no more.
PASSES, TOLERANCE = 400, 0.02

#: RMSD up to which PTM names an atom of a hot crystal; its 0.1 is for cold ones.
HOT_RMSD = 0.15


def ask(
    networks: Mapping[str, NetworkLike] | Sequence[str],
    structures: Sequence[Atoms],
    facts: Sequence[Mapping[str, object]],
    *,
    seed: int = 0,
    passes: int = PASSES,
    tolerance: float | None = TOLERANCE,
) -> pd.DataFrame:
    """Ask networks for the class of structures whose truth is known.

    Parameters
    ----------
    networks : mapping of str to NetworkLike, or sequence of str
        Networks by the name that they have in the table, or names of released ones. Those with the
        same descriptor share the work.
    structures : sequence of ase.Atoms
        Structures.
    facts : sequence of mapping
        What the table says of each, its true `label` at least, which is
        `arise_lib.structures.prototypes.OTHER` for what is no crystal.
    seed, passes, tolerance
        As of `arise_lib.bayes.predict`.

    Returns
    -------
    pandas.DataFrame
        One row per network and structure: `method` (name of the network), the facts, `answer`,
        `probability` (of it, 0 to 1), `information` (mutual information in bits), `right` (1 or 0)
        and `certain_wrong` (1 where a crystal is named that it is not, with more than 0.9 and less
        than 0.1 bit).

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.baselines import ask
    >>> ask(["arise"], [bulk("Ni")], [{"label": "fcc"}], passes=100)["answer"].tolist()
    ['fcc']
    """
    named = networks if isinstance(networks, Mapping) else {name: name for name in networks}
    described: dict[SoapSettings, NDArray[np.float64]] = {}
    tables = []
    for name, network in named.items():
        ensemble = as_ensemble(network)
        settings = ensemble.settings
        if settings not in described:
            vectors = run(partial(describe, settings=settings), structures)
            described[settings] = np.array(list(vectors))
        posterior = predict(
            ensemble, described[settings], n_passes=passes, seed=seed, tolerance=tolerance
        )
        table = pd.DataFrame(facts)
        table.insert(0, "method", name)
        table["answer"] = posterior.labels
        table["probability"] = posterior.probabilities.max(axis=1)
        table["information"] = posterior.mutual_information
        right = table["answer"] == table["label"]
        certain = (table["probability"] > CERTAIN_PROBABILITY) & (
            table["information"] < CERTAIN_INFORMATION
        )
        wrong = certain & ~right & (table["answer"] != prototypes.OTHER)
        table["right"], table["certain_wrong"] = right.astype(float), wrong.astype(float)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def majority(answers: NDArray[np.str_]) -> str:
    """Return the most frequent answer of atoms.

    Parameters
    ----------
    answers : ndarray of str
        Class of each atom, an empty string for none.

    Returns
    -------
    str
        The first one in alphabetical order of several that are as frequent;
        `arise_lib.structures.prototypes.OTHER` where most atoms have none.

    Examples
    --------
    >>> import numpy as np
    >>> majority(np.array(["fcc", "", "fcc"])), majority(np.array(["", "", "fcc"]))
    ('fcc', 'other')
    """
    names, votes = np.unique(answers, return_counts=True)
    return str(names[votes.argmax()]) or prototypes.OTHER
