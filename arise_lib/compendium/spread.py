"""Networks that were trained alike, shown by the least and the most that they give."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from arise_lib.errors import InputError


def spread(table: pd.DataFrame, members: Sequence[str], name: str) -> pd.DataFrame:
    """Put least and most of several columns in their place.

    Parameters
    ----------
    table : DataFrame
        One column per network; entries are numbers, or words in rows of words.
    members : sequence of str
        Columns of the networks that were trained alike and differ by their seed.
    name : str
        What they are called.

    Returns
    -------
    DataFrame
        Without the columns of the members, and with two at the end: "`name`, least"
        and "`name`, most". In a row of words both have the words that occur.

    Raises
    ------
    InputError
        If a member has no column.

    Examples
    --------
    >>> import pandas as pd
    >>> shares = pd.DataFrame({"arise": [98.9], "a": [91.0], "b": [96.4]}, index=["graphene / %"])
    >>> spread(shares, ["a", "b"], "published").loc["graphene / %"].to_dict()
    {'arise': 98.9, 'published, least': 91.0, 'published, most': 96.4}
    """
    absent = [member for member in members if member not in table]
    if absent or not members:
        raise InputError(f"no columns {absent or 'given'}: the table has {list(table.columns)}")
    ends = pd.DataFrame([_ends(row) for row in table[list(members)].to_numpy()], table.index)
    ends.columns = pd.Index([f"{name}, least", f"{name}, most"])
    return table.drop(columns=list(members)).join(ends)


def _ends(row: Sequence[object]) -> tuple[object, object]:
    """Return the least and the most of a row."""
    if any(isinstance(entry, str) for entry in row):
        words = " / ".join(sorted({str(entry) for entry in row}))
        return words, words
    numbers = pd.Series(row, dtype=float)
    return numbers.min(), numbers.max()
