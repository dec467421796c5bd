r"""Radial functions of DScribe: orthonormalised Gaussian-type orbitals."""

from __future__ import annotations

from functools import lru_cache
from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.special import gamma

from arise_lib.descriptor.radial.basis import PowerSpectrumLayout, RadialBasis
from arise_lib.errors import InputError

if TYPE_CHECKING:
    from arise_lib.descriptor.settings import SoapSettings

#: What DScribe takes for zero: orbital k has fallen to it at its own radius, and neighbours are
#: kept up to the distance beyond the cut-off at which an atom's Gaussian has.
_VANISHED = 1e-3

#: Width r0 / m of the step of the weight, in units of `fade`: so that at both ends of the shell
#: the weight is within exp(-0.5 / 0.08) = 0.2 % of one and of zero.
_STEP_WIDTH = 0.08


class GaussianTypeOrbitals(RadialBasis):
    r"""Gaussian-type orbitals, orthonormalised as in DScribe's ``SOAP(rbf="gto")``.

    With :math:`\eta = 1 / 2\sigma^2`, a neighbour at distance r gives

    .. math:: g_{nl}(r) = \sum_k \beta_{nk}^l\, \pi^{3/2}
              \frac{\eta^l r^l}{(\alpha_{kl} + \eta)^{l + 3/2}}
              \exp\!\left(-\frac{\eta\, \alpha_{kl}}{\alpha_{kl} + \eta} r^2\right),

    the overlap of its Gaussian with the orbitals :math:`r^l e^{-\alpha_{kl} r^2}`,
    which Löwdin's matrix :math:`\beta^l` makes orthonormal [1]_.

    DScribe by itself has a hard step at the cut-off. Of the weighting functions
    that it offers, "pow" with a high exponent, :math:`1 / (1 + (r / r_0)^m)`, is
    flat inside and falls within the same shell as QUIP's (r0 in its middle, 10 to
    90 % over 0.35 of it), so that both kinds of radial functions see the same
    neighbours. "poly" would halve the weight at half of the cut-off and so mute
    the outer shells, which tell stacking sequences apart; "exp" does not fall at
    all.

    References
    ----------
    .. [1] L. Himanen et al., Comput. Phys. Commun. 247, 106949 (2020), and the source
       of DScribe (``SOAP.get_basis_gto``), which these functions reproduce.

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> settings = SoapSettings(radial="gto")
    >>> settings.n_features, round(settings.basis.padding(settings), 3)
    (315, 0.372)
    >>> r0, exponent = settings.basis.weighting(settings)
    >>> r0, round(exponent, 2)
    (3.75, 93.75)
    """

    name = "gto"
    # The step at cutoff + padding is below 4e-6 of a neighbour that counts little there.
    kinks_matter = False
    even_elements = False  # in the shell of the steep fade they are shorter

    def functions(self, r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
        """Evaluate the orbitals' overlaps with a smeared atom at distances `r`."""
        eta = 0.5 / settings.sigma**2
        result = np.empty((settings.l_max + 1, settings.n_max, r.size))
        for degree in range(settings.l_max + 1):
            alpha, beta = _orthonormalisation(settings.cutoff, settings.n_max, degree)
            primitive = (
                np.pi**1.5
                * eta**degree
                * (alpha + eta)[:, None] ** -(degree + 1.5)
                * r**degree
                * np.exp(-(eta * alpha / (alpha + eta))[:, None] * r**2)
            )
            result[degree] = beta @ primitive
        return result

    def weighting(self, settings: SoapSettings) -> tuple[float, float]:
        """Return r0 (in dNN) and exponent m of DScribe's weighting function "pow"."""
        r0 = settings.cutoff - 0.5 * settings.fade
        return r0, r0 / (_STEP_WIDTH * settings.fade)

    def fade(self, r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
        """Weight of a neighbour: DScribe's function "pow", as steep as the shell is narrow."""
        r0, exponent = self.weighting(settings)
        outermost = settings.cutoff + self.padding(settings)
        return 1.0 / (1.0 + (r / r0) ** exponent) * (r <= outermost)

    def layout(self, n_max: int, l_max: int) -> PowerSpectrumLayout:
        """Entries l-major, then n <= n'."""
        rows, columns = np.triu_indices(n_max)
        degree = np.arange(l_max + 1)
        factor = np.pi * np.sqrt(8.0 / (2 * degree + 1))
        return PowerSpectrumLayout(
            np.tile(rows, l_max + 1),
            np.tile(columns, l_max + 1),
            np.repeat(degree, len(rows)),
            np.repeat(factor, len(rows)),
        )

    def padding(self, settings: SoapSettings) -> float:
        """Distance at which an atom's Gaussian has fallen to 0.001, as in DScribe."""
        return settings.sigma * sqrt(-2 * log(_VANISHED))

    def kinks(self, settings: SoapSettings) -> tuple[float, ...]:
        """Where neighbours are dropped."""
        return (settings.cutoff + self.padding(settings),)

    def check(self, settings: SoapSettings) -> None:
        """Refuse a cut-off that leaves no room, and orbitals that are linearly dependent."""
        if settings.cutoff <= 1.0:
            raise InputError(
                f"cutoff = {settings.cutoff}: DScribe's Gaussian-type orbitals need a cutoff "
                "above 1."
            )
        for degree in range(settings.l_max + 1):
            _orthonormalisation(settings.cutoff, settings.n_max, degree)


@lru_cache(maxsize=512)
def _orthonormalisation(
    cutoff: float, n_max: int, degree: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exponents of the primitive orbitals and their Löwdin orthonormalisation."""
    decay_radius = np.linspace(1.0, cutoff, n_max)
    alpha = -np.log(_VANISHED / decay_radius**degree) / decay_radius**2
    order = degree + 1.5
    overlap = 0.5 * gamma(order) * (alpha[:, None] + alpha[None, :]) ** -order
    # Unlike an inverse by elimination, this does not depend on the number of BLAS threads.
    values, vectors = eigh(overlap)
    if values[0] <= np.finfo(float).eps * values[-1]:
        raise InputError(
            f"n_max = {n_max}: so many Gaussian-type orbitals within a cutoff of {cutoff} are "
            "linearly dependent in double precision; choose a smaller n_max or a larger cutoff."
        )
    return alpha, (vectors / np.sqrt(values)) @ vectors.T
