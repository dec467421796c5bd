"""Progress bars that stay out of stored outputs and log files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def in_kernel() -> bool:
    """Tell whether the code runs inside a Jupyter kernel.

    Returns
    -------
    bool
        True in JupyterLab, papermill and nbval; False in a script, a terminal or IPython's shell.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def silent() -> bool:
    """Tell whether progress bars are off.

    Returns
    -------
    bool
        True inside a notebook kernel, where ``ARISE_PROGRESS=0``, and where stderr is no terminal.
    """
    if os.environ.get("ARISE_PROGRESS") == "0" or in_kernel():
        return True
    return sys.stderr is None or not sys.stderr.isatty()


def bar(iterable: Iterable[T] | None = None, total: float | None = None, desc: str = "") -> tqdm[T]:
    """Wrap an iterable in a progress bar on stderr.

    Parameters
    ----------
    iterable : iterable, optional
        What to loop over; without one, the caller counts with ``.update(n)``.
    total : float, optional
        Number of items, where the iterable does not know its length.
    desc : str, optional
        Text before the bar.

    Returns
    -------
    tqdm.tqdm
        The bar; it passes the items through in silence where `silent` holds.
    """
    return tqdm(iterable, total=total, desc=desc, disable=silent(), leave=False)
