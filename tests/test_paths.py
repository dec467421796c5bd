from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from arise_lib.storage import paths

FOLDERS = ["ROOT", "NOTEBOOKS", "DATA", "PROTOTYPES", "PAPER", "NETWORKS", "DERIVED", "FIGURES"]


def checkout(folder: Path, *parts: str) -> Path:
    """Lay out a checkout that holds `paths` alone, with the data folders `parts`."""
    package = folder / "arise_lib"
    (package / "storage").mkdir(parents=True)
    for name in ("errors.py", "storage/paths.py"):
        shutil.copy(paths.ROOT / "arise_lib" / name, package / name)
    for name in ("__init__.py", "storage/__init__.py"):
        (package / name).touch()
    for part in parts:
        (folder / "data" / part).mkdir(parents=True)
    return folder


def run(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ARISE_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-c", f"from arise_lib.storage import paths; {code}"],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", [*FOLDERS, "RESULTS"])
def test_folders_are_absolute(name: str) -> None:
    assert getattr(paths, name).is_absolute()


def test_root_is_the_checkout() -> None:
    assert (paths.ROOT / "pyproject.toml").is_file()
    assert Path(__file__).resolve().parent.parent == paths.ROOT


def test_derived_is_the_temporary_folder_of_the_session() -> None:
    assert Path(os.environ["ARISE_CACHE_DIR"]) == paths.DERIVED


def test_derived_defaults_to_the_checkout(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "here", "prototypes")
    for empty in ({}, {"ARISE_CACHE_DIR": ""}):
        result = run(folder, "print(paths.DERIVED == paths.ROOT / 'data' / 'derived')", **empty)
        assert result.stdout == "True\n", result.stderr


def test_relative_cache_folder_is_made_absolute(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "here", "prototypes")
    result = run(folder, "print(paths.DERIVED)", ARISE_CACHE_DIR="mine")
    assert Path(result.stdout.strip()) == folder.resolve() / "mine", result.stderr


@pytest.mark.parametrize("parts", [(), ("of another package",)])
def test_import_outside_a_checkout_says_what_to_do(tmp_path: Path, parts: tuple[str, ...]) -> None:
    result = run(checkout(tmp_path / "site-packages", *parts), "pass")
    assert result.returncode == 1
    assert "DataError: no folder" in result.stderr
    assert "Clone the repository and install from there, editable" in result.stderr


def test_import_makes_no_folder(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "here", "prototypes")
    assert run(folder, "pass", ARISE_CACHE_DIR="mine", PYTHONDONTWRITEBYTECODE="1").returncode == 0
    assert sorted(p.name for p in folder.rglob("*") if p.is_dir()) == [
        "arise_lib",
        "data",
        "prototypes",
        "storage",
    ]
