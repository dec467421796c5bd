"""Versions of the packages that the numbers come from."""

from __future__ import annotations

import platform
import re
import tomllib
from importlib import metadata

from arise_lib.storage import paths

#: Required packages that no number passes through. A package that is forgotten here is shown
#: without need; a list of those to show would forget the next method's.
_MACHINERY = {
    "ipykernel", "jupyter-client", "jupyter-core", "jupyterlab", "nbclient", "nbconvert",
    "nbformat", "papermill", "pooch", "pyzmq", "requests", "tqdm", "traitlets",
}  # fmt: skip


def versions() -> str:
    """Name the versions of everything that can change a number.

    Returns
    -------
    str
        One line: Python and, of the packages that the project requires or may use (``baselines``
        in ``pyproject.toml``), those that are installed.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.versions().split(" · ")[1].split()[0]
    'ase'
    """
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["baselines"]]
    names = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in required]
    found = [f"Python {platform.python_version()}"]
    for name in names:
        try:
            if name not in _MACHINERY:
                found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return " · ".join(found)
