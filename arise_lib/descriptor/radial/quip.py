r"""Radial functions of QUIP, which the paper uses: orthonormalised Gaussians."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigvalsh, solve
from scipy.special import erf, ive

from arise_lib.descriptor.radial.basis import PowerSpectrumLayout, RadialBasis
from arise_lib.errors import InputError

if TYPE_CHECKING:
    from arise_lib.descriptor.settings import SoapSettings

#: QUIP stops its radial grid where a Gaussian has fallen to 1e-10: R_C + sigma sqrt(20 ln 10).
_QUIP_TAIL = np.sqrt(20.0 * np.log(10.0))


class QuipGaussians(RadialBasis):
    r"""Gaussians on a grid of distances, orthonormalised as in QUIP's ``soap``.

    With :math:`\alpha = 1 / 2\sigma^2` and centres :math:`r_n` evenly spaced from
    0, a neighbour at distance r gives

    .. math:: g_{nl}(r) = \sum_{n'} T_{nn'} e^{-\alpha (r^2 + r_{n'}^2)}
              i_l(2 \alpha r r_{n'}), \qquad T = (C^{-1} L)^T,

    where i_l is the modified spherical Bessel function,
    :math:`C_{nn'} = e^{-\alpha (r_n - r_{n'})^2}` and L is the Cholesky factor of
    the overlap of the Gaussians [1]_. The weight of a neighbour falls as a cosine
    between ``cutoff - fade`` and ``cutoff``, and neighbours beyond are dropped.

    References
    ----------
    .. [1] A. P. Bartók, R. Kondor, G. Csányi, Phys. Rev. B 87, 184115 (2013), and
       the source of QUIP's ``soap``, which these functions reproduce.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.descriptor import SoapSettings
    >>> settings = SoapSettings(radial="quip")
    >>> settings.n_features, settings.basis.kinks(settings)
    (316, (3.5, 4.0))
    """

    name = "quip"

    def functions(self, r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
        """Evaluate the Gaussians' overlaps with a smeared atom at distances `r`."""
        n_max, alpha = settings.n_max, 0.5 / settings.sigma**2
        centre, transform = _orthonormalisation(settings.cutoff, settings.sigma, n_max)
        argument = 2.0 * alpha * r * centre[:, None]  # (n_max, n_points)
        bell = np.exp(-alpha * (r - centre[:, None]) ** 2)
        # i_l(x) exp(-x) stays finite where i_l(x) overflows; the missing exp(x) is in `bell`.
        at_zero = argument < 1e-12
        safe = np.where(at_zero, 1.0, argument)
        result = np.empty((settings.l_max + 1, n_max, r.size))
        scale = np.sqrt(0.5 * np.pi / safe)
        above, bessel = (scale * ive(settings.l_max + k, safe) for k in (1.5, 0.5))
        for degree in range(settings.l_max, -1, -1):
            at_origin = np.where(at_zero, float(degree == 0), bessel)
            result[degree] = transform @ (bell * at_origin)
            # Downwards the recurrence of i_l loses no digits.
            above, bessel = bessel, above + (2 * degree + 1) / safe * bessel
        return result

    def fade(self, r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
        """Weight of a neighbour: half a cosine over the shell below the cut-off."""
        phase = np.clip((r - (settings.cutoff - settings.fade)) / settings.fade, 0.0, 1.0)
        return 0.5 * (1.0 + np.cos(np.pi * phase)) * (r < settings.cutoff)

    def layout(self, n_max: int, l_max: int) -> PowerSpectrumLayout:
        """Entries with l fastest, n' <= n, and QUIP's last entry, which is zero.

        n' < n stands for (n', n) too, hence its factor sqrt(2).
        """
        rows, columns = np.tril_indices(n_max)
        degree = np.arange(l_max + 1)
        doubled = np.where(rows == columns, 1.0, np.sqrt(2.0))
        factor = doubled[:, None] / np.sqrt(2 * degree + 1.0)  # (pairs, l)
        return PowerSpectrumLayout(
            np.append(np.repeat(rows, l_max + 1), 0),
            np.append(np.repeat(columns, l_max + 1), 0),
            np.append(np.tile(degree, len(rows)), 0),
            np.append(factor, 0.0),
        )

    def check(self, settings: SoapSettings) -> None:
        """Refuse so many or such wide Gaussians that they are linearly dependent."""
        _orthonormalisation(settings.cutoff, settings.sigma, settings.n_max)


@lru_cache(maxsize=512)
def _orthonormalisation(
    cutoff: float, sigma: float, n_max: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres of the Gaussians, and the matrix (n_max, n_max) that makes them orthonormal."""
    alpha = 0.5 / sigma**2
    centre = np.arange(n_max) * (cutoff + sigma * _QUIP_TAIL) / n_max
    gap = centre[:, None] - centre[None, :]
    overlap = _gaussian_overlap(centre, alpha)
    values = eigvalsh(overlap)
    if values[0] <= np.finfo(float).eps * values[-1]:
        raise InputError(
            f"n_max = {n_max}, sigma = {sigma}: so many Gaussians of this width within a cutoff of "
            f"{cutoff} are linearly dependent in double precision; choose a smaller n_max or sigma."
        )
    return centre, solve(np.exp(-alpha * gap**2), cholesky(overlap, lower=True)).T


def _gaussian_overlap(centre: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """Integral over r >= 0 of r^2 exp(-alpha (r - a)^2) exp(-alpha (r - b)^2)."""
    total = centre[:, None] + centre[None, :]
    gap = centre[:, None] - centre[None, :]
    mean, width = 0.5 * total, 2.0 * alpha
    # Completing the square leaves exp(-alpha gap^2 / 2) times the integral of
    # r^2 exp(-2 alpha (r - mean)^2), whose parts are a Gaussian and an error function.
    edge = mean * np.exp(-width * mean**2) / (2.0 * width)
    bulk = (0.5 / width + mean**2) * 0.5 * np.sqrt(np.pi / width)
    return np.exp(-0.5 * alpha * gap**2) * (edge + bulk * (1.0 + erf(np.sqrt(width) * mean)))
