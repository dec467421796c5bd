"""From expansion coefficients to the rotation-invariant power spectrum."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor._engine.lanes import LANES, fma, load, splat, store, total
from arise_lib.descriptor.settings import SoapSettings, power_spectrum_layout
from arise_lib.storage.compiled import compiled


def slots(n: int) -> int:
    """Round a length up to a whole number of vectors, as the last axis of an array needs it."""
    return n + -n % LANES


def add_power_spectra(
    coefficients: NDArray[np.float64],
    counts: list[int],
    settings: SoapSettings,
    even_only: bool,
    spectra: NDArray[np.float64],
) -> None:
    r"""Add the normalised power spectra p_nn'l = sum_m c_nlm c_n'lm of several sums.

    Parameters
    ----------
    coefficients : ndarray of shape (n_sums, n_settings, (l_max + 1)**2, slots(n_max))
        Real expansion coefficients; l-major, m from -l to l; zeros beyond n_max.
    counts : list of int, length n_sums
        Factor of each sum's spectrum of length 1; where all coefficients are zero, so is it.
    settings : SoapSettings
        Its `layout` gives the constants and the order.
    even_only : bool
        Whether odd l are zero.
    spectra : ndarray of shape (n_settings, n_features)
        Added to in place.
    """
    source, factor = sources(settings.radial, settings.n_max, settings.l_max)
    add_spectra(coefficients, np.array(counts, dtype=float), settings.n_max, source, factor,
                even_only, spectra)  # fmt: skip


@lru_cache
def sources(radial: str, n_max: int, l_max: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Flat index of each feature in (l, n, n'), n' <= n, and its factor."""
    first, second, degree, factor = power_spectrum_layout(radial, n_max, l_max)
    low, high = np.sort([first, second], axis=0)
    return (degree * n_max + high) * slots(n_max) + low, factor.copy()


@compiled
def add_spectra(
    coefficients: NDArray[np.float64],
    counts: NDArray[np.float64],
    n_max: int,
    source: NDArray[np.int64],
    factor: NDArray[np.float64],
    even_only: bool,
    spectra: NDArray[np.float64],
) -> None:
    """Compute products of eight functions with one at a time, then sort them into order."""
    n_sums, n_settings, n_harmonics, width = coefficients.shape
    n_features = len(source)
    products = np.zeros(int(np.sqrt(n_harmonics) + 0.5) * n_max * width)
    vector = np.zeros(n_features + -n_features % LANES)
    for s in range(n_sums):
        for k in range(n_settings):
            base = (s * n_settings + k) * n_harmonics * width
            degree = 0
            while degree * degree < n_harmonics:
                for n in range(n_max):
                    for block in range(0, n + 1, LANES):
                        value = splat(0.0)
                        for m in range(degree * degree, (degree + 1) * (degree + 1)):
                            row = base + m * width
                            one = splat(coefficients[s, k, m, n])
                            value = fma(one, load(coefficients, row + block), value)
                        store(products, (degree * n_max + n) * width + block, value)
                degree += 2 if even_only else 1
            for i in range(n_features):
                vector[i] = products[source[i]] * factor[i]
            square = splat(0.0)
            for i in range(0, len(vector), LANES):
                square = fma(load(vector, i), load(vector, i), square)
            length = np.sqrt(total(square))
            if length > 0.0:
                for i in range(n_features):
                    spectra[k, i] += counts[s] / length * vector[i]
