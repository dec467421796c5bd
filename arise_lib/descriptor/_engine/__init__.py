"""The fast engine of the descriptor; what others may use of it is listed here."""

from arise_lib.descriptor._engine.engine import describe, describe_settings

__all__ = ["describe", "describe_settings"]
