"""Small files that unpack to large ones."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path
from types import ModuleType

import pytest
from limits import outcome
from test_geometry import limited

from arise_lib.errors import InputError
from arise_lib.structures.reading import files, read_structure

PACKERS = {".gz": gzip, ".bz2": bz2, ".xz": lzma}
ROW = b"Cu 0.0 0.0 0.0\n"


def pack(path: Path, packer: ModuleType, megabytes: int) -> Path:
    """Write one packed megabyte after the other, which all three formats allow."""
    block = packer.compress(ROW * ((1 << 20) // len(ROW)))
    path.write_bytes(packer.compress(b"99999999\n\n") + megabytes * block)
    return path


@limited
@pytest.mark.parametrize("ending", PACKERS)
def test_small_file_that_unpacks_to_a_large_one(tmp_path: Path, ending: str) -> None:
    """Three times the memory that the process may take."""
    path = pack(tmp_path / f"a.xyz{ending}", PACKERS[ending], 768)
    assert path.stat().st_size < 3 << 20
    found = outcome(f"return load_structure({str(path)!r})", megabytes=256)
    assert found["error"] == "InputError"
    assert "unpacks to more than 50,000,000; unpack it yourself" in found["message"]


@pytest.mark.parametrize("name", ["a.cif.bz2", "a.bz2", "POSCAR.gz", "geometry.in.xz"])
def test_other_formats_as_well(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_UNPACKED", 1 << 20)
    path = pack(tmp_path / name, PACKERS[Path(name).suffix], 2)
    with pytest.raises(InputError, match=r"unpacks to more than 1,048,576"):
        read_structure(path)


def test_what_is_large_packed_as_well_may_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_UNPACKED", 10)
    path = tmp_path / "a.xyz.gz"
    path.write_bytes(gzip.compress(b"2\n\nCu 0.1 0.2 0.3\nCu 1.4 1.5 1.6\n"))
    assert len(read_structure(path)) == 2


@limited
def test_file_beyond_the_memory_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "a.xyz"
    with path.open("wb") as stream:
        stream.truncate(1 << 29)  # takes no room on the disk
    found = outcome(f"return load_structure({str(path)!r})", megabytes=256)
    assert found["error"] == "InputError" and "does not fit into the memory" in found["message"]
