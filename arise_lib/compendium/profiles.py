"""The two amounts of work."""

from __future__ import annotations

from arise_lib.errors import InputError

#: "quick" fits into a coffee break on two cores; "paper" has the paper's full sizes.
PROFILES = ("quick", "paper")


def check_profile(profile: str) -> None:
    """Refuse an unknown amount of work.

    Parameters
    ----------
    profile : str
        "quick" or "paper".

    Raises
    ------
    InputError
        If it is neither.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.check_profile("fast")
    Traceback (most recent call last):
        ...
    arise_lib.errors.InputError: Unknown profile 'fast'; choose one of quick, paper.
    """
    if profile not in PROFILES:
        raise InputError(f"Unknown profile {profile!r}; choose one of {', '.join(PROFILES)}.")
