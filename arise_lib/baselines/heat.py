"""Hot crystals and melts by networks, and by the methods that look at the neighbours of each atom.

Both see the same atoms. A network is given the atoms nearest to a centre as a free cluster; PTM and
a-CNA answer for each atom of the periodic frame, and the most frequent answer among those atoms,
none being one as well, is theirs. A class that a method does not treat has no score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from zlib import crc32

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib.baselines import ovito
from arise_lib.baselines.asking import HOT_RMSD, PASSES, TOLERANCE, ask, majority
from arise_lib.network.released import NetworkLike
from arise_lib.samples.heat import HeatSample
from arise_lib.structures import prototypes
from arise_lib.structures.pieces import neighbourhoods

#: Centres per frame, and atoms around each.
N_CENTRES, N_ATOMS = 30, 250

#: Name for readers, function, and the classes that it treats.
_METHODS: dict[str, tuple[Callable[[Atoms], NDArray[np.str_]], tuple[str, ...]]] = {
    "PTM, RMSD 0.10": (ovito.ptm, ovito.TEMPLATES),
    "PTM, RMSD 0.15": (partial(ovito.ptm, rmsd_cutoff=HOT_RMSD), ovito.TEMPLATES),
    "a-CNA": (partial(ovito.cna, cutoff=None), ovito.CLOSE_PACKED),
}


def heat_answers(
    networks: Mapping[str, NetworkLike] | Sequence[str],
    samples: Sequence[HeatSample],
    *,
    n_centres: int = N_CENTRES,
    n_atoms: int = N_ATOMS,
    seed: int = 0,
    passes: int = PASSES,
    tolerance: float | None = TOLERANCE,
) -> pd.DataFrame:
    """Ask networks for the class of neighbourhoods in hot crystals, melts and glasses.

    Parameters
    ----------
    networks : mapping of str to NetworkLike, or sequence of str
        Networks by the name that they have in the table, or names of released ones. Those with the
        same descriptor share the work.
    samples : sequence of HeatSample
        Frames.
    n_centres : int
        Neighbourhoods per frame, around atoms drawn without replacement.
    n_atoms : int
        Atoms of each.
    seed : int
        Seed of the centres and of the passes; which centres a frame gets does not depend on the
        other frames.
    passes, tolerance
        As of `arise_lib.bayes.predict`.

    Returns
    -------
    pandas.DataFrame
        One row per network and neighbourhood: `method` (name of the network), `material`, `phase`,
        `label`, `fraction`, `centre` (number of the atom), `answer`, `probability` (of it, 0 to 1),
        `information` (mutual information in bits), `right` (1 or 0) and `certain_wrong` (1 where a
        crystal is named that it is not, with more than 0.9 and less than 0.1 bit).

    Examples
    --------
    >>> from arise_lib.baselines import heat_answers
    >>> from arise_lib.samples import heat_samples
    >>> cold = heat_samples(["Al"])[:1]
    >>> found = heat_answers(["arise"], cold, n_centres=2, passes=100)
    >>> found[["method", "answer", "right"]].values.tolist()
    [['arise', 'fcc', 1.0], ['arise', 'fcc', 1.0]]
    """
    facts, pieces = [], []
    for sample in samples:
        centres = _centres(sample, n_centres, seed)
        facts += [_facts(sample, centre) for centre in centres]
        pieces += list(neighbourhoods(sample.atoms, n_atoms, centres))
    return ask(networks, pieces, facts, seed=seed, passes=passes, tolerance=tolerance)


def heat_templates(
    samples: Sequence[HeatSample],
    *,
    n_centres: int = N_CENTRES,
    n_atoms: int = N_ATOMS,
    seed: int = 0,
) -> pd.DataFrame:
    """Ask PTM and a-CNA about the neighbourhoods of `heat_answers`, and about each atom.

    Parameters
    ----------
    samples, n_centres, n_atoms, seed
        As of `heat_answers`.

    Returns
    -------
    pandas.DataFrame
        One row per method and neighbourhood, `method`, `material`, `phase`, `label`, `fraction`
        and `centre` as of `heat_answers`; `answer` (by majority, `prototypes.OTHER` where most
        atoms get none), `right` (1 or 0; NaN where the method does not treat the class) and
        `atoms_right`, the share of the frame's atoms with the right answer, in all rows of a frame.

    Examples
    --------
    >>> from arise_lib.baselines import heat_templates
    >>> from arise_lib.samples import heat_samples
    >>> cold = heat_samples(["Al"])[:1]
    >>> heat_templates(cold, n_centres=2).groupby("method")["atoms_right"].first().tolist()
    [1.0, 1.0, 1.0]
    """
    rows = []
    for sample in samples:
        centres = _centres(sample, n_centres, seed)
        members = _members(sample.atoms, centres, n_atoms)
        for name, (method, treats) in _METHODS.items():
            answers = method(sample.atoms)
            answers = np.where(answers == "", prototypes.OTHER, answers)
            treated = sample.label in (*treats, prototypes.OTHER)
            share = float(np.mean(answers == sample.label)) if treated else np.nan
            for centre, member in zip(centres, members, strict=True):
                answer = majority(answers[member])
                right = float(answer == sample.label) if treated else np.nan
                found = {"answer": answer, "right": right, "atoms_right": share}
                rows.append({"method": name} | _facts(sample, centre) | found)
    return pd.DataFrame(rows)


def heat_table(found: pd.DataFrame, quantity: str = "right") -> pd.DataFrame:
    """Put shares side by side: one row per frame, one column per method.

    Parameters
    ----------
    found : pandas.DataFrame
        Rows of `heat_answers`, of `heat_templates`, or both one below the other.
    quantity : {"right", "certain_wrong", "atoms_right"}
        Whose mean over the neighbourhoods of a frame is meant.

    Returns
    -------
    pandas.DataFrame
        In %, indexed by `material`, `phase` and `fraction` of the melting point; NaN where a
        method has no score.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib.baselines import heat_table
    >>> frame = {"material": "Al", "phase": "crystal", "fraction": 0.9}
    >>> rows = [{"method": "arise", "right": right} | frame for right in (1.0, 0.0)]
    >>> heat_table(pd.DataFrame(rows)).loc["Al", "arise"].tolist()
    [50.0]
    """
    keys = ["material", "phase", "fraction"]
    shares = 100.0 * found.groupby([*keys, "method"], sort=False)[quantity].mean()
    # As they come, not in the order of the alphabet.
    frames = pd.MultiIndex.from_frame(found[keys].drop_duplicates())
    table = shares.unstack("method").reindex(frames)
    return table[found["method"].unique()].dropna(axis="columns", how="all")


def _centres(sample: HeatSample, n_centres: int, seed: int) -> NDArray[np.intp]:
    """Draw atoms of a frame; of its own seed, so that other frames do not matter."""
    frame = crc32(f"{sample.material} {sample.phase} {sample.fraction}".encode())
    generator = np.random.default_rng([seed, frame])
    return generator.choice(len(sample.atoms), n_centres, replace=False)


def _members(atoms: Atoms, centres: NDArray[np.intp], n_atoms: int) -> NDArray[np.intp]:
    """Numbers of the atoms nearest to each centre; the cells are rectangular."""
    lengths = atoms.cell.lengths()
    positions = atoms.positions % lengths
    tree = cKDTree(positions, boxsize=lengths)
    return tree.query(positions[centres], n_atoms)[1]


def _facts(sample: HeatSample, centre: int) -> dict[str, object]:
    """Columns that say which neighbourhood it is."""
    return {
        "material": sample.material,
        "phase": sample.phase,
        "label": sample.label,
        "fraction": sample.fraction,
        "centre": int(centre),
    }
