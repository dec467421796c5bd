"""What a baseline is: a name, its classes, the function that answers, and how it is counted.

Each method stands in a file of its own and registers itself; tables and captions take its rule
from here, so that no figure stands without it. The counting rules are those by which the paper's
figures can be regenerated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from importlib import metadata
from math import inf
from typing import Any

import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.structures import prototypes


@dataclass(frozen=True)
class Method:
    """One row of the benchmark; it has `answer`, `group` or `estimator`.

    Attributes
    ----------
    key : str
        Name in the recorded results, ``table2.KEY.COLUMN``.
    name : str
        Name for readers.
    treats : tuple of str
        Classes whose structures enter its accuracy.
    rule : str
        When an answer is right.
    module : str
        Where it is defined, ``__name__`` there: counts that are kept hold for this module and all
        that it imports.
    answer : callable, optional
        From a structure to the label of a class for each atom, an empty string where it sees none.
        Counted per atom, pooled over all atoms of all structures. Like `group` a function of a
        module, so that it can be sent to other processes.
    group : callable, optional
        From a structure to the number of its space group, None where it finds none. Counted per
        structure: right is the space group of the perfect supercell.
    estimator : callable, optional
        Called without arguments, gives a classifier of scikit-learn (``fit(X, y)``,
        ``predict(X)``) that takes descriptors and labels of classes. Counted per structure.
    periodic_only : bool
        Whether it runs on the periodic supercells only.
    package : str
        Distribution that does the work; empty for what the project has itself.
    optional : bool
        Whether that distribution is an extra (``pip install arise-compendium[baselines]``).
    row : int, optional
        Row of the paper's Table 2; methods that it does not have come last.

    Raises
    ------
    InputError
        If it has not exactly one of `answer`, `group` and `estimator`, or treats an unknown class.

    Examples
    --------
    >>> from arise_lib.baselines import Method
    >>> def copper(atoms):
    ...     return ["fcc"] * len(atoms)
    >>> method = Method("copper", "all is copper", ("fcc",), "fcc", module=__name__, answer=copper)
    >>> method.counted
    'atom'
    """

    key: str
    name: str
    treats: tuple[str, ...]
    rule: str
    _: KW_ONLY
    module: str
    answer: Callable[[Atoms], NDArray[Any]] | None = None
    group: Callable[[Atoms], int | None] | None = None
    estimator: Callable[[], Any] | None = None
    periodic_only: bool = False
    package: str = ""
    optional: bool = False
    row: int | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be counted."""
        given = [self.answer, self.group, self.estimator]
        if sum(function is not None for function in given) != 1:
            raise InputError(
                f"Method {self.key!r} answers in {3 - given.count(None)} ways; give one of answer "
                "(per atom), group (space group) and estimator (on descriptors)."
            )
        for label in self.treats:
            prototypes.get(label)

    @property
    def counted(self) -> str:
        """What the headline accuracy counts: "atom" or "structure"."""
        return "structure" if self.answer is None else "atom"


#: The methods by key, in the order of the paper's table, those that it does not have last.
METHODS: dict[str, Method] = {}


def register(method: Method) -> Method:
    """Add a method to the benchmark.

    Parameters
    ----------
    method : Method
        What to add. One of the same key and the same module is replaced, so that a cell of a
        notebook can be run again.

    Returns
    -------
    Method
        The same.

    Raises
    ------
    InputError
        If another module has registered a method of this key.

    Examples
    --------
    >>> from arise_lib.baselines import METHODS, Method, register
    >>> def copper(atoms):
    ...     return ["fcc"] * len(atoms)
    >>> method = Method("copper", "all is copper", ("fcc",), "fcc", module=__name__, answer=copper)
    >>> method is register(method)
    True
    >>> list(METHODS)[-4:]
    ['copper', 'moyo', 'robust', 'steinhardt']
    >>> del METHODS["copper"]
    """
    earlier = METHODS.get(method.key, method)
    if earlier.module != method.module:
        raise InputError(
            f"{earlier.module} has registered {method.key!r} ({earlier.name}); choose another key."
        )
    rows = sorted((METHODS | {method.key: method}).values(), key=lambda m: (m.row or inf, m.key))
    METHODS.clear()
    METHODS.update({m.key: m for m in rows})
    return method


def get(key: str) -> Method:
    """Return one method.

    Parameters
    ----------
    key : str
        One of `METHODS`.

    Returns
    -------
    Method
        Its entry.

    Raises
    ------
    InputError
        If there is no such method.
    """
    if key not in METHODS:
        raise InputError(f"Unknown method {key!r}; choose one of {', '.join(METHODS)}.")
    return METHODS[key]


def version(method: Method) -> str | None:
    """Return the version of the package behind a method.

    Parameters
    ----------
    method : Method
        Any method.

    Returns
    -------
    str or None
        Empty for the project's own, None where the package is not installed.
    """
    if not method.package:
        return ""
    try:
        return metadata.version(method.package)
    except metadata.PackageNotFoundError:
        return None


def available() -> list[str]:
    """List the keys of the methods that can run here.

    Returns
    -------
    list of str
        In the order of `METHODS`.

    Examples
    --------
    >>> from arise_lib.baselines import available
    >>> available()[:3]
    ['spglib_loose', 'spglib_tight', 'ptm']
    """
    return [key for key, method in METHODS.items() if version(method) is not None]


def absent() -> str:
    """Say which methods are left out because their package is not installed.

    Returns
    -------
    str
        One sentence, also where nothing is left out: a missing row must be seen.

    Examples
    --------
    >>> from arise_lib.baselines import absent
    >>> "installed" in absent()
    True
    """
    missing = [method for method in METHODS.values() if version(method) is None]
    if not missing:
        return f"all {len(METHODS)} methods are installed"
    names = "; ".join(f"{method.name} (pip install {method.package})" for method in missing)
    return f"left out, not installed: {names}"


def require(method: Method) -> None:
    """Refuse a method whose package is not installed.

    Parameters
    ----------
    method : Method
        What is to run.

    Raises
    ------
    InputError
        Naming the package.
    """
    if version(method) is None:
        raise InputError(
            f"{method.name} needs the package {method.package}, which is not installed: "
            f"pip install {method.package}, or leave this method out."
        )


def described() -> pd.DataFrame:
    """Tabulate the methods for reading.

    Returns
    -------
    pandas.DataFrame
        One row per method: `method`, `classes` (how many it treats), `structures`, `counted`,
        `right if` and `package`.

    Examples
    --------
    >>> from arise_lib.baselines import described
    >>> described().loc["cna", ["counted", "right if"]].tolist()
    ['per atom', 'structure type at a cut-off of 3.2 Å']
    """
    rows = [
        {
            "key": method.key,
            "method": method.name,
            "classes": len(method.treats),
            "structures": "periodic" if method.periodic_only else "periodic and clusters",
            "counted": f"per {method.counted}",
            "right if": method.rule,
            "package": method.package or "this project",
        }
        for method in METHODS.values()
    ]
    return pd.DataFrame(rows).set_index("key")
