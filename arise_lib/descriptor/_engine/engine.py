r"""The fast engine: one pass over the pairs serves every setting.

With the inner average, the expansion coefficients of a structure are sums over
pairs of atoms,

.. math:: c_{nlm} = \sum_{i \in a} \sum_{j \in b} g_{nl}(r_{ij}) Y_{lm}(\hat r_{ij}),

so all that a structure contributes is :math:`A_{lm}(r) = \sum_{ij} \delta(r -
r_{ij}) Y_{lm}(\hat r_{ij})`, whatever the radial functions. The engine
accumulates it on a radial grid of elements of eight nodes (`grid`): each pair adds
its Y_lm, weighted by the Lagrange polynomials, to the nodes of its element (`pairs`,
`elements`), and the coefficients of *any* setting are then :math:`c_{nlm} = \sum_k
g_{nl}(r_k) A_{lm}(r_k)`, one matrix product (`contraction`). This interpolates g_nl by
polynomials of degree 7 on elements as long as the functions allow; the distances where
g_nl has a kink are ends of elements, so nothing is lost there. The descriptors are
within 1e-6 of the definition.

Also used: Y_lm is even for even l and odd for odd l. Hence, for a = b, odd l
cancel and each pair counts once; and (b, a) differs from (a, b) in its scale
and in the signs of odd l only, which the power spectrum does not see, so that
one pass over the pairs serves both: the sums are made once, on a grid that suits
both scales, and carried to the grid of each.

The kernels do without `fastmath`, which would leave it to the compiler where products
and sums are fused; that depends on what else a process has compiled, and the last
bits would differ between two workers. They ask for fused operations themselves (`lanes`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import NDArray

from arise_lib.descriptor._engine.contraction import contract
from arise_lib.descriptor._engine.elements import COLUMNS_AT_ONCE
from arise_lib.descriptor._engine.grid import RadialTable, radial_table
from arise_lib.descriptor._engine.harmonics import harmonic_columns, norms
from arise_lib.descriptor._engine.lanes import LANES, aligned
from arise_lib.descriptor._engine.pairs import accumulate
from arise_lib.descriptor._engine.spectrum import add_power_spectra, slots
from arise_lib.descriptor.definition import pair_weights
from arise_lib.descriptor.settings import SoapSettings
from arise_lib.errors import InputError
from arise_lib.structures.checks import check_geometry
from arise_lib.structures.neighbours import gather, periodic_images
from arise_lib.structures.scale import nearest_neighbour_distances


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
        Weighted mean over all ordered pairs of species of the normalised power spectra.

    Raises
    ------
    InputError
        If the structure has no pair of neighbours, or two atoms coincide.

    See Also
    --------
    describe_settings : several settings at the price of little more than one.
    describe_by_definition : the same in plain NumPy, with the formula.
    describe_with_dscribe, describe_with_quip : the same by other packages.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib.descriptor import describe
    >>> vector = describe(bulk("Cu"))
    >>> vector.shape, round(float(np.linalg.norm(vector)), 12)
    ((316,), 1.0)
    >>> silver = describe(bulk("Ag"))  # another length, another species, the same structure
    >>> bool(np.allclose(silver, vector))
    True
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
        the settings differ in radial functions, n_max, l_max or pair_weights.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from arise_lib.descriptor import describe_settings, training_grid
    >>> describe_settings(bulk("Cu"), training_grid()).shape
    (99, 316)
    """
    settings = tuple(settings)
    if len({(s.radial, s.n_max, s.l_max, s.pair_weights) for s in settings}) != 1:
        raise InputError(
            "The settings of one call must share radial functions, n_max, l_max and pair_weights; "
            "call once for each kind."
        )
    check_geometry(atoms)
    atoms = gather(atoms)
    table = radial_table(settings)
    scales = nearest_neighbour_distances(atoms)
    if not any(map(math.isfinite, scales.values())):
        raise InputError(
            f"No atom of the {len(atoms)} has a neighbour; the descriptor needs at least two "
            "atoms or a periodic cell."
        )
    n_max, l_max = settings[0].n_max, settings[0].l_max
    total = np.zeros((len(settings), settings[0].n_features))
    species = {a: atoms.numbers == atomic_numbers[a] for a, b in scales if a == b}
    weights = pair_weights(atoms, settings[0])
    for same in (True, False)[: len(species)]:  # one species has no unlike pairs
        counts, sums, touched = _pair_sums(atoms, species, scales, weights, same, table, l_max)
        if counts:
            coefficients = aligned(len(counts), len(settings), (l_max + 1) ** 2, slots(n_max))
            contract(
                sums, touched, table.functions, table.stop, norms(l_max), same, n_max, coefficients
            )
            add_power_spectra(coefficients, counts, settings[0], same, total)
    return total / sum(weights.values())


def _pair_sums(
    atoms: Atoms,
    species: dict[str, NDArray[np.bool_]],
    scales: dict[tuple[str, str], float],
    weights: dict[tuple[str, str], int],
    same: bool,
    table: RadialTable,
    l_max: int,
) -> tuple[list[int], NDArray[np.float64], NDArray[np.bool_]]:
    """Accumulate A_lm on the radial grid for all pairs of like, or of unlike, species.

    `species` tells which atoms each one has. Returns the weight of all ordered pairs that each sum
    stands for, the sums, shape (n_sums, n_elements, at least n_columns, LANES), and the elements
    that hold any.
    """
    columns = harmonic_columns(l_max, even_only=same)
    owner = {symbol: np.flatnonzero(mask) for symbol, mask in species.items()}
    chosen = []
    for (a, b), scale in scales.items():
        if (a == b) != same or a > b or not math.isfinite(scale):
            continue  # no scale, no neighbour: a zero vector, by the paper's definition
        equal = abs(scale - scales[b, a]) <= 1e-12 * scale
        chosen.append((a, b, [scale] if equal else [scale, scales[b, a]]))
    counts = [
        weights[a, b] * (1 if same else 3 - len(lengths))
        for a, b, lengths in chosen
        for _ in lengths
    ]
    n_columns, n_elements = columns.max() + 1, len(table.grid.edges) - 1
    sums = aligned(len(counts), n_elements, n_columns + -n_columns % COLUMNS_AT_ONCE, LANES)
    touched = np.zeros(sums.shape[:2], dtype=np.bool_)
    filled = 0
    for a, b, lengths in chosen:
        # Images of the rarer species are fewer.
        centre, target = (a, b) if len(owner[b]) <= len(owner[a]) else (b, a)
        radius = float(table.grid.edges[-1]) * max(lengths)
        atom = owner[centre]
        centres = (atoms.positions[atom], atom, np.ones(len(atom), dtype=np.bool_))
        images = periodic_images(atoms, species[target], radius)
        ours = slice(filled, filled + len(lengths))
        accumulate(
            centres, images, same, np.array(lengths), table.grid, columns, sums[ours], touched[ours]
        )
        filled += len(lengths)
    return counts, sums, touched
