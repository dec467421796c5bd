"""Answers of the command line for a sample: box by box, atom by atom."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from arise_lib import storage

if TYPE_CHECKING:
    import xarray as xr
    from ase import Atoms


def box_by_box(
    atoms: Atoms, options: argparse.Namespace, settings: dict[str, Any]
) -> dict[str, Any]:
    """Scan a sample, and write its maps where they are asked for."""
    from arise_lib.strided.maps import label_shares
    from arise_lib.strided.sweep import scan

    box = options.box or 16.0
    stride = options.stride or box / 4
    if options.padding is not None:
        settings = settings | {"padding": options.padding}
    maps = scan(atoms, box=box, stride=stride, **settings)
    if options.output:
        _save(maps, options.output)
    information = maps["mutual_information"].to_numpy()
    filled = np.isfinite(information)
    shares = label_shares(maps)
    return {
        "n_atoms": len(atoms),
        "box": box,
        "stride": stride,
        "boxes": int(filled.size),
        "filled_boxes": int(filled.sum()),
        "classes": list(shares),
        "shares": numbers(shares.values()),
        "mutual_information": number(information[filled].mean()) if filled.any() else None,
    }


def atom_by_atom(
    atoms: Atoms, options: argparse.Namespace, settings: dict[str, Any]
) -> dict[str, Any]:
    """Label the atoms of a sample, and write them."""
    from arise_lib.strided.labels import label_atoms

    if options.n_atoms is not None:
        settings = settings | {"n_atoms": options.n_atoms}
    centres = range(0, len(atoms), options.every or 1)
    found = label_atoms(atoms, centres=centres, **settings)
    shares, information = found.shares(), found.mutual_information
    (found.spread() if options.every else found).write(options.atoms)
    filled = np.isfinite(information)
    return {
        "n_atoms": len(atoms),
        "labelled": len(centres),
        "classes": list(shares),
        "shares": numbers(shares.values()),
        "mutual_information": number(information[filled].mean()) if filled.any() else None,
        "written": str(options.atoms),
    }


def _save(maps: xr.Dataset, path: Path) -> None:
    with storage.atomic_write(path) as temporary:
        if path.suffix == ".nc":
            maps.to_netcdf(temporary, engine="scipy")
        else:
            arrays = {str(name): maps[name].to_numpy() for name in maps.variables}
            with open(temporary, "wb") as stream:
                np.savez_compressed(stream, allow_pickle=False, **arrays)


def number(value: float) -> float | None:
    """Return a number, or None, JSON's only word for what is undefined, for NaN."""
    return float(value) if np.isfinite(value) else None


def numbers(values: Iterable[float]) -> list[float | None]:
    """Return numbers as JSON has them."""
    return [number(value) for value in values]
