"""Each point of a map linked to the place in the sample that it stands for: chemiscope."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from arise_lib.errors import InputError


def linked_boxes(
    points: pd.DataFrame, sample: Atoms, centres: ArrayLike, box: float, *, name: str
) -> dict[str, Any]:
    """Link the boxes of a scan to the sample, for the viewer chemiscope [1]_.

    Parameters
    ----------
    points : pandas.DataFrame
        One row per box: coordinates `x` and `y` of the map, and what it can be coloured by, numbers
        or words.
    sample : ase.Atoms
        The sample, which is stored once.
    centres : array_like of shape (n_boxes, 3)
        Middle of each box, in Å.
    box : float
        Edge of the boxes in Å.
    name : str
        Title of the view.

    Returns
    -------
    dict
        What ``chemiscope.show_input`` and https://chemiscope.org show: a point of the map is linked
        to the atom nearest to the middle of its box, and to what is within half an edge of it.

    Raises
    ------
    InputError
        If there is not one centre per point.

    References
    ----------
    .. [1] G. Fraux, R. Cersonsky, M. Ceriotti, J. Open Source Softw. 5, 2117 (2020).

    Examples
    --------
    >>> import pandas as pd
    >>> from ase.build import bulk
    >>> from arise_lib import explore
    >>> points = pd.DataFrame({"x": [0.1, 2.0], "y": [0.3, 1.0], "label": ["fcc", "In"]})
    >>> sample = bulk("Cu", cubic=True)
    >>> view = explore.linked_boxes(points, sample, sample.positions[:2], 4.0, name="copper")
    >>> [place["center"] for place in view["environments"]]
    [0, 1]
    """
    import chemiscope  # not at the top: slow to import

    middles = np.asarray(centres, dtype=float)
    if middles.shape != (len(points), 3):
        raise InputError(f"Centres of shape {middles.shape} for {len(points)} points: one each.")
    nearest = cKDTree(sample.positions).query(middles)[1]
    shown = Atoms(sample.numbers, sample.positions)
    properties = {
        column: {"target": "atom", "values": values.to_numpy().tolist()}
        for column, values in points.items()
    }
    view: dict[str, Any] = chemiscope.create_input(
        structures=[shown],
        metadata={"name": name},
        properties=properties,
        environments=[(0, int(atom), 0.5 * box) for atom in nearest],
        settings=chemiscope.quick_settings(x="x", y="y") | {"target": "atom"},
    )
    return view
