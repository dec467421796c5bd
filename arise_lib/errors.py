"""Errors that tell a user what was found, what is allowed and what to do."""

from __future__ import annotations


class AriseError(Exception):
    """Base of all errors that this library raises on purpose."""


class InputError(AriseError, ValueError):
    """A structure, file or parameter given by the user cannot be used."""


class DataError(AriseError, OSError):
    """External data is missing, corrupt or not to be had."""


class UncertainInputWarning(UserWarning):
    """A structure can be computed with, but what comes out means little."""
