"""Small files made after public bug reports and questions, each with its right value.

`data/cases.tsv` has one line for each file of `data/cases`: the format it is read as, or "refused";
formula, frame of how many frames, periodicity, space group found by spglib in the result; and what
is said, in a note or in the error. An empty last column means that nothing is said.
"""

from __future__ import annotations

import bz2
import doctest
import gzip
import importlib.util
import json
import lzma
import os
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.build import bulk

from arise_lib.errors import InputError
from arise_lib.structures.checks import check_atoms
from arise_lib.structures.reading import (
    FORMATS,
    Source,
    files,
    format_names,
    load_structure,
    read_frames,
    read_source,
    read_structure,
)

CASES = Path(__file__).parent / "data" / "cases"
TABLE = [
    line.split("\t")
    for line in (CASES.parent / "cases.tsv").read_text(encoding="utf-8").splitlines()[1:]
]


def group(atoms: Atoms) -> str:
    """Number of the space group that spglib finds; a dash where there is none."""
    try:
        cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(spglib.get_symmetry_dataset(cell, symprec=0.05).number)
    except (AttributeError, np.linalg.LinAlgError, spglib.error.SpglibError):
        return "-"


@pytest.mark.parametrize(
    ("name", "kind", "formula", "frame", "periodic", "number", "says"),
    TABLE,
    ids=[row[0] for row in TABLE],
)
def test_case(
    name: str, kind: str, formula: str, frame: str, periodic: str, number: str, says: str
) -> None:
    if kind == "refused":
        with pytest.raises(InputError) as info:
            read_source(CASES / name)
        assert says in str(info.value) and name in str(info.value)
        return
    source = read_source(CASES / name)
    assert (source.format, source.atoms.get_chemical_formula("metal")) == (kind, formula)
    assert f"{source.frame}/{source.n_frames}" == frame
    assert "".join("FT"[int(flag)] for flag in source.atoms.pbc) == periodic
    if source.atoms.pbc.all():
        assert group(source.atoms) == number
    assert len(source.notes) == bool(says) and says in "".join(source.notes)


def test_every_file_is_listed() -> None:
    files = [p.relative_to(CASES).as_posix() for p in CASES.rglob("*") if p.is_file()]
    assert sorted(files) == sorted([*(row[0] for row in TABLE), ".gitattributes"])


def test_table_of_the_reports_is_current() -> None:
    """What stands there is what the tool finds now, and nothing is wrong."""
    tool = CASES.parents[2] / "tools" / "table_of_reports.py"
    spec = importlib.util.spec_from_file_location("table_of_reports", tool)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.page()
    assert found == (CASES.parent / "reports.md").read_text(encoding="utf-8")
    assert found.endswith(" 0 wrong.\n")


@pytest.mark.parametrize(
    "name",
    ["POSCAR_duplicate_faces", "xyz_faces_twice.xyz", "POSCAR_zero_volume", "xyz_lat_14.xyz"],
)
def test_read_and_then_refused_as_a_structure(name: str) -> None:
    with pytest.raises(InputError):
        check_atoms(read_structure(CASES / name))


# --- files that are cut ------------------------------------------------------------------------

# These say neither how many atoms they hold nor where they end; .ascii is not read at all.
ENDLESS = ("geometry.in",)


@pytest.mark.parametrize(
    "name", [p.name for p in sorted((CASES / "trunc").iterdir()) if p.name != "a.ascii"]
)
def test_cut_anywhere(name: str, tmp_path: Path) -> None:
    """A file of 108 atoms never answers with fewer, unless with a note."""
    raw = (CASES / "trunc" / name).read_bytes()
    whole = read_source(CASES / "trunc" / name)
    assert len(whole.atoms) == 108 and not whole.notes
    ends = [i + 1 for i, byte in enumerate(raw) if byte == ord("\n")]
    cuts = np.linspace(len(raw) // 50, len(raw) - 1, 60).astype(int).tolist()
    cuts += ends[len(ends) // 20 :: max(1, len(ends) // 40)]
    if name in ENDLESS:
        cuts = [cut for cut in cuts if cut not in ends]
    refused = 0
    for cut in cuts:
        (tmp_path / name).write_bytes(raw[:cut])
        try:
            found = read_source(tmp_path / name)
        except InputError:
            refused += 1
            continue
        if len(found.atoms) < 108 or not np.allclose(
            found.atoms.positions[:-1], whole.atoms.positions[:-1]
        ):
            # A cut at the line end of a first frame leaves a whole file of one frame.
            assert found.notes or (found.n_frames < whole.n_frames and len(found.atoms) == 108), (
                f"cut after {cut} bytes: {found}"
            )
    assert refused > len(cuts) // 4 or name in ENDLESS


def test_a_cut_last_frame_refuses_that_frame_only() -> None:
    path = CASES / "dump_truncated_last.lammpstrj"
    with pytest.raises(InputError, match=r"24 rows follow.*frame 2, the last; .* index 1 or less"):
        read_structure(path)
    assert len(read_structure(path, index=1)) == len(read_structure(path, index=-2)) == 108
    with pytest.warns(UserWarning, match="frame 2 is left out: .*truncated"):
        assert [number for number, _ in read_frames(path)] == [0, 1]
    with pytest.raises(InputError, match="truncated"):
        list(read_frames(path, index=-1))
    with pytest.raises(InputError, match="truncated"):
        list(read_frames(path, index="2:"))


# --- frames ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "numbers"),
    [
        (":", [0, 1, 2]),
        ("-1", [2]),
        (0, [0]),
        (np.int64(1), [1]),
        ("::2", [0, 2]),
        ("1:", [1, 2]),
        (slice(None, None, -1), [2, 1, 0]),
    ],
)
def test_index_is_that_of_ase(index: Any, numbers: list[int]) -> None:
    found = list(read_frames(CASES / "xyz_frames.xyz", index))
    assert [number for number, _ in found] == numbers
    for number, atoms in found:
        assert atoms == read_structure(CASES / "xyz_frames.xyz", index=number)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (3, "holds 3 structure"),
        ("5:", "selects none"),
        ("x", "are allowed"),
        (1.0, "are allowed"),
        (True, "are allowed"),
    ],
)
def test_index_that_selects_nothing(index: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(read_frames(CASES / "xyz_frames.xyz", index))


def test_a_note_is_told_once(tmp_path: Path) -> None:
    text = (CASES / "dump_two_types_same_element.lammpstrj").read_bytes()
    (tmp_path / "a.lammpstrj").write_bytes(text * 3)
    with pytest.warns(UserWarning, match="species of its own") as record:
        assert len(list(read_frames(tmp_path / "a.lammpstrj"))) == 3
    assert len(record) == 1 and record[0].filename == __file__


# --- what the user says ------------------------------------------------------------------------

TYPES = CASES / "dump_two_types_same_element.lammpstrj"


@pytest.mark.parametrize(
    ("name", "options", "formula"),
    [
        (TYPES.name, {"types": {1: "Fe", 2: "Fe"}}, "Fe108"),
        (TYPES.name, {"types": {"1": "Fe", "2": "al"}}, "Al54Fe54"),
        (TYPES.name, {"types": {1: "Fe"}, "ignore": ["2"]}, "Fe54"),
        (TYPES.name, {"types": {1.0: "Fe", np.float32(2): "Fe"}}, "Fe108"),
        (TYPES.name, {"types": {"1 ": "Fe", " 2": " Fe"}}, "Fe108"),
        (TYPES.name, {"one_species": True}, "H108"),
        ("data_two_types_nomass.lammps-data", {"types": {1: "Fe", 2: "Fe"}}, "Fe108"),
        ("xyz_lammps_types.xyz", {"types": {1: "Cu", 2: "Cu"}}, "Cu4"),
        ("xyz_label_X.xyz", {"types": {"X": "Cu"}}, "Cu4"),
        ("POSCAR_gb", {"types": {1: "Ni"}}, "Ni4"),
        ("cif_type_ions.cif", {"ignore": ["Cl"]}, "Na4"),
        ("cif_type_ions.cif", {"types": {"Na1": "K"}}, "K4Cl4"),
        ("cif_type_ions.cif", {"types": {"Na": "K"}}, "K4Cl4"),
        ("cif_type_ions.cif", {"one_species": True}, "Na8"),
        ("cif_vacancy_symbol_Va.cif", {"types": {"Va": "Li"}}, "Li8Na4Cl4"),
    ],
)
def test_types_and_species(name: str, options: dict[str, Any], formula: str) -> None:
    path = next(CASES.rglob(name))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_structure(path, **options).get_chemical_formula("metal") == formula


@pytest.mark.parametrize(
    "types", [{7: "Fe"}, {1: "Fe", 7: "Fe"}, {"Fe": "Ni"}, {1.5: "Fe"}, {"H": "Fe"}]
)
def test_types_that_the_file_has_not(types: dict[Any, str]) -> None:
    """Types that stand in for elements are of none: H54He54 has no H."""
    with pytest.raises(InputError, match=r"no atom is called so; found are '1', '2'\. Name these"):
        read_structure(TYPES, types=types)


@pytest.mark.parametrize("kind", ["json", "xsf", "traj", "proteindatabank", "xyz", "gen", "cif"])
def test_every_format_takes_elements_for_others(tmp_path: Path, kind: str) -> None:
    ase.io.write(tmp_path / "a", bulk("NaCl", "rocksalt", 5.64, cubic=True), format=kind)
    options: dict[str, Any] = {"format": {"proteindatabank": "pdb"}.get(kind, kind)}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = read_structure(tmp_path / "a", types={"Cl": "Br"}, **options)
    assert found.get_chemical_formula("metal") == "Na4Br4"
    with pytest.raises(InputError, match="'Fe', and no atom is called so"):
        read_structure(tmp_path / "a", types={"Fe": "Br"}, **options)
    with pytest.warns(UserWarning, match="'Fe', and no atom is called so"):
        found = read_structure(tmp_path / "a", types={"Fe": "Ni", "Cl": "Br"}, **options)
    assert found.get_chemical_formula("metal") == "Na4Br4"


def test_a_label_comes_before_its_element(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("3\n\nFe1 0 0 0\nFe2 0 0 2\nO 0 0 4\n")
    with pytest.warns(UserWarning, match="'Co', and no atom"):
        found = read_structure(tmp_path / "a.xyz", types={"Fe": "Co", "Fe1": "Ni", "Co": "Cu"})
    assert found.get_chemical_symbols() == ["Ni", "Co", "O"]


def test_a_frame_of_many_may_lack_what_types_names(tmp_path: Path) -> None:
    ase.io.write(tmp_path / "a.xyz", [Atoms("Cu"), Atoms("CuFe"), Atoms("Cu")])
    with pytest.warns(UserWarning, match="'Fe', and no atom is called so; found are 'Cu'") as told:
        frames = list(read_frames(tmp_path / "a.xyz", types={"Fe": "Ni"}))
    assert [str(atoms.symbols) for _, atoms in frames] == ["Cu", "CuNi", "Cu"] and len(told) == 1


@pytest.mark.parametrize(
    ("name", "occupancy", "formula"),
    [
        ("cif_low_occ_interstitial.cif", "major", "Cu4"),
        ("cif_low_occ_interstitial.cif", "all", "Cu4H8"),
        ("cif_low_occ_interstitial.cif", "full", "Cu4"),
        ("cif_vacancy_site_075.cif", "full", "Bi4"),
        ("cif_mixed_site_60_40.cif", "all", "Cu4Ni4"),
        ("cif_split_site_Cu.cif", "all", "Cu8"),
    ],
)
def test_occupancy(name: str, occupancy: str, formula: str) -> None:
    with pytest.warns(UserWarning, match="partly occupied"):
        atoms = read_structure(CASES / name, occupancy=occupancy)
    assert atoms.get_chemical_formula("metal") == formula
    with pytest.raises(InputError, match=r"partly occupied .*option occupancy"):
        read_structure(CASES / name, occupancy="refuse")


def test_split_positions_become_their_mean() -> None:
    source = read_source(CASES / "cif_split_site_Cu.cif")
    away = source.atoms.get_scaled_positions() * 2
    np.testing.assert_allclose(away, np.round(away), atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"types": {1: "Qq"}}, "'Qq' for '1' is no chemical symbol"),
        ({"types": {1: "26"}}, "'26' for '1' is no chemical symbol"),
        ({"types": {" ": "Fe"}}, "'Fe' for ' ' is no"),
        ({"types": {1: "Fe", "1": "Ni"}}, "'1' is given two elements"),
        ({"types": "Fe"}, "a mapping"),
        ({"ignore": "Cu"}, "a list of symbols"),
        ({"ignore": ["Cu"]}, "every atom is ignored"),
        ({"occupancy": "half"}, "allowed are major, all, full, refuse"),
        ({"format": "word"}, "'word' is not among those that are read: xyz, cif"),
        ({"format": 3}, "'3' is not among"),
    ],
)
def test_what_cannot_be_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_structure(CASES / "POSCAR_crlf", **options)


def test_format_comes_before_content_and_name() -> None:
    path = CASES / "POSCAR_crlf"
    assert read_source(path, format="POSCAR").format == "vasp"
    with pytest.raises(InputError, match="is no atom count"):
        read_structure(path, format="xyz")


@pytest.mark.parametrize("name", [row[0] for row in TABLE if row[1] in FORMATS][::7])
def test_stream_reads_what_the_file_does(name: str) -> None:
    whole = read_source(CASES / name)
    with open(CASES / name, "rb") as stream:
        found = read_source(stream, format=whole.format)
    assert found.atoms == whole.atoms and found.place == "the stream"


def test_options_need_a_file() -> None:
    with pytest.raises(InputError, match="one_species: options of reading need a file"):
        load_structure(Atoms("Cu"), one_species=True)
    assert len(load_structure(CASES / "POSCAR_crlf", one_species=True)) == 4


def test_source_tells_what_was_read() -> None:
    source = read_source(CASES / "xyz_frames.xyz", index=1)
    assert isinstance(source, Source) and (source.frame, source.n_frames) == (1, 3)
    assert str(source).endswith(
        "xyz_frames.xyz (xyz, frame 1 of 0 to 2): Cu4, 4 atoms; cell 3.61 3.61 3.61, 90 90 90; "
        "periodic xyz"
    )


def test_types_are_not_shown_as_elements() -> None:
    said = "H54He54 (types, elements not stated)"
    assert said in str(read_source(TYPES)) and not read_source(TYPES).named
    assert "Fe108," in str(read_source(TYPES, types={1: "Fe", 2: "Fe"}))


def test_examples_of_the_docstrings() -> None:
    for name in ("read", "formats"):
        module = importlib.import_module(f"arise_lib.structures.reading.{name}")
        done = doctest.testmod(module)
        assert done.attempted and not done.failed


# --- messages, formats -------------------------------------------------------------------------


def test_messages_are_short_and_printable(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m.xyz"
    path.write_bytes(b"1\n\n\x1b]0;owned\x07" + b"x" * 200_000 + b" 0 0 0\n")
    with pytest.raises(InputError, match="unknown species") as info:
        read_structure(path)
    assert len(str(info.value)) < 1200 and str(info.value).isprintable()


def test_unknown_formats_are_told_which_there_are(tmp_path: Path) -> None:
    (tmp_path / "a.abc").write_text("some words\n")
    with pytest.raises(InputError) as info:
        read_structure(tmp_path / "a.abc")
    assert format_names() in str(info.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.db", b"SQLite format 3\0" + bytes(100)),
        ("a.pckl", b"\x80\x04\x95" + bytes(100)),
        ("a.nc", b"CDF\x01" + bytes(100)),
        ("a.xyz", b"SQLite format 3\0" + bytes(100)),
    ],
)
def test_databases_and_objects_are_not_opened(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"database|neither its content nor its name"):
        read_structure(tmp_path / name)


@pytest.mark.parametrize("name", ["a.xyz.gz", "a.xyz.bz2", "a.xyz.xz", "a.zip"])
def test_packed_file_that_would_fill_the_memory(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b"1\n\nC 0 0 0\n"
    packers = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    path = tmp_path / name
    for content, refused in ((text, False), (text + b"\n" * 100_000, True)):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("a.xyz", content)
        else:
            path.write_bytes(packers[path.suffix](content))
        assert len(read_structure(path)) == 1
        monkeypatch.setattr(files, "MAX_UNPACKED", 1000)
        if refused:
            with pytest.raises(InputError, match="bytes, unpacks to more than"):
                read_structure(path)
        else:
            assert len(read_structure(path)) == 1
        monkeypatch.undo()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no such limit elsewhere")
def test_file_beyond_the_memory(tmp_path: Path) -> None:
    """Half a gigabyte of zeros, read by a process that may take less."""
    with (tmp_path / "a.xyz").open("wb") as stream:
        stream.truncate(1 << 29)  # takes no room on the disk
    script = (
        "import resource, sys\n"
        "from arise_lib.errors import InputError\n"
        "from arise_lib.structures.reading import read_structure\n"
        "size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 28), size + (1 << 28)))\n"
        "try:\n    read_structure(sys.argv[1])\nexcept InputError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.xyz")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "does not fit into the memory" in done.stdout, done.stderr[-1000:]


def test_archive_of_several_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.xyz", "1\n\nC 0 0 0\n")
        archive.writestr("b.xyz", "1\n\nC 0 0 0\n")
    with pytest.raises(InputError, match="archive of 2 files"):
        read_structure(tmp_path / "a.zip")


# --- CIF: what contradicts itself --------------------------------------------------------------

CIF = """data_t
_cell_length_a 3.61
_cell_length_b 3.61
_cell_length_c {c}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
{more}
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{atoms}
"""


def cif(tmp_path: Path, more: str, c: float = 3.61, atoms: str = "Cu1 0 0 0") -> Path:
    path = tmp_path / "a.cif"
    path.write_text(CIF.format(more=more, c=c, atoms=atoms))
    return path


FCC = "_space_group_name_H-M_alt 'F m -3 m'"


@pytest.mark.parametrize(
    ("more", "options", "message"),
    [
        (FCC, {"c": 4.0}, "does not have the symmetry of the space group 'F m -3 m'"),
        ("_space_group_IT_number 194", {}, "does not have the symmetry"),
        (FCC + "\n_space_group_IT_number 229", {}, "'F m -3 m' by name and 229 by number"),
        ("_space_group_name_H-M_alt 'F q -3 m'", {}, "unknown space group 'F q -3 m'"),
        ("_space_group_IT_number 231", {}, "there are 230"),
        (FCC + "\n_chemical_formula_sum 'Cu3 Zn'", {}, "formula"),
        (FCC + "\n_chemical_formula_sum Cu\n_cell_formula_units_Z 8", {}, "4 Cu, .*say 8"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\ny,z,x\n", {}, "are no group"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,w\n", {}, "'x,y,w' is no symmetry operation"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,y,-z\ny,x,-z\n-y,-x,z\n-y,x,z\ny,-x,z\n"
         "-x,-y,z\nx,-y,-z\n", {"c": 3.61}, "are no group|operations"),
        (FCC, {"atoms": "T1 0 0 0"}, "unknown species 'T1'"),
        (FCC, {"atoms": "Cu1 0 0 x"}, "has coordinates"),
        (FCC, {"c": -1}, "_cell_length_c is '-1'"),
    ],
)  # fmt: skip
def test_cif_that_contradicts_itself(
    tmp_path: Path, more: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_structure(cif(tmp_path, more, **options))


def test_formula_decides_the_origin(tmp_path: Path) -> None:
    """Without it, the choice with the longer distances is taken, and said."""
    group = "_space_group_IT_number 227"
    for units, count in ((8, 8), (16, 16)):
        more = f"{group}\n_chemical_formula_sum Cu\n_cell_formula_units_Z {units}"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(read_structure(cif(tmp_path, more))) == count


def test_multiplicity_decides_too(tmp_path: Path) -> None:
    path = cif(tmp_path, "_space_group_IT_number 227", atoms="Cu1 0 0 0 16")
    text = path.read_text().replace("_fract_z\n", "_fract_z\n_atom_site_symmetry_multiplicity\n")
    path.write_text(text)
    assert len(read_structure(path)) == 16


def test_missing_hydrogen_is_forgiven(tmp_path: Path) -> None:
    path = cif(tmp_path, FCC + "\n_chemical_formula_sum 'Cu H2'\n_cell_formula_units_Z 4")
    assert len(read_structure(path)) == 4


def test_labels_of_an_organic_crystal(tmp_path: Path) -> None:
    """CD1 is carbon where the formula has no cadmium."""
    more = "_symmetry_space_group_name_H-M 'P 1'\n_chemical_formula_sum 'C O'"
    atoms = "CD1 0 0 0\nO1 0.3 0 0"
    assert str(read_structure(cif(tmp_path, more, atoms=atoms)).symbols) == "CO"


def test_cell_tells_the_unique_axis(tmp_path: Path) -> None:
    """P 21/c with its angle at gamma; four images of a general position."""
    path = cif(tmp_path, "_symmetry_space_group_name_H-M 'P 21/c'", atoms="Cu1 0.1 0.2 0.3")
    path.write_text(path.read_text().replace("gamma 90", "gamma 99"))
    with pytest.warns(UserWarning, match="does not tell the axes"):
        atoms = read_structure(path)
    assert len(atoms) == 4 and group(atoms) == "14"


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("R 3 2", 18),
        ("R 3", 9),
        ("R 3 2 :H", 18),
        ("R3c", 18),
        ("P 3 2 1", 6),
        ("P6_3/mmc", 24),
        ("P 6/m 2/m 2/m", 24),
        ("P63/mmc", 24),
    ],
)
def test_names_of_groups(tmp_path: Path, name: str, count: int) -> None:
    """Images of a general position, as the International Tables have them."""
    path = cif(
        tmp_path, f"_symmetry_space_group_name_H-M '{name}'", c=9.0, atoms="Cu1 0.11 0.31 0.07"
    )
    path.write_text(path.read_text().replace("gamma 90", "gamma 120").replace(" 3.61", " 9.61"))
    assert len(read_structure(path)) == count


def test_wrong_z_is_told_and_a_short_list_refused(tmp_path: Path) -> None:
    operations = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n"
    atoms = "Na1 0 0 0\nCl1 .5 .5 .5"
    formula = "_chemical_formula_sum 'Na Cl'\n_cell_formula_units_Z "
    with pytest.warns(UserWarning, match="1 Na, formula and Z say 4; the atoms were taken"):
        assert len(read_structure(cif(tmp_path, f"{formula}4\n{operations}", atoms=atoms))) == 2
    with pytest.raises(InputError, match="1 Cl, formula and Z say 2"):
        short = formula.replace("Na Cl", "Na Cl2")
        read_structure(cif(tmp_path, f"{short}1\n{operations}", atoms=atoms))


# --- mutated files -----------------------------------------------------------------------------

# A quick run; `make fuzz FILES=10000` is a long one, counted, which goes on after an interruption.
N_MUTATIONS = 300
PIECE = 250


@pytest.mark.parametrize("first", range(0, N_MUTATIONS, PIECE))
def test_mutated_files_are_answered_or_refused(first: int) -> None:
    """No traceback, no ten seconds, no two gigabytes, no program, no pickle, no database.

    In a process of its own, since compiled code can neither be interrupted nor fail softly.
    """
    count = min(PIECE, N_MUTATIONS - first)
    script = Path(__file__).with_name("fuzz_reading.py")
    done = subprocess.run(
        [sys.executable, script, str(first), str(count)],
        capture_output=True,
        text=True,
        timeout=60 + 10 * count,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert not found["failures"]
    assert found["counts"]["answered"] > count // 20 and found["counts"]["refused"] > count // 20
