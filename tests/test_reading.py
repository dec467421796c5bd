from __future__ import annotations

import gzip
import itertools
import tarfile
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene, molecule
from hypothesis import given, settings
from hypothesis import strategies as st

from arise_lib import storage
from arise_lib.errors import InputError
from arise_lib.structures.checks import _spacing, check_atoms
from arise_lib.structures.reading import read_structure

ROWS = "C 0.0 0.0 0.0\nC 1.42 0.0 0.0\nSi 0.0 2.0 0.5\n"
POSITIONS = [[0, 0, 0], [1.42, 0, 0], [0, 2, 0.5]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(content: str | bytes, name: str = "a.xyz") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def read_quietly(path: Path, **options: Any) -> Atoms:
    """Read with every warning turned into an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_structure(path, **options)


def is_the_sample(atoms: Atoms) -> bool:
    return (
        atoms.get_chemical_symbols() == ["C", "C", "Si"]
        and np.array_equal(atoms.positions, POSITIONS)
        and not atoms.pbc.any()
    )


# --- XYZ as it should be -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        f"3\n\n{ROWS}",
        f"3\nfcc, lattice constant 4.05, pbc unknown\n{ROWS}",
        f" 3 \n\n{ROWS}\n\n  \n",
        f"\n3\n\n{ROWS}",
        f"3\n\n{ROWS.rstrip()}",
        f"3\n\n{ROWS}".replace("\n", "\r\n"),
        f"3\n\n{ROWS}".replace("\n", "\r"),
        f"\ufeff3\n\n{ROWS}",
        f"3\n5.43 Å\n{ROWS}".encode("latin-1"),
        f"3\n\n{ROWS}".encode("utf-16"),
        f"3\nnext line\u0085 here\n{ROWS}",
        f"3\n\n{ROWS}".replace(" ", "\t"),
        f"3\n\n{ROWS}".replace("C", "c").replace("Si", "SI"),
        f"3\n\n{ROWS}".replace("C", "6").replace("Si", "14"),
        f"3\n\n{ROWS}".replace("0.0\n", "0.0 0.1 0.2 charge\n"),
        f"3\n\n{ROWS}".replace("2.0", "+.2E1"),
    ],
)
def test_plain_xyz(write: Callable[..., Path], content: str | bytes) -> None:
    assert is_the_sample(read_quietly(write(content)))


def test_compressed(write: Callable[..., Path]) -> None:
    assert is_the_sample(read_quietly(write(gzip.compress(f"3\n\n{ROWS}".encode()), "a.xyz.gz")))


@pytest.mark.parametrize("name", ["a.XYZ", "a.extxyz", "a.txt", "a.dat", "a", "a@1.xyz", "a b.xyz"])
def test_name_of_the_file_does_not_matter(write: Callable[..., Path], name: str) -> None:
    assert is_the_sample(read_quietly(write(f"3\n\n{ROWS}", name)))


@pytest.mark.parametrize("pbc", [True, False, (True, True, False)])
@pytest.mark.parametrize(
    "columns", [None, ["positions", "symbols"], ["symbols", "positions", "tags"]]
)
def test_extended_xyz_equals_ase(tmp_path: Path, pbc: Any, columns: list[str] | None) -> None:
    atoms = bulk("NaCl", "rocksalt", 5.64)
    atoms.pbc = pbc
    atoms.set_tags([1, 2])
    atoms.info["comment"] = "with = signs, 'quotes' and {brackets}"
    path = tmp_path / "a.xyz"
    ase.io.write(path, atoms, format="extxyz", columns=columns)
    found = read_quietly(path)
    assert found == ase.io.read(path)
    np.testing.assert_allclose(found.cell.array, atoms.cell.array)


@pytest.mark.parametrize(
    ("comment", "pbc"),
    [
        ('Lattice="4 0 0 0 5 0 1 0 6"', [True, True, True]),
        ("lattice = '4,0,0, 0,5,0, 1,0,6' pbc=\"1 1 0\"", [True, True, False]),
        ("Lattice={4 0 0 0 5 0 1 0 6} PBC={T F T}", [True, False, True]),
        ("Lattice=[[4, 0, 0], [0, 5, 0], [1, 0, 6]] pbc=[True, true, False]", [True, True, False]),
        ('Lattice="4 0 0 0 5 0 1 0 6" pbc=F', [False, False, False]),
    ],
)
def test_cell(write: Callable[..., Path], comment: str, pbc: list[bool]) -> None:
    atoms = read_quietly(write(f"3\n{comment}\n{ROWS}"))
    assert atoms.cell.tolist() == [[4, 0, 0], [0, 5, 0], [1, 0, 6]]
    assert atoms.pbc.tolist() == pbc


# --- XYZ that only looks like it ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ('# Properties=species:S:1:pos:R:3:Z:I:1 pbc="F F F"', "have 4 columns; ignored, .*: Z$"),
        ("Properties=species:S:1:pos:R:3:forces:R:3", "ignored, since not there: forces$"),
        ("Properties=id:I:1:species:S:1:pos:R:3", "read as species, x, y, z$"),
        ("Properties=pos:R:3:species:S:1", "read as species, x, y, z$"),
        ("Properties=species:S:1", "read as species, x, y, z$"),
        ("Properties=see:the:paper", "read as species, x, y, z$"),
        ("Properties=none", "read as species, x, y, z$"),
        ("lattice = 4.05", "line 2: Lattice is ignored, since it has 1 numbers instead of 9"),
        ('pbc="T T T"', "line 2: pbc is ignored, since there is no Lattice"),
    ],
)
def test_header_that_does_not_fit(write: Callable[..., Path], comment: str, message: str) -> None:
    with pytest.warns(UserWarning, match=message) as record:
        assert is_the_sample(read_structure(write(f"3\n{comment}\n{ROWS}")))
    assert len(record) == 1 and record[0].filename == __file__


def test_columns_beyond_the_header(write: Callable[..., Path]) -> None:
    rows = ROWS.replace("\n", " 6\n")
    with pytest.warns(UserWarning, match="rows have 5 columns; further columns are ignored"):
        assert is_the_sample(read_structure(write(f"3\nProperties=species:S:1:pos:R:3\n{rows}")))


def test_declared_columns_in_another_order(write: Callable[..., Path]) -> None:
    path = write("2\nProperties=tag:I:1:pos:R:3:species:S:1\n7 1 2 3 C\n8 4 5 6 Si\n")
    atoms = read_quietly(path)
    assert atoms.get_chemical_symbols() == ["C", "Si"]
    assert atoms.positions.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_periodicity_that_cannot_be_read(write: Callable[..., Path]) -> None:
    with pytest.warns(UserWarning, match="pbc 'x y' is ignored; T T T is taken"):
        atoms = read_structure(write(f'3\nLattice="4 0 0 0 5 0 0 0 6" pbc="x y"\n{ROWS}'))
    assert atoms.pbc.all()


# --- several structures ------------------------------------------------------------------------


def test_index(write: Callable[..., Path]) -> None:
    path = write("1\n\nC 0 0 0\n2\n\nSi 0 0 1\nSi 0 0 3\n\n1\nlast\nCu 0 0 2\n")
    assert str(read_quietly(path).symbols) == "Cu"
    assert [str(read_quietly(path, index=i).symbols) for i in (0, 1, 2, -2, -3)] == [
        "C",
        "Si2",
        "Cu",
        "Si2",
        "C",
    ]
    for index in (3, -4):
        with pytest.raises(
            InputError, match=rf"holds 3 structure\(s\); index {index} is not there"
        ):
            read_structure(path, index=index)
    with pytest.raises(InputError, match="one integer is allowed"):
        read_structure(path, index=":")  # type: ignore[arg-type]


def test_index_of_other_formats(tmp_path: Path) -> None:
    frames = [bulk("Cu"), bulk("Fe")]
    ase.io.write(tmp_path / "a.traj", frames)
    assert [str(read_structure(tmp_path / "a.traj", index=i).symbols) for i in (-1, 0)] == [
        "Fe",
        "Cu",
    ]
    with pytest.raises(InputError, match=r"holds 2 structure\(s\); index 2 is not there"):
        read_structure(tmp_path / "a.traj", index=2)
    (tmp_path / "a.in").write_text("atom 0 0 0 C\n")
    with pytest.raises(InputError, match=r"holds 1 structure\(s\); index 1 is not there"):
        read_structure(tmp_path / "a.in", index=1)


# --- files that are refused --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"a\.xyz is empty"),
        ("\n \n", r"a\.xyz holds blank lines only"),
        ("C 0 0 0\n", r"line 1: 'C 0 0 0' is no atom count"),
        ("-3\n\n" + ROWS, r"line 1: '-3' is no atom count"),
        ("3.0\n\n" + ROWS, r"line 1: '3.0' is no atom count"),
        ("0\n\n", "line 1: 0 atoms are declared; at least 1"),
        ("3", "line 1: 3 atoms are declared, 0 rows follow; the file is truncated"),
        ("4\n\n" + ROWS, "line 1: 4 atoms are declared, 3 rows follow; the file is truncated"),
        ("3\n" + ROWS, "line 1: 3 atoms are declared, 2 rows follow"),
        ("2\n\n" + ROWS, "line 1: 2 atoms are declared, 3 rows follow; correct the count"),
        ("1\n\n" + ROWS + "\n", "line 1: 1 atoms are declared, 3 rows follow; correct the count"),
        ("4\n\n" + ROWS + "3\n\n" + ROWS, "line 1: 4 atoms are declared, 3 rows follow"),
        ("3\n\n" + ROWS + "4\n\n" + ROWS, "line 6: 4 atoms are declared, 3 rows follow"),
        ("3\n\n" + ROWS + "2\n\n" + ROWS, "line 6: 2 atoms are declared, 3 rows follow"),
        ("3\n\n" + ROWS.replace("1.42 0.0 0.0", "1.42 0.0"), r"line 4: .* has 3 column\(s\)"),
        ("3\n\n" + ROWS[:-8], r"line 5: 'Si 0.0' has 2 column\(s\)"),
        ("3\n\n" + ROWS.replace("Si", "Qq"), "line 5: unknown species 'Qq'; chemical symbols"),
        ("3\n\n" + ROWS.replace("Si", "X"), "line 5: unknown species 'X'"),
        ("3\n\n" + ROWS.replace("Si", "0"), "line 5: unknown species '0'"),
        ("3\n\n" + ROWS.replace("Si", "119"), "line 5: unknown species '119'"),
        ("3\n\n" + ROWS.replace("1.42", "nan"), "line 4: 'nan' is not a finite number"),
        ("3\n\n" + ROWS.replace("1.42", "-inf"), "line 4: '-inf' is not a finite number"),
        ("3\n\n" + ROWS.replace("1.42", "1,42"), "line 4: '1,42' is not a number"),
        ("3\n\n" + ROWS.replace("1.42", "******"), r"line 4: '\*{6}' is not a number"),
        ('3\nLattice="4 0 0 0 5 0 0 0 nan"\n' + ROWS, "line 2: 'nan' is not a finite number"),
        (f"3\n\n{ROWS}".encode("utf-16-le"), "line 1: binary data .*save it as UTF-8"),
        (f"3\n\n{ROWS}".encode("utf-16") + b"\0", "begins as UTF-16 and goes on"),
        (b"3\n\nC 0 0 0\nC \0\1\2 0\n", "line 4: binary data"),
        (bytes(range(128, 256)), "line 1: .* is no atom count"),
    ],
)
def test_bad_xyz(write: Callable[..., Path], content: str | bytes, message: str) -> None:
    path = write(content)
    with pytest.raises(InputError, match=message) as info:
        read_structure(path)
    assert str(path) in str(info.value)


def test_last_element_is_one(write: Callable[..., Path]) -> None:
    assert read_quietly(write("1\n\n118 0 0 0\n")).get_chemical_symbols() == ["Og"]


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.xyz: no such file"):
        read_structure(tmp_path / "none.xyz")
    (tmp_path / "folder.xyz").mkdir()
    with pytest.raises(InputError, match=r"folder\.xyz is a folder"):
        read_structure(str(tmp_path / "folder.xyz"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.cif", "data_x\n_cell_length_a 4\n", "cannot be read as CIF: no block"),
        ("a.vasp", "Cu\n1.0\n4 0 0\n0 4 0\n", "line 5: a cell vector has three numbers"),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0", "a.png"),
        ("a.abc", "some words\n", "neither its content nor its name tells the format"),
        ("a.abc", b"\0\1\2\3", "neither its content nor its name"),
        ("a.xyz.gz", gzip.compress(ROWS.encode() * 99, mtime=0)[:40], "cannot be read .*whole"),
        ("a.cif.gz", b"no gzip", r"a\.cif\.gz"),
        ("a.cif.gz", gzip.compress(bytes(range(256)), mtime=0)[:60], "cannot be read .*whole"),
        (
            "POSCAR",
            "C\n1\n4 0 0\n0 4 0\n0 0 4\nC\n1\nDirect\n0 nan 0\n",
            "line 9: 'nan' is not a finite number",
        ),
        ("a.py", "raise SystemExit\n", "neither its content nor its name"),
    ],
)
def test_other_formats_refused(
    write: Callable[..., Path], name: str, content: str | bytes, message: str
) -> None:
    path = write(content, name)
    with pytest.raises(InputError, match=message):
        read_structure(path)


# --- FHI-aims ----------------------------------------------------------------------------------

AIMS = """# a comment
lattice_vector 4 0 0
lattice_vector 0 5 0   # and another
lattice_vector 1 0 6
atom 0.5 1 1.5 C
  initial_moment 1.0
  constrain_relaxation .true.

atom_frac 0.5 0.5 0.5 SI extra
"""


@pytest.mark.parametrize("name", ["a.in", "geometry.in", "a.txt", "geometry.in.next_step"])
def test_aims(write: Callable[..., Path], name: str) -> None:
    atoms = read_quietly(write(AIMS, name))
    assert atoms.get_chemical_symbols() == ["C", "Si"]
    # Half of each vector: (4 + 0 + 1) / 2, 5 / 2, 6 / 2.
    assert atoms.positions.tolist() == [[0.5, 1, 1.5], [2.5, 2.5, 3.0]]
    assert atoms.cell.tolist() == [[4, 0, 0], [0, 5, 0], [1, 0, 6]]
    assert atoms.pbc.all() and not atoms.constraints
    assert not atoms.has("initial_magmoms")


def test_aims_without_cell(write: Callable[..., Path]) -> None:
    atoms = read_quietly(write("atom 1 2 3 Cu\n", "a.in"))
    assert atoms.positions.tolist() == [[1, 2, 3]] and not atoms.pbc.any()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("atom 0.5", "atm 0.5", "line 5: 'atm' is no keyword"),
        ("1.5 C", "1.5", "line 5: 'atom 0.5 1 1.5' is incomplete"),
        ("1.5 C", "1.5e C", "line 5: '1.5e' is not a number"),
        ("1.5 C", "inf C", "line 5: 'inf' is not a finite number"),
        ("1.5 C", "1.5 Qq", "line 5: unknown species 'Qq'"),
        ("or 1 0 6", "or 1 0", "line 4: a lattice vector has three numbers"),
        ("lattice_vector 1 0 6\n", "", "has 2 lattice vectors; 0 or 3"),
        (AIMS, "atom_frac 0 0 0 C\n", "has fractional coordinates .* no lattice vectors"),
        (AIMS, "# only a comment\n", "holds no line 'atom x y z species'"),
        ("# a comment", "# \0", "line 1: binary data"),
        ("# a comment", "&cell", "line 1: '&cell' is no keyword"),
    ],
)
def test_bad_aims(write: Callable[..., Path], old: str, new: str, message: str) -> None:
    path = write(AIMS.replace(old, new), "a.in")
    with pytest.raises(InputError, match=message) as info:
        read_structure(path)
    assert str(path) in str(info.value)


def test_input_of_other_programs_is_left_to_ase(tmp_path: Path) -> None:
    (tmp_path / "pw.pwi").write_text(
        "&system\n ibrav=0, nat=1, ntyp=1\n/\n&electrons\n/\nATOMIC_SPECIES\n Cu 63.5 Cu.upf\n"
        "CELL_PARAMETERS angstrom\n 4 0 0\n 0 4 0\n 0 0 4\nATOMIC_POSITIONS angstrom\n Cu 1 2 3\n"
    )
    atoms = read_structure(tmp_path / "pw.pwi")
    assert str(atoms.symbols) == "Cu" and atoms.pbc.all()


# --- other formats -----------------------------------------------------------------------------


def test_file_without_atoms(tmp_path: Path) -> None:
    ase.io.write(tmp_path / "a.traj", Atoms())
    with pytest.raises(InputError, match=r"a\.traj \(traj\) holds no atom"):
        read_structure(tmp_path / "a.traj")


@pytest.mark.parametrize(
    "name",
    [
        "a.cif",
        "POSCAR",
        "POSCAR@0",
        "a.vasp",
        "a.json",
        "a.traj",
        "a.xsf",
        "a.pdb",
        "a.gen",
        "a.cfg",
    ],
)
def test_formats_of_ase_and_nothing_written(tmp_path: Path, name: str) -> None:
    atoms = bulk("NaCl", "rocksalt", 5.64, cubic=True)
    plain = tmp_path / name.partition("@")[0]
    ase.io.write(plain, atoms)
    plain.rename(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    found = read_structure(tmp_path / name)
    assert sorted(found.get_chemical_symbols()) == sorted(atoms.get_chemical_symbols())
    np.testing.assert_allclose(found.cell.array, atoms.cell.array, atol=1e-3)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == content


# --- the external files ------------------------------------------------------------------------


def test_every_external_structure(external: Callable[[str], Path]) -> None:
    names = [str(n) for n in storage.registry().index if str(n).endswith((".xyz", ".in"))]
    assert len(names) == 137
    for name in names:
        path = external(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            atoms = read_structure(path)
            # The file whose header ASE trusts, and stumbles over.
            if name != "polycrystals/four_grains_defective.xyz":
                assert atoms == ase.io.read(path), name
        check_atoms(atoms)


# Atom counts: the first line of each file.
@pytest.mark.parametrize(
    ("name", "n_atoms", "warned"),
    [
        ("polycrystals/four_grains.xyz", 9087, False),
        ("polycrystals/four_grains_defective.xyz", 7270, True),
        ("aet/fept_2017.xyz", 23196, False),
        ("aet/fept_9min.xyz", 4835, False),
        ("aet/fept_16min.xyz", 5068, False),
        ("aet/fept_26min.xyz", 5486, False),
        ("stem/graphene_a.xyz", 140, False),
        ("stem/graphene_large.xyz", 1259, False),
    ],
)
def test_experimental_files(
    external: Callable[[str], Path], name: str, n_atoms: int, warned: bool
) -> None:
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        assert len(read_structure(external(name))) == n_atoms
    assert ["ignored, since not there: Z" in str(w.message) for w in record] == [True] * warned


def test_bain_path(external: Callable[[str], Path], tmp_path: Path) -> None:
    """FHI-aims geometries whose names end in .txt."""
    with tarfile.open(external("transitions/bain_path.tar.gz")) as archive:
        members = [m for m in archive.getmembers() if m.name.endswith(".txt")]
        for member in members[:20]:
            archive.extract(member, tmp_path, filter="data")
            atoms = read_structure(tmp_path / member.name)
            assert str(atoms.symbols) == "Fe" and atoms.pbc.all()


def test_zipped_coordinates(external: Callable[[str], Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(external("stem/si_graphene_coordinates.zip")) as archive:
        names = [name for name in archive.namelist() if name.endswith(".in")]
        archive.extractall(tmp_path)
    assert names
    for name in names:
        check_atoms(read_structure(tmp_path / name))


# --- check_atoms -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "atoms",
    [
        bulk("Cu"),
        bulk("NaCl", "rocksalt", 5.64, cubic=True) * 3,
        graphene(vacuum=10.0),
        graphene(),
        molecule("C6H6"),
        Atoms("C"),
        Atoms("C2", positions=[[0, 0, 0], [500.0, 0, 0]]),
        Atoms("C", cell=[0, 0, 2.5], pbc=[False, False, True]),
        Atoms(
            "Cu2",
            positions=[[0, 0, 0], [1.2, 0, 0]],
            cell=[[9, 0, 0], [8, 1, 0], [8, 8, 1]],
            pbc=True,
        ),
    ],
    ids=lambda atoms: str(atoms.symbols),
)
@pytest.mark.parametrize("unit", [1.0, 1e-10, 1e6])
def test_sound_structures_pass_in_any_unit(atoms: Atoms, unit: float) -> None:
    atoms = atoms.copy()
    atoms.set_cell(atoms.cell.array * unit, scale_atoms=False)
    atoms.positions *= unit
    before = atoms.copy()
    check_atoms(atoms)
    assert atoms == before


def test_empty() -> None:
    with pytest.raises(InputError, match="holds no atom"):
        check_atoms(Atoms())


def test_positions_not_finite() -> None:
    atoms = bulk("Cu") * 2
    atoms.positions[[3, 5], 1] = np.nan, np.inf
    with pytest.raises(
        InputError, match=r"positions of 2 atom\(s\) are not finite, first of atom 3"
    ):
        check_atoms(atoms)


def test_cell_not_finite() -> None:
    atoms = bulk("Cu")
    atoms.cell[1, 1] = np.inf
    with pytest.raises(InputError, match="cell is not finite"):
        check_atoms(atoms)


@pytest.mark.parametrize(
    ("cell", "pbc", "singular"),
    [
        (np.zeros((3, 3)), True, True),
        (np.zeros((3, 3)), False, False),
        ([[4, 0, 0], [0, 4, 0], [0, 0, 0]], True, True),
        ([[4, 0, 0], [0, 4, 0], [0, 0, 0]], (True, True, False), False),
        ([[4, 0, 0], [0, 4, 0], [0, 0, 0]], (False, False, True), True),
        ([[4, 0, 0], [8, 0, 0], [0, 0, 4]], True, True),
        ([[4, 0, 0], [8, 1e-9, 0], [0, 0, 4]], (True, True, False), True),
        ([[4, 0, 0], [8, 0, 0], [0, 0, 4]], (True, False, True), False),
        ([[400, 0, 0], [0, 1e-3, 0], [0, 0, 4]], True, False),
    ],
)
def test_singular_cell(cell: Any, pbc: Any, singular: bool) -> None:
    atoms = Atoms("C", cell=cell, pbc=pbc)
    if singular:
        with pytest.raises(InputError, match=r"periodic directions \[.*zero or linearly dependent"):
            check_atoms(atoms)
    else:
        check_atoms(atoms)


def test_atoms_on_top_of_each_other() -> None:
    atoms = bulk("Cu", cubic=True) * 3
    atoms.pbc = False
    atoms += Atoms("Al", positions=[atoms.positions[17] + [0, 1e-4, 0]])
    with pytest.raises(
        InputError, match=r"atoms 17 and 108 are .*: 0\.0001 apart, .* 2\.55; 2 atoms"
    ):
        check_atoms(atoms)


@pytest.mark.parametrize(("fraction", "refused"), [(0.9e-3, True), (1.1e-3, False)])
def test_limit_is_a_fraction_of_the_median_distance(fraction: float, refused: bool) -> None:
    """A chain of unit spacing; the median stays 1."""
    atoms = Atoms("C21", positions=[[x, 0, 0] for x in [*range(20), 7 + fraction]])
    if refused:
        with pytest.raises(InputError, match="atoms 7 and 20"):
            check_atoms(atoms)
    else:
        check_atoms(atoms)


@pytest.mark.parametrize("pbc", [True, False])
@pytest.mark.parametrize("copies", [2, 3])
@pytest.mark.parametrize("shift", [0.0, 1e-4])
def test_structure_given_twice(copies: int, shift: float, pbc: bool) -> None:
    """Not one atom is without a partner, so the distances to the partners set no scale."""
    once = bulk("Cu", cubic=True) * 2
    once.pbc = pbc
    atoms = once.copy()
    for i in range(1, copies):
        other = once.copy()
        other.translate([i * shift, 0, 0])
        atoms += other
    with pytest.raises(InputError, match=f"{32 * copies} atoms have such a partner"):
        check_atoms(atoms)


def test_one_atom_given_twice_in_a_primitive_cell() -> None:
    for cell in (bulk("Cu"), bulk("NaCl", "rocksalt", 5.64)):
        atoms = cell + Atoms("Cu", positions=[[1e-4, 0, 0]])
        # Off the corner of the cell, where images are near in any case.
        atoms.positions += atoms.cell.array.sum(axis=0) / 3
        with pytest.raises(InputError, match=r"atoms 0 and . are on top"):
            check_atoms(atoms)


def test_molecules_far_apart_are_sound() -> None:
    nitrogen = molecule("N2", cell=[300, 300, 300], pbc=True)
    check_atoms(nitrogen)
    check_atoms(nitrogen * (2, 1, 1))


def test_skew_cell_costs_no_more_than_its_lattice() -> None:
    """Vectors of a cubic lattice, far longer than need be: images must not be counted by them."""
    cell = 3.0 * np.array([[1, 0, 0], [300, 1, 0], [0, 300, 1]])
    check_atoms(Atoms("Po", cell=cell, pbc=True))
    with pytest.raises(InputError, match="atoms 0 and 1"):
        check_atoms(Atoms("Po2", positions=[[0, 0, 0], [3.0, 6.0, 9.0001]], cell=cell, pbc=True))


def test_two_atoms_on_one_point() -> None:
    with pytest.raises(InputError, match="atoms 0 and 1 are on top of each other: 0 apart"):
        check_atoms(Atoms("C2", positions=[[1, 2, 3]] * 2))


@pytest.mark.parametrize("pbc", list(itertools.product([True, False], repeat=3)))
def test_periodic_images_count(pbc: tuple[bool, bool, bool]) -> None:
    """A copy one cell vector away is the same atom exactly where that direction is periodic."""
    crystal = bulk("Cu", cubic=True) * 3
    crystal.set_cell(crystal.cell.array @ [[1, 0, 0], [0.3, 1, 0], [0.1, 0.2, 1]], scale_atoms=True)
    for axis in range(3):
        atoms = crystal.copy()
        atoms.pbc = pbc
        atoms += Atoms("Cu", positions=[atoms.positions[5] + 2 * atoms.cell[axis]])
        if pbc[axis]:
            with pytest.raises(InputError, match="atoms 5 and 108 are on top"):
                check_atoms(atoms)
        else:
            check_atoms(atoms)


def nearest_by_force(atoms: Atoms) -> np.ndarray:
    """Distances to the three nearest atoms with all images up to three cells away."""
    p, found = atoms.positions, []
    for shift in itertools.product(*[range(-3, 4) if periodic else [0] for periodic in atoms.pbc]):
        d = np.linalg.norm(p[:, None] - p[None] + np.array(shift) @ atoms.cell.array, axis=-1)
        if not any(shift):
            np.fill_diagonal(d, np.inf)
        found.append(d)
    return np.sort(np.concatenate([*found, np.full((len(p), 3), np.inf)], axis=1), axis=1)[:, :3]


@given(
    seed=st.integers(0, 2**32 - 1),
    n_atoms=st.integers(1, 9),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    gap=st.sampled_from([0.0, 1e-4, 0.1, None]),
    repeats=st.integers(1, 2),
)
@settings(max_examples=150)
def test_verdict_is_that_of_brute_force(
    seed: int, n_atoms: int, pbc: tuple[bool, bool, bool], gap: float | None, repeats: int
) -> None:
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(2, 5, 3)) + rng.uniform(-1, 1, (3, 3))
    points = rng.uniform(-2, 3, (n_atoms, 3))
    if gap is not None:
        # Near copies of the first atom, one cell away in every periodic direction.
        copies = points[0] + np.array(pbc) @ cell + gap * rng.uniform(0.5, 1, (repeats, 3))
        points = np.vstack([points, copies])
    atoms = Atoms(f"C{len(points)}", positions=points, cell=cell, pbc=pbc)
    distances = nearest_by_force(atoms)
    typical = _spacing(distances)
    if n_atoms > 1 or any(pbc):
        # The random points are far from each other: the copies alone are on top.
        assert typical > 0.01
        assert (distances[:, 0] < 1e-3 * typical).any() == (gap is not None and gap < 0.01)
    if np.isfinite(typical) and (distances[:, 0] <= 1e-3 * typical).any():
        with pytest.raises(InputError, match="on top of each other"):
            check_atoms(atoms)
    else:
        check_atoms(atoms)


@given(seed=st.integers(0, 2**32 - 1), unit=st.floats(1e-3, 1e3), copies=st.integers(1, 3))
def test_verdict_does_not_depend_on_the_description(seed: int, unit: float, copies: int) -> None:
    """Rotated, moved, scaled, wrapped, in another order, as a supercell: the same verdict."""
    rng = np.random.default_rng(seed)
    atoms = bulk("NaCl", "rocksalt", 5.64)
    twice = atoms + Atoms("Na", positions=[[1e-4, 0, 0]])
    for structure, refused in ((atoms, False), (twice, True)):
        other = structure * (copies, 1, 2)
        other.rotate(rng.uniform(0, 360), rng.normal(size=3), rotate_cell=True)
        other.set_cell(other.cell.array * unit, scale_atoms=True)
        other.translate(rng.uniform(-99, 99, 3))
        if rng.integers(2):
            other.wrap()
        other = other[rng.permutation(len(other))]
        if refused:
            with pytest.raises(InputError, match="on top of each other"):
                check_atoms(other)
        else:
            check_atoms(other)


def test_large_sample_in_time() -> None:
    """About 0.5 s of one core; the limit allows for a slower one."""
    atoms = bulk("Cu", cubic=True) * 34
    atoms.rattle(0.02, seed=1)
    assert len(atoms) == 157216
    start = time.process_time()
    check_atoms(atoms)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("ignored", [[2], ["2"], [" 2 "], [2.0], [np.int64(2)], [np.float64(2.0)]])
def test_what_is_to_be_ignored_may_be_a_number(tmp_path: Path, ignored: list[Any]) -> None:
    path = tmp_path / "two.dump"
    rows = "".join(f"{i + 1} {1 + i % 2} {2.0 * i} 0 0\n" for i in range(6))
    path.write_text(
        "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n6\nITEM: BOX BOUNDS pp pp pp\n"
        "0 12\n0 12\n0 12\nITEM: ATOMS id type x y z\n" + rows
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_structure(path, types={1: "Fe"}, ignore=ignored)
    assert found.get_chemical_formula() == "Fe3"


def test_nothing_to_be_ignored_is_told(tmp_path: Path) -> None:
    path = tmp_path / "salt.xyz"
    ase.io.write(path, bulk("NaCl", "rocksalt", a=5.6, cubic=True))
    with pytest.warns(
        UserWarning, match="ignore= names 'OW', and no atom is called so; found are 'Cl', 'Na'"
    ):
        found = read_structure(path, ignore=["OW", "Cl"])
    assert found.get_chemical_formula() == "Na4"
