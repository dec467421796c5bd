r"""Descriptors of windows that slide along a line: each pair of atoms is looked at once, compiled.

What a piece of a sample contributes to its descriptor are sums over pairs of atoms (`engine`),
and of windows that overlap most pairs are the same. A pair lies in all windows from one to
another, in which both its atoms lie: its contribution is added to the sums where it comes in
and taken off where it goes out, and the sums of a window are those of the window before it with
the difference of the two. A window costs as many pairs as come in and go out, not as many as it
holds, whatever its length.

Each window is divided by its own scales, so the sums cannot be made on the radial grid of one.
They are made on a grid that serves the scales of all windows at once (`common_edges`), from
which they are carried to the grid of each, as `engine` does with the two scales of unlike species.

Taking off what was added leaves rounding errors, of 1e-13 of the sums.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray

from arise_lib.descriptor._engine.contraction import contract
from arise_lib.descriptor._engine.crossings import Changes, add_crossings
from arise_lib.descriptor._engine.elements import COLUMNS_AT_ONCE, Sums, carry
from arise_lib.descriptor._engine.grid import Grid, common_edges, radial_table
from arise_lib.descriptor._engine.harmonics import harmonic_columns, norms, recurrence
from arise_lib.descriptor._engine.lanes import LANES
from arise_lib.descriptor._engine.spectrum import add_spectra, sources
from arise_lib.descriptor._engine.window_scales import Rod, window_scales
from arise_lib.descriptor.settings import SoapSettings
from arise_lib.errors import InputError
from arise_lib.storage.compiled import compiled
from arise_lib.structures.checks import ROUNDING

#: Windows that are slid over together: their sums are in memory at once. More of them share the
#: pairs at the ends, fewer stay in cache.
_AT_ONCE = 48


class _Harmonics(NamedTuple):
    """Columns of the harmonics of like and of unlike species, and what they are computed with."""

    even: NDArray[np.int64]
    every: NDArray[np.int64]
    raising: NDArray[np.float64]
    norms: NDArray[np.float64]


class _Radial(NamedTuple):
    """Radial functions, and how features follow from coefficients."""

    grid: Grid
    functions: NDArray[np.float64]
    stop: NDArray[np.int64]
    n_max: int
    source: NDArray[np.int64]
    factor: NDArray[np.float64]


def describe_windows(
    atoms: Atoms,
    axis: int,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    wanted: NDArray[np.bool_],
    settings: SoapSettings,
    at_least: int,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Describe what windows that slide along an axis hold, each as a free cluster.

    Parameters
    ----------
    atoms : ase.Atoms
        Without periodicity.
    axis : int
        Along which the windows follow each other.
    first, last : ndarray of int, shape (n_atoms,)
        Each atom lies in the windows from the first to the last one; both ascend along the axis.
    wanted : ndarray of bool, shape (n_windows,)
        Windows that are described.
    settings : SoapSettings
        Of the descriptor.
    at_least : int
        Species with fewer atoms in a window are left out of it.

    Returns
    -------
    features : ndarray of shape (n_windows, n_features)
        As `describe` gives them to 1e-6; NaN for windows that are not wanted or hold no species
        with enough atoms.
    left : ndarray of bool, shape (n_windows,)
        Wanted ones that `describe` refuses, and says why: no atom has a neighbour, or two atoms
        coincide. They are NaN.

    Raises
    ------
    InputError
        If the windows of the atoms do not ascend along the axis.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib.descriptor import SoapSettings, describe, describe_windows
    >>> rod = bulk("Cu", cubic=True) * (2, 2, 4)
    >>> rod.pbc = False
    >>> low = rod.positions[:, 2] < 8.0  # in both of two windows; the others in the second alone
    >>> first, last = np.where(low, 0, 1), np.ones(len(rod), dtype=int)
    >>> both = np.ones(2, dtype=bool)
    >>> found, left = describe_windows(rod, 2, first, last, both, SoapSettings(), 3)
    >>> bool(np.allclose(found, [describe(rod[low]), describe(rod)], atol=1e-6))
    True
    >>> left.tolist()
    [False, False]
    """
    features = np.full((len(wanted), settings.n_features), np.nan)
    left = np.zeros(len(wanted), dtype=np.bool_)
    order = np.argsort(atoms.positions[:, axis], kind="stable")
    numbers, kind = np.unique(atoms.numbers, return_inverse=True)
    names = np.argsort(np.argsort([chemical_symbols[z] for z in numbers]))
    rod = Rod(
        atoms.positions[order],
        atoms.positions[order, axis],
        names[kind].astype(np.int64)[order],
        np.asarray(first, dtype=np.int64)[order],
        np.asarray(last, dtype=np.int64)[order],
    )
    if (np.diff(rod.first) < 0).any() or (np.diff(rod.last) < 0).any():
        raise InputError(
            f"The windows of {len(atoms)} atoms do not ascend along axis {axis}; atoms that lie "
            "farther along it must lie in the same windows or in later ones."
        )
    rounding = ROUNDING * np.abs(atoms.positions).max(initial=0.0)
    how = len(numbers), at_least, settings.pair_weights == "abundance", rounding
    radial, harmonics = _tables(settings)
    for part in np.array_split(np.arange(len(wanted)), -(-len(wanted) // _AT_ONCE)):
        inside = (rod.last >= part[0]) & (rod.first <= part[-1])
        if not (inside.any() and wanted[part].any()):
            continue
        piece = Rod(
            rod.positions[inside],
            rod.along[inside],
            rod.kind[inside],
            np.maximum(rod.first[inside] - part[0], 0),
            np.minimum(rod.last[inside] - part[0], len(part) - 1),
        )
        here = slice(part[0], part[-1] + 1)
        _slide(piece, *how, harmonics, radial, wanted[here], features[here], left[here])
    return features, left


@lru_cache(maxsize=8)
def _tables(settings: SoapSettings) -> tuple[_Radial, _Harmonics]:
    """Make what depends on the settings alone."""
    table, l_max = radial_table((settings,)), settings.l_max
    source, factor = sources(settings.radial, settings.n_max, l_max)
    radial = _Radial(table.grid, table.functions, table.stop, settings.n_max, source, factor)
    even, every = harmonic_columns(l_max, even_only=True), harmonic_columns(l_max, even_only=False)
    return radial, _Harmonics(even, every, recurrence(l_max), norms(l_max))


@compiled
def _slide(
    rod: Rod,
    n_kinds: int,
    at_least: int,
    by_abundance: bool,
    rounding: float,
    harmonics: _Harmonics,
    radial: _Radial,
    wanted: NDArray[np.bool_],
    features: NDArray[np.float64],
    left: NDArray[np.bool_],
) -> None:
    """Describe the windows of a rod: species by species, pairs of which are then slid over."""
    n_windows = len(wanted)
    counts = np.zeros((n_windows, n_kinds), dtype=np.int64)
    for i in range(len(rod.kind)):
        for w in range(rod.first[i], rod.last[i] + 1):
            counts[w, rod.kind[i]] += 1
    for w in range(n_windows):
        for a in range(n_kinds):
            if counts[w, a] < at_least or not wanted[w]:
                counts[w, a] = 0
    scales = window_scales(rod, counts, rounding, left)
    weights = np.zeros(n_windows)
    for w in range(n_windows):
        missing = True
        for a in range(n_kinds):
            for b in range(n_kinds):
                missing &= not np.isfinite(scales[w, a, b])
                both = counts[w, a] * counts[w, b]
                weights[w] += both if by_abundance else both > 0
        left[w] |= missing and weights[w] > 0.0
        if weights[w] > 0.0 and not left[w]:
            features[w] = 0.0
        else:
            scales[w] = np.nan
    for a in range(n_kinds):
        for b in range(a, n_kinds):
            of_two = scales[:, a, b], scales[:, b, a]
            both = counts[:, a] * counts[:, b]
            each = both / weights if by_abundance else 1.0 / weights
            _slide_two(rod, a, b, of_two, each, harmonics, radial, features)


@compiled
def _slide_two(
    rod: Rod,
    a: int,
    b: int,
    scales: tuple[NDArray[np.float64], NDArray[np.float64]],
    weights: NDArray[np.float64],
    harmonics: _Harmonics,
    radial: _Radial,
    features: NDArray[np.float64],
) -> None:
    """Add the normalised spectra of two species, or of one, to the features of all windows."""
    lengths = np.unique(np.concatenate(scales))
    lengths = lengths[np.isfinite(lengths)]
    if len(lengths) == 0:
        return
    same, n_windows = a == b, len(weights)
    columns = harmonics.even if same else harmonics.every
    n_columns = columns.max() + 1
    n_columns += -n_columns % COLUMNS_AT_ONCE
    edges = common_edges(radial.grid.edges, radial.grid.borders, lengths)
    n_elements = len(edges) - 1
    reaches = np.zeros(n_windows)
    for w in range(n_windows):
        if np.isfinite(scales[0][w]):
            reaches[w] = radial.grid.edges[-1] * max(scales[0][w], scales[1][w])
    changes = Changes(
        np.zeros((n_windows, n_elements, n_columns, LANES)),
        np.zeros((n_windows, n_elements), dtype=np.int64),
        np.zeros((n_windows, n_elements), dtype=np.int64),
    )
    grid = radial.grid
    add_crossings(rod, a, b, edges, reaches, grid.factors, columns, harmonics.raising, changes)
    held = np.zeros(n_elements, dtype=np.int64)
    sums = Sums(
        edges, np.zeros((n_elements, n_columns, LANES)), np.zeros(n_elements, dtype=np.bool_)
    )
    degrees, width = len(columns), radial.n_max + -radial.n_max % LANES
    for w in range(n_windows):
        for e in range(n_elements):
            if changes.come[w, e] + changes.gone[w, e] > 0:
                held[e] += changes.come[w, e] - changes.gone[w, e]
                sums.touched[e] = held[e] > 0
                _change(changes.values[w, e], sums.values[e], held[e] > 0)
        if not np.isfinite(scales[0][w]):
            continue
        one = abs(scales[0][w] - scales[1][w]) <= 1e-12 * scales[0][w]
        n_sums = 1 if one else 2
        values = np.zeros((n_sums, len(grid.edges) - 1, n_columns, LANES))
        touched = np.zeros((n_sums, len(grid.edges) - 1), dtype=np.bool_)
        for s in range(n_sums):
            carry(sums, Sums(grid.edges * scales[s][w], values[s], touched[s]), grid)
        coefficients = np.zeros((n_sums, 1, degrees * degrees, width))
        contract(
            values, touched, radial.functions, radial.stop, harmonics.norms, same, radial.n_max,
            coefficients,
        )  # fmt: skip
        count = weights[w] * (1.0 if same else 3.0 - n_sums)
        add_spectra(
            coefficients, np.full(n_sums, count), radial.n_max, radial.source, radial.factor, same,
            features[w : w + 1],
        )  # fmt: skip


@compiled
def _change(change: NDArray[np.float64], values: NDArray[np.float64], left: bool) -> None:
    """Change the sums of an element; where no pair is left, to zero and not to a rounding error."""
    for c in range(len(values)):
        for k in range(LANES):
            values[c, k] = values[c, k] + change[c, k] if left else 0.0
