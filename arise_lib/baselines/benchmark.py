"""The numbers of Table 2: accuracies with their intervals, and methods on the same structures."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from arise_lib.baselines.base import METHODS
from arise_lib.baselines.intervals import bootstrap_interval, wilson_interval


def summary(found: pd.DataFrame, by: Sequence[str] = ("method", "column")) -> pd.DataFrame:
    """Accuracies with intervals, by each method's counting rule and by structures.

    Parameters
    ----------
    found : pandas.DataFrame
        Outcomes of one or more methods.
    by : sequence of str
        Columns that make a cell; "method" is one of them.

    Returns
    -------
    pandas.DataFrame
        Indexed by `by`: `right`, `total` (atoms or structures), `accuracy`, `low`, `high` (95 %
        interval: Wilson's per structure, bootstrap over the structures of each class per
        atom), `structures` (how many), and `by structure`, the accuracy per structure. All shares
        are in %.

    Examples
    --------
    >>> from arise_lib import baselines
    >>> cells = baselines.summary(baselines.outcomes("cna", ["pristine"]))
    >>> cells.loc[("cna", "pristine"), ["right", "total"]].tolist()
    [250, 378]
    """
    rows = []
    for names, cell in found.groupby(list(by), sort=False):
        named = dict(zip(by, names, strict=True))
        right, total = int(cell["right"].sum()), len(cell)
        by_structure = 100.0 * right / total
        if METHODS[named["method"]].counted == "atom":
            low, high = bootstrap_interval(cell["right_atoms"], cell["atoms"], cell["label"])
            right, total = int(cell["right_atoms"].sum()), int(cell["atoms"].sum())
        else:
            low, high = wilson_interval(right, total)
        rows.append(
            named
            | {"right": right, "total": total, "accuracy": 100.0 * right / total}
            | {"low": low, "high": high, "structures": len(cell), "by structure": by_structure}
        )
    return pd.DataFrame(rows).set_index(list(by))


def like_for_like(found: pd.DataFrame, networks: Sequence[str] = ("arise",)) -> pd.DataFrame:
    """Count networks on the very structures that other methods treat, all per structure.

    Parameters
    ----------
    found : pandas.DataFrame
        Outcomes of all methods.
    networks : sequence of str
        Methods that answer from descriptors and treat all classes.

    Returns
    -------
    pandas.DataFrame
        Indexed by `classes` (how many), `method` and `column`, without the pristine one: `right`,
        `total` (structures), `accuracy`, `low` and `high`, Wilson's 95 % interval, in %. Methods
        that treat the same classes stand together, and below them the networks on their periodic
        supercells of these classes. An answer per atom counts by majority, "none" being one.

    Examples
    --------
    >>> import pandas as pd
    >>> from arise_lib import baselines
    >>> arise = baselines.fitted({"arise": baselines.METHODS["arise"]}, passes=20)
    >>> found = [baselines.outcomes("acna", ["m1"])]
    >>> found += [baselines.vector_outcomes(arise, conditions=[("missing", 0)])]
    >>> cells = baselines.like_for_like(pd.concat(found))
    >>> cells.index.tolist(), cells["total"].tolist()
    ([(3, 'acna', 'm1'), (3, 'arise', 'm1')], [9, 9])
    """
    defective = found[found["column"] != "pristine"]
    present = set(defective["method"])
    rivals = [METHODS[key] for key in METHODS if key in present and METHODS[key].periodic_only]
    rows = []
    for treats in sorted({method.treats for method in rivals}, key=len):
        keys = [method.key for method in rivals if method.treats == treats]
        ours = defective["method"].isin(networks) & defective["label"].isin(treats)
        ours &= defective["periodic"].eq(True)
        compared = defective[ours | defective["method"].isin(keys)]
        for (key, column), cell in compared.groupby(["method", "column"], sort=False):
            right, total = int(cell["right"].sum()), len(cell)
            low, high = wilson_interval(right, total)
            rows.append((len(treats), key, column, right, total, 100.0 * right / total, low, high))
    names = ["classes", "method", "column", "right", "total", "accuracy", "low", "high"]
    return pd.DataFrame(rows, columns=names).set_index(names[:3])
