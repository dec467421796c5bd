"""Radial functions of the SOAP expansion, one class a file.

To add new ones, put a class that inherits from `RadialBasis` into a file of its own and
import it here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from arise_lib.descriptor.radial.basis import REGISTRY, PowerSpectrumLayout, RadialBasis
from arise_lib.descriptor.radial.gto import GaussianTypeOrbitals
from arise_lib.descriptor.radial.quip import QuipGaussians

__all__ = [
    "RADIAL_BASES",
    "GaussianTypeOrbitals",
    "PowerSpectrumLayout",
    "QuipGaussians",
    "RadialBasis",
]

#: Every class of radial functions by its name. It stands here, behind the imports of all of them:
#: who imports it depends on all, and so does the fingerprint of a stored result.
RADIAL_BASES: Mapping[str, type[RadialBasis]] = MappingProxyType(REGISTRY)
