"""Tags of a CIF and their values."""

from __future__ import annotations

import re
from typing import cast

import gemmi
import numpy as np

from arise_lib.structures.reading.words import element, number, shown

#: Values by tag, in lower case and with the names of CIF 1.
Tags = dict[str, list[str]]


def tags_of(block: gemmi.cif.Block) -> Tags:
    """Return the values of all tags of a block."""
    tags: Tags = {}
    for item in block:
        if item.pair is not None:
            (name, value) = cast("tuple[str, str]", item.pair)
            names, values = [name], [value]
        elif item.loop is not None:
            names, values = item.loop.tags, list(item.loop.values)
        else:
            continue
        for i, name in enumerate(names):
            words = [gemmi.cif.as_string(value).strip() for value in values[i :: len(names)]]
            tags.setdefault(name.lower().replace(".", "_"), words)
    return tags


def first(tags: Tags, names: tuple[str, ...]) -> str:
    """Return the first value that is stated, an empty string where none is."""
    for name in names:
        for value in tags.get(name, [])[:1]:
            if value not in ("", "?", "."):
                return value
    return ""


def value(word: str) -> float:
    """Convert a number that may have its uncertainty in brackets."""
    return number(re.sub(r"\([0-9]*\)$", "", word))


def some(names: list[str]) -> str:
    """Join names for a message, the first ones where there are many."""
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(shown(name)[1:-1] for name in names[:6]) + more


def formula(tags: Tags) -> dict[int, float]:
    """Return the atoms of the declared formula by atomic number; empty where none is declared."""
    found: dict[int, float] = {}
    formula = first(tags, ("_chemical_formula_sum",))
    if not re.fullmatch(r"(?:\s*[A-Z][a-z]?[0-9.]*)+\s*", formula):
        return found
    for symbol, count in re.findall(r"([A-Z][a-z]?)([0-9.]*)", formula):
        amount = number(count) if count else 1.0
        if not element(symbol) or not np.isfinite(amount):
            return {}
        found[element(symbol)] = found.get(element(symbol), 0.0) + amount
    return found
