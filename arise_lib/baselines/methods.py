"""The table of methods: what each treats, on which structures, and how it is counted.

The counting rules are those by which the paper's figures can be regenerated; tables and captions
take them from here, so that no figure stands without its rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

import pandas as pd

from arise_lib.errors import InputError
from arise_lib.structures import prototypes

CLOSE_PACKED = ("fcc", "bcc", "hcp")
TEMPLATES = (
    *CLOSE_PACKED, "sc", "diamond", "hexagonal diamond", "graphene", "L1_0", "L1_2", "CsCl",
    "zincblende", "wurtzite",
)  # fmt: skip
ELEMENTAL = tuple(x for x in prototypes.LABELS if prototypes.get(x).family == "elemental")
#: Their space groups are the same at the loose and at the tight setting.
SYMMETRIC = tuple(
    x for x in prototypes.LABELS if prototypes.get(x).family in ("elemental", "binary")
)

_GROUP = "space group of the whole cell equal to that of the perfect supercell at the same setting"


@dataclass(frozen=True)
class Method:
    """One row of the benchmark.

    Attributes
    ----------
    key : str
        Name in the recorded results, ``table2.KEY.COLUMN``.
    name : str
        Name for readers.
    treats : tuple of str
        Classes whose structures enter its accuracy.
    counted : {"atom", "structure"}
        What the headline accuracy counts; per atom means pooled over all atoms of all structures.
    periodic_only : bool
        Whether it runs on the periodic supercells only.
    rule : str
        When an answer is right.
    package : str
        Distribution that does the work; empty for what the project has itself.
    optional : bool
        Whether that distribution is an extra (``pip install arise-compendium[baselines]``).
    """

    key: str
    name: str
    treats: tuple[str, ...]
    counted: str
    periodic_only: bool
    rule: str
    package: str
    optional: bool = False


_TABLE = (
    Method(
        "spglib_loose", "spglib (0.1 Å / 5°)", SYMMETRIC, "structure", True, _GROUP, "spglib",
    ),
    Method(
        "spglib_tight", "spglib (1e-4 Å / 1°)", SYMMETRIC, "structure", True, _GROUP, "spglib",
    ),
    Method(
        "ptm", "PTM", TEMPLATES, "atom", True,
        "structure type and ordering at an RMSD up to 0.1", "ovito",
    ),
    Method(
        "cna", "CNA", CLOSE_PACKED, "atom", True, "structure type at a cut-off of 3.2 Å", "ovito",
    ),
    Method("acna", "a-CNA", CLOSE_PACKED, "atom", True, "structure type", "ovito"),
    Method("baa", "BAA", CLOSE_PACKED, "atom", True, "structure type", "ovito"),
    Method(
        "gnb", "GNB", prototypes.LABELS, "structure", False,
        "most probable class, trained on the vectors of ARISE", "scikit-learn",
    ),
    Method(
        "bnb", "BNB", prototypes.LABELS, "structure", False,
        "most probable class, trained on the vectors of ARISE", "scikit-learn",
    ),
    Method("arise", "ARISE", prototypes.LABELS, "structure", False, "most probable class", ""),
    Method(
        "moyo", "moyo (0.1 Å)", SYMMETRIC, "structure", True, _GROUP, "moyopy", optional=True,
    ),
    Method(
        "steinhardt", "Steinhardt + QDA", ELEMENTAL, "atom", True,
        "most probable class of the averaged bond order of each atom", "freud-analysis",
        optional=True,
    ),
)  # fmt: skip

#: The methods by key, in the order of the paper's table, those that it does not have last.
METHODS: dict[str, Method] = {method.key: method for method in _TABLE}


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
    """List the keys of the methods that can run here."""
    return [key for key, method in METHODS.items() if version(method) is not None]


def absent() -> str:
    """Say which methods are left out because their package is not installed.

    Returns
    -------
    str
        One sentence, also where nothing is left out: a missing row must be seen.
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
        One row per method: `method`, `classes` (how many it treats), `structures`, `counted`
        and `right if`.
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
