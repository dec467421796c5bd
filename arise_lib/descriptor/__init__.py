"""The averaged SOAP descriptor of a structure (paper, Methods, "The SOAP descriptor").

`settings` holds what it depends on, `radial` the radial functions, `definition` the formula in
plain NumPy, `reference` the same by DScribe and QUIP. `describe` is the fast engine.
"""

from arise_lib.descriptor._engine import describe, describe_settings, describe_windows
from arise_lib.descriptor.definition import describe_by_definition
from arise_lib.descriptor.radial import RADIAL_BASES, PowerSpectrumLayout, RadialBasis
from arise_lib.descriptor.reference import describe_with_dscribe, describe_with_quip
from arise_lib.descriptor.settings import SoapSettings, training_grid

__all__ = [
    "RADIAL_BASES",
    "PowerSpectrumLayout",
    "RadialBasis",
    "SoapSettings",
    "describe",
    "describe_by_definition",
    "describe_settings",
    "describe_windows",
    "describe_with_dscribe",
    "describe_with_quip",
    "training_grid",
]
