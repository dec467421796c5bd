"""The formats that are read, and how a file shows which one it is.

Every format of this list was looked at: its reader starts no program, unpickles nothing, opens no
database, and sees a cut file where the format allows. Content decides before the name does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from arise_lib.errors import InputError
from arise_lib.structures.reading.aims import AIMS_KEYWORDS, read_aims
from arise_lib.structures.reading.cif import read_cif
from arise_lib.structures.reading.data_json import read_json
from arise_lib.structures.reading.files import Content
from arise_lib.structures.reading.frames import Choices, Reading
from arise_lib.structures.reading.lammps import read_lammps_data, read_lammps_dump
from arise_lib.structures.reading.others import GUARDS, read_traj, read_with_ase
from arise_lib.structures.reading.pdb import read_pdb
from arise_lib.structures.reading.poscar import is_poscar, is_xdatcar, read_poscar, read_xdatcar
from arise_lib.structures.reading.programs import (
    read_castep_cell,
    read_config,
    read_gro,
    read_res,
    read_xsf,
)
from arise_lib.structures.reading.words import COUNT, is_number, shown
from arise_lib.structures.reading.xyz import read_xyz

_HEAD = 1 << 16


@dataclass(frozen=True)
class Format:
    """A format that is read.

    Attributes
    ----------
    name : str
        Its name, as ``format=`` takes it.
    read : callable
        Reader: content and choices to frames.
    names : str
        Regular expression of usual file names, in lower case and unpacked.
    usual : str
        Usual name or ending, for messages and tables.
    about : str
        What it is.
    others : tuple of str
        Further names of the format, such as ASE's.
    """

    name: str
    read: Callable[[Content, Choices], list[Reading]]
    names: str
    usual: str
    about: str
    others: tuple[str, ...] = ()


def _ase(name: str) -> Callable[[Content, Choices], list[Reading]]:
    return partial(read_with_ase, GUARDS[name])


_TABLE = [
    Format("xyz", read_xyz, r".*\.(xyz|extxyz|exyz)", ".xyz", "XYZ, extended XYZ", ("extxyz",)),
    Format(
        "cif",
        read_cif,
        r".*\.m?cif(\.txt)?",
        ".cif",
        "Crystallographic Information File",
        ("mcif",),
    ),
    Format(
        "vasp",
        read_poscar,
        r".*(poscar|contcar).*|.*\.vasp",
        "POSCAR",
        "VASP: POSCAR, CONTCAR",
        ("poscar", "contcar"),
    ),
    Format("vasp-xdatcar", read_xdatcar, r".*xdatcar.*", "XDATCAR", "VASP: XDATCAR", ("xdatcar",)),
    Format("vasp-xml", _ase("vasp-xml"), r".*vasp.*\.xml", "vasprun.xml", "VASP: results"),
    Format("vasp-out", _ase("vasp-out"), r".*outcar.*", "OUTCAR", "VASP: output", ("outcar",)),
    Format(
        "aims",
        read_aims,
        r".*\.in(\.next_step)?|.*\.next_step",
        "geometry.in",
        "FHI-aims: geometry",
    ),
    Format(
        "lammps-data",
        read_lammps_data,
        r"data\..*|.*\.(lmp|data|lammps|lammps-?data)",
        ".lmp",
        "LAMMPS: data file, any atom style",
        ("lammps",),
    ),
    Format(
        "lammps-dump",
        read_lammps_dump,
        r"dump\..*|.*\.(dump|lammpstrj)",
        ".lammpstrj",
        "LAMMPS: text dump",
        ("lammps-dump-text", "lammpstrj"),
    ),
    Format("espresso-in", _ase("espresso-in"), r".*\.pwi", ".pwi", "Quantum ESPRESSO: input"),
    Format("espresso-out", _ase("espresso-out"), r".*\.pwo", ".pwo", "Quantum ESPRESSO: output"),
    Format("castep-cell", read_castep_cell, r".*\.cell", ".cell", "CASTEP: cell"),
    Format("gen", _ase("gen"), r".*\.gen", ".gen", "DFTB+: geometry"),
    Format("traj", read_traj, r".*\.traj", ".traj", "ASE: trajectory"),
    Format("json", read_json, r".*\.json", ".json", "ASE or pymatgen: JSON"),
    Format("pdb", read_pdb, r".*\.(pdb|ent)", ".pdb", "Protein Data Bank", ("proteindatabank",)),
    Format("gro", read_gro, r".*\.gro", ".gro", "GROMACS: coordinates", ("gromacs",)),
    Format("config", read_config, r".*config.*|.*revcon.*", "CONFIG", "DL_POLY: CONFIG", ("dlp4",)),
    Format("res", read_res, r".*\.(res|shelx)", ".res", "SHELX, all atoms listed", ("shelx",)),
    Format("xsf", read_xsf, r".*\.a?xsf", ".xsf", "XCrySDen"),
    Format("cfg", _ase("cfg"), r".*\.cfg", ".cfg", "AtomEye"),
    Format("cube", _ase("cube"), r".*\.cube?", ".cube", "Gaussian cube"),
]

#: Formats by name.
FORMATS = {entry.name: entry for entry in _TABLE}

_ALIASES = {alias: entry for entry in _TABLE for alias in (entry.name, *entry.others)}


def format_named(name: str) -> Format:
    """Return the format of a name as ``format=`` takes it.

    Parameters
    ----------
    name : str
        A key of `FORMATS` or one of its further names; case does not matter.

    Returns
    -------
    Format

    Raises
    ------
    InputError
        If there is no such format. The message lists the formats.

    Examples
    --------
    >>> from arise_lib.structures.reading.formats import format_named
    >>> format_named("POSCAR").name
    'vasp'
    """
    try:
        return _ALIASES[name.lower()]
    except (KeyError, AttributeError) as error:
        raise InputError(
            f"format {shown(name)} is not among those that are read: {format_names()}"
        ) from error


def format_names() -> str:
    """Return the names of all formats in one line, for messages.

    Returns
    -------
    str

    Examples
    --------
    >>> from arise_lib.structures.reading.formats import format_names
    >>> "lammps-data" in format_names()
    True
    """
    return ", ".join(FORMATS)


def detect(content: Content) -> Format:
    r"""Tell the format by content, then by name.

    Parameters
    ----------
    content : Content
        A file.

    Returns
    -------
    Format

    Raises
    ------
    InputError
        If it is none that is read. The message lists the formats.

    Examples
    --------
    >>> from arise_lib.structures.reading.files import Content
    >>> from arise_lib.structures.reading.formats import detect
    >>> detect(Content("mine", "mine", b"ITEM: TIMESTEP\n0\n")).name
    'lammps-dump'
    """
    _refuse_known(content)
    by_name = next((f for f in _TABLE if re.fullmatch(f.names, content.name.lower())), None)
    if content.raw.startswith((b"- of UlmASE-Trajectory", b"AFFormatASE-Trajectory")):
        return FORMATS["traj"]
    if by_name is not None and by_name.name in ("xyz", "traj"):
        return by_name
    found = "" if b"\0" in content.raw[:_HEAD] and by_name is None else _by_content(content)
    if found:
        return FORMATS[found]
    if by_name is None:
        raise InputError(
            f"{content.place}: neither its content nor its name tells the format; name one of "
            f"these with format= (--format), or convert the file: {format_names()}"
        )
    return by_name


def _refuse_known(content: Content) -> None:
    """Refuse what is no structure file but is met in place of one."""
    head = content.raw[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise InputError(f"{content.place} is a web page, perhaps an error page; download it again")
    if head.startswith(b"version https://git-lfs"):
        raise InputError(
            f"{content.place} is a pointer of Git LFS; get the file with 'git lfs pull'"
        )
    if head.startswith(b"sqlite format 3"):
        raise InputError(
            f"{content.place} is a database, which is not opened; write its structures as "
            "extended XYZ first"
        )


def _by_content(content: Content) -> str:
    """Name the format that the first lines show; empty where they show none."""
    head = Content(content.place, content.name, content.raw[:_HEAD])
    try:
        lines = head.lines
    except InputError:
        return ""
    words = [line.split() for line in lines[:400]]
    text = "\n".join(lines[:400])
    if re.match(r"\s*ITEM: (TIMESTEP|UNITS|TIME|NUMBER OF ATOMS)", text):
        return "lammps-dump"
    if re.search(r"^\s*[0-9]+\s+atoms\s*$", text, re.M) and re.search(
        r"^.*\bxlo\s+xhi|avec\b", text, re.M
    ):
        return "lammps-data"
    if re.match(r"(\s*#[^\n]*\n)*\s*data_\S*\s", text, re.IGNORECASE):
        return "cif"
    first = next((w for line in lines if (w := line.partition("#")[0].split())), [""])
    if first[0].lower() in AIMS_KEYWORDS and len(first) >= 4:
        return "aims"
    if len(words) > 2 and COUNT.fullmatch(lines[0]):
        row = words[2][1:4]
        if len(row) == 3 and all(map(is_number, row)) and not is_poscar(lines):
            return "xyz"
    if is_xdatcar(lines):
        return "vasp-xdatcar"
    if is_poscar(lines):
        return "vasp"
    signs = [
        (r"^\s*(CRYSTAL|SLAB|POLYMER|MOLECULE|ANIMSTEPS\s+[0-9]+)\s*$", "xsf"),
        (r"\A<\?xml[^>]*>\s*<modeling", "vasp-xml"),
        (r"\A\s*vasp\.[0-9]", "vasp-out"),
        (r"Program PWSCF", "espresso-out"),
        (r"^\s*&system\b", "espresso-in"),
        (r"^\s*%block\s+(lattice|positions)_", "castep-cell"),
        (r"\A\s*Number of particles\s*=", "cfg"),
        (r"(?-i:^(ATOM  |HETATM)[ 0-9]{5} )", "pdb"),
        (r"\ATITL\b[^\n]*\nCELL\s", "res"),
        (r"\A\s*\{\s*\"", "json"),
    ]
    return next((name for sign, name in signs if re.search(sign, text, re.M | re.I)), "")
