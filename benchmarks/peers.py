"""The same by other packages: what the engine and the passes are timed against.

Each function of descriptors does the whole task of `arise_lib.descriptor.describe`: the scale of
every ordered pair of species, the coefficients summed over the centres, the power spectrum, the
mean over the pairs.
Objects that depend on the settings alone are made once and reused where the package allows it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import metadata, util
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.descriptor import SoapSettings, describe_with_dscribe, describe_with_quip
from arise_lib.descriptor.definition import mean_over_pairs, scaled_pairs
from arise_lib.network import Network

Describe = Callable[[Atoms], NDArray[np.float64]]

QUIP, GTO = SoapSettings(radial="quip"), SoapSettings(radial="gto")

#: featomic's Gaussian-type orbitals overflow for a narrower atom; its time per pair of atoms does
#: not depend on the width, because it tabulates its radial functions.
FEATOMIC_SIGMA = 0.15


def installed() -> dict[str, Describe]:
    """Return the peers that can be imported: DScribe always, the others as extras."""
    peers: dict[str, Describe] = {"DScribe": lambda atoms: describe_with_dscribe(atoms, GTO)}
    if util.find_spec("quippy"):
        peers["QUIP"] = lambda atoms: describe_with_quip(atoms, QUIP)
    if util.find_spec("featomic"):
        peers["featomic"] = describe_with_featomic
    return peers


def version(peer: str) -> str:
    """Return the version of a peer's package."""
    return metadata.version({"QUIP": "quippy-ase"}.get(peer, peer.lower()))


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
    spectra = {}
    for a, b, pair in scaled_pairs(atoms):
        # Which species they are is nothing to the vector: centres are H, others He.
        pair.set_chemical_symbols(np.where(pair.symbols == a, "H", "He"))
        neighbour = 1 if a == b else 2
        wanted = [[degree, 1, 1, neighbour] for degree in range(GTO.l_max + 1)]
        expansion = _featomic().compute(pair, selected_keys=Labels(names, np.array(wanted)))
        spectrum = []
        for block in expansion.blocks():
            sums = block.values.sum(axis=0)  # (2l + 1, n_max)
            spectrum.append((sums.T @ sums)[first, second] / np.sqrt(len(sums)))
        spectra[a, b] = np.concatenate(spectrum)
    return mean_over_pairs(spectra, atoms, GTO)


def keras_passes(model: Network) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return a function that makes one stochastic pass of all its rows through Keras' layers."""
    import keras

    layers: list[Any] = [keras.Input((len(model.kernels[0]),))]
    for bias in model.biases:
        last = bias is model.biases[-1]
        layers += [
            keras.layers.Dropout(model.dropout),
            keras.layers.Dense(len(bias), "softmax" if last else "relu"),
        ]
    network = keras.Sequential(layers)
    weights = zip(model.kernels, model.biases, strict=True)
    network.set_weights([array for pair in weights for array in pair])
    return lambda rows: np.asarray(network(rows, training=True))
