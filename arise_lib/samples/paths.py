"""Paths from one crystal to another: where the answer changes, and what warns between them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from ase import Atoms, build

from arise_lib.errors import InputError
from arise_lib.structures import prototypes

#: c/a of the body-centred tetragonal lattice, from well below bcc to well above fcc.
BAIN_RATIOS = tuple(np.linspace(0.7, 1.7, 101).round(2).tolist())


def bain_path(ratios: Iterable[float] = BAIN_RATIOS) -> dict[float, Atoms]:
    """Stretch bcc along one axis until it is fcc, and beyond (paper, Supplementary Fig. 1).

    The paper scans the two lattice constants of the body-centred tetragonal cell; divided by its
    scale, the structure depends on their ratio alone.

    Parameters
    ----------
    ratios : iterable of float
        c/a, positive.

    Returns
    -------
    dict of float to ase.Atoms
        Periodic primitive cell of iron for each ratio.

    Raises
    ------
    InputError
        If a ratio is not positive.

    References
    ----------
    E. C. Bain, Trans. AIME 70, 25 (1924).

    Examples
    --------
    >>> from arise_lib.samples import bain_path
    >>> [round(float(cell.get_volume()), 1) for cell in bain_path([1.0, 1.4]).values()]
    [11.8, 16.5]
    """
    found = {}
    for ratio in ratios:
        if not (np.isfinite(ratio) and ratio > 0.0):
            raise InputError(f"c/a = {ratio}: a positive ratio is needed, 1 for bcc say")
        found[float(ratio)] = build.bulk("Fe", "bct", a=2.87, c=2.87 * ratio)
    return found


def bain_crystals() -> dict[str, float]:
    """Tell where the Bain path goes through crystals that are classes.

    Returns
    -------
    dict of str to float
        c/a of the body-centred tetragonal cell of each, ascending: of alpha-Pa and In that of
        their prototypes; bcc and fcc are where it is cubic.

    Examples
    --------
    >>> from arise_lib.samples import bain_crystals
    >>> {label: round(ratio, 2) for label, ratio in bain_crystals().items()}
    {'alpha-Pa': 0.82, 'bcc': 1.0, 'fcc': 1.41, 'In': 1.52}
    """
    found = {"bcc": 1.0, "fcc": float(np.sqrt(2.0))}
    for label in ("alpha-Pa", "In"):
        lattice = prototypes.build(label).cell.get_bravais_lattice()
        found[label] = float(lattice.c / lattice.a)
    return dict(sorted(found.items(), key=lambda item: item[1]))
