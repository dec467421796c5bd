r"""Base class and registry of the radial functions of the SOAP expansion.

A neighbour at distance r contributes g_nl(r) Y_lm(r/|r|) to the expansion
coefficient c_nlm, where g_nl is the overlap of the smeared atom with the n-th
radial function and the l-th spherical harmonic. All distances are in units of
the (extrinsically scaled) nearest-neighbour distance.

A set of radial functions is one class in one file of this package. The class
registers itself under its name when its file is imported, which
``radial/__init__.py`` does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arise_lib.errors import InputError

if TYPE_CHECKING:
    from arise_lib.descriptor.settings import SoapSettings

#: Every class of radial functions by its name; filled by `RadialBasis`.
REGISTRY: dict[str, type[RadialBasis]] = {}


class PowerSpectrumLayout(NamedTuple):
    r"""Order and factors of the entries of a descriptor.

    Entry k is :math:`f_k \sum_m c_{nlm} c_{n'lm}` with ``n = first[k]``,
    ``n' = second[k]``, ``l = degree[k]`` and ``f_k = factor[k]``. Each array has
    shape (n_features,).

    Examples
    --------
    >>> from arise_lib.descriptor import SoapSettings
    >>> layout = SoapSettings(n_max=2, l_max=1).layout
    >>> layout.degree.tolist()
    [0, 1, 0, 1, 0, 1, 0]
    >>> layout.factor.round(3).tolist()
    [1.0, 0.577, 1.414, 0.816, 1.0, 0.577, 0.0]
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    degree: NDArray[np.int64]
    factor: NDArray[np.float64]


class RadialBasis(ABC):
    r"""Radial functions g_nl of the expansion; inherit to define new ones.

    A subclass has no state: everything that its functions depend on stands in
    the settings. It must define `name`, `functions`, `fade` and `layout`, and
    may redefine the rest. Functions must be smooth between the `kinks` and may
    not vary over much less than sigma: the engine interpolates them.

    Attributes
    ----------
    name : str
        Name of the functions in `SoapSettings.radial`.
    kinks_matter : bool
        Whether the engine must end an element of its radial grid at each of the
        kinks. Not so where they are too small to be seen in a descriptor.
    even_elements : bool
        Whether the functions vary about as fast at all distances, so that elements
        that suit them at one scale suit them at another.

    Raises
    ------
    InputError
        When a subclass takes the name of another one.

    See Also
    --------
    arise_lib.descriptor.radial.RADIAL_BASES : all classes by name.

    Examples
    --------
    >>> import numpy as np
    >>> from arise_lib.descriptor import RADIAL_BASES, SoapSettings
    >>> RADIAL_BASES["quip"].__name__
    'QuipGaussians'
    >>> settings = SoapSettings(radial="quip", cutoff=4.0, fade=0.5, n_max=2, l_max=1)
    >>> basis = settings.basis
    >>> basis.fade(np.array([3.0, 3.75, 4.0]), settings).round(12).tolist()
    [1.0, 0.5, 0.0]
    >>> basis.faded(np.array([1.0, 2.0, 5.0]), settings).shape
    (2, 2, 3)

    New functions are a class of this form (here polynomials, which fade away
    with a cosine; the entries in the order of QUIP)::

        class Powers(QuipGaussians):
            name = "powers"

            def functions(self, r, settings):
                powers = (r / settings.cutoff) ** np.arange(settings.n_max)[:, None]
                return np.broadcast_to(powers, (settings.l_max + 1, *powers.shape))

            def check(self, settings):
                pass
    """

    name: ClassVar[str]
    kinks_matter: ClassVar[bool] = True
    even_elements: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        """Register a class under its name."""
        other = REGISTRY.setdefault(cls.name, cls)
        if other is not cls:
            # Tables of radial functions are kept by name: two of one name would be mixed up.
            raise InputError(
                f"{cls.__qualname__} is named {cls.name!r}, as {other.__qualname__} is; "
                "give it a name of its own."
            )

    @abstractmethod
    def functions(self, r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
        """Evaluate the radial functions g_nl, not faded, at distances `r`.

        Parameters
        ----------
        r : ndarray of shape (n_points,)
            Distances in dNN.
        settings : SoapSettings
            Cut-off, sigma, n_max and l_max.

        Returns
        -------
        ndarray of shape (l_max + 1, n_max, n_points)
            Contribution of a neighbour at each distance, without Y_lm.
        """

    @abstractmethod
    def fade(self, r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
        """Weight of a neighbour at distance `r`, from one inside to zero outside.

        A neighbour that crosses the cut-off must not change the descriptor by a
        jump: thermal noise would then move a whole shell in and out.

        Parameters
        ----------
        r : ndarray of shape (n_points,)
            Distances in dNN.
        settings : SoapSettings
            Cut-off and width of the shell in which the weight falls.

        Returns
        -------
        ndarray of shape (n_points,)
            Weights between 0 and 1; 0 beyond ``cutoff + padding``.
        """

    @abstractmethod
    def layout(self, n_max: int, l_max: int) -> PowerSpectrumLayout:
        """Order and factors of the entries of the power spectrum.

        Parameters
        ----------
        n_max, l_max : int
            Number of radial functions; highest angular momentum.

        Returns
        -------
        PowerSpectrumLayout
            An entry that is always zero has the factor 0.
        """

    def faded(self, r: NDArray[np.float64], settings: SoapSettings) -> NDArray[np.float64]:
        """Evaluate the radial functions times the weight at the cut-off.

        Parameters
        ----------
        r : array_like of shape (n_points,)
            Distances in dNN.
        settings : SoapSettings
            Everything that the functions depend on.

        Returns
        -------
        ndarray of shape (l_max + 1, n_max, n_points)
            What a neighbour at each distance contributes, without Y_lm.
        """
        distances = np.asarray(r, dtype=float)
        return self.functions(distances, settings) * self.fade(distances, settings)

    def padding(self, settings: SoapSettings) -> float:
        """How far neighbours are kept beyond the cut-off, in dNN: by default not at all."""
        return 0.0

    def kinks(self, settings: SoapSettings) -> tuple[float, ...]:
        """Distances in dNN where the functions are not smooth: by default the fade's two ends."""
        return (settings.cutoff - settings.fade, settings.cutoff)

    def check(self, settings: SoapSettings) -> None:  # noqa: B027 - nothing to refuse by default
        """Refuse settings for which these functions are not defined.

        Parameters
        ----------
        settings : SoapSettings
            Settings of which the general rules (positive lengths, sizes) hold.

        Raises
        ------
        InputError
            If the functions cannot be computed.
        """
