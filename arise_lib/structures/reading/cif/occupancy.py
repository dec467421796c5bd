"""Whole atoms of partly occupied sites."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.structures.reading.cif.sites import Site
from arise_lib.structures.reading.cif.tags import some
from arise_lib.structures.reading.frames import Choices

#: Occupancies from here on count as full.
FULL = 0.99
# Partly occupied positions nearer than this (Å) cannot be occupied at once.
_SHARED = 0.6


def occupy(
    place: str,
    sites: list[Site],
    owners: NDArray[np.intp],
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    choices: Choices,
    notes: list[str],
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Make whole atoms of partly occupied sites, as `choices.occupancy` says."""
    share = np.array([site.occupancy for site in sites])[owners]
    partial_sites = [s for s in sites if s.occupancy < FULL]
    if not partial_sites:
        return owners, positions
    names = some([f"{s.label} ({s.occupancy:g})" for s in partial_sites])
    told = f"{place} has partly occupied sites, {names}"
    if choices.occupancy == "refuse":
        raise InputError(f"{told}; say with the option occupancy what to do: major, all or full")
    if choices.occupancy == "all":
        notes.append(f"{told}: every one is taken as an atom (option occupancy: all)")
        return owners[share > 0], positions[share > 0]
    if choices.occupancy == "full":
        kept = share >= FULL
        if not kept.any():
            raise InputError(
                f"{told}, and no other; with the option occupancy as 'full' no atom is left"
            )
        notes.append(f"{told}: {(~kept).sum()} are left out (option occupancy: full)")
        return owners[kept], positions[kept]
    few = np.flatnonzero(share < FULL)
    numbers = np.array([sites[i].number for i in owners])
    groups = _near(positions[few], cell)
    kept_atoms = list(np.flatnonzero(share >= FULL))
    positions = positions.copy()
    n_shared = n_left = 0
    for group in groups:
        members = few[group]
        total = share[members].sum()
        if total < 0.5 - 1e-6:
            n_left += len(members)
            continue
        # The species with the most of the site, of equals the first in the file.
        kinds = list(dict.fromkeys(numbers[members].tolist()))
        weights = [share[members][numbers[members] == kind].sum() for kind in kinds]
        main = members[numbers[members] == kinds[int(np.argmax(np.round(weights, 6)))]]
        away = positions[main] - positions[main[0]]
        away -= np.round(away)
        positions[main[0]] += np.average(away, axis=0, weights=share[main])
        kept_atoms.append(main[0])
        n_shared += len(members) > 1
    order = np.sort(np.array(kept_atoms, dtype=int))
    if not order.size:
        raise InputError(f"{told}, all of them less than half; no atom is left")
    done = [f"{n_shared} shared position(s) went to the species with most of it"] * (n_shared > 0)
    done += [f"{n_left} atom(s) less than half there are left out"] * (n_left > 0)
    notes.append(f"{told}: {', '.join([*done, 'others count as full'])} (option occupancy: major)")
    return owners[order], positions[order]


def _near(positions: NDArray[np.float64], cell: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Group positions that cannot be occupied at once, each group in order."""
    # Heights of the cell bound fractional differences.
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    reach = min(0.5, _SHARED / heights.min())
    wrapped = positions % 1.0
    wrapped[wrapped >= 1.0] = 0.0
    tree = cKDTree(wrapped, boxsize=1.0)
    pairs = tree.query_pairs(reach * np.sqrt(3), output_type="ndarray")
    difference = wrapped[pairs[:, 0]] - wrapped[pairs[:, 1]]
    difference -= np.round(difference)
    pairs = pairs[np.linalg.norm(difference @ cell, axis=1) < _SHARED]
    n = len(positions)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels, kind="stable")
    edges = np.flatnonzero(np.diff(labels[order])) + 1
    bounds = [0, *edges.tolist(), n]
    return [order[a:b] for a, b in pairwise(bounds)]
