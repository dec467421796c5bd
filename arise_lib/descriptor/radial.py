r"""Radial functions of the SOAP expansion: QUIP's and DScribe's.

A neighbour at distance r contributes g_nl(r) Y_lm(r/|r|) to the expansion
coefficient c_nlm, where g_nl is the overlap of the smeared atom with the n-th
radial function and the l-th spherical harmonic. All distances are in units of
the (extrinsically scaled) nearest-neighbour distance.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve
from scipy.special import erf, gamma, ive

from arise_lib.descriptor.settings import SoapSettings

#: QUIP stops its radial grid where a Gaussian has fallen to 1e-10: R_C + sigma sqrt(20 ln 10).
_QUIP_TAIL = np.sqrt(20.0 * np.log(10.0))


def fade(r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
    r"""Weight of a neighbour at distance `r`, from one inside to zero outside.

    A neighbour that crosses the cut-off must not change the descriptor by a
    jump: thermal noise would then move a whole shell in and out. QUIP's weight
    is a cosine between ``cutoff - fade`` and ``cutoff``. DScribe by itself has a
    hard step at ``cutoff + padding``. Of the weighting functions that it offers,
    "pow" with a high exponent, 1 / (1 + (r / r0)^m), is flat inside and falls
    within the same shell as QUIP's (r0 in its middle, 10 to 90 % over 0.35 of
    it), so that both kinds of radial functions see the same neighbours. "poly"
    would halve the weight at half of the cut-off and so mute the outer shells,
    which tell stacking sequences apart; "exp" does not fall at all.

    Parameters
    ----------
    r : ndarray of shape (n_points,)
        Distances in dNN.
    settings : SoapSettings
        Uses `radial`, `cutoff` and `fade`.

    Returns
    -------
    ndarray of shape (n_points,)
        Weights between 0 and 1.
    """
    inner = settings.cutoff - settings.fade
    if settings.radial == "quip":
        phase = np.clip((r - inner) / settings.fade, 0.0, 1.0)
        return 0.5 * (1.0 + np.cos(np.pi * phase)) * (r < settings.cutoff)
    r0, exponent = dscribe_fade(settings)
    return 1.0 / (1.0 + (r / r0) ** exponent) * (r <= settings.cutoff + settings.padding)


def dscribe_fade(settings: SoapSettings) -> tuple[float, float]:
    """Return r0 (in dNN) and exponent m of DScribe's weighting function "pow"."""
    r0 = settings.cutoff - 0.5 * settings.fade
    return r0, r0 / (0.08 * settings.fade)


def kinks(settings: SoapSettings) -> tuple[float, ...]:
    """Return the distances (in dNN) at which the radial functions are not smooth."""
    if settings.radial == "quip":
        return (settings.cutoff - settings.fade, settings.cutoff)
    return (settings.cutoff + settings.padding,)


def radial_functions(r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
    """Evaluate the faded radial functions g_nl at distances `r`.

    Parameters
    ----------
    r : ndarray of shape (n_points,)
        Distances in dNN.
    settings : SoapSettings
        Radial functions, cut-off, sigma, n_max, l_max, fade.

    Returns
    -------
    ndarray of shape (l_max + 1, n_max, n_points)
        Contribution of a neighbour at each distance, without Y_lm.
    """
    evaluate = _quip if settings.radial == "quip" else _gto
    return evaluate(np.asarray(r, dtype=float), settings) * fade(r, settings)


def _quip(r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
    """Gaussians on a grid of distances, orthonormalised as in QUIP's `soap`."""
    n_max, alpha = settings.n_max, 0.5 / settings.sigma**2
    centre = np.arange(n_max) * (settings.cutoff + settings.sigma * _QUIP_TAIL) / n_max
    gap = centre[:, None] - centre[None, :]
    overlap = _gaussian_overlap(centre, alpha)
    factor = cholesky(overlap, lower=True)
    transform = solve(np.exp(-alpha * gap**2), factor).T  # (n_max, n_max)

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


def _gto(r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
    """Gaussian-type orbitals, orthonormalised as in DScribe's `SOAP(rbf="gto")`."""
    eta = 0.5 / settings.sigma**2
    result = np.empty((settings.l_max + 1, settings.n_max, r.size))
    for degree in range(settings.l_max + 1):
        alpha, beta = _gto_basis(settings.cutoff, settings.n_max, degree)
        primitive = (
            np.pi**1.5
            * eta**degree
            * (alpha + eta)[:, None] ** -(degree + 1.5)
            * r**degree
            * np.exp(-(eta * alpha / (alpha + eta))[:, None] * r**2)
        )
        result[degree] = beta @ primitive
    return result


@lru_cache(maxsize=512)
def _gto_basis(
    cutoff: float, n_max: int, degree: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exponents of the primitive orbitals and their Löwdin orthonormalisation."""
    decay_radius = np.linspace(1.0, cutoff, n_max)
    # Orbital k has fallen to 0.001 at its own radius.
    alpha = -np.log(1e-3 / decay_radius**degree) / decay_radius**2
    order = degree + 1.5
    overlap = 0.5 * gamma(order) * (alpha[:, None] + alpha[None, :]) ** -order
    # Unlike an inverse by elimination, this does not depend on the number of BLAS threads.
    values, vectors = eigh(overlap)
    return alpha, (vectors / np.sqrt(values)) @ vectors.T
