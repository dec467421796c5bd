"""The fast engine; see `engine` for how it works, and `windows` for boxes that overlap."""

from arise_lib.descriptor._engine.engine import describe, describe_settings
from arise_lib.descriptor._engine.windows import describe_windows

__all__ = ["describe", "describe_settings", "describe_windows"]
