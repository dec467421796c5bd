"""Real spherical harmonics of many directions at once, compiled."""

from __future__ import annotations

from functools import lru_cache
from math import factorial, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor._engine.lanes import LANES, fma, load, multiply, splat, store, subtract
from arise_lib.storage.compiled import compiled


@lru_cache
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


@lru_cache
def norms(l_max: int) -> NDArray[np.float64]:
    """Return the constants of all harmonics up to `l_max`, shape ((l_max + 1)**2,)."""
    return np.concatenate([normalisation(degree) for degree in range(l_max + 1)])


@compiled
def recurrence(l_max: int) -> NDArray[np.float64]:
    """Factors that raise l at fixed m, shape (l_max + 1, l_max + 1, 2), the second negative."""
    factors = np.zeros((l_max + 1, l_max + 1, 2))
    for m in range(l_max + 1):
        for degree in range(m + 1, l_max + 1):
            factors[degree, m, 0] = (2 * degree - 1) / (degree - m)
            factors[degree, m, 1] = -(degree + m - 1) / (degree - m)
    return factors


@compiled
def fill_harmonics(
    xyz: NDArray[np.float64],
    columns: NDArray[np.int64],
    factors: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write the unnormalised real harmonics of a batch of unit vectors, eight at once.

    Y_lm is written as a polynomial in z times the real (m >= 0) or imaginary
    (m < 0) part of (x + iy)^|m|, so that no angle is needed and the poles are
    not special.

    Parameters
    ----------
    xyz : ndarray of shape (3, n)
        Unit vectors; n is a multiple of 8.
    columns : ndarray of int
        From `harmonic_columns`.
    factors : ndarray
        From `recurrence`.
    out : ndarray of shape (at least n_columns, n)
        Filled in place.
    """
    n = xyz.shape[1]
    l_max = columns.shape[0] - 1
    zero = splat(0.0)
    for p in range(0, n, LANES):
        x, y, z = load(xyz, p), load(xyz, n + p), load(xyz, 2 * n + p)
        real, imag = splat(1.0), zero
        diagonal = 1.0  # (2m - 1)!!
        for m in range(l_max + 1):
            if m > 0:
                previous = real
                real = subtract(multiply(x, real), multiply(y, imag))
                imag = fma(x, imag, multiply(y, previous))
                diagonal *= 2 * m - 1
            now, last = splat(diagonal), zero
            for degree in range(m, l_max + 1):
                if degree > m:
                    before = last
                    last = now
                    below = multiply(splat(factors[degree, m, 1]), before)
                    now = fma(multiply(splat(factors[degree, m, 0]), z), last, below)
                plus = columns[degree, l_max + m]
                if plus >= 0:
                    store(out, plus * n + p, multiply(now, real))
                    if m > 0:
                        store(out, columns[degree, l_max - m] * n + p, multiply(now, imag))
