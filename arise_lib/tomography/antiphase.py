r"""Antiphase boundaries of L1_2, which the waves of a box take for L1_0.

Iron of L1_2 sits on one of four sublattices, so there are four *variants*. On the sites of one
lattice the waves of variant v have the signs

.. math:: (+, +, +), \quad (+, -, -), \quad (-, +, -), \quad (-, -, +),

and any two of them differ in two waves and share the third. A box that holds as much of one
variant as of another has lost the two waves in which they differ, and is left with one: that of
L1_0. The axis of that wave tells such a box from one that is L1_0: at a boundary it
must be the one that the two variants beside it share, which has the chance of one third elsewhere.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from arise_lib.errors import InputError
from arise_lib.tomography.boxes import lots
from arise_lib.tomography.lattice import Lattice

#: Signs of the three waves of each variant.
VARIANTS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float)

#: Least share of a second variant among the boxes around that are L1_2.
SECOND = 0.1


def antiphase(
    atoms: Atoms, order: xr.Dataset, lattice: Lattice, species: str, *, reach: float | None = None
) -> xr.Dataset:
    """Tell which boxes lie at a boundary between two variants of L1_2.

    Parameters
    ----------
    atoms : ase.Atoms
        The scanned sample.
    order : xarray.Dataset
        From `arise_lib.tomography.order_maps`, boxes on a regular grid.
    lattice : Lattice
        Of the sample.
    species : str
        Symbol of the species that was counted.
    reach : float, optional
        How far around the middle of a box other boxes are looked at, in the unit of the
        positions; by default the edge of a box.

    Returns
    -------
    xarray.Dataset
        `variant` (z, y, x), 0 to 3 where the phase is L1_2, otherwise -1; `boundary`
        (z, y, x), true for a box with a phase that has two variants around it (the second with
        `SECOND` of all, at least) and whose largest wave is the one that these two share.

    Raises
    ------
    InputError
        If the reach is not positive.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from ase.build import bulk
    >>> from arise_lib.tomography import fit_lattice, order_maps
    >>> atoms = bulk("Pt", a=3.85, cubic=True) * 9
    >>> halves = np.rint(2 * atoms.positions / 3.85).astype(int)
    >>> shifted = halves + np.array([1, 1, 0]) * (halves[:, [2]] > 8)  # above, another variant
    >>> atoms.symbols[(shifted % 2 == 0).all(axis=1)], atoms.pbc = "Fe", False
    >>> maps = xr.Dataset(coords={"z": [7.0, 17.0, 27.0], "y": [17.0], "x": [17.0]})
    >>> lattice = fit_lattice(atoms.positions)
    >>> order = order_maps(atoms, maps.assign_attrs(box=12.0), lattice, "Fe")
    >>> order["phase"].values.ravel().tolist()
    ['L1_2', 'L1_0', 'L1_2']
    >>> antiphase(atoms, order, lattice, "Fe")["boundary"].values.ravel().tolist()
    [False, True, False]
    """
    reach = float(order.attrs["box"]) if reach is None else reach
    if not reach > 0.0:
        raise InputError(f"A reach of {reach} holds no other box; give a positive length.")
    order = order.transpose("z", "y", "x")
    phase = order["phase"].values
    likely = (_real_waves(atoms, order, lattice, species) @ VARIANTS.T).argmax(axis=1)
    variant = np.where(phase == "L1_2", likely.reshape(phase.shape), -1)
    ball = _ball(order, reach)
    around = np.stack(
        [np.rint(fftconvolve((variant == v).astype(float), ball, mode="same")) for v in range(4)]
    )
    ranked = np.argsort(-around, axis=0, kind="stable")
    second = np.take_along_axis(around, ranked[1:2], axis=0)[0]
    two = second >= np.maximum(SECOND * around.sum(axis=0), 1.0)
    shared = (VARIANTS[ranked[0]] == VARIANTS[ranked[1]]).argmax(axis=-1) + 1
    boundary = two & (phase != "") & (order["axis"].values == shared)
    dims, axes = ("z", "y", "x"), {axis: order[axis] for axis in "xyz"}
    return xr.Dataset({"variant": (dims, variant), "boundary": (dims, boundary)}, axes)


def _real_waves(
    atoms: Atoms, order: xr.Dataset, lattice: Lattice, species: str
) -> NDArray[np.float64]:
    """Real parts of the three waves, which on the sites of a lattice are all there is."""
    counted = np.asarray(atoms.symbols == species, dtype=float)[:, None]
    fractional = (atoms.positions - lattice.origin) @ lattice.orientation / lattice.constant
    cosines = np.cos(2.0 * np.pi * fractional)
    columns = np.hstack([np.ones_like(counted), counted, cosines, counted * cosines])
    sums = np.concatenate([lot @ columns for lot in lots(atoms.positions, order)])
    means = sums / np.maximum(sums[:, :1], 1.0)
    return means[:, 5:] - means[:, 1:2] * means[:, 2:5]


def _ball(order: xr.Dataset, reach: float) -> NDArray[np.float64]:
    """Boxes of a regular grid that are within reach of one in the middle."""
    offsets = []
    for axis in "zyx":
        places = order[axis].values
        step = float(np.diff(places).mean()) if len(places) > 1 else 2.0 * reach
        n = int(np.floor(reach / step * (1.0 + 1e-9)))
        offsets.append(step * np.arange(-n, n + 1))
    grid = np.meshgrid(*offsets, indexing="ij")
    return (sum(part**2 for part in grid) <= (reach * (1.0 + 1e-9)) ** 2).astype(float)
