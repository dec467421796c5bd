from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arise_lib import storage
from arise_lib.compendium import external_data
from arise_lib.errors import AriseError, DataError, InputError
from arise_lib.storage import cache as cache_module
from arise_lib.storage import external as external_module
from arise_lib.storage import files as files_module
from arise_lib.storage import jsonl, paths

CONTENT = b"2\n\nC 0 0 0\nC 0 0 1.42\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def files(folder: Path) -> list[str]:
    """All files below a folder, hidden ones included."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


# --- registry ----------------------------------------------------------------------------------


def test_registry_states_source_and_terms_of_every_file() -> None:
    table = storage.registry()
    assert list(table.columns) == ["sha256", "bytes", "url", "licence", "citation"]
    # 108 prototypes, 14 structures outside the classes, 32 others.
    assert len(table) == 154
    assert table.index.is_unique and not table.isna().any(axis=None)
    assert table["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    # Pinned: the URL holds a commit.
    assert table["url"].str.fullmatch(r"https://\S+/[0-9a-f]{40}/\S+").all()
    assert (table["bytes"] > 0).all()
    assert (table["citation"].str.len() > 20).all()


def test_registry_is_a_copy() -> None:
    table = storage.registry()
    table["url"] = ""
    assert (storage.registry()["url"] != "").all()


def test_unreadable_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "DATA", tmp_path)
    with pytest.raises(DataError, match=r"registry .*registry\.tsv cannot be read"):
        storage.registry()
    assert not storage.available("data.xyz")


HEAD = "name\tsha256\tbytes\turl\tlicence\tcitation\n"
ROW = f"a.xyz\t{SHA256}\t22\thttps://example.org/a.xyz\tCC0\tNobody\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "No columns"),
        (HEAD.replace("url", "link") + ROW, "its columns are sha256, bytes, link"),
        (HEAD + ROW + ROW, "a.xyz is listed twice"),
        (HEAD + ROW.replace("22", "many"), "not all sizes are whole numbers"),
        (HEAD + ROW.replace("\t22\t", "\t-22\t"), "'a.xyz' has no valid size"),
        (HEAD + ROW.replace(SHA256, SHA256[:-1]), "'a.xyz' has no valid SHA-256"),
        (HEAD + ROW.replace("https:", "file:"), "'a.xyz' has no valid URL"),
        (HEAD + ROW[:30] + "\n", "not all sizes|no valid"),
        (HEAD.replace("name", "nom") + ROW, "name"),
        *(
            (HEAD + ROW.replace("a.xyz", name, 1), "has no valid name")
            for name in ("../a.xyz", "b/../../a.xyz", "/a.xyz", "b//a.xyz", "./a", r"..\a", "C:a")
        ),
    ],
)
def test_damaged_registry(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / "registry.tsv").write_text(text)
    monkeypatch.setattr(paths, "DATA", tmp_path)
    with pytest.raises(DataError, match=rf"registry\.tsv cannot be read \(.*({problem})"):
        storage.fetch("a.xyz")
    assert not storage.available("a.xyz")


def test_every_external_file_is_the_registered_one(external: Callable[[str], Path]) -> None:
    for name, row in storage.registry().iterrows():
        path = external(str(name))
        assert path.stat().st_size == row["bytes"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]


# --- fetch -------------------------------------------------------------------------------------


class Server(http.server.ThreadingHTTPServer):
    """A server on this machine; each request takes the next of the given answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers: list[Callable[[Answer], None]] = []
        self.requested: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Answer(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requested.append(self.path)
        self.server.answers.pop(0)(self)

    def head(self, status: int, size: int | None = None) -> None:
        self.send_response(status)
        if size is not None:
            self.send_header("Content-Length", str(size))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def content(body: bytes) -> Callable[[Answer], None]:
    def answer(handler: Answer) -> None:
        handler.head(200, len(body))
        handler.wfile.write(body)

    return answer


def status(number: int) -> Callable[[Answer], None]:
    return lambda handler: handler.head(number, 0)


def cut_off(handler: Answer) -> None:
    handler.head(200, len(CONTENT))
    handler.wfile.write(CONTENT[:7])


def refused(handler: Answer) -> None:
    """Hang up without an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def endless(handler: Answer) -> None:
    """Send far more than registered, as fast as it is taken."""
    handler.head(200)
    with contextlib.suppress(OSError):
        for _ in range(1000):
            handler.wfile.write(b"x" * 100_000)
        handler.server.requested.append("a hundred megabytes more")


def trickle(handler: Answer) -> None:
    """Send byte after byte, each before the time-out without a byte."""
    handler.head(200, len(CONTENT))
    with contextlib.suppress(OSError):
        for byte in CONTENT:
            handler.wfile.write(bytes([byte]))
            time_sleep(0.1)


time_sleep = time.sleep


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts, noted instead of made."""
    made: list[float] = []
    monkeypatch.setattr(external_module.time, "sleep", made.append)
    return made


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Server) -> Path:
    """A registry of two files, an empty data cache, downloads allowed."""
    data, folder = tmp_path / "data", tmp_path / "cache"
    data.mkdir()
    rows = [["name", "sha256", "bytes", "url", "licence", "citation"]]
    for name in ("stem/a.xyz", "stem/b.xyz"):
        rows.append([name, SHA256, str(len(CONTENT)), f"{server.url}/{name}", "CC0", '"x'])
    (data / "registry.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    monkeypatch.setattr(paths, "DATA", data)
    monkeypatch.setenv("ARISE_DATA_DIR", str(folder))
    monkeypatch.delenv("ARISE_OFFLINE")
    return folder


def test_data_before_a_run(cache: Path, server: Server) -> None:
    server.answers = [content(CONTENT), content(CONTENT)]
    assert external_data.missing() == ["stem/a.xyz", "stem/b.xyz"]
    assert external_data.bring() == ""
    assert files(cache) == ["stem/a.xyz", "stem/b.xyz"]
    assert external_data.bring() == "" and len(server.requested) == 2


def test_without_a_network_one_attempt_at_one_file(
    cache: Path, server: Server, pauses: list[float]
) -> None:
    server.answers = [refused]
    line = external_data.bring(timeout=1.0)
    assert line.startswith("2 of 2 external files are not here (stem/a.xyz could not be downloaded")
    assert "\n" not in line and server.requested == ["/stem/a.xyz"] and pauses == [0.0]
    # A file that is not the registered one is told, and the other comes.
    server.answers = [content(CONTENT), status(404)]
    assert external_data.bring().startswith("1 of 2 external files are not here (stem/b.xyz could")
    assert files(cache) == ["stem/a.xyz"]


def test_offline_nothing_is_tried_before_a_run(
    cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARISE_OFFLINE", "1")
    assert external_data.bring() == "" and server.requested == []


def test_fetch_downloads_once(cache: Path, server: Server) -> None:
    server.answers = [content(CONTENT)]
    assert not storage.available("stem/a.xyz")
    for _ in range(2):
        assert storage.fetch("stem/a.xyz") == cache / "stem" / "a.xyz"
        assert storage.available("stem/a.xyz")
    assert server.requested == ["/stem/a.xyz"]
    assert files(cache) == ["stem/a.xyz"]
    assert (cache / "stem" / "a.xyz").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "failure",
    [refused, cut_off, status(503), status(429), content(CONTENT[:-1]), endless],
    ids=["refused", "cut off", "503", "429", "truncated", "endless"],
)
def test_third_attempt_succeeds(
    cache: Path, server: Server, pauses: list[float], failure: Callable[[Answer], None]
) -> None:
    server.answers = [failure, failure, content(CONTENT)]
    assert storage.fetch("stem/a.xyz").read_bytes() == CONTENT
    # The pauses double.
    assert pauses == [0.0, 2.0, 4.0]
    assert files(cache) == ["stem/a.xyz"]


def test_third_failure_is_reported(cache: Path, server: Server, pauses: list[float]) -> None:
    server.answers = [refused, status(503), cut_off]
    with pytest.raises(
        DataError, match=r"/stem/a\.xyz, attempt 3: .*cut off after 7 bytes"
    ) as info:
        storage.fetch("stem/a.xyz")
    assert "set ARISE_DATA_DIR to a folder that holds the file" in str(info.value)
    assert files(cache) == []


def test_wrong_content_is_reported(cache: Path, server: Server, pauses: list[float]) -> None:
    server.answers = [content(b"<html>log in</html>")] * 3
    with pytest.raises(DataError, match=rf"attempt 3: .*found [0-9a-f]{{64}}, expected {SHA256}"):
        storage.fetch("stem/a.xyz")
    assert files(cache) == []


def test_download_stops_at_the_registered_size(
    cache: Path, server: Server, pauses: list[float]
) -> None:
    server.answers = [endless] * 3
    with pytest.raises(DataError, match=f"more than the registered {len(CONTENT)} bytes"):
        storage.fetch("stem/a.xyz")
    assert server.requested == ["/stem/a.xyz"] * 3
    assert files(cache) == []


def test_download_that_takes_too_long_in_all_is_given_up(
    cache: Path, server: Server, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, all of them do not."""
    monkeypatch.setattr(external_module, "TIMEOUT", 0.5)
    server.answers = [trickle] * 3
    with pytest.raises(DataError, match=rf"\d+ of {len(CONTENT)} bytes after"):
        storage.fetch("stem/a.xyz")
    assert files(cache) == []


def test_not_found_is_not_tried_again(cache: Path, server: Server) -> None:
    server.answers = [status(404), content(CONTENT)]
    with pytest.raises(DataError, match=r"attempt 1: .*404 Client Error"):
        storage.fetch("stem/a.xyz")
    assert len(server.requested) == 1


def test_no_server(cache: Path, server: Server, pauses: list[float]) -> None:
    server.server_close()
    with pytest.raises(DataError, match=r"attempt 3: .*ConnectionError"):
        storage.fetch("stem/a.xyz")


def test_interrupted_download_leaves_nothing(
    cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: str) -> str:
        raise KeyboardInterrupt

    server.answers = [content(CONTENT)]
    monkeypatch.setattr(pooch, "file_hash", interrupted)
    with pytest.raises(KeyboardInterrupt):
        storage.fetch("stem/a.xyz")
    assert files(cache) == []


def test_altered_file(cache: Path, server: Server) -> None:
    (cache / "stem").mkdir(parents=True)
    (cache / "stem" / "a.xyz").write_bytes(CONTENT.replace(b"1.42", b"1.43"))
    # Same size: only the checksum tells.
    assert storage.available("stem/a.xyz")
    with pytest.raises(DataError, match=f"found [0-9a-f]{{64}}, expected {SHA256}") as info:
        storage.fetch("stem/a.xyz")
    assert "Delete it, then run `arise fetch stem/a.xyz`" in str(info.value)
    assert server.requested == []


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_offline(cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ARISE_OFFLINE", value)
    with pytest.raises(DataError, match=r"forbids downloads: run `arise fetch stem/a\.xyz`"):
        storage.fetch("stem/a.xyz")
    assert server.requested == [] and not cache.exists()


def test_offline_zero_allows_downloads(
    cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [content(CONTENT)]
    monkeypatch.setenv("ARISE_OFFLINE", "0")
    assert storage.fetch("stem/a.xyz").is_file()


def test_read_only_cache_is_not_written(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache / "stem").mkdir(parents=True)
    (cache / "stem" / "a.xyz").write_bytes(CONTENT)
    (cache / "stem" / "a.xyz").chmod(0o444)
    (cache / "stem").chmod(0o555)
    # The administrator may write in spite of the mode; so look for the attempt, too.
    monkeypatch.setattr(
        external_module, "atomic_write", lambda path: pytest.fail(f"{path} is written")
    )
    before = (cache / "stem").stat().st_mtime_ns
    assert storage.fetch("stem/a.xyz").read_bytes() == CONTENT
    assert storage.available("stem/a.xyz")
    assert (cache / "stem").stat().st_mtime_ns == before
    (cache / "stem").chmod(0o755)


def test_cache_that_cannot_be_written(cache: Path, server: Server) -> None:
    cache.write_text("a file where the folder should be")
    assert not storage.available("stem/a.xyz")
    with pytest.raises(DataError, match="set ARISE_DATA_DIR to a folder that you may write to"):
        storage.fetch("stem/a.xyz")
    assert server.requested == []


def test_folder_in_place_of_a_file(cache: Path) -> None:
    (cache / "stem" / "a.xyz").mkdir(parents=True)
    assert not storage.available("stem/a.xyz")
    with pytest.raises(DataError, match="cannot be read"):
        storage.fetch("stem/a.xyz")


def test_unknown_name(cache: Path) -> None:
    with pytest.raises(InputError, match=r"'stem/c.xyz': did you mean stem/[ab].xyz or stem/"):
        storage.fetch("stem/c.xyz")
    with pytest.raises(InputError, match=r"'\?': storage.registry\(\) lists the names"):
        storage.fetch("?")
    for name in ("stem/c.xyz", "../registry.tsv", "", None, 3):
        assert storage.available(name) is False  # type: ignore[arg-type]


def test_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARISE_DATA_DIR", "~/somewhere")
    assert storage.data_dir() == Path.home() / "somewhere"
    monkeypatch.setenv("ARISE_DATA_DIR", "")
    assert storage.data_dir() == Path(pooch.os_cache("arise"))


def test_errors_are_of_the_standard_kind() -> None:
    assert issubclass(InputError, ValueError) and issubclass(InputError, AriseError)
    assert issubclass(DataError, OSError) and issubclass(DataError, AriseError)


# --- files written whole -----------------------------------------------------------------------


def test_atomic_write_makes_folders_and_keeps_the_ending(tmp_path: Path) -> None:
    final = tmp_path / "new" / "folder" / "a.tar.gz"
    with storage.atomic_write(final) as temporary:
        assert temporary.parent == final.parent and temporary.name.endswith("a.tar.gz")
        temporary.write_text("whole")
        assert not final.exists()
    assert final.read_text() == "whole"
    assert files(tmp_path) == ["new/folder/a.tar.gz"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_atomic_write_keeps_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    final = tmp_path / "a.csv"
    final.write_text("old")
    with pytest.raises(error), storage.atomic_write(final) as temporary:
        temporary.write_text("half")
        raise error
    assert final.read_text() == "old" and files(tmp_path) == ["a.csv"]


def test_atomic_write_respects_the_umask(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with storage.atomic_write(tmp_path / "atomic") as temporary:
        temporary.touch()
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def temporary(folder: Path, machine: str, process: int, age: float = 0.0) -> Path:
    """A file as a process of that machine and number leaves it when it is killed."""
    path = folder / f".{machine}-{process}-0123abcd-a.npz"
    path.write_text("half")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    """By the number of its process; that of another machine says nothing, its age does."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = files_module._machine()
    other = "0" * 8 if here != "0" * 8 else "1" * 8
    kept = [
        temporary(tmp_path, here, os.getpid(), age=1e6),
        temporary(tmp_path, other, ended.pid, age=3600),
        tmp_path / ".hidden-1-a.npz",
    ]
    kept[-1].touch()
    temporary(tmp_path, here, ended.pid)
    temporary(tmp_path, here, 10**30)
    temporary(tmp_path, other, os.getpid(), age=90_000)
    storage.save_arrays(tmp_path / "b.npz", {"x": np.zeros(1)})
    assert files(tmp_path) == sorted(["b.npz", *(path.name for path in kept)])


LIMITED = """
import resource, sys, warnings
import numpy as np
from arise_lib import storage
warnings.simplefilter("always")
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
print(storage.cached("a", {}, lambda: {"x": np.arange(100_000)})["x"].sum())
"""


def test_result_survives_a_full_disk(tmp_path: Path) -> None:
    """No file may grow beyond 4 kB: the error comes while the array is being written."""
    environment = os.environ | {"ARISE_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(paths.ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", LIMITED], env=environment, capture_output=True, text=True, timeout=60
    )
    assert result.stdout == f"{np.arange(100_000).sum()}\n", result.stderr
    assert "'a' is not cached" in result.stderr and "ARISE_CACHE_DIR" in result.stderr
    assert files(tmp_path) == []


ARRAYS = {
    "vectors": np.arange(12.0).reshape(3, 4).T,
    "labels": np.array(["fcc", "α-Sm"]),
    "count": np.array(7),
    "empty": np.zeros((0, 316), dtype=np.float32),
    "file": np.array([True, False]),
    "nan": np.array([np.nan, -0.0]),
}


def test_arrays_come_back_bit_by_bit(tmp_path: Path) -> None:
    storage.save_arrays(tmp_path / "a.npz", ARRAYS)
    back = storage.load_arrays(tmp_path / "a.npz")
    assert list(back) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert back[name].dtype == array.dtype and back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()
    # The file is what numpy calls npz.
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["vectors"], ARRAYS["vectors"])


def test_same_arrays_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.save_arrays(tmp_path / "a.npz", ARRAYS)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    storage.save_arrays(tmp_path / "b.npz", ARRAYS)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_files_of_numpy_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", a=np.arange(5))
    np.testing.assert_array_equal(storage.load_arrays(tmp_path / "a.npz")["a"], np.arange(5))


def test_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'a' holds Python objects"):
        storage.save_arrays(tmp_path / "a.npz", {"a": np.array([{}])})
    with pytest.raises(InputError, match=r"array name '\.\./a'"):
        storage.save_arrays(tmp_path / "a.npz", {"../a": np.zeros(1)})
    assert files(tmp_path) == []
    np.savez(tmp_path / "b.npz", a=np.array([{}]))
    with pytest.raises(DataError, match="cannot be read as npz"):
        storage.load_arrays(tmp_path / "b.npz")


def test_every_damage_is_noticed(tmp_path: Path) -> None:
    """Cut a file at any place, change any byte: a DataError, or no array with other numbers.

    An array may be lost unnoticed, when the zip directory is hit; `cached` looks for that.
    """
    path = tmp_path / "a.npz"
    expected = {"a": np.arange(6.0), "b": np.array([1, 2])}
    storage.save_arrays(path, expected)
    whole = path.read_bytes()
    damaged = [whole[:n] for n in range(0, len(whole), 3)]
    for mask in (0xFF, 0x01):
        damaged += [
            whole[:n] + bytes([whole[n] ^ mask]) + whole[n + 1 :] for n in range(len(whole))
        ]
    noticed = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            back = storage.load_arrays(path)
        except DataError:
            noticed += 1
            continue
        assert {array.tobytes() for array in back.values()} <= {
            array.tobytes() for array in expected.values()
        }
    assert noticed > len(damaged) / 2


def test_damaged_header_asks_for_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    storage.save_arrays(path, {"a": np.arange(6.0)})
    whole = path.read_bytes()
    # Eight terabytes; the header is padded with blanks.
    path.write_bytes(whole.replace(b"(6,), }             ", b"(1000000000000,), } "))
    assert path.read_bytes() != whole and len(path.read_bytes()) == len(whole)
    with pytest.raises(DataError, match=r"wrong checksum of a\.npy"):
        storage.load_arrays(path)


# --- cached ------------------------------------------------------------------------------------


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(paths, "DERIVED", tmp_path / "derived")
    return tmp_path / "derived"


class Counter:
    """Computes one array and counts how often."""

    def __init__(self, value: float = 1.0) -> None:
        self.value, self.calls = value, 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"x": np.full(3, self.value)}


def test_computed_once(derived: Path) -> None:
    compute = Counter()
    first = storage.cached("pristine/soap", {"n_max": 9}, compute)
    second = storage.cached("pristine/soap", {"n_max": 9}, compute)
    assert compute.calls == 1
    assert list(first) == list(second) == ["x"]
    assert first["x"].tobytes() == second["x"].tobytes()
    (stored,) = files(derived)
    assert stored.startswith("pristine/soap/") and stored.endswith(".npz")


def test_order_of_the_key_does_not_matter(derived: Path) -> None:
    compute = Counter()
    storage.cached("a", {"x": 1, "y": {"p": (1, 2), "q": None}}, compute)
    storage.cached("a", {"y": {"q": None, "p": [1, 2]}, "x": np.int64(1)}, compute)
    assert compute.calls == 1


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(-2, 2, allow_nan=False)
    | st.text("01aT[]{},\":' ", max_size=4)
)
KEYS = st.dictionaries(
    st.text("01a_", max_size=2),
    st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.text("01a", max_size=1), inner)
        ),
        max_leaves=4,
    ),
    max_size=3,
)


def spelt_out(value: Any) -> str:
    """Write a key without regard to its order; repr tells 1, 1.0, True and "1" apart."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {spelt_out(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(spelt_out, value)) + "]"
    return repr(value)


@given(st.lists(KEYS, min_size=2, max_size=6))
def test_different_keys_never_collide(keys: list[dict[str, Any]]) -> None:
    stored: list[Path] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache_module, "save_arrays", lambda path, _: stored.append(path))
        for key in keys:
            storage.cached("hypothesis", key, Counter())
    assert len(set(stored)) == len({spelt_out(key) for key in keys})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (1, "1"),
        (None, "null"),
        ([1, 2], "[1, 2]"),
        ({}, []),
        (0.1, 0.1 + 1e-18),
        (0.1, 0.1 + 2e-17),
    ],
)
def test_look_alike_keys(derived: Path, one: Any, other: Any) -> None:
    a = storage.cached("a", {"k": one}, Counter(1))["x"]
    b = storage.cached("a", {"k": other}, Counter(2))["x"]
    # 0.1 + 1e-18 is 0.1, 0.1 + 2e-17 the next number.
    assert bool(a[0] == b[0]) is (repr(one) == repr(other))


def test_name_and_format_are_part_of_the_key(
    derived: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = Counter()
    storage.cached("a", {}, compute)
    storage.cached("b", {}, compute)
    monkeypatch.setattr(cache_module, "FORMAT", cache_module.FORMAT + 1)
    storage.cached("a", {}, compute)
    assert compute.calls == 3
    # Not by the folder alone: "A" and "a" are one folder on some systems.
    assert len({Path(file).name for file in files(derived)}) == 3


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"k": float("nan")}, r"key\['k'\] is nan: only finite"),
        ({"k": [1.0, np.float64("inf")]}, r"key\['k'\]\[1\] is inf: only finite"),
        ({"k": {"l": np.zeros(2)}}, r"key\['k'\]\['l'\] is of type ndarray: .*turn an array into"),
        ({"k": {1, 2}}, r"key\['k'\] is of type set"),
        ({"k": 1j}, r"key\['k'\] is of type complex"),
        ({"k": b"bytes"}, r"key\['k'\] is of type bytes"),
        ({"k": Path("x")}, r"key\['k'\] is of type \w*Path"),
        ({1: 2}, r"key has the name 1: only str"),
        ([1], r"of type list, not a mapping"),
    ],
)
def test_unsupported_keys(derived: Path, key: Any, message: str) -> None:
    compute = Counter()
    with pytest.raises(InputError, match=message):
        storage.cached("a", key, compute)
    assert compute.calls == 0 and not derived.exists()


@pytest.mark.parametrize("name", ["", "../a", "/a", "a/", "a//b", "a b", "a\n", "ä", None])
def test_unsafe_names(derived: Path, name: Any) -> None:
    with pytest.raises(InputError, match=r"name of a cached result .*are allowed"):
        storage.cached(name, {}, Counter())


@pytest.mark.parametrize("result", [[1], {"__key__": np.zeros(1)}, {"x": np.array([None])}])
def test_unsupported_results(derived: Path, result: Any) -> None:
    with pytest.raises(InputError, match=r"no mapping of names|holds Python objects"):
        storage.cached("a", {}, lambda: result)
    assert files(derived) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failing_computation_leaves_nothing(derived: Path, error: type[BaseException]) -> None:
    def fail() -> dict[str, np.ndarray]:
        raise error("half-way")

    with pytest.raises(error, match="half-way"):
        storage.cached("a", {}, fail)
    assert not derived.exists()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_interrupted_writing_leaves_nothing(
    derived: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def write_half(stream: Any, array: np.ndarray, **_: Any) -> None:
        stream.write(b"half")
        raise error("half-way")

    with monkeypatch.context() as patch:
        patch.setattr(np.lib.format, "write_array", write_half)
        with pytest.raises(error, match="half-way"):
            storage.cached("a", {}, Counter())
    assert files(derived) == []
    assert storage.cached("a", {}, Counter(5))["x"][0] == 5


@pytest.mark.parametrize("keep", [0, 1, 60, -1])
def test_truncated_entry_is_computed_anew(derived: Path, keep: int) -> None:
    compute = Counter()
    storage.cached("a", {"k": 1}, compute)
    path = derived / files(derived)[0]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.warns(UserWarning, match="computed anew"):
        assert storage.cached("a", {"k": 1}, compute)["x"][0] == 1
    assert compute.calls == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        storage.cached("a", {"k": 1}, compute)
    assert compute.calls == 2


def test_entry_that_lost_an_array_is_not_used(derived: Path) -> None:
    storage.cached("a", {}, lambda: {"x": np.zeros(1), "y": np.ones(1)})
    path = derived / files(derived)[0]
    arrays = storage.load_arrays(path)
    del arrays["y"]
    storage.save_arrays(path, arrays)
    with pytest.warns(UserWarning, match="or not all of its arrays"):
        assert "y" in storage.cached("a", {}, lambda: {"x": np.zeros(1), "y": np.ones(1)})


def test_entry_of_another_key_is_not_used(derived: Path) -> None:
    storage.cached("a", {"k": 1}, Counter(1))
    (one,) = files(derived)
    storage.cached("a", {"k": 2}, Counter(2))
    (two,) = set(files(derived)) - {one}
    (derived / one).replace(derived / two)
    with pytest.warns(UserWarning, match="it holds another key"):
        assert storage.cached("a", {"k": 2}, Counter(3))["x"][0] == 3


def test_result_survives_a_folder_that_cannot_be_written(derived: Path) -> None:
    derived.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="'a' is not cached .*ARISE_CACHE_DIR"):
        assert storage.cached("a", {}, Counter(4))["x"][0] == 4


def test_threads_may_ask_for_the_same_key(derived: Path) -> None:
    barrier, results = threading.Barrier(8), []

    def compute() -> dict[str, np.ndarray]:
        barrier.wait(timeout=30)  # all of them compute, then all write
        return {"x": np.arange(20_000)}

    def work() -> None:
        results.append(storage.cached("a", {}, compute)["x"].sum())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [np.arange(20_000).sum()] * 8
    (entry,) = files(derived)
    assert zipfile.ZipFile(derived / entry).testzip() is None


def _write_and_read(folder: str, rounds: int) -> int:
    """Overwrite one file again and again and read it; return how many reads were wrong."""
    path, wrong = Path(folder) / "a.npz", 0
    for i in range(rounds):
        storage.save_arrays(path, {"x": np.full(5_000, i)})
        x = storage.load_arrays(path)["x"]
        wrong += not (x == x[0]).all()
    return wrong


def test_processes_may_write_the_same_file(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.starmap(_write_and_read, [(str(tmp_path), 40)] * 2) == [0, 0]
    assert files(tmp_path) == ["a.npz"]


# --- JSON lines --------------------------------------------------------------------------------

ROWS = [{"trial": 0, "hidden": [256, 512], "loss": 0.1 + 0.2}, {"trial": 1, "name": "α\u2028b\n"}]


def test_rows_come_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.jsonl"
    assert jsonl.read_rows(path) == []
    jsonl.write_rows(path, ROWS)
    assert jsonl.read_rows(path) == ROWS
    assert path.read_text(encoding="utf-8").count("\n") == len(ROWS)
    assert files(tmp_path) == ["new/a.jsonl"]
    path.write_text("\n\n" + json.dumps(ROWS[1], ensure_ascii=False), encoding="utf-8")
    assert jsonl.read_rows(path) == ROWS[1:]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"trial": 2', "Expecting ',' delimiter"),
        ("[1, 2]", "a list instead of an object"),
        ("null", "a NoneType instead of an object"),
        ("x", "Expecting value"),
    ],
)
def test_damaged_line_is_named(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "a.jsonl"
    jsonl.write_rows(path, ROWS)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError, match=rf"a\.jsonl, line 3 cannot be read \({problem}"):
        jsonl.read_rows(path)


def test_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(DataError, match=r"a\.jsonl cannot be read \(.*restore or delete it"):
        jsonl.read_rows(path)
    with pytest.raises(DataError, match="cannot be read"):
        jsonl.read_rows(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), np.float32(1), {1, 2}])
def test_row_that_is_no_json(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "a.jsonl"
    jsonl.write_rows(path, ROWS)
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"row 2 of .*a\.jsonl cannot be written"):
        jsonl.write_rows(path, [ROWS[0], {"x": value}])
    assert path.read_bytes() == before
