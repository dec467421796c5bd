"""OVITO's methods, which look at the neighbours of each atom: PTM, CNA, a-CNA and BAA.

Polyhedral template matching, common neighbour analysis with a fixed and with an adaptive cut-off,
and bond-angle analysis. Every function takes a structure and returns, for each of its atoms, the
class of `arise_lib.structures.prototypes` that the method sees, or an empty string. OVITO names
types of lattices, and PTM orderings on them; the tables below say which class that is.

References
----------
PTM: P. M. Larsen, S. Schmidt, J. Schiøtz, Modell. Simul. Mater. Sci. Eng. 24, 055007 (2016);
CNA: J. D. Honeycutt, H. C. Andersen, J. Phys. Chem. 91, 4950 (1987); a-CNA: A. Stukowski, Modell.
Simul. Mater. Sci. Eng. 20, 045021 (2012); BAA: G. J. Ackland, A. P. Jones, Phys. Rev. B 73, 054104
(2006); OVITO: A. Stukowski, Modell. Simul. Mater. Sci. Eng. 18, 015012 (2010).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.baselines.base import Method, register
from arise_lib.structures.checks import check_atoms

CLOSE_PACKED = ("fcc", "bcc", "hcp")
TEMPLATES = (
    *CLOSE_PACKED, "sc", "diamond", "hexagonal diamond", "graphene", "L1_0", "L1_2", "CsCl",
    "zincblende", "wurtzite",
)  # fmt: skip

#: Largest root mean square deviation from a template, in units of the template's dNN.
RMSD_CUTOFF = 0.1

#: Cut-off of conventional CNA, Å. It lies between the first and second shell of fcc Cu and beyond
#: the second of bcc W, but before the first of hcp Mg, whence two classes of three.
CNA_CUTOFF = 3.2

#: PTM: class by the names that OVITO has for structure type and ordering.
TEMPLATE_CLASSES = {
    ("FCC", "Pure"): "fcc",
    ("FCC", "L10"): "L1_0",
    ("FCC", "L12 (A-site)"): "L1_2",
    ("FCC", "L12 (B-site)"): "L1_2",
    ("HCP", "Pure"): "hcp",
    ("BCC", "Pure"): "bcc",
    ("BCC", "B2"): "CsCl",
    ("Simple cubic", "Pure"): "sc",
    ("Cubic diamond", "Pure"): "diamond",
    # one ordering stands for both; the type of diamond tells them apart
    ("Cubic diamond", "Zincblende/Wurtzite"): "zincblende",
    ("Hexagonal diamond", "Pure"): "hexagonal diamond",
    ("Hexagonal diamond", "Zincblende/Wurtzite"): "wurtzite",
    ("Graphene", "Pure"): "graphene",
}

#: CNA, a-CNA, BAA: class by OVITO's name of the structure type.
TYPE_CLASSES = {"FCC": "fcc", "BCC": "bcc", "HCP": "hcp"}


def ptm(atoms: Atoms, rmsd_cutoff: float = RMSD_CUTOFF) -> NDArray[np.str_]:
    """Polyhedral template matching with all templates and orderings.

    Parameters
    ----------
    atoms : ase.Atoms
        Positions in Å.
    rmsd_cutoff : float
        Largest root mean square deviation from a template, in units of the template's dNN. The
        benchmark has 0.1; hot crystals need more.

    Returns
    -------
    ndarray of str, shape (n_atoms,)
        One of 12 classes per atom, or an empty string.

    Raises
    ------
    InputError
        If the structure cannot be used.
    """
    particles = _matched(atoms, rmsd_cutoff=rmsd_cutoff, output_ordering=True)
    structures = _names(particles["Structure Type"])
    orderings = _names(particles["Ordering Type"])
    found = [TEMPLATE_CLASSES.get(pair, "") for pair in zip(structures, orderings, strict=True)]
    return np.array(found, dtype=np.str_)


def ptm_deviation(atoms: Atoms) -> NDArray[np.float64]:
    """Measure how far the neighbours of each atom are from the nearest template of PTM.

    Parameters
    ----------
    atoms : ase.Atoms
        Positions in Å.

    Returns
    -------
    ndarray of shape (n_atoms,)
        Root mean square deviation in units of the template's dNN, without a cut-off; NaN for an
        atom that no template can be laid on.

    Raises
    ------
    InputError
        If the structure cannot be used.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.baselines import ovito
    >>> bool((ovito.ptm_deviation(bulk("Cu", cubic=True).repeat(3)) < 1e-3).all())
    True
    """
    particles = _matched(atoms, rmsd_cutoff=0.0, output_rmsd=True)  # zero is none
    none = np.array(_names(particles["Structure Type"])) == "Other"
    return np.where(none, np.nan, np.asarray(particles["RMSD"], dtype=np.float64))


def cna(atoms: Atoms, cutoff: float | None = CNA_CUTOFF) -> NDArray[np.str_]:
    """Run common neighbour analysis, with one cut-off or with one for each atom.

    Parameters
    ----------
    atoms : ase.Atoms
        Positions in Å.
    cutoff : float, optional
        Bond length up to which atoms are neighbours, Å. With None it is found for each atom from
        its neighbours (a-CNA), and the unit of length does not matter.

    Returns
    -------
    ndarray of str, shape (n_atoms,)
        "fcc", "bcc", "hcp" or an empty string per atom.

    Raises
    ------
    InputError
        If the structure cannot be used.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.baselines import ovito
    >>> copper = bulk("Cu", cubic=True).repeat(3)
    >>> set(ovito.cna(copper)) == {"fcc"}
    True
    """
    from ovito.modifiers import CommonNeighborAnalysisModifier

    modes = CommonNeighborAnalysisModifier.Mode
    if cutoff is None:
        return _types(atoms, CommonNeighborAnalysisModifier(mode=modes.AdaptiveCutoff))
    return _types(atoms, CommonNeighborAnalysisModifier(mode=modes.FixedCutoff, cutoff=cutoff))


def baa(atoms: Atoms) -> NDArray[np.str_]:
    """Run the bond-angle analysis of Ackland and Jones.

    Parameters
    ----------
    atoms : ase.Atoms
        Any unit of length.

    Returns
    -------
    ndarray of str, shape (n_atoms,)
        "fcc", "bcc", "hcp" or an empty string per atom.

    Raises
    ------
    InputError
        If the structure cannot be used.
    """
    from ovito.modifiers import AcklandJonesModifier

    return _types(atoms, AcklandJonesModifier())


def _types(atoms: Atoms, modifier: Any) -> NDArray[np.str_]:
    """Classes by structure type alone."""
    names = _names(_analysed(atoms, modifier)["Structure Type"])
    return np.array([TYPE_CLASSES.get(name, "") for name in names], dtype=np.str_)


def _matched(atoms: Atoms, **options: Any) -> Any:
    """Run polyhedral template matching with all templates and return OVITO's particles."""
    from ovito.modifiers import PolyhedralTemplateMatchingModifier

    matching = PolyhedralTemplateMatchingModifier(**options)
    for structure in matching.structures:
        structure.enabled = True
    return _analysed(atoms, matching)


def _analysed(atoms: Atoms, modifier: Any) -> Any:
    """Run one modifier of OVITO over a structure and return its particles."""
    from ovito.io.ase import ase_to_ovito
    from ovito.pipeline import Pipeline, StaticSource

    check_atoms(atoms)
    pipeline = Pipeline(source=StaticSource(data=ase_to_ovito(atoms)))
    pipeline.modifiers.append(modifier)
    return pipeline.compute().particles


def _names(values: Any) -> list[str]:
    """Names of the types of a property, per particle."""
    names = {entry.id: entry.name for entry in values.types}
    return [names[number] for number in np.asarray(values)]


_method = partial(Method, module=__name__, periodic_only=True, package="ovito")
_ordered = "structure type and ordering at an RMSD up to 0.1"
register(_method("ptm", "PTM", TEMPLATES, _ordered, answer=ptm, row=3))
_within = "structure type at a cut-off of 3.2 Å"
register(_method("cna", "CNA", CLOSE_PACKED, _within, answer=cna, row=4))
_adaptive = partial(cna, cutoff=None)
register(_method("acna", "a-CNA", CLOSE_PACKED, "structure type", answer=_adaptive, row=5))
register(_method("baa", "BAA", CLOSE_PACKED, "structure type", answer=baa, row=6))
