"""Crystals up to their melting points, melts and glasses from molecular dynamics.

Perfect crystals that are shaken at random are not hot ones: in those the atoms move together. These
frames were simulated with published forces (`data/heat`, its README says how), and are a test only:
nothing is trained or selected on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms

from arise_lib.errors import InputError
from arise_lib.storage import paths
from arise_lib.storage.checksums import checked
from arise_lib.structures import prototypes

_FOLDER = paths.DATA / "heat"

#: Positions are kept as whole numbers of this length in Å.
_UNIT = 0.001


@dataclass(frozen=True, eq=False)
class HeatSample:
    """One frame of a simulation.

    Attributes
    ----------
    material : str
        What was simulated, a row of `heat_materials`.
    phase : str
        "crystal", "melt" or "glass".
    label : str
        Class of the crystal; `prototypes.OTHER` for a melt or a glass.
    fraction : float
        Temperature in units of the melting point.
    atoms : ase.Atoms
        Periodic, positions in Å.

    Examples
    --------
    >>> from arise_lib.samples import heat_samples
    >>> hot = heat_samples(["Fe"])[5]
    >>> hot.label, hot.phase, hot.fraction, len(hot.atoms)
    ('bcc', 'crystal', 1.0, 2000)
    """

    material: str
    phase: str
    label: str
    fraction: float
    atoms: Atoms


def heat_materials() -> pd.DataFrame:
    """Tell what `tools/make_heat.py` simulates, by which forces, and the melting points used.

    Returns
    -------
    pandas.DataFrame
        Indexed by material: `label` (class of the crystal), `species`, `forces` and
        `forces_source`, `timestep_fs`, `melting_point` in K and `melting_source`.

    Raises
    ------
    DataError
        If the table is missing or damaged.

    Examples
    --------
    >>> from arise_lib.samples import heat_materials
    >>> heat_materials()["label"].to_dict()["Mg"]
    'hcp'
    """
    return pd.read_csv(checked(_FOLDER / "materials.csv"), index_col="material")


def heat_frames() -> pd.DataFrame:
    """Tell how each frame came about, and what shows that a crystal is one and a melt is.

    Returns
    -------
    pandas.DataFrame
        One row per frame: `material`, `frame` (its number), `phase`, `fraction` (of the melting
        point), `kelvin` and `measured_kelvin`, `steps` and `seed` of the run that it ends,
        `displacement` (root mean square distance from the sites of the crystal, in units of the
        distance of nearest neighbours there; NaN without sites), `travelled` (the same from where
        the atoms were when the run began) and `growth` (how its square grew in the second half of
        the run: 2 where atoms diffuse, 1 where they do not).

    Raises
    ------
    DataError
        If the table is missing or damaged.

    Examples
    --------
    >>> from arise_lib.samples import heat_frames
    >>> frames = heat_frames()
    >>> bool(frames.loc[frames["phase"] == "crystal", "displacement"].max() < 0.2)
    True
    """
    return pd.read_csv(checked(_FOLDER / "frames.csv"))


def heat_samples(materials: Iterable[str] | None = None) -> list[HeatSample]:
    """Read the frames of the simulations.

    Parameters
    ----------
    materials : iterable of str, optional
        Which; all that have frames by default.

    Returns
    -------
    list of HeatSample
        By material, crystals from cold to hot, then the melt and the glass.

    Raises
    ------
    InputError
        If a material was not simulated.
    DataError
        If a file is missing or damaged.

    Examples
    --------
    >>> from arise_lib.samples import heat_samples
    >>> [sample.phase for sample in heat_samples(["Fe"])][-3:]
    ['crystal', 'melt', 'glass']
    """
    frames = heat_frames()
    labels = heat_materials()["label"]
    simulated = frames["material"].unique().tolist()
    chosen = simulated if materials is None else list(materials)
    unknown = [name for name in chosen if name not in simulated]
    if unknown:
        raise InputError(
            f"{', '.join(map(repr, unknown))}: not simulated; there are {', '.join(simulated)}."
        )
    return [
        sample
        for name in chosen
        for sample in _of_one(name, labels[name], frames[frames["material"] == name])
    ]


def _of_one(material: str, label: str, frames: pd.DataFrame) -> list[HeatSample]:
    """Read the frames of one material."""
    with np.load(checked(_FOLDER / f"{material}.npz"), allow_pickle=False) as arrays:
        numbers, positions, cells = (arrays[key] for key in ("numbers", "positions", "cells"))
    return [
        HeatSample(
            material,
            row.phase,
            label if row.phase == "crystal" else prototypes.OTHER,
            float(row.fraction),
            Atoms(numbers, positions=_UNIT * positions[row.frame], cell=cells[row.frame], pbc=True),
        )
        for row in frames.itertuples(index=False)
    ]
