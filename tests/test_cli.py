"""The command line, with stand-ins for recognition: what it prints, writes and returns."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import ase
import ase.build
import ase.io
import numpy as np
import pytest
import xarray as xr

from arise_lib import recognition, storage
from arise_lib.compendium import _answers, cli, runner
from arise_lib.errors import DataError, InputError
from arise_lib.storage import paths
from arise_lib.strided import sweep

MINIMAL = "2\ncomment\nFe 0 0 0\nFe 0 0 2.5\n"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace recognition and scan; return the arguments that they were called with."""
    seen: list[dict[str, Any]] = []

    def classify_all(structures: list[ase.Atoms], **settings: Any) -> list[Any]:
        if min(map(len, structures)) == 1:
            raise InputError("one atom has no neighbours: give at least 2")
        seen.append({"atoms": [len(atoms) for atoms in structures], **settings})
        return [
            types.SimpleNamespace(
                classes=("fcc", "bcc", "hcp"),
                probabilities=np.array([0.9, 0.075, 0.025]),
                mutual_information=0.123456,
                novelty=np.nan,
                n_atoms=len(atoms),
            )
            for atoms in structures
        ]

    def scan(atoms: ase.Atoms, **settings: Any) -> xr.Dataset:
        seen.append({"atoms": len(atoms), **settings})
        # Four boxes: fcc, fcc, bcc, and one that holds nothing.
        probability = np.array([[0.7, 0.6, 0.2, np.nan], [0.3, 0.4, 0.8, np.nan]])
        shape = (1, 2, 2)
        dimensions = ("z", "y", "x")
        return xr.Dataset(
            {
                "probability": (("class", *dimensions), probability.reshape(2, *shape)),
                "mutual_information": (dimensions, np.array([0, 0.1, 0.2, np.nan]).reshape(shape)),
                "n_atoms": (dimensions, np.array([60, 70, 80, 0]).reshape(shape)),
                "label": (dimensions, np.array(["fcc", "fcc", "bcc", ""]).reshape(shape)),
            },
            coords={"class": ["fcc", "bcc"], "z": [0.0], "y": [0.0, 4.0], "x": [0.0, 4.0]},
        )

    monkeypatch.setattr(recognition, "classify_all", classify_all)
    monkeypatch.setattr(sweep, "scan", scan)
    return seen


@pytest.fixture
def sample(tmp_path: Path) -> str:
    path = tmp_path / "cu.xyz"
    ase.io.write(path, ase.build.bulk("Cu", cubic=True).repeat(2))
    return str(path)


def as_read(sample: str) -> str:
    """The line that says what was read."""
    cell = "cell 7.22 7.22 7.22, 90 90 90; periodic xyz"
    return f"{sample} (xyz): Cu32, 32 atoms; {cell}"


def usage(arguments: list[str], capsys: Any) -> str:
    """Run a command that argparse refuses; return what it says."""
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    return str(capsys.readouterr().err)


# --- classify ----------------------------------------------------------------------------------


def test_classify_ranks(calls: list[dict[str, Any]], sample: str, capsys: Any) -> None:
    assert cli.main(["classify", sample, "--top", "2"]) == 0
    assert calls == [{"atoms": [32]}]
    assert capsys.readouterr().out.splitlines() == [
        as_read(sample),
        "  mutual information 0.1235 bit",
        "    1  fcc    90.00 %",
        "    2  bcc     7.50 %",
    ]


def test_classify_passes_settings_on(calls: list[dict[str, Any]], sample: str) -> None:
    assert cli.main(["classify", sample, "--network", "small", "--passes", "50"]) == 0
    assert calls == [{"atoms": [32], "network": "small", "passes": 50}]
    assert cli.main(["classify", sample, "--tolerance", "0.02"]) == 0
    assert calls[1:] == [{"atoms": [32], "tolerance": 0.02}]


def test_one_bad_file_does_not_lose_the_others(
    calls: list[dict[str, Any]], sample: str, tmp_path: Path, capsys: Any
) -> None:
    bad = {
        "missing.xyz": None,
        "empty.xyz": "",
        "text.xyz": "no structure\n",
        "truncated.xyz": "9\ncomment\nFe 0 0 0\n",
        "noatoms.xyz": "0\ncomment\n",
        "unknown.foo": "what is this",
        "single.xyz": "1\ncomment\nFe 0 0 0\n",
    }
    for name, text in bad.items():
        if text is not None:
            (tmp_path / name).write_text(text)
    files = [str(tmp_path / name) for name in bad]
    assert cli.main(["classify", *files, sample]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith(as_read(sample))
    lines = [line for line in captured.err.splitlines() if ": warning: " not in line]
    assert len(lines) == len(files)
    for line, file in zip(lines, files, strict=True):
        assert line.startswith(f"arise: {file}")
        assert line.count(file) == 1
    assert "no such file" in lines[0]
    assert lines[-1].endswith(": one atom has no neighbours: give at least 2")


def test_comment_that_promises_other_columns(
    calls: list[dict[str, Any]], tmp_path: Path, capsys: Any
) -> None:
    """As in the published four_grains_defective.xyz: a header of five fields, lines of four."""
    path = tmp_path / "x.xyz"
    header = '# Properties=species:S:1:pos:R:3:Z:I:1 pbc="F F F"'
    path.write_text(MINIMAL.replace("comment", header))
    assert cli.main(["classify", str(path)]) == 0
    assert calls == [{"atoms": [2]}]
    assert capsys.readouterr().err.startswith(f"arise: warning: {path}")


def test_warnings_of_the_recognition_name_the_file(
    sample: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def classify_all(structures: list[ase.Atoms]) -> Any:
        warnings.warn("few atoms of each species", stacklevel=2)
        raise InputError("nothing to see")

    monkeypatch.setattr(recognition, "classify_all", classify_all)
    for _ in range(2):
        assert cli.main(["classify", sample]) == 1
        assert capsys.readouterr().err.splitlines() == [
            f"arise: warning: {sample}: few atoms of each species",
            f"arise: {sample}: nothing to see",
        ]


def test_short_memory_does_not_lose_the_other_files(
    calls: list[dict[str, Any]], sample: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = _answers.read_source

    def read_large(file: str, *chosen: Any, **options: Any) -> Any:
        if file == "large.xyz":
            np.empty(1 << 55)
        return read(file, *chosen, **options)

    monkeypatch.setattr(_answers, "read_source", read_large)
    assert cli.main(["classify", "large.xyz", sample]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith(as_read(sample))
    assert re.match(
        r"arise: large\.xyz: the memory was not enough \(Unable to allocate .*\): take a part",
        captured.err,
    )
    assert "Traceback" not in captured.err


def test_json_holds_results_and_errors(
    calls: list[dict[str, Any]], sample: str, capsys: Any
) -> None:
    assert cli.main(["classify", "missing.xyz", sample, "--json"]) == 1
    missing, found = map(json.loads, capsys.readouterr().out.splitlines())
    assert missing["file"] == "missing.xyz"
    assert "no such file" in missing["error"]
    assert found == {
        "file": sample,
        "read": as_read(sample),
        "n_atoms": 32,
        "classes": ["fcc", "bcc", "hcp"],
        "probabilities": [0.9, 0.075, 0.025],
        "mutual_information": 0.123456,
        "novelty": None,
    }


def test_files_share_the_passes(
    calls: list[dict[str, Any]],
    sample: str,
    tmp_path: Path,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In lots; a structure that cannot be recognised is found without losing its neighbours."""
    ase.io.write(tmp_path / "one.xyz", ase.Atoms("Cu"))
    ase.io.write(tmp_path / "two.xyz", ase.Atoms("Cu2", [[0, 0, 0], [0, 0, 2.5]]))
    one, two = str(tmp_path / "one.xyz"), str(tmp_path / "two.xyz")
    monkeypatch.setattr(_answers, "LOT", 4)
    files = [sample, two, "missing.xyz", two, sample, one, two, two, sample]
    assert cli.main(["classify", "--json", *files]) == 1
    captured = capsys.readouterr()
    records = [json.loads(line) for line in captured.out.splitlines()]
    assert [record["file"] for record in records] == files
    assert [record.get("n_atoms") for record in records] == [32, 2, None, 2, 32, None, 2, 2, 32]
    assert [call["atoms"] for call in calls] == [[32, 2, 2], [32], [2, 2], [32]]
    errors = [line for line in captured.err.splitlines() if "warning" not in line]
    assert len(errors) == 2 and "missing.xyz" in errors[0] and "one.xyz: one atom" in errors[1]


def test_frames_are_a_table(calls: list[dict[str, Any]], tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "run.xyz"
    frames = [ase.build.bulk("Cu", cubic=True).repeat(n) for n in (2, 3, 2)]
    ase.io.write(path, frames)
    assert cli.main(["classify", str(path), "--index", ":"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == str(path) and [line.split()[:3] for line in lines] == [
        ["frame", str(i), "fcc"] for i in range(3)
    ]
    assert "Cu108, 108 atoms" in lines[1] and "0.1235 bit" in lines[1]
    assert calls == [{"atoms": [32, 108, 32]}]
    assert cli.main(["classify", str(path), "--index", "::2", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["frame"] for record in records] == [0, 2]


@pytest.mark.parametrize(
    ("index", "frames"),
    [("-2:", [3, 4]), ("-4:-1:2", [1, 3]), ("-3::", [2, 3, 4]), ("-2", [])],
)
@pytest.mark.parametrize("form", [["--index", "{}"], ["--index={}"]])
def test_frames_from_the_end(
    calls: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    index: str,
    frames: list[int],
    form: list[str],
) -> None:
    path = str(tmp_path / "run.xyz")
    ase.io.write(path, [ase.build.bulk("Cu", cubic=True).repeat(n) for n in (1, 2, 1, 2, 1)])
    given = ["classify", "--json", *(word.format(index) for word in form), path]
    monkeypatch.setattr(sys, "argv", ["arise", *given])
    for arguments in (given, None):
        assert cli.main(arguments) == 0
        records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [record["frame"] for record in records if "frame" in record] == frames
        assert len(records) == max(1, len(frames))


def test_frames_that_are_cut_or_no_structure(
    calls: list[dict[str, Any]], sample: str, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "run.xyz"
    twice = "2\n\nCu 0 0 0\nCu 0 0 0\n"
    path.write_text(MINIMAL + twice + MINIMAL + "9\ncut\nFe 0 0 0\n")
    assert cli.main(["classify", str(path), "missing.xyz", sample, "--index", ":"]) == 1
    captured = capsys.readouterr()
    frames = [line.split()[1] for line in captured.out.splitlines() if line.startswith(" ")]
    assert frames == ["0", "2", "0"]
    assert "run.xyz: frame 1: atoms 0 and 1 are on top of each other" in captured.err
    assert "frame 3 is left out" in captured.err and "missing.xyz" in captured.err


def test_atoms_are_written(sample: str, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "labelled.xyz"
    options = ["--atoms", str(path), "--n-atoms", "60", "--every", "8", "--passes", "5"]
    assert cli.main(["classify", sample, *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"  4 atoms labelled, written to {path}"
    assert lines[3].split() == ["1", "fcc", "100.00", "%"]
    labels = ase.io.read(path).arrays["structure_type"]
    assert labels.tolist() == ["fcc"] * 32


def test_undefined_is_null_and_a_word(
    calls: list[dict[str, Any]], sample: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = types.SimpleNamespace(
        classes=("fcc",),
        probabilities=[np.nan],
        mutual_information=np.nan,
        novelty=np.nan,
        n_atoms=32,
    )
    monkeypatch.setattr(recognition, "classify_all", lambda structures: [nothing])
    assert cli.main(["classify", sample, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["probabilities"], record["mutual_information"]) == ([None], None)
    assert cli.main(["classify", sample]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == ["  mutual information undefined", "    1  fcc  undefined"]


def test_novelty_stands_beside_the_mutual_information(
    sample: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unusual = types.SimpleNamespace(
        classes=("fcc",),
        probabilities=[0.9],
        mutual_information=0.12345,
        novelty=0.97,
        n_atoms=32,
    )
    monkeypatch.setattr(recognition, "classify_all", lambda structures: [unusual])
    assert cli.main(["classify", sample]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert line == "  mutual information 0.1235 bit, novelty 0.970"


def test_local_counts_filled_boxes_only(
    calls: list[dict[str, Any]], sample: str, capsys: Any
) -> None:
    assert cli.main(["classify", sample, "--local", "--box", "8"]) == 0
    assert calls == [{"atoms": 32, "box": 8.0, "stride": 2.0}]
    assert capsys.readouterr().out.splitlines() == [
        as_read(sample),
        "  3 of 4 boxes of 8 Å",
        "  mean mutual information 0.1000 bit",
        "    1  fcc    66.67 %",
        "    2  bcc    33.33 %",
    ]


def test_local_without_a_filled_box(
    sample: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scan(atoms: ase.Atoms, **settings: Any) -> Any:
        raise InputError("no box holds 50 atoms")

    monkeypatch.setattr(sweep, "scan", scan)
    assert cli.main(["classify", sample, "--local"]) == 1
    assert capsys.readouterr().err == f"arise: {sample}: no box holds 50 atoms\n"


@pytest.mark.parametrize("suffix", [".nc", ".npz"])
def test_maps_are_saved(
    calls: list[dict[str, Any]], sample: str, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"maps{suffix}"
    assert cli.main(["classify", sample, "--local", "--output", str(path)]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cu.xyz", path.name]
    if suffix == ".nc":
        with xr.open_dataset(path) as maps:
            shares = maps["probability"].to_numpy()
            labels = [str(label) for label in maps["class"].to_numpy()]
    else:
        with np.load(path, allow_pickle=False) as maps:
            shares, labels = maps["probability"], list(maps["class"])
    assert labels == ["fcc", "bcc"]
    np.testing.assert_array_equal(shares[:, 0, 1, 0], [0.2, 0.8])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--box", "8"], "--box, --stride, --padding and --output belong to --local"),
        (["--output", "m.nc"], "--box, --stride, --padding and --output belong to --local"),
        (["--local", "--output", "maps.h5"], "maps are written as .nc or .npz, not as 'maps.h5'"),
        (["other.xyz", "--local", "--output", "m.nc"], "--output takes the maps of one file"),
        (["--every", "2"], "--n-atoms and --every belong to --atoms"),
        (["--local", "--atoms", "a.xyz"], "--atoms and --local are two kinds of answers"),
        (["other.xyz", "--atoms", "a.xyz"], "--atoms takes the answers of one file"),
        (["--atoms", "a.cif"], "written as extended XYZ (.xyz, .extxyz) or as LAMMPS dump"),
        (["--local", "--index", ":"], "--local and --atoms answer for one frame"),
    ],
)
def test_options_that_do_not_fit(
    sample: str, capsys: Any, options: list[str], message: str
) -> None:
    assert cli.main(["classify", sample, *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--passes", "0"], "'0' is no whole number from 1 up"),
        (["--passes", "many"], "'many' is no whole number from 1 up"),
        (["--tolerance", "0"], "'0' is no positive number of bits"),
        (["--tolerance", "low"], "'low' is no positive number of bits"),
        (["--box", "-1"], "'-1' is no positive length"),
        (["--box", "nan"], "'nan' is no positive length"),
        (["--stride", "far"], "'far' is no positive length"),
        (["--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_values_that_are_none(sample: str, capsys: Any, options: list[str], message: str) -> None:
    assert message in usage(["classify", sample, "--local", *options], capsys)


# --- fetch -------------------------------------------------------------------------------------


def test_fetch_names_and_all(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """One file that cannot be had does not lose the others."""

    def fetch(name: str) -> Path:
        if name == "stem/graphene_a.xyz":
            raise DataError("stem/graphene_a.xyz could not be downloaded")
        return Path("cache") / name

    monkeypatch.setattr(storage, "fetch", fetch)
    assert cli.main(["fetch", "stem/graphene_a.xyz", "aet/fept_2017.xyz"]) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [str(Path("cache/aet/fept_2017.xyz"))]
    assert "graphene_a.xyz could not be downloaded" in captured.err
    assert cli.main(["fetch", "--all"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == len(storage.registry()) - 1


def test_fetch_lists(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(storage, "available", lambda name: name == "aet/fept_2017.xyz")
    assert cli.main(["fetch", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(storage.registry())
    assert [line.split()[-1] for line in lines if line.startswith("here")] == ["aet/fept_2017.xyz"]


def test_fetch_unknown_name(capsys: Any) -> None:
    assert cli.main(["fetch", "stem/graphen_a.xyz"]) == 1
    assert "'stem/graphen_a.xyz'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--all", "stem/graphene_a.xyz"]])
def test_fetch_wants_names_or_all(capsys: Any, arguments: list[str]) -> None:
    assert cli.main(["fetch", *arguments]) == 2
    assert "name the files to fetch, or give --all" in capsys.readouterr().err


# --- reproduce ---------------------------------------------------------------------------------


def test_reproduce_passes_options_on(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    seen: list[Any] = []

    def run(*arguments: Any, **options: Any) -> list[runner.Outcome]:
        seen.append((arguments, options))
        copy = Path("build/paper/04_x.ipynb").absolute()
        return [
            runner.Outcome("03_x", "done", 2.0, copy),
            runner.Outcome("04_x", "failed", 1.0, copy, "cell In [3]: ValueError: too cold"),
        ]

    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    command = ["reproduce", "--profile", "paper", "--only", "03", "04", "--resume", "--keep-going"]
    assert cli.main(command) == 1
    options = {"resume": True, "keep": False, "keep_going": True, "every": 30.0, "bar": False}
    assert seen == [(("paper", ["03", "04"]), options)]
    captured = capsys.readouterr()
    assert captured.out == "1 done, 1 failed, 3.0 s in all\n"
    copy = Path("build/paper/04_x.ipynb")
    assert captured.err == (
        f"arise: 04_x failed in cell In [3]: ValueError: too cold; executed copy: {copy}\n"
    )


def test_reproduce_unknown_profile(capsys: Any) -> None:
    message = usage(["reproduce", "--profile", "fast"], capsys)
    assert "invalid choice: 'fast' (choose from" in message


def test_reproduce_unknown_notebook(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    def run(profile: str, only: list[str], **options: Any) -> Any:
        return runner.select(only, tmp_path)

    (tmp_path / "03_x.ipynb").touch()
    monkeypatch.setattr(runner, "run", run)
    assert cli.main(["reproduce", "--only", "44"]) == 2
    assert capsys.readouterr().err == ("arise: no notebook '44'; name one of 03_x, or its number\n")


def test_reproduce_stores_quick_only(capsys: Any) -> None:
    assert cli.main(["reproduce", "--profile", "paper", "--store"]) == 2
    assert "drop --store" in capsys.readouterr().err


def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def run(*arguments: Any, **options: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", run)
    assert cli.main(["reproduce"]) == 130
    assert capsys.readouterr().err == "arise: interrupted\n"


COMMAND = [sys.executable, "-m", "arise_lib", "fetch", "--list"]


def test_output_that_is_not_read_ends_the_command() -> None:
    """As ``arise fetch --list | head -0`` does."""
    environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
    with subprocess.Popen(
        COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full disk to offer")
def test_output_to_a_full_disk_is_told() -> None:
    environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            COMMAND, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300
        )
    assert result.returncode == 1
    assert re.fullmatch(r"arise: .*No space left on device: check the disk.*\n", result.stderr)


def test_no_command(capsys: Any) -> None:
    assert "required: COMMAND" in usage([], capsys)


def test_module_is_a_command() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "arise_lib", "fetch"],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("arise: name the files")


# --- reading -----------------------------------------------------------------------------------


def test_options_of_reading(
    calls: list[dict[str, Any]], tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [ase.build.bulk("Cu", cubic=True).repeat(n) for n in (2, 3)]
    path = tmp_path / "run.xyz"
    ase.io.write(path, frames)
    assert cli.main(["classify", str(path), "--index", "0"]) == 0
    assert "frame 0 of 0 to 1): Cu32, 32 atoms" in capsys.readouterr().out
    ase.io.write(path, ase.build.bulk("NaCl", "rocksalt", a=5.64, cubic=True))
    assert cli.main(["classify", str(path), "--ignore", "Cl"]) == 0
    assert "Na4, 4 atoms" in capsys.readouterr().out
    assert cli.main(["classify", str(path), "--one-species"]) == 0
    assert ", 8 atoms" in capsys.readouterr().out
    assert cli.main(["classify", str(path), "--types", "Na=Fe"]) == 0
    assert "Fe4Cl4" in capsys.readouterr().out
    assert cli.main(["classify", str(path), "--types", " Na=Fe, Cl = Fe"]) == 0
    assert "Fe8, 8 atoms" in capsys.readouterr().out
    assert [call["atoms"] for call in calls] == [[32], [4], [8], [8], [8]]
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(path.read_bytes())))
    assert cli.main(["classify", "-"]) == 0
    assert "Na4Cl4" in capsys.readouterr().out
    assert cli.main(["classify", str(path), "--format", "no such"]) == 1
    assert "format" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [("--types", "1-Fe"), ("--types", "1=Fe, 1=Ni"), ("--padding", "-1"), ("--index", "x")],
)
def test_options_that_are_none(option: str, value: str, sample: str, capsys: Any) -> None:
    assert value in usage(["classify", sample, "--local", option, value], capsys)


def test_padding_belongs_to_local(calls: list[dict[str, Any]], sample: str, capsys: Any) -> None:
    assert cli.main(["classify", sample, "--padding", "0"]) == 2
    assert "belong to --local" in capsys.readouterr().err
    assert cli.main(["classify", sample, "--local", "--padding", "0"]) == 0
    assert calls == [{"atoms": 32, "box": 16.0, "stride": 4.0, "padding": 0.0}]
