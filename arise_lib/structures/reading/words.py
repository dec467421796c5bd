"""Words of a structure file: numbers, species, and how they are quoted in a message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from arise_lib.errors import InputError

#: A whole number, such as an atom count.
COUNT = re.compile(r"\s*[0-9]{1,12}\s*")
# Also with the exponents that Fortran (1.0d0) and Mathematica (1.0*^0, in QM9) write.
_NUMBER = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:(?:[eEdD]|\*\^)([+-]?[0-9]+))?")
# A symbol and what people append to it: Fe1, H1A, Cu2+, O-, C_3, Fe_pv, Fe/6a2f, O(2).
_LABEL = re.compile(r"([A-Za-z]{1,2})(?:[0-9+_/(.-].*)?")
_LONGEST_WORD, _LONGEST_MESSAGE = 60, 1000


def shown(word: object) -> str:
    """Quote a word of a file: control characters escaped, cut to a length that can be read."""
    text = str(word)
    text = text if len(text) <= _LONGEST_WORD else text[: _LONGEST_WORD - 1] + "…"
    return repr(text)


def clean(message: str) -> str:
    """Escape control characters of a message and shorten its middle."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
    if len(text) > _LONGEST_MESSAGE:
        half = _LONGEST_MESSAGE // 2
        text = f"{text[:half]} … {text[-half:]}"
    return text


def number(word: str) -> float:
    """Convert a word to a number; not a number where it is none."""
    match = _NUMBER.fullmatch(word)
    if match is None:
        return float(word) if word.lower().lstrip("+-") in ("inf", "infinity") else np.nan
    return float(f"{match[1]}e{match[2] or 0}")


def is_number(word: str) -> bool:
    """Tell whether a word is a number, finite or not."""
    return bool(_NUMBER.fullmatch(word)) or word.lower().lstrip("+-") in ("nan", "inf", "infinity")


def numbers(place: str, line: int, words: Sequence[str]) -> list[float]:
    """Convert words of one line (counted from 1) to finite numbers."""
    values = [number(word) for word in words]
    for word, value in zip(words, values, strict=True):
        if not np.isfinite(value):
            finite = "finite " if is_number(word) else ""
            raise InputError(f"{place}, line {line}: {shown(word)} is not a {finite}number")
    return values


def coordinates(place: str, first: int, rows: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Convert rows of three words each, the first of them on line `first`, to numbers (n, 3)."""
    found = np.empty((0, 3))
    if not any("_" in word for row in rows for word in row):  # 1_0 is a number to Python alone
        with suppress(ValueError):
            found = np.array(rows, dtype=float).reshape(-1, 3)
    if len(found) == len(rows) and np.isfinite(found).all():
        return found
    # Row by row, to read what only Fortran writes and to name the first bad one.
    return np.array([numbers(place, first + i, row) for i, row in enumerate(rows)]).reshape(-1, 3)


def element(word: str) -> int:
    """Return the atomic number of a symbol, label or atomic number; 0 where it is none.

    Case does not matter; D and T are hydrogen. A label is a symbol followed by a digit, charge or
    suffix; T1 is none, because tetrahedral sites are called so.
    """
    if COUNT.fullmatch(word):
        return int(word) if int(word) < len(atomic_numbers) else 0
    if word in ("D", "T"):
        return 1
    match = _LABEL.fullmatch(word)
    if match is None:
        return 0
    return 1 if match[1] == "D" else int(atomic_numbers.get(match[1].capitalize(), 0))
