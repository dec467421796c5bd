"""Formats other than XYZ and FHI-aims: what each may leave open, and how it fails."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from arise_lib.errors import InputError
from arise_lib.structures.reading import FORMATS, read_source
from arise_lib.structures.reading.formats import format_named


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Atoms]:
    """Write a text under a name and read it with every note turned into a failure."""

    def make(text: str, name: str = "a", quiet: bool = True, **options: object) -> Atoms:
        path = tmp_path / name
        path.write_text(text)
        source = read_source(path, **options)  # type: ignore[arg-type]
        assert not (quiet and source.notes), source.notes
        return source.atoms

    return make


def formula(atoms: Atoms) -> str:
    return str(atoms.get_chemical_formula("metal"))


def test_table_of_formats() -> None:
    assert all(
        entry.name == name and entry.about and entry.usual for name, entry in FORMATS.items()
    )
    for name, entry in FORMATS.items():
        assert format_named(name.upper()) is entry
        assert all(format_named(other) is entry for other in entry.others)


# --- LAMMPS data -------------------------------------------------------------------------------

DATA = """# a comment

2 atoms
{types} atom types
0 4 xlo xhi
0 4 ylo yhi
0 4 zlo zhi
{more}
Atoms{style}

{rows}
"""


def data(rows: str, types: int = 2, more: str = "", style: str = "") -> str:
    return DATA.format(rows=rows, types=types, more=more, style=style)


PLAIN = "2 2 2 2 2\n1 1 0 0 0"
MASSES = "\nMasses\n\n1 {}\n2 {}\n"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("55.845", "58.693", "FeNi"),
        ("56", "58.9332", "FeCo"),
        ("12.011 # CA", "15.999 # O2", "CO"),
        ("100 # Fe", "63.546", "FeCu"),
        ("55.845", "55.845", "Fe2"),
        ("2.014", "1.008", "H2"),
    ],
)
def test_masses_tell_the_elements(
    read: Callable[..., Atoms], first: str, second: str, expected: str
) -> None:
    atoms = read(data(PLAIN, more=MASSES.format(first, second)))
    want = "CaO" if "CA" in first else expected
    assert sorted(formula(atoms)) == sorted(want)


@pytest.mark.parametrize(("first", "second"), [("1.0", "1.0"), ("40", "1"), ("400", "300")])
def test_masses_that_tell_none(read: Callable[..., Atoms], first: str, second: str) -> None:
    """Reduced units, or two elements as near."""
    text = data(PLAIN, more=MASSES.format(first, second))
    assert len(set(read(text, quiet=False).numbers)) == 2
    with pytest.raises(AssertionError, match="species of its own"):
        read(text)


@pytest.mark.parametrize(
    ("style", "rows"),
    [
        ("", "1 1 0 0 0 1 0 -1\n2 2 2 2 2 0 0 0"),
        ("", "1 1 0.5 0 0 0\n2 2 -0.5 2 2 2"),
        ("", "1 1 0 0 0 0\n2 2 0 2 2 2"),
        ("", "1 1 -1 0 0 0 1 1 1\n2 2 +1 2 2 2 0 0 0"),
        (" # molecular", "1 7 1 0 0 0\n2 7 2 2 2 2"),
        ("", "1 7 1 0 0 0\n2 7 2 2 2 2"),
        (" # full", "1 7 1 0.5 0 0 0\n2 7 2 0.5 2 2 2"),
        (" # sphere", "1 1 1 0.5 0 0 0\n2 2 1 0.5 2 2 2"),
        ("", "1 1 1.5 0.5 0 0 0\n2 2 1.5 0.5 2 2 2"),
        (" # ellipsoid", "1 1 1 0.5 0 0 0\n2 2 1 0.5 2 2 2"),
        (" # dipole", "1 1 0.5 0 0 0 1 0 0\n2 2 0.5 2 2 2 1 0 0"),
        (" # spin", "1 1 0 0 0 0 0 1 2\n2 2 2 2 2 0 0 1 2"),
        (" # hybrid", "1 1 0 0 0 9 9 9 9\n2 2 2 2 2 9 9 9 9"),
    ],
)
def test_atom_styles(read: Callable[..., Atoms], style: str, rows: str) -> None:
    atoms = read(data(rows, style=style), types={1: "Cs", 2: "Cl"})
    assert formula(atoms) == "CsCl"
    assert atoms.positions.tolist() == [[0, 0, 0], [2, 2, 2]] and atoms.pbc.all()


def test_style_that_could_be_two_is_told(read: Callable[..., Atoms]) -> None:
    """Whole numbers that may be molecules or types."""
    text = data("1 1 1 0 0 0\n2 2 2 2 2 2")
    atoms = read(text, quiet=False, types={1: "Cs", 2: "Cl"})
    assert formula(atoms) == "CsCl"
    with pytest.raises(AssertionError, match="the atom style is not stated"):
        read(text, types={1: "Cs", 2: "Cl"})


def test_type_labels_and_general_box(read: Callable[..., Atoms]) -> None:
    box = "4 0 0 avec\n0 4 0 bvec\n1 0 4 cvec\n0 0 0 abc origin"
    text = data("1 Cs 0 0 0\n2 Cl 2 2 2", more="\nAtom Type Labels\n\n1 Cs\n2 Cl\n")
    text = text.replace("0 4 xlo xhi\n0 4 ylo yhi\n0 4 zlo zhi", box)
    atoms = read(text)
    assert formula(atoms) == "CsCl" and atoms.cell[2].tolist() == [1, 0, 4]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2 atoms", "3 atoms", "3 atoms are declared, 2 rows follow"),
        ("2 atoms", "1 atoms", "1 atoms are declared, 2 rows follow"),
        ("0 4 zlo zhi\n", "", r"no line\(s\) zlo zhi"),
        ("2 atom types", "", "no line 'N atom types'"),
        ("Atoms\n", "Velocities\n", "no section 'Atoms'"),
        ("2 2 2 2 2", "2 2 2 2", "has 4 columns, other rows"),
        ("2 2 2 2 2", "2 3 2 2 2", "fit no atom style"),
        ("2 2 2 2 2", "2 2 2 2 x", "'x' is not a number"),
        ("Atoms\n", "Atoms # charge\n", "'Atoms # charge' does not fit its rows of 5 columns"),
    ],
)
def test_bad_data(read: Callable[..., Atoms], old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(data(PLAIN).replace(old, new), "a.lmp")


# --- LAMMPS dumps ------------------------------------------------------------------------------

DUMP = """ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp ff
0 4
0 4
0 4
ITEM: ATOMS id type x y z
2 2 2 2 2
1 1 0 0 0
"""
NAMED = {1: "Cs", 2: "Cl"}


def test_dump_in_the_order_of_ids(read: Callable[..., Atoms]) -> None:
    atoms = read(DUMP, types=NAMED)
    assert atoms.get_chemical_symbols() == ["Cs", "Cl"]
    assert atoms.pbc.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("id type xs ys zs", "2 2 .5 .5 .5\n1 1 0 0 0"),
        ("xu yu zu type id", "2 2 2 2 2\n0 0 0 1 1"),
        ("id element x y z", "2 Cl 2 2 2\n1 Cs 0 0 0"),
        ("id type element x y z", "2 1 Cl 2 2 2\n1 2 Cs 0 0 0"),
        ("id type mass x y z", "2 2 35.45 2 2 2\n1 1 132.905 0 0 0"),
        ("id type x y z", "2 Cl 2 2 2\n1 Cs 0 0 0"),
        ("id typelabel xsu ysu zsu", "2 Cl .5 .5 .5\n1 Cs 0 0 0"),
    ],
)
def test_columns_of_a_dump(read: Callable[..., Atoms], header: str, rows: str) -> None:
    text = DUMP.replace("id type x y z\n2 2 2 2 2\n1 1 0 0 0", f"{header}\n{rows}")
    options = {} if "e" in header.replace("type", "") or "C" in rows else {"types": NAMED}
    atoms = read(text, **options) if "mass" not in header else read(text)
    assert formula(atoms) == "CsCl"
    assert sorted(atoms.positions.tolist()) == [[0, 0, 0], [2, 2, 2]]


def test_old_dump_names_neither_columns_nor_boundaries(read: Callable[..., Atoms]) -> None:
    text = DUMP.replace(" pp pp ff", "").replace("ATOMS id type x y z", "ATOMS")
    text = text.replace("2 2 2 2 2", "2 2 .5 .5 .5")
    atoms = read(text, quiet=False, types=NAMED)
    assert atoms.positions.tolist() == [[0, 0, 0], [2, 2, 2]] and atoms.pbc.all()


def test_tilted_box_of_a_dump_encloses_the_cell(read: Callable[..., Atoms]) -> None:
    text = DUMP.replace("BOUNDS pp", "BOUNDS xy xz yz pp").replace(
        "0 4\n0 4\n0 4", "-1 4 -1\n0 5 0\n0 4 1"
    )
    cell = read(text, types=NAMED).cell.tolist()
    assert cell == [[4, 0, 0], [-1, 4, 0], [0, 1, 4]]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1 1 0 0 0\n", "", "2 atoms are declared, 1 rows follow"),
        ("\n1 1 0 0 0", "\n1 1 0 0 0\n3 1 1 1 1", "2 atoms are declared, 3 rows follow"),
        ("1 1 0 0 0", "1 1 0 0", "has 4 columns instead of 5"),
        ("1 1 0 0 0", "2 1 0 0 0", "have the same id"),
        ("x y z", "x y vx", "hold no positions"),
        ("0 4\n0 4\n0 4\n", "0 4\n", "three lines of 2 numbers"),
        ("NUMBER OF ATOMS\n2", "NUMBER OF ATOMS\n0", "no count"),
        ("ITEM: ATOMS", "ITEM: TIMESTEP\n1\nITEM: ATOMS", "ends after|no number of atoms"),
    ],
)
def test_bad_dump(read: Callable[..., Atoms], old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(DUMP.replace(old, new))


@pytest.mark.parametrize("types", [{"Na": "Cs"}, {"NA": "Cs"}, {1: "Cs"}])
def test_a_type_goes_by_any_of_its_names(
    read: Callable[..., Atoms], types: dict[int | str, str]
) -> None:
    rows = "id type typelabel element x y z\n2 2 B Cl 2 2 2\n1 1 NA Na 0 0 0"
    text = DUMP.replace("id type x y z\n2 2 2 2 2\n1 1 0 0 0", rows)
    assert formula(read(text, types=types)) == "CsCl"
    unknown = text.replace(" NA Na ", " A X ")
    assert formula(read(unknown, types=types if 1 in types else {"X": "Cs"})) == "CsCl"
    labels = data("1 NA 0 0 0\n2 2 2 2 2", more="\nAtom Type Labels\n\n1 NA\n2 Cl\n")
    assert formula(read(labels, types=types)) == "CsCl"


def test_types_that_a_data_file_declares_may_have_no_atoms(read: Callable[..., Atoms]) -> None:
    three = NAMED | {3: "Fe"}
    assert formula(read(data("1 1 0 0 0\n2 2 2 2 2", types=3), types=three)) == "CsCl"
    with pytest.raises(AssertionError, match="names '3', and no atom is called so"):
        read(data("1 1 0 0 0\n2 2 2 2 2"), types=three)


# --- VASP --------------------------------------------------------------------------------------

POSCAR = "{comment}\n1\n4 0 0\n0 4 0\n0 0 4\n{symbols}1 1\nDirect\n0 0 0{a}\n.5 .5 .5{b}\n"


@pytest.mark.parametrize(
    ("comment", "symbols", "a", "b"),
    [
        ("", "Cs Cl\n", "", ""),
        ("", "Cs_sv Cl/1a2b3c\n", " F F F", " T T T"),
        ("Cs Cl, relaxed", "", "", ""),
        ("relaxed", "", " Cs", " Cl"),
        ("", "Cs Cl ! a comment\n", " # 1", " ! 2"),
    ],
)
def test_species_of_a_poscar(
    read: Callable[..., Atoms], comment: str, symbols: str, a: str, b: str
) -> None:
    text = POSCAR.format(comment=comment.replace(",", " ,"), symbols=symbols, a=a, b=b)
    assert formula(read(text)) == "CsCl"


def test_poscar_without_species(read: Callable[..., Atoms]) -> None:
    text = POSCAR.format(comment="relaxed", symbols="", a="", b="")
    assert formula(read(text, types=NAMED)) == "CsCl"
    with pytest.raises(AssertionError, match="species of its own"):
        read(text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (".5 .5 .5", "", "2 atoms are declared, 1 whole rows"),
        (".5 .5 .5", ".5 .5 .5\n0 0 .5", "more rows follow"),
        ("1 1\n", "1 1 1\n", r"3 count\(s\) for 2 symbol\(s\)"),
        ("1 1\n", "0 0\n", "number of atoms of each species"),
        ("\n1\n4", "\n0\n4", "one scale"),
        ("Direct\n", "0 0 0\n", "'Direct' or 'Cartesian' is needed"),
    ],
)
def test_bad_poscar(read: Callable[..., Atoms], old: str, new: str, message: str) -> None:
    text = POSCAR.format(comment="", symbols="Cs Cl\n", a="", b="")
    with pytest.raises(InputError, match=message):
        read(text.replace(old, new, 1), "POSCAR")


def test_xdatcar_with_a_changing_cell(read: Callable[..., Atoms], tmp_path: Path) -> None:
    head = (
        "CsCl\n1\n{0} 0 0\n0 {0} 0\n0 0 {0}\nCs Cl\n1 1\nDirect configuration= 1\n0 0 0\n.5 .5 .5\n"
    )
    (tmp_path / "XDATCAR").write_text(head.format(4) + head.format(5))
    source = read_source(tmp_path / "XDATCAR", index=0)
    assert (source.n_frames, source.atoms.cell[0, 0]) == (2, 4)
    assert read_source(tmp_path / "XDATCAR").atoms.positions[1].tolist() == [2.5] * 3


# --- further programs --------------------------------------------------------------------------

PDB = """CRYST1    4.120    4.120    4.120  90.00  90.00  90.00 P 1
ATOM      1 CS   CSX A   1       0.000   0.000   0.000  1.00  0.00          CS
ATOM      2 CL   CLX A   1       2.060   2.060   2.060  1.00  0.00          CL
END
"""


def test_pdb(read: Callable[..., Atoms]) -> None:
    atoms = read(PDB)
    assert formula(atoms) == "CsCl" and atoms.pbc.all()


def test_filler_cell_of_a_pdb(read: Callable[..., Atoms]) -> None:
    text = PDB.replace("    4.120" * 3, "    1.000" * 3)
    assert not read(text, quiet=False).pbc.any()
    with pytest.raises(AssertionError, match="a filler; the structure is taken as not periodic"):
        read(text)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("END\n", "", "has no record END"),
        ("CL   CLX", "CL  BCLX", "alternative positions the first was taken"),
    ],
)
def test_what_a_pdb_leaves_open(read: Callable[..., Atoms], old: str, new: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        read(PDB.replace(old, new))


def test_names_of_atoms_in_a_pdb(read: Callable[..., Atoms]) -> None:
    """Calcium and the alpha carbon differ by their column."""
    rows = PDB.replace("          CS\n", "\n").replace("          CL\n", "\n")
    assert formula(read(rows.replace(" CS   ", " CA   ").replace(" CL   ", "  CA  "))) == "CaC"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "a.cell",
            "%BLOCK lattice_abc\n4.12 4.12 4.12\n90 90 90\n%ENDBLOCK lattice_abc\n"
            "%BLOCK positions_frac\nCs 0 0 0\nCl .5 .5 .5 SPIN=1\n%ENDBLOCK positions_frac\n",
            "CsCl",
        ),
        (
            "a.cell",
            "%BLOCK LATTICE_CART\nbohr\n7.7857 0 0\n0 7.7857 0\n0 0 7.7857\n"
            "%ENDBLOCK LATTICE_CART\n"
            "%BLOCK POSITIONS_ABS\nCs:a 0 0 0\nCl 2.06 2.06 2.06\n%ENDBLOCK POSITIONS_ABS\n",
            "CsCl",
        ),
        (
            "a.res",
            "TITL x\nCELL 0.7 4.12 4.12 4.12 90 90 90\nLATT -1\nSFAC Cs Cl\n"
            "Cs1 1 10.0 10.0 10.0 11.0\nCl1 2 .5 .5 .5 11.0 =\n 0.1\nHKLF 4\n",
            "CsCl",
        ),
        (
            "CONFIG",
            "title\n1 2\n4.12 0 0\n0 4.12 0\n0 0 4.12\n"
            "Cs 1\n0 0 0\n9 9 9\nCl 2\n2.06 2.06 2.06\n9 9 9\n",
            "CsCl",
        ),
        (
            "a.axsf",
            "ANIMSTEPS 1\nCRYSTAL\nPRIMVEC\n4.12 0 0\n0 4.12 0\n0 0 4.12\nPRIMCOORD 1\n2 1\n"
            "55 0 0 0\nCl 2.06 2.06 2.06 .1 .1 .1\n",
            "CsCl",
        ),
        (
            "a.gro",
            "t\n2\n    1CS     CS    1   0.000   0.000   0.000\n"
            "    1CL     CL    2   0.206   0.206   0.206\n   0.41200   0.41200   0.41200\n",
            "CsCl",
        ),
        (
            "a.json",
            '{"lattice": {"matrix": [[4.12, 0, 0], [0, 4.12, 0], [0, 0, 4.12]]}, "sites": ['
            '{"species": [{"element": "Cs", "occu": 1}], "abc": [0, 0, 0]}, '
            '{"species": [{"element": "Cl", "occu": 1}], "abc": [0.5, 0.5, 0.5]}]}',
            "CsCl",
        ),
    ],
)
def test_caesium_chloride_of_further_programs(
    read: Callable[..., Atoms], name: str, text: str, expected: str
) -> None:
    atoms = read(text, name)
    assert formula(atoms) == expected and atoms.pbc.all()
    np.testing.assert_allclose(atoms.cell.cellpar(), [4.12] * 3 + [90] * 3, atol=1e-3)
    np.testing.assert_allclose(atoms.positions, [[0] * 3, [2.06] * 3], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.cell", "%BLOCK lattice_abc\n4 4 4\n90 90 90\n", "has no end; the file is truncated"),
        ("a.res", "TITL\nCELL 1 4 4 4 90 90 90\nLATT 1\nSFAC C\nC1 1 0 0 0 1\nEND\n", "symmetry"),
        ("a.res", "TITL\nCELL 1 4 4 4 90 90 90\nLATT -1\nSFAC C\nC1 1 0 0 0 1\n", "no line END"),
        ("a.gro", "t\n3\n    1CS     CS    1   0.000   0.000   0.000\n", "truncated"),
        ("CONFIG", "t\n1 0 2\nCs 1\n0 0 0\n9 9 9\n", "2 atoms are declared, 1 whole rows"),
        ("CONFIG", "t\n1 0\nCs 1\n0 0 0\n", "the file is truncated"),
        ("a.axsf", "ANIMSTEPS 2\nATOMS\n6 0 0 0\n", "declares 2 frames and has 1"),
        ("a.xsf", "CRYSTAL\nPRIMCOORD\n1 1\n6 0 0 0\n", "needs PRIMVEC"),
        ("a.json", "[1, 2]", "JSON of another kind"),
        ("a.json", "[" * 100_000, "no whole JSON file"),
        ("a.gen", "999999999999 C\nC\n1 1 0 0 0\n", "999999999999 atoms are declared in 4 lines"),
        ("a.cfg", "Number of particles = 2\nA = 1\n", "cannot be read as cfg"),
        ("a.traj", "- of UlmASE-Trajectory", "cannot be read as traj"),
    ],
)
def test_bad_files_of_further_programs(
    read: Callable[..., Atoms], name: str, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(text, name)


@pytest.mark.parametrize("kind", ["lammps-data", "vasp", "pdb", "xsf", "res", "gen"])
def test_what_ase_writes_is_read_as_written(tmp_path: Path, kind: str) -> None:
    """An independent writer; LAMMPS names no species, and turns the cell."""
    import ase.io

    atoms = bulk("NaCl", "rocksalt", 5.64, cubic=True)
    ase.io.write(tmp_path / "a", atoms, format={"pdb": "proteindatabank"}.get(kind, kind))
    types = {1: "Cl", 2: "Na"} if kind == "lammps-data" else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_source(tmp_path / "a", format=kind, types=types).atoms
    assert formula(found) == formula(atoms)
    np.testing.assert_allclose(found.cell.cellpar(), atoms.cell.cellpar(), atol=1e-3)
    expected = np.sort(atoms.get_all_distances(mic=True), axis=None)
    np.testing.assert_allclose(
        np.sort(found.get_all_distances(mic=True), axis=None), expected, atol=2e-3
    )
