"""The published images and positions of Fig. 3, those of them that are in the data cache."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib import storage
from arise_lib.microscopy.found import Found
from arise_lib.microscopy.images import Image, read_image
from arise_lib.microscopy.matching import match
from arise_lib.microscopy.scenes import random_packing
from arise_lib.structures.reading import read_structure
from arise_lib.typing import Seed

#: Images with published positions: file of the positions, and width of the field of view in Å. The
#: left image of Fig. 3a, and the large one of Fig. 3e.
IMAGES = {
    "graphene_si_2nm": ("stem/graphene_a.xyz", 20.0),
    "graphene_boundary_6nm": ("stem/graphene_large.xyz", 60.0),
}

#: Images of the library of defects; their field of view is 20 Å.
LIBRARY = (
    "Si1C3_10", "Si1C3_102", "Si1C3_105", "Si1C3_106", "Si2C5_0", "Si2C5_1", "Si2C5_18", "Si2C5_3",
    "Si3C4_17", "Si4C6_5", "Si4C6_6",
)  # fmt: skip

#: Those that are drawn.
SHOWN = ("graphene_si_2nm", "graphene_boundary_6nm", "Si2C5_0")

#: The archive has fragments of a few atoms as well, and clusters of Si; the paper has 0 to 4 Si.
MIN_ATOMS, MAX_SILICON = 50, 4

_ARCHIVE = "stem/si_graphene_coordinates.zip"

#: Share of the pixels of the large image that are saturated: contamination.
_SATURATED = 0.05

#: The published finder drops what is this near to the edge, in pixels.
_RIM = 5.0


def micrographs() -> tuple[dict[str, Image], dict[str, Atoms]]:
    """Read the published images and the positions that were published for them.

    Returns
    -------
    images : dict of str to Image
        Those that are in the data cache.
    positions : dict of str to ase.Atoms
        Their published atoms, in pixels: x is the column, y the row. (In the archive of
        the library it is the other way round.)

    Examples
    --------
    >>> images, positions = micrographs()
    >>> set(positions) == set(images)
    True
    """
    images, positions = {}, {}
    for name, (file, width) in IMAGES.items():
        picture = f"stem/images/{name}.npy"
        if storage.available(picture) and storage.available(file):
            path = storage.fetch(picture)
            columns = np.load(path, mmap_mode="r", allow_pickle=False).shape[1]
            images[name] = read_image(path, width / columns, max_saturated=_SATURATED)
            positions[name] = read_structure(storage.fetch(file))
    atoms = library()
    for name in LIBRARY:
        picture = f"stem/library/{name}.hdf5"
        if storage.available(picture) and name in atoms:
            images[name] = read_image(
                storage.fetch(picture), 20.0 / 256, dataset="nn_input", max_saturated=_SATURATED
            )
            # In the archive the row comes first: only so do its Si atoms lie on the bright spots.
            turned = atoms[name][0].copy()
            turned.positions[:, :2] = turned.positions[:, 1::-1]
            positions[name] = turned
    return images, positions


def library() -> dict[str, tuple[Atoms, int]]:
    """Read all published positions of graphene with Si atoms (Supplementary Fig. 13).

    Returns
    -------
    dict of str to (ase.Atoms, int)
        Name, such as "Si1C3_10": atoms in pixels, and how many of them are Si, of those with
        0 to 4 Si atoms and at least `MIN_ATOMS` in all. Empty if the archive is not in the
        data cache.

    Examples
    --------
    >>> all(number == (atoms.numbers == 14).sum() for atoms, number in library().values())
    True
    """
    found: dict[str, tuple[Atoms, int]] = {}
    if not storage.available(_ARCHIVE):
        return found
    with TemporaryDirectory() as folder, zipfile.ZipFile(storage.fetch(_ARCHIVE)) as archive:
        for member in archive.namelist():
            parts = re.fullmatch(r".*/(\d+)_(Si\d+C\d+)\.in", member)
            if parts:
                path = Path(folder) / f"{parts[2]}_{parts[1]}.in"
                path.write_bytes(archive.read(member))
                atoms = read_structure(path)
                n_silicon = int((atoms.numbers == 14).sum())
                if len(atoms) >= MIN_ATOMS and n_silicon <= MAX_SILICON:
                    found[path.stem] = atoms, n_silicon
    return found


def agreement(ours: Mapping[str, Found], published: Mapping[str, Atoms]) -> pd.DataFrame:
    """Compare atoms that we found with those that were published for the same image.

    Parameters
    ----------
    ours : mapping of str to Found
        From `arise_lib.microscopy.find_atoms`.
    published : mapping of str to ase.Atoms
        From `micrographs`.

    Returns
    -------
    pandas.DataFrame
        For each image: `published` and `ours`, numbers of atoms within the frame of the
        published ones; `matched / %` of the published and `confirmed / %` of ours;
        `displacement / pm`, root mean square; `Si`, published and ours.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> points = np.array([[10.0, 10.0], [20.0, 10.0], [20.0, 20.0]])
    >>> found = Found(points + 1.0, np.ones(3), np.array([6, 6, 14]), 0.1)
    >>> true = Atoms("C2Si", np.column_stack([points, np.zeros(3)]))
    >>> float(agreement({"a": found}, {"a": true}).at["a", "matched / %"])
    100.0
    """
    rows = {}
    for name, found in ours.items():
        points = published[name].positions[:, :2]
        low, high = points.min(axis=0) - _RIM, points.max(axis=0) + _RIM
        inside = ((found.positions >= low) & (found.positions <= high)).all(axis=1)
        pairs = match(found.positions[inside], points, pixel=found.pixel)
        rows[name] = {
            "published": len(points),
            "ours": int(inside.sum()),
            "matched / %": 100.0 * pairs.recall,
            "confirmed / %": 100.0 * pairs.precision,
            "displacement / pm": pairs.error,
            "Si published": int((published[name].numbers == 14).sum()),
            "Si ours": int((found.numbers[inside] == 14).sum()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def sheets(
    ours: Mapping[str, Found], published: Mapping[str, Atoms]
) -> dict[tuple[str, str], Atoms]:
    """Return the sheets of the two images of Fig. 3a, as published and as we find them.

    Parameters
    ----------
    ours, published
        As for `agreement`.

    Returns
    -------
    dict of (str, str) to ase.Atoms
        Letter "a" or "b" and "published" or "ours". The published sheet b is a part of
        those of the large image, so ours is what lies in the same frame. All are carbon:
        the paper gives ARISE no species here.

    Examples
    --------
    >>> sheets({}, {})
    {}
    """
    found = {}
    for letter, image in (("a", "graphene_si_2nm"), ("b", "graphene_boundary_6nm")):
        if image in ours and storage.available(f"stem/graphene_{letter}.xyz"):
            atoms = read_structure(storage.fetch(f"stem/graphene_{letter}.xyz"))
            low, high = atoms.positions.min(axis=0) - 1.0, atoms.positions.max(axis=0) + 1.0
            points = ours[image].positions
            inside = ((points >= low[:2]) & (points <= high[:2])).all(axis=1)
            flat = np.column_stack([points[inside], np.zeros(int(inside.sum()))])
            found[letter, "published"] = atoms
            found[letter, "ours"] = Atoms(f"C{len(flat)}", flat)
    return found


def quasicrystal() -> Atoms | None:
    """Read the published positions of the quasicrystal (Fig. 3h).

    Returns
    -------
    ase.Atoms or None
        In pixels; None if the file is not in the data cache.

    Examples
    --------
    >>> atoms = quasicrystal()
    >>> atoms is None or len(atoms) == 4090
    True
    """
    name = "stem/quasicrystal.xyz"
    return read_structure(storage.fetch(name)) if storage.available(name) else None


def control(atoms: Atoms, seed: Seed) -> Atoms:
    """Pack atoms into the same frame at random, as densely.

    Parameters
    ----------
    atoms : ase.Atoms
        Flat.
    seed : int or sequence of int
        Seed of the packing.

    Returns
    -------
    ase.Atoms
        Of equal density; the shortest distance is the 1 % quantile of the nearest-neighbour
        distances of `atoms`, or what can just be packed at random, if that is shorter.

    Examples
    --------
    >>> from arise_lib.microscopy.scenes import sheet
    >>> len(control(sheet("graphene", 20.0, 0), 0)) > 100
    True
    """
    points = atoms.positions[:, :2]
    frame = np.ptp(points, axis=0)
    density = len(points) / float(np.prod(frame))
    nearest = float(np.quantile(cKDTree(points).query(points, k=2)[0][:, 1], 0.01))
    # Discs of this diameter cover 45 % of the plane; random addition jams at 54.7 %.
    apart = min(nearest, np.sqrt(1.8 / np.pi / density))
    packed = random_packing(float(frame.max()), density, apart, seed)
    # A square of the longer edge, cut to the frame.
    packed = packed[(packed.positions[:, :2] <= frame).all(axis=1)]
    packed.numbers[:] = atoms.numbers[0]
    return packed


def pentagons(
    maps: xr.Dataset, middles: NDArray[np.float64], sizes: NDArray[np.int64], box: float
) -> pd.DataFrame:
    """Group boxes by the pentagons in them.

    Parameters
    ----------
    maps : xarray.Dataset
        From `arise_lib.scan`, of one layer.
    middles, sizes : ndarray
        From `arise_lib.microscopy.rings`.
    box : float
        Edge of the boxes, in the unit of the positions.

    Returns
    -------
    pandas.DataFrame
        By number of pentagons ("0", "1 to 2", "3 and more"): `boxes`, `p(MnS2) / %`, mean,
        `named MnS2 / %`, and `mutual information / bit`, mean.

    Examples
    --------
    >>> import arise_lib as arise
    >>> from arise_lib.microscopy import grain_boundary, rings
    >>> sheet = grain_boundary(24.0, 25.0, seed=0)
    >>> maps = arise.scan(sheet, 12.0, 12.0, padding=0.0, passes=10)
    >>> "boxes" in pentagons(maps, *rings(sheet.positions[:, :2]), box=12.0)
    True
    """
    layer = maps.isel(z=maps.sizes["z"] // 2)
    five = middles[sizes == 5]
    centres = np.stack(np.meshgrid(layer["x"].values, layer["y"].values), axis=-1).reshape(-1, 2)
    inside = (np.abs(centres[:, None] - five[None]) <= box / 2.0).all(axis=2).sum(axis=1)
    table = pd.DataFrame(
        {
            "pentagons": pd.cut(inside, [-1, 0, 2, np.inf], labels=["0", "1 to 2", "3 and more"]),
            "p": layer["probability"].sel({"class": "MnS2"}).transpose("y", "x").values.ravel(),
            "label": layer["label"].transpose("y", "x").values.ravel(),
            "bit": layer["mutual_information"].transpose("y", "x").values.ravel(),
        }
    )
    table = table[table["label"] != ""]
    grouped = table.groupby("pentagons", observed=True)
    return pd.DataFrame(
        {
            "boxes": grouped.size(),
            "p(MnS2) / %": 100.0 * grouped["p"].mean(),
            "named MnS2 / %": 100.0 * grouped["label"].agg(lambda names: (names == "MnS2").mean()),
            "mutual information / bit": grouped["bit"].mean(),
        }
    )
