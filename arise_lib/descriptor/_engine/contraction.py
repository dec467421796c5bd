"""From sums on the radial grid to expansion coefficients, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor._engine.lanes import LANES, fma, load, splat, store, total
from arise_lib.storage.compiled import compiled

_BLOCK = 9  # functions that stay in the fastest cache while the columns pass by


@compiled
def _touched_by_any(touched: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Elements with anything but zeros in any of the sums."""
    elements = np.empty(touched.shape[1], dtype=np.int64)
    count = 0
    for e in range(touched.shape[1]):
        if touched[:, e].any():
            elements[count] = e
            count += 1
    return elements[:count]


@compiled
def _pack(
    sums: NDArray[np.float64],
    elements: NDArray[np.int64],
    step: int,
    source: NDArray[np.int64],
    packed: NDArray[np.float64],
    at: int,
) -> None:
    """Copy columns from `at` on, three by three, each triple element by element.

    `source` tells where each column begins in `sums`, `step` how far its elements are apart.
    """
    for k in range(0, len(source) - 2, 3):
        for e in elements:
            for j in range(3):
                store(packed, at, load(sums, e * step + source[k + j]))
                at += LANES


@compiled
def contract(
    sums: NDArray[np.float64],
    touched: NDArray[np.bool_],
    functions: NDArray[np.float64],
    stop: NDArray[np.int64],
    norms: NDArray[np.float64],
    even_only: bool,
    n_max: int,
    coefficients: NDArray[np.float64],
) -> None:
    """Multiply sums by radial functions and add up over the nodes of all elements.

    In a crystal the distances fall on few elements, so those that no pair has
    touched are skipped. The order of summation is fixed, unlike in a threaded
    matrix product. Three functions and three columns at a time stay in registers.

    Parameters
    ----------
    sums : ndarray of shape (n_sums, n_elements, n_columns, LANES)
        Sums of unnormalised harmonics.
    touched : ndarray of bool, shape (n_sums, n_elements)
        Elements with anything but zeros.
    functions, stop : ndarray
        From `grid.radial_table`.
    norms : ndarray of shape ((l_max + 1)**2,)
        Constants of the harmonics.
    even_only : bool
        Whether the columns hold even l only.
    n_max : int
        Number of radial functions of a setting.
    coefficients : ndarray of shape (n_sums, n_settings, (l_max + 1)**2, n_slots)
        Filled in place where there is a column; radial functions last, n_max of
        the n_slots used.
    """
    n_degrees, n_functions, n_elements, _ = functions.shape
    n_sums, n_columns = sums.shape[0], sums.shape[2]
    n_settings, n_slots = coefficients.shape[1], coefficients.shape[3]
    per_setting = n_degrees * n_degrees * n_slots
    elements = _touched_by_any(touched)
    count = len(elements)
    # Where each column of a degree, sum by sum, begins in `sums` and goes to in `coefficients`.
    source = np.empty(n_sums * (2 * n_degrees - 1) + 2, dtype=np.int64)
    target = np.empty_like(source)
    factor = np.empty(len(source))
    # The columns of a degree, three by three and element by element, from a cache line's start.
    packed = np.empty((len(source) * count + 1) * LANES)
    shift = -(packed.ctypes.data // packed.itemsize) % LANES
    out = np.empty(9)
    flat = coefficients.reshape(-1)
    place = np.empty(n_functions, dtype=np.int64)
    for f in range(n_settings * n_max):
        place[f] = f // n_max * per_setting + f % n_max
    ends = np.empty(n_functions // 3, dtype=np.int64)
    for k in range(len(ends)):
        ends[k] = np.searchsorted(elements, stop[3 * k : 3 * k + 3].max())
    column = 0
    for degree in range(0, n_degrees, 2 if even_only else 1):
        size = 2 * degree + 1
        n = n_sums * size
        for k in range(n + 2):
            s, m = divmod(min(k, n - 1), size)  # the last one again fills up a triple
            source[k] = (s * n_elements * n_columns + column + m) * LANES
            target[k] = s * n_settings * per_setting + (degree * degree + m) * n_slots
            factor[k] = norms[degree * degree + m]
        _pack(sums, elements, n_columns * LANES, source[: n + 2], packed, shift)
        step = n_elements * LANES
        for low in range(0, n_functions, _BLOCK):
            for k in range(0, n, 3):
                for f in range(low, min(low + _BLOCK, n_functions), 3):
                    base = (degree * n_functions + f) * step
                    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = splat(0.0)
                    at = shift + k * count * LANES
                    for index in range(ends[f // 3]):
                        e = base + elements[index] * LANES
                        f0, f1 = load(functions, e), load(functions, e + step)
                        f2 = load(functions, e + 2 * step)
                        a0, a1 = load(packed, at), load(packed, at + LANES)
                        a2 = load(packed, at + 2 * LANES)
                        s0, s1, s2 = fma(f0, a0, s0), fma(f1, a0, s1), fma(f2, a0, s2)
                        s3, s4, s5 = fma(f0, a1, s3), fma(f1, a1, s4), fma(f2, a1, s5)
                        s6, s7, s8 = fma(f0, a2, s6), fma(f1, a2, s7), fma(f2, a2, s8)
                        at += 3 * LANES
                    out[0], out[1], out[2] = total(s0), total(s1), total(s2)
                    out[3], out[4], out[5] = total(s3), total(s4), total(s5)
                    out[6], out[7], out[8] = total(s6), total(s7), total(s8)
                    for j in range(3):
                        for i in range(min(3, n_settings * n_max - f)):
                            value = factor[k + j] * out[3 * j + i]
                            flat[target[k + j] + place[f + i]] = value
        column += size
