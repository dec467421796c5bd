r"""Order on a face-centred lattice, box by box: an answer that needs no network.

The species of an alloy on a face-centred lattice are ordered where the occupation has
waves that the lattice itself has not. With :math:`c_i = 1` for an atom of one species and 0
for the other, the amplitude of the wave along the cubic axis j in a box of n atoms is

.. math:: A_j = \frac1n \sum_i (c_i - \bar c) \exp(i k_j \cdot r_i), \qquad k_j = 2 \pi e_j / a.

Its modulus depends neither on the origin nor on which of the two species is counted. It is
S / 2 for one axis j and 0 for the others in L1_0, and S / 4 for all three in L1_2, where S is
the long-range order, the difference of the occupation between the two kinds of sites.

**The rule** that gives a phase to a box, in this order:

1. Undefined: fewer than `MIN_ATOMS` atoms, or no lattice: the root mean square amplitude of
   the seven fundamental waves {111} and {200} is not above `LATTICE`.
2. Disordered (fcc): the three waves together are not above what the same atoms show with
   their species drawn anew. Each :math:`|A_j|^2` then has the mean
   :math:`f_j^2 = \bar c (1 - \bar c) (1 - |w_j|^2) / (n - 1)`, w the same mean of the
   exponential over all atoms, and on a lattice, where the exponential is real,
   :math:`\sum_j |A_j|^2 / f_j^2` follows :math:`\chi^2` with three degrees of freedom; not
   above means below its quantile for `LEVEL`.
3. Otherwise the phase whose ideal amplitudes are nearest in direction to the measured ones,
   after :math:`f_j^2` was taken off the squares: (1, 0, 0) is L1_0, (1, 1, 1) is L1_2, and
   (1, 1, 0), two waves of three, is "mixed", as two domains of L1_0 in one box give it.

Only `LEVEL` is a choice; `LATTICE` comes from simulated boxes that do not lie on the lattice.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import chi2

from arise_lib.errors import InputError
from arise_lib.tomography.boxes import lots
from arise_lib.tomography.lattice import MIN_ATOMS, Lattice

#: What a box can be, besides an empty string, which is undefined.
PHASES = ("L1_2", "L1_0", "fcc", "mixed")

#: Share of the disordered boxes that are called ordered. About as many simulated boxes of 12 Å
#: (120 atoms) with L1_0 of order 0.4 are then called disordered.
LEVEL = 0.05

#: Root mean square of the fundamental amplitudes above which a box lies on the lattice. Of
#: simulated boxes of 12 Å that are turned at random 99 % stay below 0.36; those on the lattice
#: have 0.93 and more with the error of tomography.
LATTICE = 0.5

#: Superlattice waves {100} and fundamental waves {200} and {111}, in 2 pi over the constant.
_SUPER = np.eye(3)
_FUNDAMENTAL = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]], dtype=float)

#: Ideal directions, amplitudes sorted, of L1_0, mixed and L1_2.
_IDEAL = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 1]]) / np.sqrt([[1], [2], [3]])
_OF_IDEAL = np.array(["L1_0", "mixed", "L1_2"])


def box_order(atoms: Atoms, members: csr_array, lattice: Lattice, species: str) -> pd.DataFrame:
    """Measure lattice and order in any sets of atoms.

    Parameters
    ----------
    atoms : ase.Atoms
        Two species, or one with vacancies in it, without periodicity.
    members : scipy.sparse.csr_array of shape (n_boxes, n_atoms)
        1 where the set holds the atom, see `arise_lib.tomography.members`.
    lattice : Lattice
        Of the sample, see `arise_lib.tomography.fit_lattice`.
    species : str
        Symbol of the species that is counted; the other one gives the same amplitudes.

    Returns
    -------
    pandas.DataFrame
        One row per set: `n_atoms`; `concentration` of the species; `fundamental`, root mean
        square amplitude of {111} and {200}, 1 on a perfect lattice; `wave_1` to `wave_3`, the
        moduli of A along the cubic axes, with their standard errors `error_1` to `error_3`
        over the atoms and their noise floors `floor_1` to `floor_3`; `amplitude`, the
        largest of the three; `axis`, its number from 1, 0 where it is not defined; and
        `phase`, one of `PHASES` or an empty string. NaN where a set is empty or has one atom.

    Raises
    ------
    InputError
        If the sample is periodic, or does not hold the species.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from scipy.sparse import csr_array
    >>> from arise_lib.tomography import fit_lattice
    >>> atoms = bulk("Pt", a=3.85, cubic=True) * 4
    >>> atoms.symbols[::4], atoms.pbc = "Fe", False
    >>> whole = csr_array(np.ones((1, len(atoms))))
    >>> row = box_order(atoms, whole, fit_lattice(atoms.positions), "Fe").iloc[0]
    >>> row["phase"], float(row["wave_1"].round(3)), float(row["fundamental"].round(3))
    ('L1_2', 0.25, 1.0)
    """
    if atoms.pbc.any():
        raise InputError("Boxes of a periodic sample are not measured; give a free one.")
    counted = np.asarray(atoms.symbols == species, dtype=float)
    if not counted.any():
        found = ", ".join(sorted(set(atoms.symbols)))
        raise InputError(f"The sample has no {species}; it has {found}.")
    fractional = (atoms.positions - lattice.origin) @ lattice.orientation / lattice.constant
    waves = np.exp(2j * np.pi * fractional @ _SUPER.T)
    others = np.exp(2j * np.pi * fractional @ _FUNDAMENTAL.T)
    ones = np.ones((len(atoms), 1))
    table = np.hstack([ones, waves, waves**2])
    columns = np.hstack([table, counted[:, None] * table, others])
    sums = members @ columns.view(float)
    return _evaluate(np.ascontiguousarray(sums).view(complex))


def order_maps(atoms: Atoms, maps: xr.Dataset, lattice: Lattice, species: str) -> xr.Dataset:
    """Measure the order in the boxes of a scan.

    Parameters
    ----------
    atoms : ase.Atoms
        The scanned sample.
    maps : xarray.Dataset
        From `arise_lib.scan` with a cube: the fit takes the same boxes.
    lattice : Lattice
        Of the sample.
    species : str
        Symbol of the species that is counted.

    Returns
    -------
    xarray.Dataset
        The columns of `box_order` as maps (z, y, x).

    Raises
    ------
    InputError
        As for `box_order`, or if the maps are of another shape of box.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from ase.build import bulk
    >>> from arise_lib.tomography import fit_lattice
    >>> atoms = bulk("Pt", a=3.85, cubic=True) * 4
    >>> atoms.symbols[::4], atoms.pbc = "Fe", False
    >>> maps = xr.Dataset(coords={"z": [6.0], "y": [6.0], "x": [6.0, 50.0]}, attrs={"box": 12.0})
    >>> order_maps(atoms, maps, fit_lattice(atoms.positions), "Fe")["phase"].values.tolist()
    [[['L1_2', '']]]
    """
    rows = pd.concat(
        [box_order(atoms, lot, lattice, species) for lot in lots(atoms.positions, maps)]
    )
    shape = [maps.sizes[axis] for axis in "zyx"]
    found = xr.Dataset(
        coords={axis: maps[axis] for axis in "xyz"}, attrs={"box": maps.attrs["box"]}
    )
    for name in rows:
        values = rows[name].to_numpy(dtype=str if name == "phase" else None)
        found[name] = ("z", "y", "x"), values.reshape(shape)
    return found


def _evaluate(sums: NDArray[np.complex128]) -> pd.DataFrame:
    """Turn the sums of one, the waves, their squares, the same of one species, and {111}."""
    n = sums[:, 0].real
    size = np.where(n >= 2, n, np.nan)[:, None]
    mean = sums * (1.0 / size)
    of_all, of_species, high = mean[:, 1:7], mean[:, 7:14], mean[:, 14:]
    c = of_species[:, :1].real
    amplitude = of_species[:, 1:4] - c * of_all[:, :3]
    modulus = np.abs(amplitude)
    # (c_i - c)^2 cos^2, the cosine along the wave's own phase: c_i is its own square.
    double = (1.0 - 2.0 * c) * of_species[:, 4:] + c**2 * of_all[:, 3:]
    safe = np.where(modulus > 0, modulus, 1.0)
    along = (double * (np.conj(amplitude) / safe) ** 2).real
    square = 0.5 * (c * (1.0 - c) + along)
    error = np.sqrt(np.clip(square - modulus**2, 0.0, None) / size)
    floor = c * (1.0 - c) * (1.0 - np.abs(of_all[:, :3]) ** 2) / (size - 1.0)
    waves = np.hstack([of_all[:, 3:], high])
    fundamental = np.sqrt((np.abs(waves) ** 2).mean(axis=1))
    table = pd.DataFrame({"n_atoms": n.astype(np.int64), "concentration": c[:, 0]})
    table["fundamental"] = fundamental
    for name, values in (("wave", modulus), ("error", error), ("floor", np.sqrt(floor))):
        for j in range(3):
            table[f"{name}_{j + 1}"] = values[:, j]
    known = np.isfinite(modulus).all(axis=1)
    table["amplitude"] = modulus.max(axis=1)
    table["axis"] = np.where(known, np.nan_to_num(modulus).argmax(axis=1) + 1, 0)
    measured = (n >= MIN_ATOMS) & (fundamental > LATTICE)
    table["phase"] = np.where(measured, phases(modulus, floor), "")
    return table


def phases(modulus: NDArray[np.float64], floor: NDArray[np.float64]) -> NDArray[np.str_]:
    """Give a phase to amplitudes: steps 2 and 3 of the rule.

    Parameters
    ----------
    modulus : ndarray of shape (n_boxes, 3)
        Moduli of the superlattice waves.
    floor : ndarray of shape (n_boxes, 3)
        Mean squares that random occupation gives them; 0 with one species only.

    Returns
    -------
    ndarray of str, shape (n_boxes,)
        "fcc", "L1_0", "L1_2" or "mixed".

    Examples
    --------
    >>> import numpy as np
    >>> waves = np.array([[0.4, 0.02, 0.03], [0.2, 0.21, 0.2], [0.04, 0.0, 0.0], [0.2, 0.2, 0.0]])
    >>> phases(waves, np.full((4, 3), 0.001)).tolist()
    ['L1_0', 'L1_2', 'fcc', 'mixed']
    """
    squares = modulus**2
    ratio = np.divide(squares, floor, out=np.zeros_like(squares), where=floor > 0)
    ordered = np.sqrt(np.clip(squares - floor, 0.0, None))
    projected = np.sort(ordered, axis=1)[:, ::-1] @ _IDEAL.T
    nearest = _OF_IDEAL[projected.argmax(axis=1)]
    return np.where(ratio.sum(axis=1) > chi2.ppf(1.0 - LEVEL, 3), nearest, "fcc")
