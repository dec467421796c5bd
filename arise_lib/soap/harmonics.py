"""Real spherical harmonics of many directions at once, compiled."""

from __future__ import annotations

from math import factorial, pi, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray


def harmonic_columns(l_max: int, even_only: bool) -> NDArray[np.int64]:
    """Give a column to each harmonic that is kept, l-major, m from -l to l.

    Parameters
    ----------
    l_max : int
        Highest angular momentum.
    even_only : bool
        Keep even l only.

    Returns
    -------
    ndarray of int, shape (l_max + 1, 2 * l_max + 1)
        Column of (l, m) at ``[l, m + l_max]``; -1 where it is not kept.
    """
    columns = np.full((l_max + 1, 2 * l_max + 1), -1, dtype=np.int64)
    count = 0
    for degree in range(0, l_max + 1, 2 if even_only else 1):
        size = 2 * degree + 1
        columns[degree, l_max - degree : l_max + degree + 1] = np.arange(count, count + size)
        count += size
    return columns


def normalisation(degree: int) -> NDArray[np.float64]:
    """Return the constants that make `fill_harmonics` orthonormal on the sphere.

    Parameters
    ----------
    degree : int
        Angular momentum l.

    Returns
    -------
    ndarray of shape (2 * degree + 1,)
        Factors for m from -l to l.
    """
    return np.array(
        [
            sqrt(
                (2 * degree + 1)
                / (4 * pi)
                * factorial(degree - abs(m))
                / factorial(degree + abs(m))
                * (1 if m == 0 else 2)
            )
            for m in range(-degree, degree + 1)
        ]
    )


@njit(cache=True, nogil=True)
def fill_harmonics(
    xyz: NDArray[np.float64],
    columns: NDArray[np.int64],
    work: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:  # pragma: no cover - compiled
    """Write the unnormalised real harmonics of a batch of unit vectors.

    Y_lm is written as a polynomial in z times the real (m >= 0) or imaginary
    (m < 0) part of (x + iy)^|m|, so that no angle is needed and the poles are
    not special.

    Parameters
    ----------
    xyz : ndarray of shape (3, n)
        Unit vectors.
    columns : ndarray of int
        From `harmonic_columns`.
    work : ndarray of shape (5, n)
        Scratch space.
    out : ndarray of shape (n_columns, n)
        Filled in place.
    """
    n = xyz.shape[1]
    l_max = columns.shape[0] - 1
    x, y, z = xyz[0], xyz[1], xyz[2]
    real, imag, now, last, before = work[0], work[1], work[2], work[3], work[4]
    diagonal = 1.0  # (2m - 1)!!
    for m in range(l_max + 1):
        for p in range(n):
            if m == 0:
                real[p], imag[p] = 1.0, 0.0
            else:
                previous = real[p]
                real[p] = x[p] * previous - y[p] * imag[p]
                imag[p] = x[p] * imag[p] + y[p] * previous
        if m > 0:
            diagonal *= 2 * m - 1
        for degree in range(m, l_max + 1):
            if degree == m:
                for p in range(n):
                    now[p] = diagonal
                    last[p] = 0.0
            else:
                up = (2 * degree - 1) / (degree - m)
                down = (degree + m - 1) / (degree - m)
                for p in range(n):
                    before[p] = last[p]
                    last[p] = now[p]
                    now[p] = up * z[p] * last[p] - down * before[p]
            plus = columns[degree, l_max + m]
            if plus >= 0:
                for p in range(n):
                    out[plus, p] = now[p] * real[p]
                if m > 0:
                    minus = columns[degree, l_max - m]
                    for p in range(n):
                        out[minus, p] = now[p] * imag[p]
