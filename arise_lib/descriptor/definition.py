r"""The averaged SOAP descriptor by its definition, in plain NumPy.

For every ordered pair of species (a, b) the structure is divided by its scale: dNN(a -> b) times
the extrinsic factor. The neighbours j of species b around the atoms i of species a are expanded
in radial functions and real spherical harmonics, and the coefficients are averaged over the
centres (the *inner* average) before the rotation-invariant power spectrum is taken,

.. math:: \bar c_{nlm} = \frac{1}{N_a} \sum_{i \in a} \sum_{j \in b} g_{nl}(r_{ij})
          Y_{lm}(\hat r_{ij}), \qquad
          p_{nn'l} = f_{nn'l} \sum_m \bar c_{nlm} \bar c_{n'lm}.

The central atom is left out. Each p is divided by its length, and the descriptor is the mean over
all pairs (paper, Methods, "The SOAP descriptor" and "Isotropic scaling"); each pair counts the same
in the paper, and may count by its abundance here (`SoapSettings.pair_weights`). The factors f and
the order of the entries are those of the package whose radial functions are used.

`arise_lib.descriptor.describe` computes the same many times faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.special import sph_harm_y

from arise_lib.descriptor.settings import SoapSettings
from arise_lib.errors import InputError
from arise_lib.structures.scale import nearest_neighbour_distances, species_pairs

Pair = tuple[str, str]


def describe_by_definition(
    atoms: Atoms, settings: SoapSettings | None = None
) -> NDArray[np.float64]:
    r"""Compute the averaged SOAP descriptor of a structure by its formula.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure of at least two atoms; periodic as its `pbc` says.
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
    arise_lib.descriptor.describe : the same, fast.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib.descriptor import describe, describe_by_definition
    >>> salt = bulk("NaCl", "rocksalt", a=5.64)
    >>> bool(np.allclose(describe_by_definition(salt), describe(salt), atol=1e-6))
    True
    """
    chosen = settings or SoapSettings()
    spectra = {}
    for a, b, pair in scaled_pairs(atoms, chosen.extrinsic):
        spectra[a, b] = power_spectrum(expansion_coefficients(pair, a, b, chosen), chosen)
    return mean_over_pairs(spectra, atoms, chosen)


def scaled_pairs(atoms: Atoms, extrinsic: float = 1.0) -> Iterator[tuple[str, str, Atoms]]:
    """Yield the atoms of each ordered pair of species in units of the pair's scale.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure of at least two atoms; periodic as its `pbc` says.
    extrinsic : float
        The scale is dNN(a -> b) times this factor.

    Yields
    ------
    a, b : str
        Species of the centres and of the neighbours. Pairs that have no scale, because
        no atom of a has a neighbour of b, are left out.
    pair : ase.Atoms
        All atoms of either species; cell and positions are divided by the scale.

    Examples
    --------
    >>> from ase import Atoms
    >>> from arise_lib.descriptor.definition import scaled_pairs
    >>> water = Atoms("OH2", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    >>> [(a, b, len(pair)) for a, b, pair in scaled_pairs(water)]
    [('H', 'H', 2), ('H', 'O', 3), ('O', 'H', 3)]
    """
    symbols = np.array(atoms.get_chemical_symbols())
    for (a, b), distance in nearest_neighbour_distances(atoms).items():
        if np.isfinite(distance):
            taken = (symbols == a) | (symbols == b)
            scale = distance * extrinsic
            yield (
                a,
                b,
                Atoms(
                    symbols[taken],
                    positions=atoms.positions[taken] / scale,
                    cell=atoms.cell.array / scale,
                    pbc=atoms.pbc,
                ),
            )


def expansion_coefficients(
    pair: Atoms, a: str, b: str, settings: SoapSettings
) -> NDArray[np.float64]:
    """Expand the neighbours of species b, averaged over the centres of species a.

    Parameters
    ----------
    pair : ase.Atoms
        Scaled structure, as from `scaled_pairs`.
    a, b : str
        Species of the centres and of the neighbours.
    settings : SoapSettings
        Radial functions and sizes.

    Returns
    -------
    ndarray of shape (n_max, (l_max + 1)**2)
        l-major, m from -l to l.

    Examples
    --------
    >>> from ase import Atoms
    >>> from arise_lib.descriptor import SoapSettings
    >>> from arise_lib.descriptor.definition import expansion_coefficients
    >>> dimer = Atoms("N2", [[0, 0, 0], [0, 0, 1]])
    >>> c = expansion_coefficients(dimer, "N", "N", SoapSettings(n_max=2, l_max=1))
    >>> c.shape, bool(abs(c[:, 1:]).max() < 1e-15)  # the two directions of l = 1 cancel
    ((2, 4), True)
    """
    symbols = np.array(pair.get_chemical_symbols())
    # A little more than what contributes: at the edge it is the fade that decides.
    i, j, r, steps = neighbor_list("ijdD", pair, 1.001 * settings.reach / settings.extrinsic)
    taken = (symbols[i] == a) & (symbols[j] == b)
    radial = settings.basis.faded(r[taken], settings)  # (l_max + 1, n_max, n_pairs)
    angular = real_harmonics(settings.l_max, steps[taken] / r[taken, None])
    degree = np.sqrt(np.arange(len(angular))).astype(int)  # l of each harmonic
    return np.einsum("cnp,cp->nc", radial[degree], angular) / np.sum(symbols == a)


def real_harmonics(l_max: int, unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the real spherical harmonics.

    Parameters
    ----------
    l_max : int
        Highest angular momentum.
    unit : ndarray of shape (n, 3)
        Unit vectors.

    Returns
    -------
    ndarray of shape ((l_max + 1)**2, n)
        l-major, m from -l to l: sine for m < 0, cosine for m > 0.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.descriptor.definition import real_harmonics
    >>> y = real_harmonics(1, np.eye(3))  # along x, y and z
    >>> (y[1:] / y[3, 0]).round().astype(int).tolist()  # y, z and x for m = -1, 0 and 1
    [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    """
    theta = np.arccos(np.clip(unit[:, 2], -1.0, 1.0))
    phi = np.arctan2(unit[:, 1], unit[:, 0])
    harmonics = []
    for degree in range(l_max + 1):
        for m in range(-degree, degree + 1):
            value = sph_harm_y(degree, abs(m), theta, phi)
            sign = np.sqrt(2.0) * (-1) ** m
            harmonics.append(value.real if m == 0 else sign * (value.real if m > 0 else value.imag))
    return np.array(harmonics)


def power_spectrum(
    coefficients: NDArray[np.float64], settings: SoapSettings
) -> NDArray[np.float64]:
    r"""Take the rotation-invariant power spectrum of expansion coefficients.

    Parameters
    ----------
    coefficients : ndarray of shape (n_max, (l_max + 1)**2)
        As from `expansion_coefficients`.
    settings : SoapSettings
        Its `layout` gives the order and factors of the entries.

    Returns
    -------
    ndarray of shape (n_features,)
        :math:`f_{nn'l} \sum_m c_{nlm} c_{n'lm}`, not normalised.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.descriptor import SoapSettings
    >>> from arise_lib.descriptor.definition import power_spectrum
    >>> c = np.array([[1.0, 0.0, 3.0, 0.0]])  # n = 0 only; l = 0, then l = 1
    >>> power_spectrum(c, SoapSettings(n_max=1, l_max=1)).round(3).tolist()
    [1.0, 5.196, 0.0]
    """
    blocks = np.split(coefficients, np.arange(1, settings.l_max + 1) ** 2, axis=1)
    products = np.array([block @ block.T for block in blocks])  # (l_max + 1, n_max, n_max)
    layout = settings.layout
    return layout.factor * products[layout.degree, layout.first, layout.second]


def pair_weights(atoms: Atoms, settings: SoapSettings) -> dict[Pair, int]:
    """Tell what each ordered pair of species counts in the descriptor of a structure.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure.
    settings : SoapSettings
        Its `pair_weights` decides.

    Returns
    -------
    dict of tuple of str to int
        Weight of each pair, not normalised: 1, or the product of the numbers of atoms.

    Examples
    --------
    >>> from ase import Atoms
    >>> from arise_lib.descriptor import SoapSettings
    >>> from arise_lib.descriptor.definition import pair_weights
    >>> pair_weights(Atoms("OH2"), SoapSettings(pair_weights="abundance"))
    {('H', 'H'): 4, ('H', 'O'): 2, ('O', 'H'): 2, ('O', 'O'): 1}
    """
    pairs = species_pairs(atoms)
    if settings.pair_weights == "equal":
        return dict.fromkeys(pairs, 1)
    number = Counter(atoms.get_chemical_symbols())
    return {(a, b): number[a] * number[b] for a, b in pairs}


def mean_over_pairs(
    spectra: Mapping[Pair, NDArray[np.float64]], atoms: Atoms, settings: SoapSettings
) -> NDArray[np.float64]:
    """Normalise the vectors of the ordered pairs of species and take their weighted mean.

    Parameters
    ----------
    spectra : mapping of tuple of str to ndarray of shape (n_features,)
        Power spectrum of each pair that has a scale. The other pairs of the
        structure, and those whose vector is zero, count as zero vectors.
    atoms : ase.Atoms
        Structure whose species they are.
    settings : SoapSettings
        Its `pair_weights` decides what each pair counts.

    Returns
    -------
    ndarray of shape (n_features,)
        The descriptor.

    Raises
    ------
    InputError
        If there is no vector.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from arise_lib.descriptor.definition import mean_over_pairs
    >>> from arise_lib.descriptor import SoapSettings
    >>> spectra = {("C", "O"): np.array([3.0, 4.0]), ("O", "C"): np.array([3.0, 4.0])}
    >>> # (C, C) and (O, O) have no scale
    >>> mean_over_pairs(spectra, Atoms("CO"), SoapSettings()).round(9).tolist()
    [0.3, 0.4]
    """
    if not spectra:
        raise InputError(
            f"No atom of the {len(atoms)} has a neighbour; the descriptor needs at least two "
            "atoms or a periodic cell."
        )
    weights = pair_weights(atoms, settings)
    total = np.zeros(len(next(iter(spectra.values()))))
    for pair, vector in spectra.items():
        length = np.linalg.norm(vector)
        if length > 0.0:
            total += weights[pair] / length * vector
    return total / sum(weights.values())
