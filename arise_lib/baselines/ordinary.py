"""Ordinary physics by networks and by PTM: what each calls impure, thin or strained crystals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from arise_lib.baselines import ovito
from arise_lib.baselines.asking import HOT_RMSD, PASSES, ask, majority
from arise_lib.network.released import NetworkLike
from arise_lib.samples.experiments import Sample
from arise_lib.structures import prototypes

#: Name of PTM in the tables, with the RMSD up to which it names an atom.
PTM = f"PTM, RMSD {HOT_RMSD:.2f}"


def ordinary_answers(
    networks: Mapping[str, NetworkLike] | Sequence[str],
    samples: Sequence[Sample],
    *,
    passes: int = PASSES,
) -> pd.DataFrame:
    """Ask networks and PTM for the class of samples.

    Parameters
    ----------
    networks : mapping of str to NetworkLike, or sequence of str
        Networks by the name that they have in the table, or names of released ones.
    samples : sequence of Sample
        From `arise_lib.samples.ordinary_samples`, or others.
    passes : int
        Stochastic passes at most.

    Returns
    -------
    pandas.DataFrame
        One row per method and sample: `method`, `group`, `label`, `answer`, `right`
        (1 or 0; NaN where PTM does not treat the class), and of networks `probability`,
        `information` in bits and `certain_wrong`, as of
        `arise_lib.baselines.heat_answers`. PTM's answer is the most frequent one of its
        atoms; where the class has one species, species are nothing to it.

    Examples
    --------
    >>> from arise_lib.baselines import ordinary_answers
    >>> from arise_lib.samples import ordinary_samples
    >>> strained = [one for one in ordinary_samples() if one.group == "strain"][:1]
    >>> ordinary_answers(["arise"], strained, passes=100)["right"].tolist()
    [1.0, 1.0]
    """
    facts = [{"group": one.group, "label": one.label} for one in samples]
    by_networks = ask(networks, [one.atoms for one in samples], facts, passes=passes)
    rows = []
    for one, fact in zip(samples, facts, strict=True):
        atoms = one.atoms.copy()
        if len(set(prototypes.build(one.label).numbers.tolist())) == 1:
            atoms.numbers[:] = atoms.numbers[0]  # else it names no atom of an alloy
        answer = majority(ovito.ptm(atoms, rmsd_cutoff=HOT_RMSD))
        right = float(answer == one.label) if one.label in ovito.TEMPLATES else np.nan
        rows.append({"method": PTM, **fact, "answer": answer, "right": right})
    return pd.concat([by_networks, pd.DataFrame(rows)], ignore_index=True)
