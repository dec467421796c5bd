"""Fingerprints of code and data, on altered copies of the package; nothing is replaced."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from arise_lib.errors import DataError
from arise_lib.storage import paths
from arise_lib.storage.fingerprints import fingerprint, follow

DATASETS = "arise_lib.training.datasets"

#: Assembles a data set without describing a structure, and names the files of the cache.
ASSEMBLE = """
    from concurrent.futures import Executor
    import numpy as np
    from arise_lib.storage import paths
    from arise_lib.training import datasets

    class Zeros(Executor):
        def map(self, function, units, settings, **_):
            return (np.zeros((len(s), s[0].n_features), np.float32) for s in settings)

    datasets.pristine_set(labels=("graphene",), executor=Zeros())
    print(*sorted(path.stem for path in paths.DERIVED.rglob("*.npz")))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the package with the data that it is built from."""
    folder = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(paths.ROOT / "arise_lib", folder / "arise_lib", ignore=ignored)
    shutil.copytree(paths.PROTOTYPES, folder / "data" / "prototypes")
    return folder


def alter(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def keys(checkout: Path) -> set[str]:
    """Keys of the cached data sets, after the copy of the library has made one."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ARISE_", "PYTHON"))}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ASSEMBLE)],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_key_of_a_data_set_sees_the_prototypes(checkout: Path) -> None:
    """The fault that served stale vectors: the list of files did not hold `prototypes.py`."""
    module = checkout / "arise_lib" / "structures" / "prototypes.py"
    first = keys(checkout)
    assert len(first) == 1
    alter(module, "_VECTORS = ", "# A comment changes no vector.\n_VECTORS = ")
    assert keys(checkout) == first
    alter(module, "length=-(-MIN_ATOMS // period)", "length=1 - (-MIN_ATOMS // period)")
    second = keys(checkout)
    assert len(second) == 2
    # A coordinate of one prototype.
    sites = checkout / "data" / "prototypes" / "sites.csv"
    before = hashlib.sha256(sites.read_bytes()).hexdigest()
    alter(sites, "0.25", "0.26")
    alter(sites.with_name("SHA256SUMS"), before, hashlib.sha256(sites.read_bytes()).hexdigest())
    assert len(keys(checkout)) == 3


def test_prose_does_not_count(checkout: Path) -> None:
    package = checkout / "arise_lib"
    before = fingerprint(DATASETS, package=package)
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        # Opening quotes only: the first word of a docstring follows them.
        better = re.sub('"""(?=[A-Z])', '"""Better prose: ', text)
        path.write_text(f"{better}\n# A comment.\n", encoding="utf-8")
    assert fingerprint(DATASETS, package=package) == before


def test_every_module_that_vectors_depend_on_counts(checkout: Path) -> None:
    package = checkout / "arise_lib"
    modules = follow(DATASETS, package)
    expected = {"structures.prototypes", "structures.scale", "structures.supercells", "errors"}
    assert {f"arise_lib.{name}" for name in expected} < modules
    assert any(name.startswith("arise_lib.descriptor._engine.") for name in modules)
    found = {fingerprint(DATASETS, package=package)}
    for name in modules:
        inside = package.joinpath(*name.split(".")[1:])
        path = inside.with_suffix(".py") if inside.with_suffix(".py").is_file() else inside
        path = path / "__init__.py" if path.is_dir() else path
        before = path.read_text(encoding="utf-8")
        path.write_text(before + "\n_ALTERED = 1\n", encoding="utf-8")
        found.add(fingerprint(DATASETS, package=package))
        path.write_text(before, encoding="utf-8")
    assert len(found) == len(modules) + 1


def test_what_vectors_do_not_depend_on_does_not_count(checkout: Path) -> None:
    package = checkout / "arise_lib"
    before = fingerprint(DATASETS, package=package)
    shutil.rmtree(package / "plotting")
    shutil.rmtree(package / "compendium")
    assert fingerprint(DATASETS, package=package) == before


def test_imports_are_followed_wherever_they_stand(tmp_path: Path) -> None:
    package = tmp_path / "arise_lib"
    (package / "room").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "room" / "__init__.py").write_text("from arise_lib.room.door import knock as knock")
    (package / "room" / "door.py").write_text("def knock(): pass")
    (package / "room" / "window.py").write_text("import arise_lib.deep")
    (package / "deep.py").touch()
    (package / "root.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from arise_lib import never\n"
        "def late():\n    from arise_lib.room import knock, window\n"
    )
    names = {"root", "room.door", "room.window", "deep"}
    assert follow("arise_lib.root", package) == {f"arise_lib.{name}" for name in names}
    assert follow("arise_lib", package) >= {"arise_lib", "arise_lib.room"}


@pytest.mark.parametrize("name", ["prototypes", "scale"])
def test_deleted_module_is_an_error(checkout: Path, name: str) -> None:
    (checkout / "arise_lib" / "structures" / f"{name}.py").unlink()
    with pytest.raises(DataError, match=rf"structures\.{name} is no module of"):
        fingerprint(DATASETS, package=checkout / "arise_lib")


def test_deleted_data_is_an_error(checkout: Path) -> None:
    with pytest.raises(DataError, match=r"sites\.csv is not there: restore it"):
        fingerprint(DATASETS, checkout / "data" / "sites.csv")


def test_names_of_files_count(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text("1")
    found = {fingerprint(folder)}
    (folder / "a.csv").rename(folder / "b.csv")
    found.add(fingerprint(folder))
    (folder / "b.csv").write_text("2")
    found.add(fingerprint(folder))
    (folder / "b.csv").unlink()
    found.add(fingerprint(folder))
    assert len(found) == 4
