"""Symmetry operations that a CIF lists, or means by the name or number of its group."""

from __future__ import annotations

import re
from dataclasses import dataclass

import gemmi
import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from arise_lib.errors import InputError
from arise_lib.structures.reading.cif.tags import Tags, first
from arise_lib.structures.reading.words import shown

# How far the cell may be from the symmetry of its group: share of the products of its lengths.
_CELL_TOLERANCE = 0.03
# A cell of the largest groups has 192; supercells may list more.
_MAX_OPERATIONS = 1024

_OPERATIONS = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop_magn_operation_xyz",
)
_CENTRINGS = "_space_group_symop_magn_centering_xyz"
_NAMES = (
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_full",
    "_space_group_name_h-m_ref",
)
_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number")
_SETTINGS = ("_space_group_it_coordinate_system_code", "_symmetry_space_group_setting")
# Suffixes of Hermann-Mauguin symbols: gemmi's ":2", and those of the ICSD, where S is the first
# origin and Z the centre of symmetry.
_SUFFIX = re.compile(r"^(.*?)\s*(?::\s*([12HRSZ])|\s(HR|[12HRSZ])|\(([12HRSZ])\))$", re.IGNORECASE)

#: A symmetry operation: rotation (3, 3) and translation (3,), on fractional coordinates.
Operation = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass
class Symmetry:
    """Operations that the file may mean, and how they were found."""

    operations: list[Operation]
    name: str
    listed: bool = False


def symmetries(
    place: str, tags: Tags, cell: NDArray[np.float64], notes: list[str]
) -> list[Symmetry]:
    """Return what the file's symmetry may be; one entry where the file says it."""
    listed = _listed(place, tags)
    if listed:
        if not is_metric(cell, listed):
            raise InputError(
                f"{place}: the cell {_cell_text(cell)} does not have the symmetry of the "
                "operations that the file lists; correct the cell or the operations"
            )
        return [Symmetry(listed, "the operations listed", listed=True)]
    hall = first(tags, _HALL)
    if hall:
        try:
            operations = [operation(op) for op in gemmi.symops_from_hall(hall)]
        except (RuntimeError, ValueError):
            operations = []
        if operations and is_metric(cell, operations):
            return [Symmetry(operations, f"Hall symbol {hall}")]
    groups, certain, text = groups_named(place, tags)
    if not groups:
        notes.append(f"{place} states no symmetry: its sites are taken as all atoms of the cell")
        return [Symmetry([(np.eye(3), np.zeros(3))], "P 1")]
    found = [_of_group(group) for group in groups]
    fitting = [s for s in found if is_metric(cell, s.operations)]
    if not fitting and 3 <= groups[0].number <= 15:
        # "P 21/c" leaves the unique axis to the cell.
        found = [_of_group(g) for g in gemmi.spacegroup_table() if g.number == groups[0].number]
        fitting = [s for s in found if is_metric(cell, s.operations)]
        certain = False
    if not fitting:
        raise InputError(
            f"{place}: the cell {_cell_text(cell)} does not have the symmetry of the space group "
            f"{shown(text)}; correct one of them, or list the operations"
        )
    standard = fitting[0].name.split(":")[0]
    if not certain and any(s.name.split(":")[0] != standard for s in fitting):
        notes.append(
            f"{place}: the space group number alone does not tell the axes; the standard setting "
            f"{standard} is taken"
        )
        fitting = [s for s in fitting if s.name.split(":")[0] == standard]
    return fitting


def _of_group(group: gemmi.SpaceGroup) -> Symmetry:
    """Return the operations of a group in one of its settings."""
    return Symmetry([operation(op) for op in group.operations()], group.xhm())


def operation(op: gemmi.Op) -> Operation:
    """Convert an operation to arrays."""
    return np.array(op.rot) / op.DEN, np.array(op.tran) / op.DEN


def _listed(place: str, tags: Tags) -> list[Operation]:
    """Return the operations that the file lists, each once; empty where there are none."""
    words = next((tags[name] for name in _OPERATIONS if first(tags, (name,))), [])
    centrings = tags.get(_CENTRINGS, ["x,y,z"]) if _OPERATIONS[2] in tags else ["x,y,z"]
    found: dict[str, gemmi.Op] = {}
    for word in words:
        for centring in centrings:
            try:
                # A fourth part is the time reversal of magnetic groups.
                ops = [gemmi.Op(",".join(w.lower().split(",")[:3])) for w in (centring, word)]
            except (RuntimeError, ValueError) as error:
                raise InputError(
                    f"{place}: {shown(word)} is no symmetry operation such as x,1/2-y,z"
                ) from error
            op = ops[0].combine(ops[1]).wrap()
            found.setdefault(op.triplet(), op)
            if len(found) > _MAX_OPERATIONS:
                raise InputError(f"{place} lists more symmetry operations than a group has")
    if not _is_closed(list(found.values())):
        raise InputError(
            f"{place}: the {len(found)} symmetry operations listed are no group; the loop is "
            "incomplete or damaged"
        )
    return [operation(op) for op in found.values()]


def _is_closed(ops: list[gemmi.Op]) -> bool:
    """Tell whether the product of any two operations is one of them, up to whole translations."""
    if not ops:
        return True
    rotations = np.array([op.rot for op in ops]) // gemmi.Op.DEN
    translations = np.array([op.tran for op in ops])
    if np.abs(rotations).max() > 1:
        return False
    products = np.einsum("aij,bjk->abik", rotations, rotations)
    if np.abs(products).max() > 1:
        return False
    moved = np.einsum("aij,bj->abi", rotations, translations) + translations[:, None]
    # One whole number for each operation.
    powers = 3 ** np.arange(9).reshape(3, 3)
    units = gemmi.Op.DEN ** np.arange(3)

    def code(rotation: NDArray[np.int_], translation: NDArray[np.int_]) -> NDArray[np.int_]:
        whole = ((rotation + 1) * powers).sum(axis=(-1, -2))
        return np.asarray(whole * gemmi.Op.DEN**3 + (translation % gemmi.Op.DEN) @ units)

    return bool(np.isin(code(products, moved), code(rotations, translations)).all())


def is_metric(cell: NDArray[np.float64], operations: list[Operation]) -> bool:
    """Tell whether the rotations leave the lengths and angles of the cell as they are."""
    metric = cell @ cell.T
    lengths = np.sqrt(np.diag(metric))
    rotations = np.array([rotation for rotation, _ in operations])
    change = np.einsum("nji,jk,nkl->nil", rotations, metric, rotations) - metric
    return bool((np.abs(change / np.outer(lengths, lengths)) <= _CELL_TOLERANCE).all())


def _cell_text(cell: NDArray[np.float64]) -> str:
    """Return lengths and angles for a message."""
    return " ".join(f"{value:.4g}" for value in Atoms(cell=cell).cell.cellpar())


def groups_named(place: str, tags: Tags) -> tuple[list[gemmi.SpaceGroup], bool, str]:
    """Return the settings that name and number may mean, whether the axes are told, and the text.

    The reference setting comes first.
    """
    name, number_text = first(tags, _NAMES).strip(), first(tags, _NUMBERS)
    wanted = int(number_text) if number_text.isdecimal() and len(number_text) < 4 else 0
    suffix = _suffix_of(first(tags, _SETTINGS))
    match = _SUFFIX.match(name)
    table = list(gemmi.spacegroup_table())
    # The whole name first: "R 3 2" ends in what could be a suffix.
    group = _group(name)
    if match and (match[2] or group is None):
        group = _group(match[1])
        suffix = _suffix_of(match[2] or match[3] or match[4])
    if group is not None and wanted and group.number != wanted:
        raise InputError(
            f"{place}: the space group is {shown(name)} by name and {wanted} by number; correct "
            "one of them, or list the operations"
        )
    if group is None and name and not wanted:
        raise InputError(
            f"{place}: unknown space group {shown(name)}; write it as in 'F m -3 m', or list the "
            "operations"
        )
    if group is not None:
        found = [g for g in table if (g.number, g.hm) == (group.number, group.hm)]
    elif 1 <= wanted <= 230:
        found = [g for g in table if g.number == wanted]
        found.sort(key=lambda g: not g.is_reference_setting())
    elif wanted:
        raise InputError(f"{place}: space group {wanted}: there are 230")
    else:
        return [], True, ""
    stated = [g for g in found if suffix and g.ext == suffix]
    return stated or found, group is not None, name or number_text


def _group(name: str) -> gemmi.SpaceGroup | None:
    """Return a group of this name, in any of its settings."""
    found = (gemmi.find_spacegroup_by_name(spelling) for spelling in _spellings(name))
    return next((group for group in found if group is not None), None)


def _suffix_of(word: str) -> str:
    """Return gemmi's letter for a setting; empty where it says nothing of origin or axes."""
    return {"S": "1", "Z": "2", "HR": "H"}.get(word.upper(), word.upper()[:1])


def _spellings(name: str) -> list[str]:
    """Return a Hermann-Mauguin symbol, its plain form and its short form."""
    plain = re.sub(r"[_()'\"]", "", name).strip()
    if plain[:1].islower():
        plain = plain[0].upper() + plain[1:]
    first, *parts = plain.split() or [""]
    tails = [part.rpartition("/")[2] if re.match(r"-?[2346]", part) else part for part in parts]
    # "F 4/m -3 2/m" is F m -3 m, "P 4/m 2/m 2/m" is P 4/m m m, "P 2/m 2/m 2/m" is P m m m.
    short = " ".join([first, *tails])
    half = " ".join([first, *parts[:1], *tails[1:]])
    return [text for text in dict.fromkeys((plain, half, short)) if text]
