"""A particle to turn and click on: input files of chemiscope, which a browser shows.

`chemiscope.org <https://chemiscope.org>`_ opens them (*Load/Save*), and so does the widget of the
package in a notebook that runs. A static figure stands beside each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from arise_lib.errors import InputError

#: Digits of positions and numbers in a view: a view is looked at, and the file stays small.
_DIGITS = 3


def linked_view(
    atoms: Atoms,
    centres: NDArray[np.float64],
    properties: Mapping[str, ArrayLike],
    *,
    name: str,
    reach: float,
    axes: tuple[str, str] | None = None,
    colour: str | None = None,
) -> dict[str, Any]:
    """Link points of a map to boxes of a particle: a click on one shows the other.

    Parameters
    ----------
    atoms : ase.Atoms
        The particle.
    centres : ndarray of shape (n_points, 3)
        Middles of the boxes, or places of the atoms; a point belongs to the atom nearest to it.
    properties : mapping of str to array_like of shape (n_points,)
        Numbers or text, by name.
    name : str
        Title of the view.
    reach : float
        How far around the atom the environment is shown, in the unit of the positions.
    axes : tuple of str, optional
        Properties along x and y of the map; by default the first two.
    colour : str, optional
        Property that colours it.

    Returns
    -------
    dict
        What `arise_lib.compendium.save_view` writes and `chemiscope.show` takes apart.

    Raises
    ------
    InputError
        If there is no point, a property has another number of values, or there is no such
        property.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from arise_lib import plotting
    >>> sample = bulk("Pt", cubic=True)
    >>> view = plotting.linked_view(
    ...     sample, sample.positions, {"a": np.arange(4.0), "b": np.ones(4)}, name="x", reach=3.0
    ... )
    >>> len(view["environments"]), view["structures"][0]["size"]
    (4, 4)
    """
    import chemiscope  # not at the top: only this needs it

    lengths = {key: len(np.asarray(values)) for key, values in properties.items()}
    if len(centres) == 0 or set(lengths.values()) != {len(centres)}:
        raise InputError(f"{len(centres)} points, properties of {lengths}: one value for each.")
    x, y = axes or tuple(list(properties)[:2])
    unknown = sorted({x, y, *([colour] if colour else [])} - set(properties))
    if unknown:
        raise InputError(f"There is no property {', '.join(unknown)}; there is {list(lengths)}.")
    rounded = atoms.copy()
    rounded.positions = np.round(rounded.positions, _DIGITS)
    nearest = cKDTree(atoms.positions).query(centres)[1]
    shown = {"x": {"property": x}, "y": {"property": y}}
    if colour:
        shown["color"] = {"property": colour}
    return dict(
        chemiscope.create_input(
            structures=[rounded],
            properties={
                key: {"target": "atom", "values": _plain(values)}
                for key, values in properties.items()
            },
            environments=[(0, int(number), reach) for number in nearest],
            metadata={"name": name},
            settings={"map": shown, "structure": [{"spaceFilling": True, "bonds": False}]},
        )
    )


def _plain(values: ArrayLike) -> list[float] | list[str]:
    """Numbers of a few digits, or text."""
    array = np.asarray(values)
    if array.dtype.kind in "UO":
        return [str(value) for value in array]
    return [float(value) for value in np.round(array.astype(float), _DIGITS)]
