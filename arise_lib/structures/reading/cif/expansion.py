"""Atoms of the cell from sites and operations, checked against what the file declares."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols, covalent_radii
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.structures.reading.cif.occupancy import FULL
from arise_lib.structures.reading.cif.sites import Site
from arise_lib.structures.reading.cif.symmetry import (
    Operation,
    Symmetry,
    groups_named,
    is_metric,
    operation,
)
from arise_lib.structures.reading.cif.tags import Tags, first, formula, value
from arise_lib.structures.reading.frames import Choices
from arise_lib.structures.reading.words import shown

# Images of a site nearer than this (Å) are one atom on a special position, rounded in the file.
_SAME_SITE = 0.4
_MAX_ATOMS = 5_000_000
_UNITS = ("_cell_formula_units_z", "_chemical_formula_units_z")


@dataclass
class Expanded:
    """Atoms of the cell: index of the site of each, and fractional coordinates (n_atoms, 3)."""

    owners: NDArray[np.intp]
    positions: NDArray[np.float64]
    moved: float


def decide(
    place: str,
    tags: Tags,
    cell: NDArray[np.float64],
    sites: list[Site],
    symmetries: list[Symmetry],
    choices: Choices,
    notes: list[str],
) -> tuple[Symmetry, Expanded]:
    """Choose among what the symmetry may be, and check the choice against formula and sites."""
    expansions, problems = [], []
    for symmetry in symmetries:
        try:
            expansions.append((symmetry, expand(place, cell, sites, symmetry.operations)))
        except InputError as error:
            problems.append(str(error))
    if not expansions:
        raise InputError(problems[0])
    # What the user says of species is not what the formula says.
    declared = {} if choices.types or choices.ignore else formula(tags)
    verdicts = [_against_file(tags, declared, sites, expanded) for _, expanded in expansions]
    sound = [i for i, (problem, _) in enumerate(verdicts) if not problem]
    if not sound:
        symmetry, _ = expansions[0]
        problem, serious = verdicts[0]
        if serious or not symmetry.listed:
            raise InputError(
                f"{place}: {problem}, by {symmetry.name}; the list of atoms, the symmetry or the "
                "formula is wrong"
            )
        notes.append(f"{place}: {problem}; the atoms were taken as they are listed")
        return expansions[0]
    checked = len(sound) < len(expansions)
    if len(sound) > 1:
        spacings = {i: _spacing(cell, sites, expansions[i][1]) for i in sound}
        # Stable: of equals, the first, which is the standard.
        sound.sort(key=lambda i: -round(spacings[i], 3))
    chosen = expansions[sound[0]]
    if len(symmetries) > 1 and not checked:
        counts = "; ".join(f"{s.name}: {len(e.owners)} atoms" for s, e in expansions)
        notes.append(
            f"{place} does not state the setting of its space group ({counts}); "
            f"{chosen[0].name} was taken, in which atoms are farther apart"
        )
    return chosen


def expand(
    place: str, cell: NDArray[np.float64], sites: list[Site], operations: list[Operation]
) -> Expanded:
    """Apply the operations to each site; images that coincide are one atom, at their mean."""
    if len(sites) * len(operations) > _MAX_ATOMS:
        raise InputError(
            f"{place}: {len(sites)} sites by {len(operations)} operations are too many"
        )
    if len(operations) == 1:
        positions = np.array([site.position for site in sites]) % 1.0
        return Expanded(np.arange(len(sites)), positions, 0.0)
    rotations = np.array([rotation for rotation, _ in operations])
    translations = np.array([translation for _, translation in operations])
    found, owners, moved = [], [], 0.0
    for i, site in enumerate(sites):
        images = rotations @ site.position + translations
        difference = images[:, None] - images[None]
        difference -= np.round(difference)
        distance = np.linalg.norm(difference @ cell, axis=-1)
        same = distance < _SAME_SITE
        if (same.sum(axis=1) != same.sum(axis=1)[0]).any() or (same @ same != same).any():
            # Images are near each other and yet no one position: the limit falls between them.
            same = distance < _SAME_SITE / 4
        firsts = np.flatnonzero(same.argmax(axis=1) == np.arange(len(same)))
        sizes = same[firsts].sum(axis=1)
        if sizes.sum() != len(images) or (sizes != sizes[0]).any():
            raise InputError(
                f"{place}: site {shown(site.label)} is too near a symmetry element to tell whether "
                "it lies on it; write its coordinates with more digits"
            )
        for leader in firsts:
            offsets = -difference[leader, same[leader]]
            found.append(images[leader] + offsets.mean(axis=0))
        moved = max(moved, float(distance[same].max()))
        owners += [i] * len(firsts)
    return Expanded(np.array(owners), np.array(found) % 1.0, moved)


def _against_file(
    tags: Tags, declared: dict[int, float], sites: list[Site], expanded: Expanded
) -> tuple[str, bool]:
    """Return what contradicts formula or multiplicities, and whether atoms are missing."""
    found_of_site = np.bincount(expanded.owners, minlength=len(sites))
    for site, found in zip(sites, found_of_site, strict=True):
        if site.multiplicity and site.multiplicity != found:
            problem = (
                f"site {shown(site.label)} has {found} images, its multiplicity is stated as "
                f"{site.multiplicity}"
            )
            return problem, False
    if not declared:
        return "", False
    atoms = dict.fromkeys(declared, 0.0)
    for site, found in zip(sites, found_of_site, strict=True):
        atoms[site.number] = atoms.get(site.number, 0.0) + found * site.occupancy
    units_text = first(tags, _UNITS)
    units = value(units_text) if units_text else np.nan
    heavy = [number for number in declared if number > 1 and declared[number] > 0] or [1]
    if not units > 0:
        # Without Z, as many formula units as the atoms make, if the number is whole.
        units = max(1.0, float(round(max(atoms[n] / declared[n] for n in heavy))))
    # Shares are rounded, whole numbers are not.
    whole = all(site.occupancy >= FULL for site in sites)
    whole = whole and all(float(count).is_integer() for count in declared.values())
    allowed = {n: 0.1 if whole else 0.6 + 0.03 * declared[n] * units for n in heavy}
    short = [n for n in heavy if declared[n] * units - atoms[n] > allowed[n]]
    excess = [n for n in heavy if atoms[n] - declared[n] * units > allowed[n]]
    extra = [n for n in atoms if n > 1 and n not in declared and atoms[n] > 0.6]
    wrong = (short + excess + extra)[:1]
    if not wrong:
        return "", False
    # Where all are short alike, it is Z that is wrong; of one element alone, a list may be cut.
    ratios = [atoms[n] / (declared[n] * units) for n in heavy]
    is_cut = bool(short) and (len(heavy) == 1 or max(ratios) - min(ratios) > 0.02)
    symbol = chemical_symbols[wrong[0]]
    return (
        f"the cell comes out with {atoms[wrong[0]]:g} {symbol}, formula and Z say "
        f"{declared.get(wrong[0], 0.0) * units:g}",
        is_cut,
    )


def _spacing(cell: NDArray[np.float64], sites: list[Site], expanded: Expanded) -> float:
    """Return the smallest distance of two atoms, in units of their covalent radii."""
    atomic = [sites[i].number for i in expanded.owners]
    atoms = Atoms(atomic, scaled_positions=expanded.positions, cell=cell, pbc=True)
    i, j, d = neighbor_list("ijd", atoms, 4.0)
    radii = covalent_radii[atoms.numbers]
    return float((d / (radii[i] + radii[j])).min()) if len(d) else np.inf


def check_named_group(
    place: str,
    tags: Tags,
    cell: NDArray[np.float64],
    sites: list[Site],
    expanded: Expanded,
    symmetry: Symmetry,
    notes: list[str],
) -> None:
    """Tell where the file names a group of more symmetry than its operations and atoms have."""
    try:
        groups, _, text = groups_named(place, tags)
    except InputError:
        return  # A name that cannot be read does not matter beside operations.
    if not groups or len(expanded.owners) > 2000:
        return
    named = groups[0].operations()
    order = len(named.sym_ops) * len(named.cen_ops)
    listed = len(symmetry.operations)
    if order <= listed:
        return
    numbers = [sites[i].number for i in expanded.owners]
    # Set before the import: the C library writes to the process's stderr.
    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    import spglib

    with warnings.catch_warnings():
        # spglib announces that failures will raise instead of giving None.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            dataset = spglib.get_symmetry_dataset((cell, expanded.positions, numbers), symprec=0.1)
        except spglib.SpglibError:
            return
    if dataset is None or dataset.number == groups[0].number:
        return
    if not is_metric(cell, [operation(op) for op in named]):
        # Other axes, such as a primitive cell: its translations cannot be compared.
        order = len(named.sym_ops)
    if len(dataset.rotations) < order:
        notes.append(
            f"{place} names the space group {shown(text)}, but lists {listed} operation(s) only, "
            f"and its {len(numbers)} atom(s) lack the symmetry; the operations were taken"
        )
