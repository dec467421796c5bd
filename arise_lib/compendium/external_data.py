"""External data before a run: brought where a network is there, at once given up where not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from arise_lib import storage
from arise_lib.errors import AriseError
from arise_lib.storage.external import offline

#: Seconds that the first download may be without a byte: a machine without a network is not to
#: wait, and the notebooks run without these data as well.
TIMEOUT = 5.0
#: Downloads at once: the files are small, so most of the time goes into asking for them.
WORKERS = 8


def missing() -> list[str]:
    """List the external files that are not here.

    Returns
    -------
    list of str
        Names in the registry.

    Examples
    --------
    >>> from arise_lib.compendium import external_data
    >>> isinstance(external_data.missing(), list)
    True
    """
    return [str(name) for name in storage.registry().index if not storage.available(str(name))]


def bring(timeout: float = TIMEOUT) -> str:
    """Download the external files that are not here, each checked by its SHA-256.

    Parameters
    ----------
    timeout : float
        Seconds without a byte after which the first download has failed, and the others are not
        tried.

    Returns
    -------
    str
        One line on what is not here; empty if all is, or if ``ARISE_OFFLINE`` forbids downloads,
        which whoever set it knows.
    """
    names = missing()
    if not names or offline():
        return ""
    first = _reason(names[0], timeout)
    if first:
        reasons = [first] * len(names)
    else:
        with ThreadPoolExecutor(WORKERS) as pool:
            reasons = list(pool.map(_reason, names[1:], [timeout] * len(names[1:])))
    failed = [reason for reason in reasons if reason]
    if not failed:
        return ""
    return (
        f"{len(failed)} of {len(storage.registry())} external files are not here "
        f"({failed[0].partition('. ')[0]}); the notebooks say what they leave out, and "
        "`arise fetch --all` tries again"
    )


def _reason(name: str, timeout: float) -> str:
    """Fetch one file, and say why it could not be; empty if it could."""
    try:
        storage.fetch(name, attempts=1, timeout=timeout)
    except AriseError as error:
        return str(error)
    return ""
