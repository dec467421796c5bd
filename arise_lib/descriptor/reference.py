"""The descriptor by DScribe itself: slow, independent, and the measure of the engine."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.descriptor.radial import dscribe_fade
from arise_lib.descriptor.settings import SoapSettings
from arise_lib.structures.scale import nearest_neighbour_distances


def describe_with_dscribe(atoms: Atoms, settings: SoapSettings) -> NDArray[np.float64]:
    """Compute the averaged descriptor of a structure with DScribe's SOAP.

    For every ordered pair of species (a, b) the structure is divided by
    dNN(a -> b) times the extrinsic factor; centres are the atoms of a,
    neighbours the atoms of b; the *inner* average is taken (coefficients are
    averaged over the centres before the power spectrum), the central atom is
    left out, the vector is normalised; the mean over all pairs is returned
    (paper, Methods, "Isotropic scaling" and Eq. 2).

    Parameters
    ----------
    atoms : ase.Atoms
        Structure; periodic as its `pbc` says.
    settings : SoapSettings
        Must have ``radial="gto"``: DScribe has no QUIP-like functions.

    Returns
    -------
    ndarray of shape (n_features,)
        The descriptor, which has unit length for one species.
    """
    from dscribe.descriptors import SOAP

    if settings.radial != "gto":
        raise ValueError("DScribe computes the 'gto' radial functions only.")
    r0, exponent = dscribe_fade(settings)
    weighting = {"function": "pow", "r0": r0, "m": exponent, "c": 1.0, "d": 1.0, "w0": 0.0}
    # DScribe looks for images as if every atom were inside the cell.
    atoms = atoms.copy()
    atoms.wrap()
    symbols = np.array(atoms.get_chemical_symbols())
    vectors = []
    for (a, b), scale in nearest_neighbour_distances(atoms).items():
        vector = np.zeros(settings.n_features)
        if np.isfinite(scale):
            factor = 1.0 / (scale * settings.extrinsic)
            neighbours = Atoms(
                atoms[symbols == b].symbols,
                positions=atoms.positions[symbols == b] * factor,
                cell=atoms.cell.array * factor,
                pbc=atoms.pbc,
            )
            soap = SOAP(
                species=[b],
                periodic=bool(atoms.pbc.any()),
                r_cut=settings.cutoff,
                sigma=settings.sigma,
                n_max=settings.n_max,
                l_max=settings.l_max,
                rbf="gto",
                average="inner",
                weighting=dict(weighting),
            )
            vector = soap.create(neighbours, centers=atoms.positions[symbols == a] * factor)
            vector = vector / np.linalg.norm(vector)
        vectors.append(vector)
    return np.mean(vectors, axis=0)
