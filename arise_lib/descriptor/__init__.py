"""The averaged SOAP descriptor of a structure (paper, Methods, "The SOAP descriptor")."""

from arise_lib.descriptor._engine.engine import describe, describe_settings
from arise_lib.descriptor.settings import RADIAL_FUNCTIONS, SoapSettings, training_grid

__all__ = ["RADIAL_FUNCTIONS", "SoapSettings", "describe", "describe_settings", "training_grid"]
