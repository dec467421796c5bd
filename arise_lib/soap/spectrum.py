"""From expansion coefficients to the rotation-invariant power spectrum."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from arise_lib.soap.settings import SoapSettings


def power_spectrum(
    coefficients: NDArray[np.float64], settings: SoapSettings
) -> NDArray[np.float64]:
    r"""Compute p_nn'l = sum_m c_nlm c_n'lm, with each package's constants and order.

    Parameters
    ----------
    coefficients : ndarray of shape (n_settings * n_max, (l_max + 1)**2)
        Real expansion coefficients; l-major, m from -l to l.
    settings : SoapSettings
        `radial` decides constants and order: DScribe's is l-major, then
        n <= n'; QUIP's has l fastest, n' <= n, and a last entry that is 0.

    Returns
    -------
    ndarray of shape (n_settings, n_features)
        Not normalised.
    """
    rows, columns, position, factor = _layout(settings.radial, settings.n_max, settings.l_max)
    blocks = coefficients.reshape(-1, settings.n_max, coefficients.shape[1])
    spectrum = np.zeros((len(blocks), settings.n_features))
    _fill(blocks, rows, columns, position, factor, spectrum)
    return spectrum


@lru_cache
def _layout(
    radial: str, n_max: int, l_max: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Radial indices of each pair, its place in the vector and its factor for each l."""
    degree = np.arange(l_max + 1)
    if radial == "gto":
        rows, columns = np.triu_indices(n_max)
        position = np.arange(len(rows))[:, None] + len(rows) * degree
        factor = np.broadcast_to(np.pi * np.sqrt(8.0 / (2 * degree + 1)), position.shape)
    else:
        rows, columns = np.tril_indices(n_max)
        position = np.arange(len(rows))[:, None] * len(degree) + degree
        doubled = np.where(rows == columns, 1.0, np.sqrt(2.0))
        factor = doubled[:, None] / np.sqrt(2 * degree + 1.0)
    return rows, columns, position, np.ascontiguousarray(factor)


@njit(cache=True, nogil=True)
def _fill(
    blocks: NDArray[np.float64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    position: NDArray[np.int64],
    factor: NDArray[np.float64],
    spectrum: NDArray[np.float64],
) -> None:  # pragma: no cover - compiled
    """Fill `spectrum`, shape (n_settings, n_features), in place."""
    for s in range(blocks.shape[0]):
        for pair in range(rows.shape[0]):
            first, second = blocks[s, rows[pair]], blocks[s, columns[pair]]
            for degree in range(factor.shape[1]):
                total = 0.0
                for m in range(degree * degree, (degree + 1) * (degree + 1)):
                    total += first[m] * second[m]
                spectrum[s, position[pair, degree]] = total * factor[pair, degree]
