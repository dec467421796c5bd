r"""The fast engine: one pass over the pairs serves every setting.

With the inner average, the expansion coefficients of a structure are sums over
pairs of atoms,

.. math:: c_{nlm} = \sum_{i \in a} \sum_{j \in b} g_{nl}(r_{ij}) Y_{lm}(\hat r_{ij}),

so all that a structure contributes is :math:`A_{lm}(r) = \sum_{ij} \delta(r -
r_{ij}) Y_{lm}(\hat r_{ij})`, whatever the radial functions. The engine
accumulates it on a radial grid of cubic Lagrange elements: each pair adds its
Y_lm to the four points of its element, and the coefficients of *any* setting
are then :math:`c_{nlm} = \sum_k g_{nl}(r_k) A_{lm}(r_k)`, one matrix product.
This interpolates g_nl by cubics; the distances where g_nl has a kink are
element borders, so nothing is lost there. The relative error is below 1e-6.

Also used: Y_lm is even for even l and odd for odd l. Hence, for a = b, odd l
cancel and each pair counts once; and (b, a) differs from (a, b) in its scale
and in the signs of odd l only, which the power spectrum does not see, so that
one pass over the pairs serves both.

The kernels do without `fastmath`, contraction to fused multiply-adds included:
where those are formed depends on what else a process has compiled, and the last
bits would differ between two workers. This costs 8 % of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numba import njit
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.scaling import nearest_neighbour_distances, periodic_images
from arise_lib.soap.harmonics import harmonic_columns, normalisation
from arise_lib.soap.pairs import accumulate
from arise_lib.soap.radial import kinks, radial_functions
from arise_lib.soap.settings import SoapSettings
from arise_lib.soap.spectrum import power_spectrum
from arise_lib.validation import check_geometry

#: Length of a radial element over the smallest sigma: the interpolation error of
#: a Gaussian, (length / sigma)^4 * 3 / 1944, is then below 1e-6.
ELEMENT_OVER_SIGMA = 0.15

_BLOCK = 128  # radial functions whose sums stay in the fastest cache together
_LANES = 8  # numbers of a cache line: rows of this multiple need no scalar remainder
_UNROLL = 4  # grid points that are added at once, as many as an element has


class RadialTable(NamedTuple):
    """Radial functions of several settings on one grid of elements."""

    edges: NDArray[np.float64]  # (n_elements + 1,)
    first: NDArray[np.int64]  # (n_bins + 1,) element in which a uniform bin begins
    functions: NDArray[np.float64]  # (l_max + 1, n_points, n_settings * n_max)
    stop: NDArray[np.int64]  # (n_settings * n_max,) points from which a function is zero

    @property
    def n_points(self) -> int:
        """Number of grid points: four per element, neighbours share one."""
        return self.functions.shape[1]


@lru_cache(maxsize=8)
def radial_table(settings: tuple[SoapSettings, ...]) -> RadialTable:
    """Tabulate the radial functions of all `settings` on a common radial grid.

    Parameters
    ----------
    settings : tuple of SoapSettings
        Any cut-offs, sigmas and extrinsic factors; same radial functions, n_max
        and l_max.

    Returns
    -------
    RadialTable
        Grid in units of the found dNN, and the functions on it.
    """
    step = ELEMENT_OVER_SIGMA * min(s.sigma * s.extrinsic for s in settings)
    borders = {0.0, max(s.reach for s in settings)}
    borders.update(kink * s.extrinsic for s in settings for kink in kinks(s))
    ordered = np.array(sorted(borders))
    ordered = ordered[np.append(True, np.diff(ordered) > 1e-9)]
    pieces = [
        np.linspace(a, b, int(np.ceil((b - a) / step)), endpoint=False)
        for a, b in pairwise(ordered)
    ]
    edges = np.append(np.concatenate(pieces), ordered[-1])
    n_bins = 2 * len(edges)
    first = np.searchsorted(edges, np.linspace(0.0, edges[-1], n_bins + 1), side="right") - 1
    first = np.minimum(first, len(edges) - 2)
    inner = edges[:-1, None] + np.diff(edges)[:, None] * np.array([0.0, 1.0, 2.0]) / 3.0
    points = np.append(inner.ravel(), edges[-1])

    values = np.stack([radial_functions(points / s.extrinsic, s) for s in settings], axis=1)
    by_point = np.moveaxis(values, -1, 1).reshape(values.shape[0], len(points), -1)
    filled = np.any(by_point != 0.0, axis=0)  # (n_points, n_functions)
    stop = len(points) - np.argmax(filled[::-1], axis=0)
    return RadialTable(edges, first, np.ascontiguousarray(by_point), stop)


def describe(atoms: Atoms, settings: SoapSettings | None = None) -> NDArray[np.float64]:
    """Compute the averaged SOAP descriptor of a structure.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure of at least two atoms; periodic as its `pbc` says. Any unit of
        length.
    settings : SoapSettings, optional
        Default: the settings of the paper's predictions.

    Returns
    -------
    ndarray of shape (n_features,)
        Mean over all ordered pairs of species of the normalised power spectra.

    Raises
    ------
    InputError
        If the structure has no pair of neighbours, or two atoms coincide.

    See Also
    --------
    describe_settings : several settings at the price of little more than one.
    arise_lib.soap.reference.describe_with_dscribe : the same with DScribe.
    """
    return describe_settings(atoms, (settings or SoapSettings(),))[0]


def describe_settings(atoms: Atoms, settings: Sequence[SoapSettings]) -> NDArray[np.float64]:
    """Compute the descriptor of a structure for several settings in one pass.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure of at least two atoms.
    settings : sequence of SoapSettings
        They may differ in cut-off, sigma, fade and extrinsic factor.

    Returns
    -------
    ndarray of shape (n_settings, n_features)
        One descriptor per setting, in the order given.

    Raises
    ------
    InputError
        If the structure has no pair of neighbours, if two atoms coincide, or if
        the settings differ in radial functions, n_max or l_max.
    """
    settings = tuple(settings)
    if len({(s.radial, s.n_max, s.l_max) for s in settings}) != 1:
        raise InputError(
            "The settings of one call must share radial functions, n_max and l_max; "
            "call once for each kind."
        )
    check_geometry(atoms)
    table = radial_table(settings)
    scales = nearest_neighbour_distances(atoms)
    if not np.isfinite(list(scales.values())).any():
        raise InputError(
            f"No atom of the {len(atoms)} has a neighbour; the descriptor needs at least two "
            "atoms or a periodic cell."
        )
    total = np.zeros((len(settings), settings[0].n_features))
    norms = _norms(settings[0].l_max)
    for same in (True, False):
        counts, sums = _pair_sums(atoms, scales, same, table, settings[0].l_max)
        coefficients = _contract(sums, table.functions, table.stop, norms, same)
        for count, of_pair in zip(counts, coefficients, strict=True):
            vectors = power_spectrum(of_pair, settings[0])
            total += count * vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return total / len(scales)


def _pair_sums(
    atoms: Atoms,
    scales: dict[tuple[str, str], float],
    same: bool,
    table: RadialTable,
    l_max: int,
) -> tuple[list[int], NDArray[np.float64]]:
    """Accumulate A_lm on the radial grid for all pairs of like, or of unlike, species.

    Returns the number of ordered pairs that each sum stands for, and the sums,
    shape (n_sums, n_points, at least n_columns).
    """
    columns = harmonic_columns(l_max, even_only=same)
    chosen = []
    for (a, b), scale in scales.items():
        if (a == b) != same or a > b or not np.isfinite(scale):
            continue  # no scale, no neighbour: a zero vector, by the paper's definition
        equal = abs(scale - scales[b, a]) <= 1e-12 * scale
        chosen.append((a, b, np.array([scale] if equal else [scale, scales[b, a]])))
    counts = [1 if same else 3 - len(lengths) for _, _, lengths in chosen for _ in lengths]
    n_columns = int(columns.max()) + 1
    sums = np.zeros((len(counts), table.n_points, n_columns + -n_columns % _LANES))
    filled = 0
    for a, b, lengths in chosen:
        centres, target = (atoms.numbers == atomic_numbers[symbol] for symbol in (a, b))
        if np.count_nonzero(target) > np.count_nonzero(centres):
            centres, target = target, centres  # images of the rarer species are fewer
        radius = float(table.edges[-1] * lengths.max())
        images, owner, home = periodic_images(atoms, target, radius)
        accumulate(
            atoms.positions[centres], np.flatnonzero(centres), images, owner, home, same, lengths,
            table.edges, table.first, columns, sums[filled : filled + len(lengths)],
        )  # fmt: skip
        filled += len(lengths)
    return counts, sums


@lru_cache
def _norms(l_max: int) -> NDArray[np.float64]:
    """Constants of all harmonics, shape ((l_max + 1)**2,)."""
    return np.concatenate([normalisation(degree) for degree in range(l_max + 1)])


@njit(cache=True, nogil=True)
def _contract(
    sums: NDArray[np.float64],
    functions: NDArray[np.float64],
    stop: NDArray[np.int64],
    norms: NDArray[np.float64],
    even_only: bool,
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    """Multiply pair sums by radial functions: (n_sums, n_functions, (l_max + 1)**2).

    In a crystal the distances fall on few elements, so points that no pair has
    touched are skipped. The order of summation is fixed, unlike in a threaded
    matrix product.
    """
    n_degrees, n_points, n_functions = functions.shape
    n_sums = sums.shape[0]
    touched = np.zeros(n_points + _UNROLL, dtype=np.int64)
    count = 0
    for point in range(n_points):
        for s in range(n_sums):
            if np.any(sums[s, point] != 0.0):
                touched[count] = point
                count += 1
                break
    result = np.zeros((n_sums, n_degrees * n_degrees, n_functions))
    column = 0
    for degree in range(0, n_degrees, 2 if even_only else 1):
        size = 2 * degree + 1
        for low in range(0, n_functions, _BLOCK):
            high = min(low + _BLOCK, n_functions)
            end = np.searchsorted(touched[:count], stop[low:high].max())
            for index in range(0, end, _UNROLL):
                p0, p1 = touched[index], touched[index + 1]
                p2, p3 = touched[index + 2], touched[index + 3]
                v0 = functions[degree, p0, low:high]
                v1 = functions[degree, p1, low:high]
                v2 = functions[degree, p2, low:high]
                v3 = functions[degree, p3, low:high]
                for s in range(n_sums):
                    for m in range(size):
                        c = column + m
                        f0 = sums[s, p0, c]
                        f1 = sums[s, p1, c] if index + 1 < end else 0.0
                        f2 = sums[s, p2, c] if index + 2 < end else 0.0
                        f3 = sums[s, p3, c] if index + 3 < end else 0.0
                        if f0 == 0.0 and f1 == 0.0 and f2 == 0.0 and f3 == 0.0:
                            continue
                        target = result[s, degree * degree + m, low:high]
                        for k in range(high - low):
                            target[k] += f0 * v0[k] + f1 * v1[k] + f2 * v2[k] + f3 * v3[k]
        column += size
    by_function = np.empty((n_sums, n_functions, n_degrees * n_degrees))
    for s in range(n_sums):
        by_function[s] = result[s].T * norms
    return by_function
