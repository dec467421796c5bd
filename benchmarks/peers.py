"""The same descriptor by other packages: what the engine is timed against.

Each function does the whole task of `arise_lib.descriptor.describe`: the scale of every ordered pair of
species, the coefficients summed over the centres, the power spectrum, the mean over the pairs.
Objects that depend on the settings alone are made once and reused where the package allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import metadata, util
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.descriptor import SoapSettings
from arise_lib.descriptor.reference import describe_with_dscribe
from arise_lib.structures.scale import nearest_neighbour_distances

Describe = Callable[[Atoms], NDArray[np.float64]]

QUIP, GTO = SoapSettings(radial="quip"), SoapSettings(radial="gto")

#: featomic's Gaussian-type orbitals overflow for a narrower atom; its time per pair of atoms does
#: not depend on the width, because it tabulates its radial functions.
FEATOMIC_SIGMA = 0.15


def installed() -> dict[str, Describe]:
    """Return the peers that can be imported: DScribe always, the others as extras."""
    peers: dict[str, Describe] = {"DScribe": lambda atoms: describe_with_dscribe(atoms, GTO)}
    if util.find_spec("quippy"):
        peers["QUIP"] = describe_with_quip
    if util.find_spec("featomic"):
        peers["featomic"] = describe_with_featomic
    return peers


def version(peer: str) -> str:
    """Return the version of a peer's package."""
    return metadata.version({"QUIP": "quippy-ase"}.get(peer, peer.lower()))


def _scaled_pairs(atoms: Atoms) -> Iterator[Atoms]:
    """Yield, for each ordered pair of species, its atoms in units of dNN; centres are H.

    Neighbours are H as well, or He where they are of another species.
    """
    symbols = np.array(atoms.get_chemical_symbols())
    for (a, b), scale in nearest_neighbour_distances(atoms).items():
        if np.isfinite(scale):
            taken = np.isin(symbols, [a, b])
            names = np.where(symbols[taken] == a, "H", "He")
            yield Atoms(names, atoms.positions[taken] / scale, cell=atoms.cell / scale)


def _mean(vectors: list[NDArray[np.float64]], atoms: Atoms) -> NDArray[np.float64]:
    """Normalise the vectors of all pairs and divide their sum by the number of pairs."""
    n_pairs = len(np.unique(atoms.numbers)) ** 2
    return np.sum([vector / np.linalg.norm(vector) for vector in vectors], axis=0) / n_pairs


@lru_cache
def _quip(alike: bool) -> Any:
    from quippy.descriptors import Descriptor

    return Descriptor(
        f"soap cutoff={QUIP.cutoff} l_max={QUIP.l_max} n_max={QUIP.n_max} atom_sigma={QUIP.sigma} "
        f"n_Z=1 Z={{1}} n_species=1 species_Z={{{1 if alike else 2}}} central_weight=0.0 average=T"
    )


def describe_with_quip(atoms: Atoms) -> NDArray[np.float64]:
    """Describe a cluster with QUIP's averaged SOAP."""
    vectors = []
    for pair in _scaled_pairs(atoms):
        # QUIP takes every direction as periodic: the cell is made wider than the cut-off.
        pair.center(vacuum=QUIP.cutoff + 1.0)
        pair.pbc = True
        alike = len(np.unique(pair.numbers)) == 1
        vectors.append(_quip(alike).calc(pair)["data"][0])
    return _mean(vectors, atoms)


@lru_cache
def _featomic() -> Any:
    from featomic import SphericalExpansion

    radial = {"type": "Gto", "max_radial": GTO.n_max - 1}
    return SphericalExpansion(
        cutoff={
            "radius": GTO.cutoff,
            "smoothing": {"type": "ShiftedCosine", "width": GTO.fade},
        },
        density={"type": "Gaussian", "width": FEATOMIC_SIGMA, "center_atom_weight": 0.0},
        basis={
            "type": "TensorProduct",
            "max_angular": GTO.l_max,
            "radial": radial,
            "spline_accuracy": 1e-6,
        },
    )


def describe_with_featomic(atoms: Atoms) -> NDArray[np.float64]:
    """Describe a cluster with featomic's spherical expansion, summed over the centres."""
    from metatensor import Labels

    names = ["o3_lambda", "o3_sigma", "center_type", "neighbor_type"]
    first, second = np.triu_indices(GTO.n_max)
    vectors = []
    for pair in _scaled_pairs(atoms):
        neighbour = int(pair.numbers.max())
        wanted = [[degree, 1, 1, neighbour] for degree in range(GTO.l_max + 1)]
        expansion = _featomic().compute(pair, selected_keys=Labels(names, np.array(wanted)))
        spectrum = []
        for block in expansion.blocks():
            sums = block.values.sum(axis=0)  # (2l + 1, n_max)
            spectrum.append((sums.T @ sums)[first, second] / np.sqrt(len(sums)))
        vectors.append(np.concatenate(spectrum))
    return _mean(vectors, atoms)
