"""The averaged descriptor by other packages, DScribe and QUIP: slow, independent, to compare with.

Both do for one pair of species what the engine does for all settings and pairs; the loop over the
pairs is that of `arise_lib.descriptor.definition`.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.descriptor.definition import mean_over_pairs, scaled_pairs
from arise_lib.descriptor.radial.gto import GaussianTypeOrbitals
from arise_lib.descriptor.radial.quip import QuipGaussians
from arise_lib.descriptor.settings import SoapSettings
from arise_lib.errors import InputError


def describe_with_dscribe(atoms: Atoms, settings: SoapSettings) -> NDArray[np.float64]:
    """Compute the averaged descriptor of a structure with DScribe's SOAP [1]_.

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

    Raises
    ------
    InputError
        If the settings are of other radial functions, or the structure has no
        pair of neighbours.

    References
    ----------
    .. [1] L. Himanen et al., Comput. Phys. Commun. 247, 106949 (2020).

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib.descriptor import SoapSettings, describe, describe_with_dscribe
    >>> copper, settings = bulk("Cu"), SoapSettings(radial="gto")
    >>> found = describe(copper, settings)
    >>> bool(np.allclose(found, describe_with_dscribe(copper, settings), atol=1e-5))
    True
    """
    from dscribe.descriptors import SOAP

    basis = settings.basis
    if not isinstance(basis, GaussianTypeOrbitals):
        raise InputError(
            f"DScribe computes the 'gto' radial functions only, not {settings.radial!r}: "
            "use SoapSettings(radial='gto')."
        )
    r0, exponent = basis.weighting(settings)
    spectra = {}
    for a, b, pair in scaled_pairs(atoms, settings.extrinsic):
        # DScribe looks for images as if every atom were inside the cell.
        pair.wrap()
        soap = SOAP(
            species=[b],
            periodic=bool(pair.pbc.any()),
            r_cut=settings.cutoff,
            sigma=settings.sigma,
            n_max=settings.n_max,
            l_max=settings.l_max,
            rbf="gto",
            average="inner",
            weighting={"function": "pow", "r0": r0, "m": exponent, "c": 1.0, "d": 1.0, "w0": 0.0},
        )
        symbols = pair.symbols
        spectra[a, b] = soap.create(pair[symbols == b], centers=pair.positions[symbols == a])
    return mean_over_pairs(spectra, atoms, settings)


def describe_with_quip(atoms: Atoms, settings: SoapSettings) -> NDArray[np.float64]:
    """Compute the averaged descriptor of a structure with QUIP's ``soap`` [1]_.

    The same as `describe_with_dscribe` by the package that the paper used. It
    needs quippy-ase, which is installed with the extra ``bench`` only.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure; periodic as its `pbc` says.
    settings : SoapSettings
        Must have ``radial="quip"``.

    Returns
    -------
    ndarray of shape (n_features,)
        The descriptor, which has unit length for one species.

    Raises
    ------
    InputError
        If the settings are of other radial functions, the structure has no pair
        of neighbours, or quippy-ase is not installed.

    References
    ----------
    .. [1] A. P. Bartók, R. Kondor, G. Csányi, Phys. Rev. B 87, 184115 (2013).

    Examples
    --------
    >>> import numpy as np
    >>> from importlib.util import find_spec
    >>> from ase.build import bulk
    >>> from arise_lib.descriptor import SoapSettings, describe, describe_with_quip
    >>> copper, settings = bulk("Cu"), SoapSettings(radial="quip")
    >>> if find_spec("quippy"):
    ...     found = describe(copper, settings)
    ...     assert np.allclose(found, describe_with_quip(copper, settings), atol=1e-5)
    """
    if not isinstance(settings.basis, QuipGaussians):
        raise InputError(
            f"QUIP computes the 'quip' radial functions only, not {settings.radial!r}: "
            "use SoapSettings(radial='quip')."
        )
    if find_spec("quippy") is None:
        raise InputError(
            "QUIP's descriptor needs the package quippy-ase, which is not installed: "
            "pip install 'quippy-ase>=0.10.3,<0.11'."
        )
    spectra = {}
    for a, b, pair in scaled_pairs(atoms, settings.extrinsic):
        pair.set_chemical_symbols(np.where(pair.symbols == a, "H", "He"))
        # QUIP sees every direction as periodic: out of reach is what stands in for "not".
        for axis in np.flatnonzero(~pair.pbc):
            pair.center(vacuum=settings.cutoff + 1.0, axis=int(axis))
        pair.pbc = True
        quip = _quip(
            settings.cutoff, settings.sigma, settings.n_max, settings.l_max, settings.fade, a == b
        )
        spectra[a, b] = quip.calc(pair)["data"][0]
    return mean_over_pairs(spectra, atoms, settings)


@lru_cache
def _quip(cutoff: float, sigma: float, n_max: int, l_max: int, fade: float, alike: bool) -> Any:
    """QUIP's descriptor of one pair of species; making it takes long.

    Centres are hydrogen; the neighbours too, or helium: which species stand for a and b is
    nothing to QUIP.
    """
    from quippy.descriptors import Descriptor

    return Descriptor(
        f"soap cutoff={cutoff} cutoff_transition_width={fade} l_max={l_max} n_max={n_max} "
        f"atom_sigma={sigma} n_Z=1 Z={{1}} n_species=1 species_Z={{{1 if alike else 2}}} "
        "central_weight=0.0 average=T"
    )
