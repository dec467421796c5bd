r"""The radial grid: elements on which the radial functions are polynomials of degree 7.

A function is known on an element by its values at eight nodes, those of Chebyshev stretched
until the outer two are the element's ends, so that neighbouring elements agree there. The
distances where some function has a kink are ends of elements. In between, elements are as
long as the functions allow: the error is measured on trial elements and, as it grows with the
eighth power of the length, tells the length at which it is `TOLERANCE`. Where DScribe's
orbitals are smooth an element spans many sigma, in the shell of its steep fade less than one.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arise_lib.descriptor._engine.lanes import LANES, aligned
from arise_lib.descriptor.settings import SoapSettings
from arise_lib.storage.compiled import compiled

#: Largest error of an interpolated radial function over the largest value that a radial
#: function of its setting has beyond one dNN, as measured at three places of each trial element;
#: descriptors are then within 1e-6 of the definition.
TOLERANCE = 1e-7

#: Radial functions that are contracted together; their number is filled up to a multiple.
FUNCTIONS_AT_ONCE = 3

#: Ends closer than this, relative to the outermost, are one: they differ by rounding.
_SAME_EDGE = 1e-10

_FINEST = 1e-13  # errors below are rounding and say nothing about the length

#: Places of the nodes on an element from 0 to 1.
NODES = 0.5 - 0.5 * np.cos(np.pi * (np.arange(LANES) + 0.5) / LANES) / np.cos(0.5 * np.pi / LANES)


class Grid(NamedTuple):
    """Elements of the radial grid and the nodes on each of them, as compiled code takes them."""

    edges: NDArray[np.float64]  # (n_elements + 1,) in found dNN
    borders: NDArray[np.float64]  # those among the edges where a function may have a kink
    nodes: NDArray[np.float64]  # (LANES,) places on an element from 0 to 1: `NODES`
    factors: NDArray[np.float64]  # (LANES, LANES) of their polynomials: `node_factors`


class RadialTable(NamedTuple):
    """Radial functions of several settings on one grid of elements."""

    grid: Grid
    functions: NDArray[np.float64]  # (l_max + 1, n_functions, n_elements, LANES)
    stop: NDArray[np.int64]  # (n_functions,) elements from which on a function is zero


def lagrange(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the eight nodes at places `t` of an element, shape (n, LANES)."""
    others = node_factors()
    return others[-1] * np.prod(t[:, None, None] - others[:-1], axis=1)


@lru_cache
def node_factors() -> NDArray[np.float64]:
    """Factors of the nodes' Lagrange polynomials, shape (LANES, LANES), a column for each node.

    Seven rows hold its seven others; the eighth holds the constant that makes the product of
    the distances from them 1 at the node itself.
    """
    factors = aligned(LANES, LANES)
    for node in range(LANES):
        others = np.delete(NODES, node)
        factors[:-1, node] = others
        factors[-1, node] = 1.0 / np.prod(NODES[node] - others)
    return factors


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
        Grid in units of the found dNN, and the functions on it; their number is
        n_settings * n_max, filled up with functions that are zero to a multiple of
        `FUNCTIONS_AT_ONCE`.
    """
    found = {0.0, max(s.reach for s in settings)}
    for s in settings:
        if s.basis.kinks_matter:
            found.update(kink * s.extrinsic for kink in s.basis.kinks(s))
    borders = np.array(sorted(found))
    borders = borders[np.append(True, np.diff(borders) > _SAME_EDGE * borders[-1])]
    edges = _fitting(_trial(borders, settings), borders, settings)

    points = edges[:-1, None] + np.diff(edges)[:, None] * NODES
    points[:, -1] = edges[1:]  # not even a rounding error between neighbours
    n_used = len(settings) * settings[0].n_max
    n_functions = n_used + -n_used % FUNCTIONS_AT_ONCE
    functions = aligned(settings[0].l_max + 1, n_functions, len(points), LANES)
    values = _functions(points.ravel(), settings)
    functions[:, :n_used] = values.reshape(len(functions), n_used, *points.shape)
    filled = np.any(functions != 0.0, axis=(0, 3))  # (n_functions, n_elements)
    stop = np.where(filled.any(axis=1), len(points) - np.argmax(filled[:, ::-1], axis=1), 0)
    return RadialTable(Grid(edges, borders, NODES, node_factors()), functions, stop)


def _functions(
    points: NDArray[np.float64], settings: tuple[SoapSettings, ...]
) -> NDArray[np.float64]:
    """Radial functions of all settings, shape (l_max + 1, n_settings * n_max, n_points)."""
    result = np.empty((settings[0].l_max + 1, len(settings), settings[0].n_max, len(points)))
    for k, s in enumerate(settings):
        result[:, k] = s.basis.faded(points / s.extrinsic, s)
    return result.reshape(len(result), -1, len(points))


def _trial(borders: NDArray[np.float64], settings: tuple[SoapSettings, ...]) -> NDArray[np.float64]:
    """Edges of elements that are no longer than the sharpest Gaussian is wide."""
    step = min(s.sigma * s.extrinsic for s in settings)
    pieces = [
        np.linspace(a, b, int(np.ceil((b - a) / step)), endpoint=False)
        for a, b in pairwise(borders)
    ]
    return np.append(np.concatenate(pieces), borders[-1])


def _fitting(
    trial: NDArray[np.float64], borders: NDArray[np.float64], settings: tuple[SoapSettings, ...]
) -> NDArray[np.float64]:
    """Edges of the longest elements whose error is below the tolerance, from that of trial ones."""
    between = 0.5 * (NODES[1:-1:2] + NODES[2::2])  # where the error is largest
    places = np.append(NODES, between)
    points = trial[:-1, None] + np.diff(trial)[:, None] * places
    worst = np.full(len(points), _FINEST)
    for s in settings:
        values = _functions(points.ravel(), (s,)).reshape(-1, *points.shape)
        scale = np.abs(values[:, points >= s.extrinsic]).max()
        error = values[..., LANES:] - values[..., :LANES] @ lagrange(between).T
        worst = np.maximum(worst, np.abs(error).max(axis=(0, 2)) / scale)
    # Elements of the final grid that a trial element is worth, summed up from the left.
    worth = np.append(0.0, np.cumsum((worst / TOLERANCE) ** (1.0 / LANES)))
    pieces = []
    for a, b in np.interp([*pairwise(borders)], trial, worth):
        levels = np.linspace(a, b, int(np.ceil(b - a)), endpoint=False)
        pieces.append(np.interp(levels, worth, trial))
    edges = np.append(np.concatenate(pieces), borders[-1])
    # Ends of intervals are borders exactly.
    nearest = borders[np.searchsorted(borders, edges - _SAME_EDGE * borders[-1])]
    return np.where(np.abs(nearest - edges) <= _SAME_EDGE * borders[-1], nearest, edges)


@compiled
def common_edges(
    edges: NDArray[np.float64], borders: NDArray[np.float64], lengths: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Edges, in units of length, of a grid that serves several scales at once.

    The elements are those of the shortest scale, which are finest, as far as they reach, and
    beyond those of the next longer one; the borders of all are kept.
    """
    found = edges * lengths.min()
    for length in np.unique(lengths)[1:]:
        outer = edges * length
        found = np.concatenate((found, borders * length, outer[outer > found[-1]]))
        found = np.sort(found)
    if len(found) == len(edges):
        return found
    keep = np.ones(len(found), dtype=np.bool_)
    for k in range(1, len(found)):
        keep[k] = found[k] - found[k - 1] > _SAME_EDGE * found[-1]
    return found[keep]
