"""CIF: sites of the asymmetric unit, expanded by the symmetry that the file states.

The syntax and the tables of space groups are gemmi's. What the file leaves open (origin,
rhombohedral or hexagonal axes, unique axis) is decided by its cell and by its declared formula;
the result is checked against cell, formula and multiplicities, and refused where it contradicts
them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import cast

import gemmi
import numpy as np
import spglib
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols, covalent_radii
from ase.geometry import cellpar_to_cell
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from arise_lib.errors import InputError
from arise_lib.structures.reading.files import Content
from arise_lib.structures.reading.frames import Choices, Frame, Reading
from arise_lib.structures.reading.words import element, number, shown

# Images of a site nearer than this (Å) are one atom on a special position, rounded in the file.
_SAME_SITE = 0.4
# Partly occupied positions nearer than this (Å) cannot be occupied at once.
_SHARED = 0.6
# Occupancies from here on count as full.
_FULL = 0.99
# How far the cell may be from the symmetry of its group: share of the products of its lengths.
_CELL_TOLERANCE = 0.03
_MAX_ATOMS = 5_000_000
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
_UNITS = ("_cell_formula_units_z", "_chemical_formula_units_z")
# Suffixes of Hermann-Mauguin symbols: gemmi's ":2", and those of the ICSD, where S is the first
# origin and Z the centre of symmetry.
_SUFFIX = re.compile(r"^(.*?)\s*(?::\s*([12HRSZ])|\s(HR|[12HRSZ])|\(([12HRSZ])\))$", re.IGNORECASE)
_VACANCY = re.compile(r"(va|vac|vc|vacancy|x|xx|\[\]|□)[0-9]*", re.IGNORECASE)
_WATER = re.compile(r"(wat|water|ow|hoh)[0-9]*", re.IGNORECASE)

#: A symmetry operation: rotation (3, 3) and translation (3,), on fractional coordinates.
Operation = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass
class _Site:
    """A site of the asymmetric unit."""

    label: str
    number: int
    position: NDArray[np.float64]
    occupancy: float
    multiplicity: int | None


@dataclass
class _Symmetry:
    """Operations that the file may mean, and how they were found."""

    operations: list[Operation]
    name: str
    listed: bool = False


@dataclass
class _Expanded:
    """Atoms of the cell: index of the site of each, and fractional coordinates (n_atoms, 3)."""

    owners: NDArray[np.intp]
    positions: NDArray[np.float64]
    moved: float


def read_cif(content: Content, choices: Choices) -> list[Reading]:
    """Find the blocks of a CIF that hold positions of atoms."""
    try:
        document = gemmi.cif.read_string(content.text)
    except (RuntimeError, ValueError, IndexError) as error:
        # The parser names the string, not the file.
        reason = re.sub(r"^string:", "line ", str(error).partition("\n")[0])
        raise InputError(f"{content.place} cannot be read as CIF ({reason})") from error
    readings: list[Reading] = []
    for block in document:
        tags = _tags(block)
        if "_atom_site_fract_x" in tags or "_atom_site_cartn_x" in tags:
            readings.append(partial(_block, content.place, tags, choices))
    if not readings:
        raise InputError(
            f"{content.place} cannot be read as CIF: no block holds positions of atoms"
        )
    return readings


def _tags(block: gemmi.cif.Block) -> dict[str, list[str]]:
    """Return the values of all tags, in lower case and with the names of CIF 1."""
    tags: dict[str, list[str]] = {}
    for item in block:
        if item.pair is not None:
            (name, value) = cast("tuple[str, str]", item.pair)
            names, values = [name], [value]
        elif item.loop is not None:
            names, values = item.loop.tags, list(item.loop.values)
        else:
            continue
        for i, name in enumerate(names):
            words = [gemmi.cif.as_string(value).strip() for value in values[i :: len(names)]]
            tags.setdefault(name.lower().replace(".", "_"), words)
    return tags


def _first(tags: dict[str, list[str]], names: tuple[str, ...]) -> str:
    """Return the first value that is stated, an empty string where none is."""
    for name in names:
        for value in tags.get(name, [])[:1]:
            if value not in ("", "?", "."):
                return value
    return ""


def _value(word: str) -> float:
    """Convert a number that may have its uncertainty in brackets."""
    return number(re.sub(r"\([0-9]*\)$", "", word))


def _block(place: str, tags: dict[str, list[str]], choices: Choices, notes: list[str]) -> Frame:
    """Read one block."""
    cell = _cell(place, tags)
    sites = _sites(place, tags, cell, choices, notes)
    if cell is None:
        return Frame(
            [site.label for site in sites],
            [site.number for site in sites],
            [site.position for site in sites],
            None,
            [False] * 3,
        )
    symmetries = _symmetries(place, tags, cell, notes)
    symmetry, expanded = _decide(place, tags, cell, sites, symmetries, notes)
    if expanded.moved > 0.1:
        notes.append(
            f"{place}: images of a site up to {expanded.moved:.2g} Å apart were taken as one atom "
            "on a special position"
        )
    if symmetry.listed:
        _check_named_group(place, tags, cell, sites, expanded, symmetry, notes)
    owners, positions = _occupy(place, sites, expanded, cell, choices, notes)
    labels = [sites[i].label for i in owners]
    return Frame(labels, [sites[i].number for i in owners], positions @ cell, cell, [True] * 3)


# --- cell and sites ----------------------------------------------------------------------------


def _cell(place: str, tags: dict[str, list[str]]) -> NDArray[np.float64] | None:
    """Return the cell vectors (3, 3), None where the file states none."""
    names = [f"_cell_length_{x}" for x in "abc"] + [
        f"_cell_angle_{x}" for x in ("alpha", "beta", "gamma")
    ]
    words = [_first(tags, (name,)) for name in names]
    if not any(words[:3]):
        if "_atom_site_fract_x" in tags:
            raise InputError(f"{place} has fractional coordinates, but no cell")
        return None
    values = [_value(word) if word else (np.nan if i < 3 else 90.0) for i, word in enumerate(words)]
    bad = [i for i, value in enumerate(values) if not 0 < value < (np.inf if i < 3 else 180)]
    if bad:
        raise InputError(f"{place}: {names[bad[0]]} is {shown(words[bad[0]])}; correct the cell")
    a, b, c = np.cos(np.radians(values[3:]))
    if 1 + 2 * a * b * c - a * a - b * b - c * c <= 1e-9:
        raise InputError(f"{place}: the angles {values[3:]} span no cell")
    return np.asarray(cellpar_to_cell(values), dtype=float)


def _sites(
    place: str,
    tags: dict[str, list[str]],
    cell: NDArray[np.float64] | None,
    choices: Choices,
    notes: list[str],
) -> list[_Site]:
    """Return the sites that are atoms with a position."""
    fractional = "_atom_site_fract_x" in tags
    axes = [f"_atom_site_{'fract' if fractional else 'cartn'}_{x}" for x in "xyz"]
    n = len(tags[axes[0]])
    if any(len(tags.get(axis, [])) != n for axis in axes):
        raise InputError(f"{place} lacks one of {', '.join(axes)}")
    if len(set(tags.get("_atom_site_pdbx_pdb_model_num", []))) > 1:
        raise InputError(f"{place} holds several models of one molecule; keep one of them")

    def column(name: str) -> list[str]:
        found = tags.get(f"_atom_site_{name}", [])
        return found if len(found) == n else [""] * n

    labels, symbols = column("label"), column("type_symbol")
    occupancies, kinds = column("occupancy"), column("calc_flag")
    multiplicities = column("symmetry_multiplicity")
    declared = _formula(tags)
    sites, without, vacant = [], [], []
    capitals: dict[str, int] = {}
    for i in range(n):
        symbol = symbols[i] if symbols[i] not in ("", "?", ".") else labels[i]
        words = [tags[axis][i] for axis in axes]
        if kinds[i] == "dum" or (_VACANCY.fullmatch(symbol) and symbol not in choices.types):
            vacant.append(labels[i] or symbol)
            continue
        position = np.array([_value(word) for word in words])
        if not np.isfinite(position).all() or (np.abs(position) > 1e6).any():
            if all(word in ("", "?", ".") for word in words):  # the parser gives none for "?"
                without.append(labels[i] or symbol)
                continue
            raise InputError(f"{place}: site {shown(labels[i])} has coordinates {shown(words)}")
        atomic = _number(place, labels[i], symbol, declared, choices)
        if symbol is labels[i] and symbol[:2].isalpha() and symbol[:2].isupper():
            capitals[labels[i]] = atomic
        if cell is not None and not fractional:
            position = np.linalg.solve(cell.T, position)
        occupancy = _value(occupancies[i]) if occupancies[i] not in ("", "?", ".") else 1.0
        multiplicity = multiplicities[i]
        sites.append(
            _Site(
                labels[i] or symbol,
                atomic,
                position,
                min(occupancy, 1.0) if occupancy >= 0 else 1.0,
                int(multiplicity) if multiplicity.isdecimal() and len(multiplicity) < 6 else None,
            )
        )
    for names, reason in ((without, "have no position"), (vacant, "are vacancies")):
        if names:
            notes.append(f"{place}: sites without atoms left out, as they {reason}: {_some(names)}")
    if capitals and not declared:
        read = [f"{label} as {chemical_symbols[number]}" for label, number in capitals.items()]
        notes.append(f"{place} has no column of symbols; labels were read: {_some(read)}")
    if not sites:
        raise InputError(f"{place} holds no atom with a position; at least one is needed")
    return sites


def _some(names: list[str]) -> str:
    """Join names for a message, the first ones where there are many."""
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(shown(name)[1:-1] for name in names[:6]) + more


def _number(
    place: str, label: str, symbol: str, declared: dict[int, float], choices: Choices
) -> int:
    """Return the atomic number of a site; 0 for what is to be ignored."""
    for word in (label, symbol):
        if word in choices.types:
            return choices.types[word]
        if word in choices.ignore:
            return 0
    if _WATER.fullmatch(symbol):
        return 8
    letters = re.match("[A-Za-z]*", symbol)
    text = letters[0] if letters else ""
    # "CD1" of an organic compound is carbon: the formula knows.
    options = [text[:2].capitalize(), text[:1].upper()]
    if symbol is label and declared:
        known = [o for o in options if o and atomic_numbers.get(o, 0) in declared]
        if known:
            return int(atomic_numbers[known[0]])
    if text == "D" or symbol == "T":
        return 1
    for option in options:
        if atomic_numbers.get(option, 0) > 0:
            return int(atomic_numbers[option])
    return choices.number(f"{place}, site {shown(label)}", symbol)


def _formula(tags: dict[str, list[str]]) -> dict[int, float]:
    """Return the atoms of the declared formula by atomic number; empty where none is declared."""
    found: dict[int, float] = {}
    formula = _first(tags, ("_chemical_formula_sum",))
    if not re.fullmatch(r"(?:\s*[A-Z][a-z]?[0-9.]*)+\s*", formula):
        return found
    for symbol, count in re.findall(r"([A-Z][a-z]?)([0-9.]*)", formula):
        amount = number(count) if count else 1.0
        if not element(symbol) or not np.isfinite(amount):
            return {}
        found[element(symbol)] = found.get(element(symbol), 0.0) + amount
    return found


# --- symmetry ----------------------------------------------------------------------------------


def _symmetries(
    place: str, tags: dict[str, list[str]], cell: NDArray[np.float64], notes: list[str]
) -> list[_Symmetry]:
    """Return what the file's symmetry may be; one entry where the file says it."""
    listed = _listed(place, tags)
    if listed:
        if not _is_metric(cell, listed):
            raise InputError(
                f"{place}: the cell {_cell_text(cell)} does not have the symmetry of the "
                "operations that the file lists; correct the cell or the operations"
            )
        return [_Symmetry(listed, "the operations listed", listed=True)]
    hall = _first(tags, _HALL)
    if hall:
        try:
            operations = [_operation(op) for op in gemmi.symops_from_hall(hall)]
        except (RuntimeError, ValueError):
            operations = []
        if operations and _is_metric(cell, operations):
            return [_Symmetry(operations, f"Hall symbol {hall}")]
    groups, certain, text = _groups(place, tags)
    if not groups:
        notes.append(f"{place} states no symmetry: its sites are taken as all atoms of the cell")
        return [_Symmetry([(np.eye(3), np.zeros(3))], "P 1")]
    found = [_Symmetry([_operation(op) for op in sg.operations()], sg.xhm()) for sg in groups]
    fitting = [s for s in found if _is_metric(cell, s.operations)]
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


def _operation(op: gemmi.Op) -> Operation:
    """Convert an operation to arrays."""
    return np.array(op.rot) / op.DEN, np.array(op.tran) / op.DEN


def _listed(place: str, tags: dict[str, list[str]]) -> list[Operation]:
    """Return the operations that the file lists, each once; empty where there are none."""
    words = next((tags[name] for name in _OPERATIONS if _first(tags, (name,))), [])
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
    return [_operation(op) for op in found.values()]


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


def _is_metric(cell: NDArray[np.float64], operations: list[Operation]) -> bool:
    """Tell whether the rotations leave the lengths and angles of the cell as they are."""
    metric = cell @ cell.T
    lengths = np.sqrt(np.diag(metric))
    rotations = np.array([rotation for rotation, _ in operations])
    change = np.einsum("nji,jk,nkl->nil", rotations, metric, rotations) - metric
    return bool((np.abs(change / np.outer(lengths, lengths)) <= _CELL_TOLERANCE).all())


def _cell_text(cell: NDArray[np.float64]) -> str:
    """Return lengths and angles for a message."""
    return " ".join(f"{value:.4g}" for value in Atoms(cell=cell).cell.cellpar())


def _groups(place: str, tags: dict[str, list[str]]) -> tuple[list[gemmi.SpaceGroup], bool, str]:
    """Return the settings that name and number may mean, whether the axes are told, and the text.

    The reference setting comes first.
    """
    name, number_text = _first(tags, _NAMES).strip(), _first(tags, _NUMBERS)
    wanted = int(number_text) if number_text.isdecimal() and len(number_text) < 4 else 0
    suffix = _suffix_of(_first(tags, _SETTINGS))
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


# --- expansion ---------------------------------------------------------------------------------


def _decide(
    place: str,
    tags: dict[str, list[str]],
    cell: NDArray[np.float64],
    sites: list[_Site],
    symmetries: list[_Symmetry],
    notes: list[str],
) -> tuple[_Symmetry, _Expanded]:
    """Choose among what the symmetry may be, and check the choice against formula and sites."""
    expansions, problems = [], []
    for symmetry in symmetries:
        try:
            expansions.append((symmetry, _expand(place, cell, sites, symmetry.operations)))
        except InputError as error:
            problems.append(str(error))
    if not expansions:
        raise InputError(problems[0])
    verdicts = [_against_file(tags, sites, expanded) for _, expanded in expansions]
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


def _expand(
    place: str, cell: NDArray[np.float64], sites: list[_Site], operations: list[Operation]
) -> _Expanded:
    """Apply the operations to each site; images that coincide are one atom, at their mean."""
    if len(sites) * len(operations) > _MAX_ATOMS:
        raise InputError(
            f"{place}: {len(sites)} sites by {len(operations)} operations are too many"
        )
    rotations = np.array([rotation for rotation, _ in operations])
    translations = np.array([translation for _, translation in operations])
    positions, owners, moved = [], [], 0.0
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
        for first in firsts:
            offsets = -difference[first, same[first]]
            positions.append(images[first] + offsets.mean(axis=0))
        moved = max(moved, float(distance[same].max()))
        owners += [i] * len(firsts)
    return _Expanded(np.array(owners), np.array(positions) % 1.0, moved)


def _against_file(
    tags: dict[str, list[str]], sites: list[_Site], expanded: _Expanded
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
    declared = _formula(tags)
    if not declared:
        return "", False
    atoms = dict.fromkeys(declared, 0.0)
    for site, found in zip(sites, found_of_site, strict=True):
        atoms[site.number] = atoms.get(site.number, 0.0) + found * site.occupancy
    units_text = _first(tags, _UNITS)
    units = _value(units_text) if units_text else np.nan
    heavy = [number for number in declared if number > 1 and declared[number] > 0] or [1]
    if not units > 0:
        # Without Z, as many formula units as the atoms make, if the number is whole.
        units = max(1.0, float(round(max(atoms[n] / declared[n] for n in heavy))))
    # Shares are rounded, whole numbers are not.
    whole = all(site.occupancy >= _FULL for site in sites)
    whole = whole and all(float(count).is_integer() for count in declared.values())
    allowed = {n: 0.1 if whole else 0.6 + 0.03 * declared[n] * units for n in heavy}
    short = [n for n in heavy if declared[n] * units - atoms[n] > allowed[n]]
    excess = [n for n in heavy if atoms[n] - declared[n] * units > allowed[n]]
    extra = [n for n in atoms if n > 1 and n not in declared and atoms[n] > 0.6]
    wrong = (short + excess + extra)[:1]
    if not wrong:
        return "", False
    symbol = chemical_symbols[wrong[0]]
    return (
        f"the cell comes out with {atoms[wrong[0]]:g} {symbol}, formula and Z say "
        f"{declared.get(wrong[0], 0.0) * units:g}",
        bool(short),
    )


def _spacing(cell: NDArray[np.float64], sites: list[_Site], expanded: _Expanded) -> float:
    """Return the smallest distance of two atoms, in units of their covalent radii."""
    atomic = [sites[i].number for i in expanded.owners]
    atoms = Atoms(atomic, scaled_positions=expanded.positions, cell=cell, pbc=True)
    i, j, d = neighbor_list("ijd", atoms, 4.0)
    radii = covalent_radii[atoms.numbers]
    return float((d / (radii[i] + radii[j])).min()) if len(d) else np.inf


def _check_named_group(
    place: str,
    tags: dict[str, list[str]],
    cell: NDArray[np.float64],
    sites: list[_Site],
    expanded: _Expanded,
    symmetry: _Symmetry,
    notes: list[str],
) -> None:
    """Tell where the file names a group of more symmetry than its operations and atoms have."""
    try:
        groups, _, text = _groups(place, tags)
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
    dataset = spglib.get_symmetry_dataset((cell, expanded.positions, numbers), symprec=0.1)
    if dataset is None or dataset.number == groups[0].number:
        return
    if not _is_metric(cell, [_operation(op) for op in named]):
        # Other axes, such as a primitive cell: its translations cannot be compared.
        order = len(named.sym_ops)
    if len(dataset.rotations) < order:
        notes.append(
            f"{place} names the space group {shown(text)}, but lists {listed} operation(s) only, "
            f"and its {len(numbers)} atom(s) lack the symmetry; the operations were taken"
        )


# --- occupancy ---------------------------------------------------------------------------------


def _occupy(
    place: str,
    sites: list[_Site],
    expanded: _Expanded,
    cell: NDArray[np.float64],
    choices: Choices,
    notes: list[str],
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Make whole atoms of partly occupied sites, as `choices.occupancy` says."""
    share = np.array([site.occupancy for site in sites])[expanded.owners]
    owners, positions = expanded.owners, expanded.positions
    partial_sites = [s for s in sites if s.occupancy < _FULL]
    if not partial_sites:
        return owners, positions
    names = _some([f"{s.label} ({s.occupancy:g})" for s in partial_sites])
    told = f"{place} has partly occupied sites, {names}"
    if choices.occupancy == "refuse":
        raise InputError(f"{told}; say with occupancy= what to do, such as 'major'")
    if choices.occupancy == "all":
        notes.append(f"{told}: every one is taken as an atom (occupancy='all')")
        return owners[share > 0], positions[share > 0]
    if choices.occupancy == "full":
        kept = share >= _FULL
        if not kept.any():
            raise InputError(f"{told}, and no other; occupancy='full' leaves no atom")
        notes.append(f"{told}: {(~kept).sum()} are left out (occupancy='full')")
        return owners[kept], positions[kept]
    few = np.flatnonzero(share < _FULL)
    numbers = np.array([sites[i].number for i in owners])
    groups = _near(positions[few], cell)
    kept_atoms = list(np.flatnonzero(share >= _FULL))
    positions = positions.copy()
    n_shared = n_left = 0
    for group in groups:
        members = few[group]
        total = share[members].sum()
        if total < 0.5 - 1e-6:
            n_left += len(members)
            continue
        # The species with the most of the site, of equals the first in the file.
        kinds = list(dict.fromkeys(numbers[members].tolist()))
        weights = [share[members][numbers[members] == kind].sum() for kind in kinds]
        main = members[numbers[members] == kinds[int(np.argmax(np.round(weights, 6)))]]
        away = positions[main] - positions[main[0]]
        away -= np.round(away)
        positions[main[0]] += np.average(away, axis=0, weights=share[main])
        kept_atoms.append(main[0])
        n_shared += len(members) > 1
    order = np.sort(np.array(kept_atoms, dtype=int))
    if not order.size:
        raise InputError(f"{told}, all of them less than half; no atom is left")
    done = [f"{n_shared} shared position(s) went to the species with most of it"] * (n_shared > 0)
    done += [f"{n_left} atom(s) less than half there are left out"] * (n_left > 0)
    notes.append(f"{told}: {', '.join([*done, 'others count as full'])} (occupancy='major')")
    return owners[order], positions[order]


def _near(positions: NDArray[np.float64], cell: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Group positions that cannot be occupied at once, each group in order."""
    # Heights of the cell bound fractional differences.
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    reach = min(0.5, _SHARED / heights.min())
    wrapped = positions % 1.0
    wrapped[wrapped >= 1.0] = 0.0
    tree = cKDTree(wrapped, boxsize=1.0)
    pairs = tree.query_pairs(reach * np.sqrt(3), output_type="ndarray")
    difference = wrapped[pairs[:, 0]] - wrapped[pairs[:, 1]]
    difference -= np.round(difference)
    pairs = pairs[np.linalg.norm(difference @ cell, axis=1) < _SHARED]
    n = len(positions)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels, kind="stable")
    edges = np.flatnonzero(np.diff(labels[order])) + 1
    bounds = [0, *edges.tolist(), n]
    return [order[a:b] for a, b in pairwise(bounds)]
