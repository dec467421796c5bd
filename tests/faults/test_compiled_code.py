"""Machine code that is old, damaged or cannot be kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core import config
from packaging.requirements import Requirement

from arise_lib.descriptor import SoapSettings
from arise_lib.storage import compiled as door
from arise_lib.storage import paths
from arise_lib.storage.compiled import compiled
from arise_lib.structures.scale import _mode
from arise_lib.training.datasets import describe_units, pristine_units

ROOT = Path(__file__).resolve().parents[2]
DISTANCES = np.array([1.0, 1.0, 1.1, 2.0])


def run(code: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own on the library in a folder."""
    inherited = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=inherited | {"PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let this process keep its code in a folder of the test's own."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    for function in (door._version, door._touch, door._warn, door._temporary):
        function.cache_clear()
    yield tmp_path / "arise" / "compiled"
    for function in (door._version, door._touch, door._warn, door._temporary):
        function.cache_clear()


def mode() -> tuple[float, bool]:
    """Compile anew, or find the kept code; returns a result, and whether the code was kept."""
    function = compiled(_mode.py_func)
    result = function(DISTANCES)
    return result, sum(function.stats.cache_hits.values()) == 1


# --- the code behind it has changed ----------------------------------------------------------

#: A constant of a module that the pair loop calls: the file of the loop itself stays the same.
CALLED = ("arise_lib/descriptor/_engine/harmonics.py", "(2 * degree - 1) / (degree - m)")

PRISTINE = """
import sys, numpy as np
from arise_lib.training.datasets import pristine_set
from arise_lib.descriptor import SoapSettings
import arise_lib
np.save(sys.argv[1], pristine_set(settings=[SoapSettings()], labels=["fcc", "NaCl"]).features)
print(arise_lib.__file__)
"""


@pytest.mark.slow
def test_code_of_a_called_module_that_changed_is_never_used(tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "arise_lib", copy / "arise_lib", ignore=ignore)
    shutil.copytree(ROOT / "data" / "prototypes", copy / "data" / "prototypes")
    called, before = copy / CALLED[0], (copy / CALLED[0]).read_text()
    assert before.count(CALLED[1]) == 1
    derived = {"ARISE_CACHE_DIR": str(tmp_path / "derived")}
    if (kept := paths.DERIVED / "compiled").is_dir():  # right code lies about, too
        shutil.copytree(kept, tmp_path / "derived" / "compiled")

    def pristine() -> np.ndarray:
        out = tmp_path / "features.npy"
        done = run(f"import sys\nsys.argv = ['', {str(out)!r}]\n{PRISTINE}", copy, **derived)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str(copy / "arise_lib" / "__init__.py")
        return np.load(out)

    called.write_text(before.replace(CALLED[1], CALLED[1].replace("- 1", "- 1.5")))
    altered = pristine()
    called.write_text(before)
    clean, stored = pristine(), pristine()

    units = pristine_units(("fcc", "NaCl"))
    expected = describe_units(units, [SoapSettings()])[:, 0]
    assert np.abs(altered - expected).max() > 1e-3
    assert np.array_equal(clean, expected)
    assert np.array_equal(stored, expected)  # what was kept as a result


def test_source_that_changed_after_its_import_is_not_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What runs is the source as imported; its fingerprint would be that of the file of today.
    monkeypatch.setitem(door._imported, "arise_lib.structures.scale", (1, 1))
    expected, _ = mode()
    assert not folder.exists()
    assert mode() == (expected, False)


def test_settings_of_the_compiler_tell_code_apart(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode()
    assert mode()[1]
    monkeypatch.setattr(config, "BOUNDSCHECK", 1)
    assert not mode()[1]
    assert len(list(folder.glob("*/_mode-*.code"))) == 2


def test_types_of_arguments_tell_code_apart(folder: Path) -> None:
    function = compiled(_mode.py_func)
    function(DISTANCES)
    frozen = DISTANCES.copy()
    frozen.setflags(write=False)
    function(frozen)
    function(np.array([*DISTANCES, *DISTANCES])[::2])
    assert len(list(folder.glob("*/_mode-*.code"))) == 3


def test_versions_that_nobody_uses_are_swept(folder: Path) -> None:
    for name, days in (("old", door.KEPT_DAYS + 1), ("used", door.KEPT_DAYS - 1)):
        (folder / name).mkdir(parents=True)
        (folder / name / "f-0.code").write_bytes(b"")
        os.utime(folder / name, (time.time() - 24 * 3600 * days,) * 2)
    mode()
    own = door._version("arise_lib.structures.scale")
    assert sorted(path.name for path in folder.iterdir()) == sorted([own, "used"])
    # What is used stays: also a process that only reads says so.
    os.utime(folder / own, (0, 0))
    assert mode()[1]
    assert (folder / own).stat().st_mtime > time.time() - 60


# --- kept code that is damaged ---------------------------------------------------------------


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-len(content) // 3] ^= 1
    path.write_bytes(content)


def put_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        flip,
        put_a_folder,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\n"),
        lambda path: path.write_bytes(os.urandom(100)),
        lambda path: path.write_bytes(door._sealed("another function", b"code")),
    ],
    ids=["truncated", "flipped", "folder", "empty", "blank", "garbage", "foreign"],
)
def test_damaged_code_is_compiled_anew(folder: Path, damage: Callable[[Path], None]) -> None:
    expected, _ = mode()
    (file,) = folder.glob("*/*.code")
    damage(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a folder cannot be replaced, which it says
        assert mode() == (expected, False)
    if file.is_file():
        assert mode() == (expected, True)


def test_code_that_cannot_be_loaded_is_compiled_anew(folder: Path) -> None:
    """The checksum is right, but it is another release's idea of compiled code."""
    expected, _ = mode()
    (file,) = folder.glob("*/*.code")
    body = file.read_bytes().partition(b"\n")[2]
    size, _, rest = body.partition(b"\n")
    key = rest[: int(size)].decode()
    file.write_bytes(door._sealed(key, door.dumps(("not", "a", "result"))))
    assert mode() == (expected, False)
    assert mode() == (expected, True)


# --- places that cannot be written -----------------------------------------------------------

#: The whole way from the import to a result, with what was said and what was kept.
SCALE = """
import warnings
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    import numpy as np
    from arise_lib.structures.scale import _mode, mode_of_distances
    print(mode_of_distances(np.array([1.0, 1.0, 1.1, 2.0])), sum(_mode.stats.cache_hits.values()))
for warning in said:
    print(type(warning.message).__name__, warning.message)
"""


def test_read_only_checkout_and_home(tmp_path: Path) -> None:
    """A file stands where each folder is wanted, which stops a superuser as well."""
    file = tmp_path / "file"
    file.write_text("")
    blocked = str(file / "below")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    places = {"ARISE_CACHE_DIR": blocked, "HOME": blocked, "TMPDIR": str(temporary)}
    places |= {"XDG_CACHE_HOME": blocked, "LOCALAPPDATA": blocked}
    first, second = run(SCALE, **places), run(SCALE, **places)
    assert (first.returncode, first.stderr) == (second.returncode, second.stderr) == (0, "")
    assert first.stdout.split()[1:] == ["0"] and second.stdout.split()[1:] == ["1"]
    assert first.stdout.split()[0] == second.stdout.split()[0]


def test_nothing_can_be_written_anywhere(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = run(SCALE, NUMBA_CACHE_DIR=str(blocked / "below"))
    assert (done.returncode, done.stderr) == (0, "")
    result, *said = done.stdout.splitlines()
    assert result == f"{mode()[0]} 0"
    assert len(said) == 1 and said[0].startswith("UserWarning compiled code cannot be kept (")
    assert "set ARISE_CACHE_DIR" in said[0]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_full_disk(tmp_path: Path) -> None:
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    done = run(limit + SCALE, NUMBA_CACHE_DIR=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "UserWarning compiled code cannot be kept (" in done.stdout
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners")
def test_temporary_folder_of_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = tmp_path / f"arise-{os.getuid()}"
    own.mkdir(mode=0o700)
    assert door._temporary() == own
    own.chmod(0o777)
    door._temporary.cache_clear()
    assert door._temporary() is None
    own.rmdir()
    own.symlink_to(tmp_path)
    door._temporary.cache_clear()
    assert door._temporary() is None


def test_user_may_choose_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    assert list(door._roots()) == [tmp_path / "arise" / "compiled"]
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(paths, "DERIVED", tmp_path)
    assert next(door._roots()) == tmp_path / "compiled"


# --- Numba's internals -----------------------------------------------------------------------

#: What a first call has to compile.
COMPILED = """
import numpy as np
from ase.build import bulk
from numba.core import event
with event.install_recorder("numba:compile") as recorder:
    from arise_lib.descriptor import describe
    from arise_lib.structures.scale import mode_of_distances
    {call}
print(sorted({{record.data["dispatcher"].__name__ for _, record in recorder.buffer}}))
"""


def test_second_process_compiles_nothing() -> None:
    """If this fails with a new Numba, its interface to kept code has changed: see compiled.py."""
    kept = {"NUMBA_CACHE_DIR": os.environ["NUMBA_CACHE_DIR"]}
    code = COMPILED.format(call="describe(bulk('NaCl', 'rocksalt', a=5.6))")
    first, second = run(code, **kept), run(code, **kept)
    assert first.returncode == 0, first.stderr
    assert second.stdout == "[]\n", second.stdout + second.stderr


def test_first_process_compiles(tmp_path: Path) -> None:
    done = run(COMPILED.format(call="mode_of_distances(np.ones(3))"), NUMBA_CACHE_DIR=str(tmp_path))
    assert "'_mode'" in done.stdout, done.stderr  # and Numba's own functions that it calls


def test_numba_is_bound_to_the_release_whose_internals_are_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [text for text in project["dependencies"] if text.startswith("numba")]
    (bounds,) = [Requirement(text).specifier for text in texts]
    major, minor = (int(part) for part in numba.__version__.split(".")[:2])
    assert bounds.contains(numba.__version__)
    assert not bounds.contains(f"{major}.{minor + 1}.0")
    assert f"Numba {major}.{minor}" in str(door.__doc__)
