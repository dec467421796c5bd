"""The averaged SOAP descriptor: settings, radial functions, reference and fast engine."""

from arise_lib.soap.engine import describe, describe_settings
from arise_lib.soap.settings import SoapSettings, training_grid

__all__ = ["SoapSettings", "describe", "describe_settings", "training_grid"]
