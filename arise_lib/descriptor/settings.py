"""The frozen settings of the averaged SOAP descriptor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from arise_lib.errors import InputError

RADIAL_FUNCTIONS = ("quip", "gto")

#: Training grid of the paper (Methods, "Dataset"): cut-off and width of the
#: smeared atoms in units of dNN, and the factor applied to the found scale.
CUTOFFS = tuple(round(3.0 + 0.2 * step, 1) for step in range(11))
SIGMAS = (0.08, 0.10, 0.12)
EXTRINSIC_FACTORS = (0.95, 1.0, 1.05)


@dataclass(frozen=True)
class SoapSettings:
    """Everything that the descriptor of a structure depends on.

    Lengths are in units of the nearest-neighbour distance dNN of the species
    pair at hand, so that the descriptor does not depend on the unit of length.

    Attributes
    ----------
    radial : {"quip", "gto"}
        Radial functions. ``"quip"``: orthonormalised Gaussians on a grid of
        distances, those of QUIP [1]_ and so of the paper. ``"gto"``: DScribe's
        orthonormalised Gaussian-type orbitals [2]_.
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
        from one to zero (see `arise_lib.descriptor.radial.fade`).

    References
    ----------
    .. [1] A. P. Bartók, R. Kondor, G. Csányi, Phys. Rev. B 87, 184115 (2013).
    .. [2] L. Himanen et al., Comput. Phys. Commun. 247, 106949 (2020).
    """

    radial: Literal["quip", "gto"] = "quip"
    cutoff: float = 4.0
    sigma: float = 0.1
    n_max: int = 9
    l_max: int = 6
    extrinsic: float = 1.0
    fade: float = 0.5

    def __post_init__(self) -> None:
        """Refuse settings for which the descriptor is not defined."""
        if self.radial not in RADIAL_FUNCTIONS:
            raise InputError(
                f"Unknown radial functions {self.radial!r}; choose one of {RADIAL_FUNCTIONS}."
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
        if self.radial == "gto" and self.cutoff <= 1.0:
            raise InputError(
                f"cutoff = {self.cutoff}: DScribe's Gaussian-type orbitals need a cutoff above 1."
            )

    @property
    def n_features(self) -> int:
        """Length of the descriptor: 316 (QUIP, whose last entry is 0) or 315."""
        n_power = self.n_max * (self.n_max + 1) // 2 * (self.l_max + 1)
        return n_power + (self.radial == "quip")

    @property
    def reach(self) -> float:
        """Distance in found dNN beyond which a neighbour contributes nothing."""
        return self.extrinsic * (self.cutoff + self.padding)

    @property
    def padding(self) -> float:
        """How far neighbours are kept beyond R_C, in dNN.

        QUIP drops them at R_C, where its fade is zero. DScribe keeps them up to
        the distance at which an atom's Gaussian has fallen to 0.001.
        """
        return 0.0 if self.radial == "quip" else self.sigma * (2 * 6.907755278982137) ** 0.5


def training_grid(radial: Literal["quip", "gto"] = "quip") -> tuple[SoapSettings, ...]:
    """Return the 99 settings of the pristine training set.

    11 cut-offs x 3 sigmas x 3 extrinsic factors (paper, Methods, "Dataset").

    Parameters
    ----------
    radial : {"quip", "gto"}
        Radial functions.

    Returns
    -------
    tuple of SoapSettings, length 99
        Cut-off slowest, extrinsic factor fastest.
    """
    base = SoapSettings(radial=radial)
    return tuple(
        replace(base, cutoff=cutoff, sigma=sigma, extrinsic=extrinsic)
        for cutoff, sigma, extrinsic in product(CUTOFFS, SIGMAS, EXTRINSIC_FACTORS)
    )
