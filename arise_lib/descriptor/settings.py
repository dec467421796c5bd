"""Settings of the averaged SOAP descriptor, and the 99 of the training set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

from arise_lib.descriptor.radial import RADIAL_BASES, PowerSpectrumLayout, RadialBasis
from arise_lib.errors import InputError

#: Training grid of the paper (Methods, "Dataset"): cut-off and width of the
#: smeared atoms in units of dNN, and the factor applied to the found scale.
CUTOFFS = tuple(round(3.0 + 0.2 * step, 1) for step in range(11))
SIGMAS = (0.08, 0.10, 0.12)
EXTRINSIC_FACTORS = (0.95, 1.0, 1.05)

#: Ways to take the mean over the ordered pairs of species.
PAIR_WEIGHTS = ("equal", "abundance")


@dataclass(frozen=True)
class SoapSettings:
    """Everything that the descriptor of a structure depends on.

    Lengths are in units of the nearest-neighbour distance dNN of the species
    pair at hand, so that the descriptor does not depend on the unit of length.

    Attributes
    ----------
    radial : str
        Name of the radial functions, one of
        `arise_lib.descriptor.RADIAL_BASES`. ``"quip"``: orthonormalised Gaussians
        on a grid of distances, those of QUIP [1]_ and so of the paper. ``"gto"``:
        DScribe's orthonormalised Gaussian-type orbitals [2]_.
    cutoff : float
        Cut-off radius R_C / dNN.
    sigma : float
        Width of the Gaussian that smears an atom, in dNN.
    n_max, l_max : int
        Number of radial functions; highest angular momentum.
    extrinsic : float
        The structure is divided by ``extrinsic * dNN``. 1.0 at prediction; the
        training set contains 0.95 and 1.05 as well, so that the network
        tolerates a scale that is slightly off.
    fade : float
        Width, in dNN, of the shell below R_C in which a neighbour's weight goes
        from one to zero (see `arise_lib.descriptor.RadialBasis.fade`).
    pair_weights : {"equal", "abundance"}
        What the vector of an ordered pair of species (a, b) counts in the mean over
        all pairs. ``"equal"``: the same for each pair, which is the paper's
        definition; the pairs of a species with one atom in a thousand then decide
        as much as all others. ``"abundance"``: as much as the product of the numbers
        of atoms of a and of b, so that impurities count as little as they are.

    Raises
    ------
    InputError
        If the name of the radial functions or of the weights is unknown, or the
        descriptor is not defined for these numbers.

    References
    ----------
    .. [1] A. P. Bartók, R. Kondor, G. Csányi, Phys. Rev. B 87, 184115 (2013).
    .. [2] L. Himanen et al., Comput. Phys. Commun. 247, 106949 (2020).

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> settings = SoapSettings(cutoff=3.0, extrinsic=1.05)
    >>> settings.radial, settings.n_features, round(settings.reach, 2)
    ('quip', 316, 3.15)
    """

    radial: str = "quip"
    cutoff: float = 4.0
    sigma: float = 0.1
    n_max: int = 9
    l_max: int = 6
    extrinsic: float = 1.0
    fade: float = 0.5
    pair_weights: str = "equal"

    def __post_init__(self) -> None:
        """Refuse settings for which the descriptor is not defined."""
        if self.radial not in tuple(RADIAL_BASES):
            raise InputError(
                f"Unknown radial functions {self.radial!r}; choose one of {tuple(RADIAL_BASES)}."
            )
        if self.pair_weights not in PAIR_WEIGHTS:
            raise InputError(
                f"Unknown weights of the pairs {self.pair_weights!r}; choose one of {PAIR_WEIGHTS}."
            )
        if not (1 <= self.n_max <= 20 and 0 <= self.l_max <= 10):
            raise InputError(
                f"n_max = {self.n_max} and l_max = {self.l_max}: allowed are 1 <= n_max <= 20 "
                "and 0 <= l_max <= 10."
            )
        if not (self.sigma > 0 and self.extrinsic > 0 and 0 < self.fade < self.cutoff):
            raise InputError(
                f"sigma = {self.sigma}, extrinsic = {self.extrinsic}, fade = {self.fade}, cutoff = "
                f"{self.cutoff}: all must be positive and fade smaller than the cutoff."
            )
        self.basis.check(self)

    @property
    def basis(self) -> RadialBasis:
        """The radial functions themselves."""
        return RADIAL_BASES[self.radial]()

    @property
    def layout(self) -> PowerSpectrumLayout:
        """Order and factors of the descriptor's entries."""
        return power_spectrum_layout(self.radial, self.n_max, self.l_max)

    @property
    def n_features(self) -> int:
        """Length of the descriptor: 316 (QUIP, whose last entry is 0) or 315 by default."""
        return len(self.layout.factor)

    @property
    def reach(self) -> float:
        """Distance in found dNN beyond which a neighbour contributes nothing."""
        return self.extrinsic * (self.cutoff + self.basis.padding(self))


@lru_cache
def power_spectrum_layout(radial: str, n_max: int, l_max: int) -> PowerSpectrumLayout:
    """Return order and factors of the entries for one size; made once, hence read-only."""
    layout = RADIAL_BASES[radial]().layout(n_max, l_max)
    for array in layout:
        array.setflags(write=False)
    return layout


def training_grid(radial: str = "quip", pair_weights: str = "equal") -> tuple[SoapSettings, ...]:
    """Return the 99 settings of the pristine training set.

    11 cut-offs x 3 sigmas x 3 extrinsic factors (paper, Methods, "Dataset").

    Parameters
    ----------
    radial : str
        Name of the radial functions.
    pair_weights : str
        Of the mean over the pairs of species.

    Returns
    -------
    tuple of SoapSettings, length 99
        Cut-off slowest, extrinsic factor fastest.

    Raises
    ------
    InputError
        If a name is unknown.

    Examples
    --------
    >>> from arise_lib.descriptor import training_grid
    >>> grid = training_grid()
    >>> len(grid), grid[0].cutoff, grid[-1].cutoff
    (99, 3.0, 5.0)
    >>> [settings.extrinsic for settings in grid[:3]]
    [0.95, 1.0, 1.05]
    """
    base = SoapSettings(radial=radial, pair_weights=pair_weights)
    return tuple(
        replace(base, cutoff=cutoff, sigma=sigma, extrinsic=extrinsic)
        for cutoff, sigma, extrinsic in product(CUTOFFS, SIGMAS, EXTRINSIC_FACTORS)
    )
